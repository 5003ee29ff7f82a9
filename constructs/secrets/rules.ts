import { expandRow } from "./expand-row";
import { partsOf, signsTokens } from "./keypair";
import { dnsLabel, type Problem, relativePath, textProblems, type TextRule } from "./problem";
import type { SecretSpec } from "./secret";
import { isMadeByStore, type SecretSource } from "./source";

const rules = {
  name: dnsLabel,
  file: {
    accepts: relativePath,
    fix: "write a file below the mount path: letters, digits, '_', '.', '-' and '/', without slash or dash at its start, '.' or '..'",
  },
  environment: {
    accepts: /^[A-Za-z_][A-Za-z0-9_]*$/,
    fix: "write a variable's name, as BOX_ADMIN_PASSWORD",
  },
  resourceType: {
    accepts: /^[A-Z][A-Za-z]*$/,
    fix: "write a FHIR resource type, as Client",
  },
  id: {
    accepts: /^[A-Za-z0-9.-]{1,64}$/,
    fix: "write a FHIR id: up to 64 letters, digits, '.' and '-'",
  },
} satisfies Record<string, TextRule>;

/** What is wrong with the folder of the secrets' files. */
export function findMountPathProblems(mountPath: string): Problem[] {
  return textProblems("mountPath", mountPath, {
    accepts: new RegExp(`^/${relativePath.source.slice(1)}`),
    fix: "write an absolute folder, as /run/vault-secrets",
  });
}

/** What the driver, which writes files as kubelet does, refuses of a file below the mount path. */
function fileNameProblems(key: string, file = ""): Problem[] {
  if (!rules.file.accepts.test(file)) return [];
  if (file.startsWith(".."))
    return [{ key, message: `"${file}": begins with '..', which kubelet keeps for itself: rename it` }];
  const isLong = file.split("/").some((part) => part.length > 255);
  return isLong ? [{ key, message: `"${file}": has a part of more than 255 characters: shorten it` }] : [];
}

/** What is wrong with the rows of a table, whichever store holds them. */
export function findSecretProblems(secrets: readonly SecretSpec[]): Problem[] {
  const problems: Problem[] = [];
  if (secrets.length === 0) problems.push({ key: "secrets", message: "is empty: name at least one secret" });
  else if (secrets.every(({ optional, keys }) => optional === true || keys === "all")) {
    problems.push({
      key: "secrets",
      message: secrets.some(({ keys }) => keys === "all")
        ? "have no value that is known without the store, and pods mount one at least: write a row for one key"
        : "are all optional, and pods mount one at least: make one of them required",
    });
  }
  for (const [index, secret] of secrets.entries()) {
    const at = (field: string): string => `secrets[${index}].${field}`;
    problems.push(
      ...textProblems(at("name"), secret.name, rules.name),
      ...textProblems(at("file"), secret.file, rules.file),
      ...fileNameProblems(at("file"), secret.file),
      ...(Array.isArray(secret.keys)
        ? expandRow(secret).flatMap(({ file }) => fileNameProblems(at("keys"), file))
        : []),
      ...textProblems(at("environment"), secret.environment, rules.environment),
    );
    problems.push(
      ...textProblems(at("scope.resourceType"), secret.scope?.resourceType, rules.resourceType),
      ...textProblems(at("scope.id"), secret.scope?.id, rules.id),
    );
    const { maxAge } = secret;
    const most = maxAge?.toSeconds({ integral: false });
    if (most !== undefined && (!Number.isInteger(most) || most < 1)) {
      problems.push({ key: at("maxAge"), message: `${most} s: write whole seconds, 1 or more` });
    }
    if (most !== undefined && isMadeByStore(secret) && secret.key === "username") {
      problems.push({ key: at("key"), message: '"username": never changes: leave its greatest age out' });
    }
    if (secret.keypair !== undefined) problems.push(...keypairProblems(secret, at));
    if (secret.keys !== undefined) problems.push(...keysProblems(secret, at));
    const { source = "external" } = secret;
    if (secret.mayBeEmpty === true && (secret.keypair !== undefined || !["external", "managed"].includes(source))) {
      const what = secret.keypair === undefined ? `a value of source ${source}` : "a keypair's value";
      problems.push({ key: at("mayBeEmpty"), message: `true: ${what} is never empty: leave it out` });
    }
    if (secret.optional === true && (secret.keypair !== undefined || source !== "external")) {
      const what =
        secret.keypair === undefined
          ? `of source ${source} the stack makes sure of`
          : "a keypair's parts are all there";
      problems.push({ key: at("optional"), message: `true: ${what}: leave it out` });
    }
  }
  return [...problems, ...findClashes(secrets)];
}

