import { isPlaceholder } from "../../placeholder";
import { expandRow, findKeysProblems, type Problem, type SecretSpec } from "../../secrets";
import { fileModeProblem } from "../file-mode";
import type { AwsIdentity, AwsObjects } from "./object";
import { awsObjectName } from "./parameters";

/** Names as AWS takes them. */
const secretName = /^(arn:\S+|[A-Za-z0-9/_+=.@-]{1,512})$/;
const parameterName = /^(arn:\S+|[A-Za-z0-9_./-]{1,2048})$/;

/** What AWS's stores cannot hold of a table's rows, and what the CSI provider would refuse. */
export function findAwsRowProblems(secrets: readonly SecretSpec[], objects: AwsObjects): Problem[] {
  const firstWith = new Map<string, number>();
  const problems = secrets.flatMap((secret, index): Problem[] => {
    const object = objects[secret.name] ?? {};
    const name = awsObjectName(secret, object);
    const first = firstWith.get(name);
    if (first === undefined) firstWith.set(name, index);
    const isParameter = object.service === "ssmparameter";
    const found = isParameter ? parameterProblems(secret, first) : [];
    if (!(isParameter ? parameterName : secretName).test(secret.path)) {
      const signs = isParameter ? "'_', '.', '-' and '/'" : "'/', '_', '+', '=', '.', '@' and '-'";
      found.push(["path", `"${secret.path}": write a name as AWS takes it, of letters, digits, ${signs}, or its ARN`]);
    }
    if (first !== undefined && objects[secrets[first]!.name]?.versionLabel !== object.versionLabel) {
      const message = `"${secret.path}": that of secrets[${first}] has another versionLabel, and is one secret: give both the same`;
      found.push(["path", message]);
    }
    return found.map(([field, message]) => ({ key: `secrets[${index}].${field}`, message }));
  });
  const ofKeys = findKeysProblems(secrets, "`up` looks up the keys of Vault alone");
  return [...ofKeys, ...problems, ...fileProblems(secrets, firstWith)];
}

function parameterProblems({ path, keypair }: SecretSpec, first: number | undefined): [string, string][] {
  const problems: [string, string][] = [];
  if (keypair !== undefined) {
    const message = `"${keypair}": a parameter is one value, and a pair is written whole: let Secrets Manager have it`;
    problems.push(["keypair", message]);
  }
  if (/^(aws|ssm)/i.test(path)) {
    problems.push(["path", `"${path}": Parameter Store takes no name that begins with aws or ssm: write another`]);
  }
  if (first !== undefined) {
    const fix = "it holds one value at a name, without keys: give each row a path of its own";
    problems.push(["path", `"${path}": is that of secrets[${first}] in Parameter Store too: ${fix}`]);
  }
  return problems;
}

/** The provider refuses a file that is called as an object, also as its own. */
function fileProblems(secrets: readonly SecretSpec[], objects: ReadonlyMap<string, number>): Problem[] {
  return secrets.flatMap((secret, index) =>
    expandRow(secret).flatMap(({ name, file = name }) => {
      const other = objects.get(file);
      if (other === undefined) return [];
      const fix = "write another file, or a path in a folder, as aidbox/client";
      const message = `"${file}": is the path of secrets[${other}] too, which the CSI provider takes for one name: ${fix}`;
      return [{ key: `secrets[${index}].file`, message }];
    }),
  );
}

/**
 * What is wrong with how single secrets stand at AWS.
 *
 * @param key key of the config that has them
 */
export function findAwsObjectProblems(key: string, objects: AwsObjects, secrets: readonly SecretSpec[]): Problem[] {
  return Object.entries(objects).flatMap(([name, object]) => {
    if (secrets.some((each) => each.name === name)) {
      const message = fileModeProblem(object.permission);
      return message === undefined ? [] : [{ key: `${key}.${name}.permission`, message }];
    }
    const names = secrets.map((each) => each.name).join(", ");
    return [{ key: `${key}.${name}`, message: `there is no such secret: write one of ${names}` }];
  });
}

/** Where, and as whom, the provider reads. */
export interface AwsLogin {
  readonly region?: string | undefined;
  readonly failoverRegion?: string | undefined;
  readonly identity: AwsIdentity;
}

/** What is wrong with where, and as whom, the provider reads. */
export function findAwsLoginProblems({ region, failoverRegion, identity }: AwsLogin): Problem[] {
  const problems: Problem[] = [];
  for (const [field, value] of Object.entries({ region, failoverRegion })) {
    if (value !== undefined && !isPlaceholder(value) && !/^[a-z]{2}(-[a-z]+)+-\d$/.test(value)) {
      problems.push({ key: field, message: `"${value}": write a region of AWS, as eu-central-1` });
    }
  }
  if (failoverRegion !== undefined && failoverRegion === region) {
    const message = `"${failoverRegion}": is region too, which the CSI provider refuses: write another, or leave it out`;
    problems.push({ key: "failoverRegion", message });
  }
  const roleArn = identity.type === "irsa" ? identity.roleArn : undefined;
  if (roleArn !== undefined && !isPlaceholder(roleArn) && !/^arn:[\w-]+:iam::\d{12}:role\/\S+$/.test(roleArn)) {
    const message = `"${roleArn}": write the role's ARN, as arn:aws:iam::111122223333:role/aidbox`;
    problems.push({ key: "identity.roleArn", message });
  }
  return problems;
}
