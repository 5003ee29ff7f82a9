import { Yaml } from "cdk8s";
import type { Secret } from "../../secrets";
import type { AwsObject, AwsObjects } from "./object";

export interface AwsParameters {
  /** @default - that of the node, by its label */
  readonly region?: string;
  /** Region that is asked where the first one fails; its secrets are called the same. @default - none */
  readonly failoverRegion?: string;
  readonly usesPodIdentity: boolean;
  readonly objects: AwsObjects;
}

/**
 * Parameters of a SecretProviderClass of provider `aws`; `objects` is a YAML list.
 *
 * Source: https://github.com/aws/secrets-store-csi-driver-provider-aws/blob/main/provider/secret_descriptor.go
 */
export function awsParameters(
  { region, failoverRegion, usesPodIdentity, objects }: AwsParameters,
  secrets: readonly Secret[],
): Record<string, string> {
  const byObject = new Map<string, [Secret, ...Secret[]]>();
  for (const secret of secrets) {
    const name = awsObjectName(secret, objects[secret.pair ?? secret.name]);
    const others = byObject.get(name);
    byObject.set(name, others === undefined ? [secret] : [...others, secret]);
  }
  return {
    ...(region === undefined ? {} : { region }),
    ...(failoverRegion === undefined ? {} : { failoverRegion }),
    ...(usesPodIdentity ? { usePodIdentity: "true" } : {}),
    // By default a file in a folder would lie beside it, with '_' in its name.
    pathTranslation: "False",
    objects: Yaml.stringify([...byObject].map(([name, rows]) => objectEntry(name, rows, objects))),
  };
}

/** Name of a secret at AWS: its path, which is one of Parameter Store's hierarchy with a slash before it. */
export function awsObjectName({ path }: Pick<Secret, "path">, { service = "secretsmanager" }: AwsObject = {}): string {
  return service === "ssmparameter" ? `/${path}` : path;
}

function objectEntry(name: string, rows: readonly [Secret, ...Secret[]], objects: AwsObjects): object {
  const of = ({ pair, name: own }: Secret): AwsObject => objects[pair ?? own] ?? {};
  const [first] = rows;
  const { service = "secretsmanager", versionLabel } = of(first);
  const permission = (row: Secret): object => {
    const mode = of(row).permission;
    return mode === undefined ? {} : { filePermission: mode };
  };
  const common = {
    objectName: name,
    objectType: service,
    ...(versionLabel === undefined ? {} : { objectVersionLabel: versionLabel }),
  };
  if (service === "ssmparameter") return { ...common, objectAlias: first.file, ...permission(first) };
  return {
    ...common,
    // Its whole JSON becomes a file too, which the provider goes on from.
    objectAlias: wholeFile(name),
    jmesPath: rows.map((row) => ({ path: memberPath(row.key), objectAlias: row.file, ...permission(row) })),
  };
}

/** File of a secret's whole JSON, beside those of the rows. */
export function wholeFile(name: string): string {
  return `.whole/${name.replaceAll("/", "_")}.json`;
}

/** A member of a JSON object in JMESPath, whose plain names have no dashes and dots. */
function memberPath(key: string): string {
  return /^[A-Za-z_]\w*$/.test(key) ? key : `"${key}"`;
}