/** What a row with keys cannot say. */
function keysProblems(secret: SecretSpec, at: (field: string) => string): Problem[] {
  const { keys, source = "external" } = secret;
  const problems: Problem[] = (["key", "scope", "environment", "keypair", "maxAge", "optional"] as const)
    .filter((field) => secret[field] !== undefined && secret[field] !== false)
    .map((field) => ({
      key: at(field),
      message: "says something of one value, and the row is one for each of its keys: give that key a row of its own",
    }));
  const ofSource: Partial<Record<SecretSource, string>> = {
    managed: "the value of each is in the config by its row's name: write a row for each key",
    database: "a static role has a key alone: leave the keys out",
    ...(keys === "all" ? { seeded: "the stack makes the keys that it knows: list them" } : {}),
  };
  const ofThis = ofSource[source];
  if (ofThis !== undefined) problems.push({ key: at("source"), message: `"${source}": ${ofThis}` });
  if (keys === "all" || keys === undefined) return problems;
  if (keys.length === 0) problems.push({ key: at("keys"), message: "is empty: name a key, or write all" });
  for (const [index, key] of keys.entries()) {
    if (relativePath.test(key)) continue;
    const message =
      `"${key}": is no file's name: letters, digits, '_', '.', '-' and '/', without slash or dash at its start: ` +
      "give the key a row of its own, with a file";
    problems.push({ key: at(`keys[${index}]`), message });
  }
  return problems;
}

/** What a row that is a keypair cannot say. */
function keypairProblems(secret: SecretSpec, at: (field: string) => string): Problem[] {
  const { keypair: kind, scope, source = "external" } = secret;
  const parts = partsOf(kind!).join(", ");
  const problems: Problem[] = (["key", "file", "environment"] as const)
    .filter((field) => secret[field] !== undefined)
    .map((field) => ({
      key: at(field),
      message: `"${secret[field]!}": a keypair has keys, files and variables of its own, one for each of ${parts}: leave it out`,
    }));
  const longest = 63 - Math.max(...partsOf(kind!).map((part) => `-${part}`.length));
  if (secret.name.length > longest) {
    const message = `"${secret.name}": its parts are named after it, as ${secret.name}-private: write up to ${longest} characters`;
    problems.push({ key: at("name"), message });
  }
  if (signsTokens(kind)) {
    if (scope !== undefined) {
      const message = `"${scope.resourceType}": Aidbox itself signs with this pair, and no resource: leave it out`;
      problems.push({ key: at("scope"), message });
    }
    if (source !== "seeded" && source !== "external") {
      const message = `"${source}": one that reads the state could sign tokens: write seeded, or external`;
      problems.push({ key: at("source"), message });
    }
    return problems;
  }
  if (scope?.resourceType !== "IdentityProvider") {
    const said = scope === undefined ? "is missing" : `"${scope.resourceType}": takes no certificate`;
    const message = `${said}: write scope: { resourceType: IdentityProvider, id: ID } of the one that uses it`;
    problems.push({ key: at("scope"), message });
  }
  if (source !== "external") {
    const message = `"${source}": others must know a certificate, so an operator writes it: write external`;
    problems.push({ key: at("source"), message });
  }
  return problems;
}

/** What no two rows may share. */
function findClashes(secrets: readonly SecretSpec[]): Problem[] {
  const problems: Problem[] = [];
  const rows = secrets.flatMap((spec, index) => expandRow(spec).map((row) => ({ row, index })));
  const unique = (field: string, of: (secret: SecretSpec) => string | undefined): void => {
    const firstWith = new Map<string, { readonly index: number; readonly name: string }>();
    for (const { row, index } of rows) {
      const value = of(row);
      if (value === undefined) continue;
      const first = firstWith.get(value);
      if (first === undefined) firstWith.set(value, { index, name: row.name });
      // Rows of one name have one default file too, which needs no second message.
      else if (field === "name" || row.name !== first.name) {
        problems.push({
          key: `secrets[${index}].${field}`,
          message: `"${value}": is that of secrets[${first.index}] too: give each its own`,
        });
      }
    }
  };
  unique("name", (secret) => secret.name);
  unique("file", (secret) => secret.file ?? secret.name);
  unique("environment", (secret) => secret.environment);

  const firstOfFile = new Map<string, number>();
  for (const { row, index } of rows) {
    const file = row.file ?? row.name;
    if (!firstOfFile.has(file)) firstOfFile.set(file, index);
  }
  for (const { row, index } of rows) {
    const file = row.file ?? row.name;
    const folders = [...file.matchAll(/\//g)].map(({ index: end }) => file.slice(0, end));
    const inside = folders.flatMap((folder) => firstOfFile.get(folder) ?? []);
    if (inside.length > 0) {
      problems.push({
        key: `secrets[${index}].file`,
        message: `"${file}": lies below the file of secrets[${Math.min(...inside)}]: move one of them`,
      });
    }
  }

  return problems;
}
