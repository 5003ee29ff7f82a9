import { findSourceProblems, type Secret } from "../../../../constructs/secrets";
import { type AwsObjects, AwsStore } from "../../../../constructs/stores/aws";
import { awsObjectName } from "../../../../constructs/stores/aws/parameters";
import {
  findAwsLoginProblems,
  findAwsObjectProblems,
  findAwsRowProblems,
} from "../../../../constructs/stores/aws/rules";
import { optionalProblems } from "../../optional";
import { besideVaultProblems } from "../beside-vault";
import type { StoreConfig } from "../store-config";
import { type AwsEnvironment, awsProviderName, awsReleases } from "./provider";
import { awsSecrets } from "./schema";

const key = "awsSecrets";
const title = "AWS";

/** AWS Secrets Manager and Parameter Store, as the store of an environment. */
export const awsConfig: StoreConfig<AwsEnvironment> = {
  key,
  title,
  mountPath: "/run/aws-secrets",
  csiProviderNamespace: "aws-csi-provider",
  chart: "secrets-store-csi-driver-provider-aws",
  csiProvider: { title: "AWS's CSI provider", name: awsProviderName },

  tableProblems(config, rows) {
    const objects = objectsIn(config);
    return [
      ...findSourceProblems({ title, sources: ["external"] }, rows),
      ...optionalProblems(title, rows),
      ...(objects === undefined
        ? []
        : [...findAwsRowProblems(rows, objects), ...findAwsObjectProblems(`${key}.objects`, objects, rows)]),
    ];
  },

  crossProblems(config) {
    const login = awsSecrets.pick({ region: true, failoverRegion: true, identity: true }).loose();
    const known = login.safeParse(config[key]).data;
    return [
      ...besideVaultProblems(config, { key, title }),
      ...(known === undefined ? [] : findAwsLoginProblems(known)).map((each) => ({
        ...each,
        key: `${key}.${each.key}`,
      })),
    ];
  },

  locate: ({ awsSecrets: { objects } }, secret) => {
    const { service = "secretsmanager" } = objects[secret.pair ?? secret.name] ?? {};
    return `${service}:${awsObjectName(secret, { service })}`;
  },
  readablePaths: (environment, { secrets }) => [
    ...new Set(secrets.map((secret: Secret) => awsConfig.locate(environment, secret))),
  ],
  releases: awsReleases,
  tokenAudiences: ({ awsSecrets: { identity } }) => new AwsStore({ identity }).tokenAudiences,
};

/** The objects, where they are well-formed. */
function objectsIn(config: Readonly<Record<string, unknown>>): AwsObjects | undefined {
  const { objects } = Object(config[key]) as { objects?: unknown };
  return awsSecrets.shape.objects.safeParse(objects).data;
}
