import * as pulumi from "@pulumi/pulumi";
import type { KubeApi } from "./kube-api";

/**
 * Forgets the record of an install that was killed half way: Helm would refuse the name for ever ("cannot re-use a
 * name"), while an install of the same name takes over what the killed one left.
 */
export async function forgetInterruptedInstall(api: KubeApi, release: string, namespace: string): Promise<void> {
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const records = await core.listNamespacedSecret({
    namespace,
    labelSelector: `owner=helm,name=${release},status=pending-install`,
  });
  for (const name of records.items.flatMap((record) => record.metadata?.name ?? [])) {
    await core.deleteNamespacedSecret({ namespace, name });
    await pulumi.log.warn(
      `Helm release ${namespace}/${release} was left half installed by a killed run: installing it again`,
    );
  }
}
