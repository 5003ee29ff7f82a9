import type * as pulumi from "@pulumi/pulumi";
import type { DeployedChart } from "../constructs/bridge";
import type { AidboxChart } from "../constructs/kubernetes";
import type { Environment } from "./config/environment";

/** What `up` ends with, for people and for other programs. */
export interface StackOutputs {
  /** URL of Aidbox inside the cluster. */
  readonly aidboxUrl: string;
  /** URL of Vault as seen from the cluster's pods. */
  readonly vaultUrl: pulumi.Output<string>;
  /** File of each secret in the Aidbox container, by name. */
  readonly secretFiles: Record<string, string>;
  /** Paths of the store that the policy lets Aidbox read. */
  readonly readablePaths: readonly string[];
  /** Time within which a change in Vault reaches the files. */
  readonly rotationBound: string;
  /** Shows that the first secret has arrived. */
  readonly verifyCommand: string;
}

export function stackOutputs(
  environment: Environment,
  vaultUrl: pulumi.Output<string>,
  deployed: DeployedChart<AidboxChart>,
): StackOutputs {
  const { table, namespaces, aidbox, kubeContext } = environment;
  const files = Object.fromEntries(table.secrets.map((secret) => [secret.name, table.filePath(secret)]));
  const service = deployed.chart.aidbox.service;
  return {
    aidboxUrl: `http://${service.name}.${namespaces.aidbox}:${service.port}`,
    vaultUrl,
    secretFiles: files,
    readablePaths: table.paths.map((path) => table.dataPath(path)),
    rotationBound: `${environment.rotationBoundSeconds}s`,
    verifyCommand:
      `kubectl --context ${kubeContext} -n ${namespaces.aidbox} exec deploy/${aidbox.name} -- ` +
      `test -s ${Object.values(files)[0]}`,
  };
}
