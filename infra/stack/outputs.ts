import * as pulumi from "@pulumi/pulumi";
import type { DeployedChart } from "../../bridge/index";
import type { AidboxChart } from "../../constructs/kubernetes/index";
import { shellCommand } from "../../constructs/shell-command";
import type { Environment } from "../config/environment";
import { readablePaths } from "../config/stores/of-environment";

/** What `up` ends with, for people and for other programs. */
export interface StackOutputs {
  /** URL of Aidbox inside the cluster. */
  readonly aidboxUrl: string;
  /** URL of the store as seen from the cluster's pods: of Vault, or of the key vault. */
  readonly vaultUrl: pulumi.Output<string>;
  /** File of each secret in the Aidbox container, by name. */
  readonly secretFiles: Record<string, string>;
  /** What of the store Aidbox reads: paths of Vault, or names in the key vault. */
  readonly readablePaths: readonly string[];
  /** Time within which a change in the store reaches the files. */
  readonly rotationBound: string;
  /** Shows that the first secret has arrived; known once it has, for every Aidbox. */
  readonly verifyCommand: pulumi.Output<string>;
  /** URL and files of each tenant's Aidbox, by its name. */
  readonly tenants: Record<string, Pick<StackOutputs, "aidboxUrl" | "secretFiles" | "readablePaths">>;
}

/** An Aidbox as it was deployed. */
export interface DeployedAidbox {
  readonly environment: Environment;
  readonly deployed: DeployedChart<AidboxChart>;
  /** Resolves once its pods have their secrets. */
  readonly served: pulumi.Output<unknown>;
}

export function stackOutputs(
  vaultUrl: pulumi.Output<string>,
  first: DeployedAidbox,
  tenants: readonly DeployedAidbox[],
): StackOutputs {
  const { namespaces, aidbox, kubeContext, rotationBoundSeconds } = first.environment;
  const own = outputsOf(first);
  const test = ["--", "test", "-s", Object.values(own.secretFiles)[0]!];
  const exec = ["--context", kubeContext, "-n", namespaces.aidbox, "exec", `deploy/${aidbox.name}`];
  return {
    ...own,
    vaultUrl,
    rotationBound: `${rotationBoundSeconds}s`,
    verifyCommand: pulumi
      .all([first, ...tenants].map(({ served }) => served))
      .apply(() => shellCommand("kubectl", ...exec, ...test)),
    tenants: Object.fromEntries(tenants.map((each) => [each.environment.tenant!, outputsOf(each)] as const)),
  };
}

/** What each Aidbox has of its own. */
function outputsOf({
  environment,
  deployed: { chart },
}: DeployedAidbox): Pick<StackOutputs, "aidboxUrl" | "secretFiles" | "readablePaths"> {
  const { table, namespaces } = environment;
  const { service } = chart.aidbox;
  return {
    aidboxUrl: `http://${service.name}.${namespaces.aidbox}:${service.port}`,
    secretFiles: Object.fromEntries(table.secrets.map((secret) => [secret.name, table.filePath(secret)])),
    readablePaths: readablePaths(environment),
  };
}
