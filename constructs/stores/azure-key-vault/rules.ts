import { expandRow, findKeysProblems, type Problem, type SecretSpec } from "../../secrets";
import { fileModeProblem } from "../file-mode";
import { objectName, objectNamePattern } from "./names";
import type { KeyVaultObject, KeyVaultObjects } from "./object";

/** What Key Vault cannot hold of a table's rows, and what the CSI provider would refuse. */
export function findRowProblems(secrets: readonly SecretSpec[]): Problem[] {
  const problems: Problem[] = findKeysProblems(secrets, "a secret of a key vault is one value, without keys");
  const firstWith = new Map<string, number>();
  for (const [index, secret] of secrets.entries()) {
    const problem = (field: string, message: string): void => {
      problems.push({ key: `secrets[${index}].${field}`, message });
    };
    if (secret.source === "database") {
      const fix = "write external, and have Key Vault's secret follow the database's password";
      problem("source", `"database": is Vault's, and Key Vault has no database engine: ${fix}`);
      continue;
    }
    for (const { name, key, path, pair, file } of expandRow(secret)) {
      const object = objectName({ path, key: key ?? name, ...(pair === undefined ? {} : { pair }) });
      const taken = firstWith.get(object.toLowerCase());
      if (!objectNamePattern.test(object)) {
        const fix = "write a path of letters, digits, '-' and '/', which make up to 127 characters";
        problem("path", `"${path}": would be "${object}" in Key Vault, which refuses that: ${fix}`);
        break;
      }
      if (taken !== undefined) {
        const fix = "it holds one value at a name, without keys: give each row a path of its own";
        problem("path", `"${path}": is "${object}" in Key Vault, as that of secrets[${taken}] is: ${fix}`);
        break;
      }
      firstWith.set(object.toLowerCase(), index);
      if (file?.includes("..") === true) problem("file", `"${file}": the CSI provider refuses '..': leave it out`);
    }
  }
  return problems;
}

/**
 * What is wrong with how single secrets stand in Key Vault.
 *
 * @param key key of the config that has them, as `azure.objects`
 */
export function findObjectProblems(key: string, objects: KeyVaultObjects, secrets: readonly SecretSpec[]): Problem[] {
  return Object.entries(objects).flatMap(([name, object]) => {
    const secret = secrets.find((each) => each.name === name);
    if (secret === undefined) {
      const names = secrets.map((each) => each.name).join(", ");
      return [{ key: `${key}.${name}`, message: `there is no such secret: write one of ${names}` }];
    }
    return problemsOf(object, secret).map(([field, message]) => ({ key: `${key}.${name}.${field}`, message }));
  });
}

function problemsOf(object: KeyVaultObject, secret: SecretSpec): [keyof KeyVaultObject, string][] {
  const { type = "secret", version, format, encoding, permission } = object;
  const { source = "external" } = secret;
  const problems: [keyof KeyVaultObject, string][] = [];
  if (type !== "secret") {
    if (secret.keypair !== undefined) {
      problems.push(["type", `"${type}": a keypair's parts are secrets of their own: leave it out`]);
    } else if (source !== "external") {
      problems.push(["type", `"${type}": this stack writes secrets alone, and the row is ${source}: make it external`]);
    }
    if (format === "pfx") problems.push(["format", `"pfx": is for secrets, and this is a ${type}: leave it out`]);
    if (encoding !== undefined) {
      problems.push(["encoding", `"${encoding}": is for secrets, and this is a ${type}: leave it out`]);
    }
  }
  if (type === "secret" && encoding !== undefined && encoding !== "utf-8" && source !== "external") {
    const message = `"${encoding}": this stack writes text as it is, and the row is ${source}: make it external`;
    problems.push(["encoding", message]);
  }
  if (version !== undefined) {
    if (!/^[0-9a-f]{32}$/.test(version)) {
      problems.push(["version", `"${version}": write the 32 hexadecimal digits of a version, or leave it out`]);
    } else if (source !== "external" || secret.keypair !== undefined) {
      const message = `"${version}": nothing new would reach the pods, and this stack writes the row: leave it out`;
      problems.push(["version", message]);
    }
  }
  const modeProblem = fileModeProblem(permission);
  if (modeProblem !== undefined) problems.push(["permission", modeProblem]);
  return problems;
}

/** What is wrong with the name of a key vault; undefined where nothing is. */
export function keyVaultNameProblem(name: string): string | undefined {
  if (/^[A-Za-z](?!.*--)[0-9A-Za-z-]{1,22}[0-9A-Za-z]$/.test(name)) return undefined;
  return "write the name of the key vault alone, as aidbox-prod: 3 to 24 letters, digits and single '-', a letter first";
}
