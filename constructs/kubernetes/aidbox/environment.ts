import { ConfigMap, type ContainerProps, Env, EnvValue, Secret } from "cdk8s-plus-28";
import { Construct } from "constructs";
import { databaseVariables } from "../database";
import { InitBundleConfig } from "../init-bundle-config";
import { VaultConfig } from "../vault-config";
import { containerFolders } from "./container";
import type { Identity } from "./identity";
import type { PlainEnvironment } from "./plain-environment";
import type { AidboxProps } from "./props";
import { initBundleVariable } from "./rules";

export type AidboxEnvironmentProps = Pick<
  AidboxProps,
  "environment" | "environmentFrom" | "database" | "ingress" | "gatewayRoute" | "secrets" | "initBundle"
> &
  Pick<Identity, "webPort" | "metricsPort">;

/** The variables of the Aidbox container: what it is told plainly, what the driver syncs, and what it needs to start. */
export class AidboxEnvironment extends Construct {
  public readonly container: Pick<ContainerProps, "envVariables" | "envFrom">;

  public constructor(scope: Construct, id: string, props: AidboxEnvironmentProps) {
    super(scope, id);
    const synced = Secret.fromSecretName(this, "synced", props.secrets.syncedSecretName);
    const { configMaps = [], secrets = [] } = props.environmentFrom ?? {};
    this.container = {
      envFrom: [
        ...configMaps.map((name) => Env.fromConfigMap(ConfigMap.fromConfigMapName(this, `config-map-${name}`, name))),
        ...secrets.map((name) => Env.fromSecret(Secret.fromSecretName(this, `secret-${name}`, name))),
      ],
      envVariables: {
        ...asValues(baseUrl(props)),
        ...asValues(props.environment ?? {}),
        ...Object.fromEntries(
          props.secrets.table.synced.map(({ environment }) => [
            environment,
            EnvValue.fromSecretValue({ secret: synced, key: environment }),
          ]),
        ),
        ...asValues(props.database === undefined ? {} : databaseVariables(props.database)),
        ...asValues({
          BOX_WEB_PORT: String(props.webPort),
          ...(props.metricsPort === undefined ? {} : { BOX_METRICS_PORT: String(props.metricsPort) }),
          BOX_VAULT_CONFIG: `${containerFolders.config}/${VaultConfig.file}`,
          ...(props.initBundle === undefined
            ? {}
            : { [initBundleVariable]: `file://${containerFolders.initBundle}/${InitBundleConfig.file}` }),
          // The guide's way, from before vault-config.json; how the two meet is undocumented, so both are set.
          AIDBOX_SECRET_FILES_ENABLED: "true",
          AIDBOX_SECRET_FILES_DIRS: props.secrets.table.mountPath,
        }),
      },
    };
  }
}

/** What Aidbox calls itself in links and redirects: the first host of the outside that is a single one. */
function baseUrl({ ingress, gatewayRoute }: Pick<AidboxProps, "ingress" | "gatewayRoute">): Record<string, string> {
  const isOne = (host: string): boolean => !host.startsWith("*.");
  const host = ingress?.hosts.find(isOne);
  if (host !== undefined) return { BOX_WEB_BASE_URL: `${ingress?.tls === false ? "http" : "https"}://${host}` };
  const hostname = gatewayRoute?.hostnames.find(isOne);
  return hostname === undefined ? {} : { BOX_WEB_BASE_URL: `https://${hostname}` };
}

function asValues(environment: PlainEnvironment): Record<string, EnvValue> {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      typeof value === "string" ? EnvValue.fromValue(value) : value,
    ]),
  );
}
