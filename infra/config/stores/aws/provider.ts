import type { MarkedRelease } from "../../../../constructs/platform/release-mark";
import type { EnvironmentOf } from "../../environment";
import type { StoreReleases } from "../store-releases";

/** An environment whose store is AWS. */
export type AwsEnvironment = EnvironmentOf<"awsSecrets">;

/** Name of the Helm release of AWS's CSI provider, and of its DaemonSet. */
export const awsProviderName = "aws-node";

/** The Helm release of AWS's CSI provider; none where the cluster has it. */
export function awsProvider({ awsSecrets, namespaces }: AwsEnvironment): MarkedRelease | undefined {
  if (awsSecrets.csiProvider === "there") return undefined;
  return { releaseName: awsProviderName, namespace: namespaces.csiProvider };
}

/** What the provider's release has in the cluster that nobody else may have. */
export function awsReleases(environment: AwsEnvironment): StoreReleases {
  const provider = awsProvider(environment);
  if (provider === undefined) return { namespaces: [], clusterRoleBindings: [] };
  return {
    // Its pods use host paths, which no other level admits.
    namespaces: [{ id: "csi-provider", key: "namespaces.csiProvider", name: provider.namespace, level: "privileged" }],
    clusterRoleBindings: [],
  };
}
