import { gunzipSync, gzipSync } from "node:zlib";
import type { V1Secret } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import * as pulumi from "@pulumi/pulumi";
import { releaseMarkName } from "../../constructs/platform/names";
import type { MarkedRelease } from "../../constructs/platform/release-mark";
import { settle } from "../../constructs/settle";
import type { KubeApi } from "./kube-api";
import { waitUntil } from "./wait-until";

/** How long a Helm that outlives its killed run is given to finish, in milliseconds since its install began. */
const installTime = 60_000;

/**
 * Lets a release be installed again that a killed run left behind without Pulumi's state knowing it. Helm refuses a name
 * that is in use, but installs anew over a release that failed, and takes over the objects of the first try. So its
 * record is set to failed, which harms nothing where the state knows it after all.
 *
 * Pulumi's plugin outlives a run that is killed (measured: for more than 24 s), and its Helm would write `deployed` over
 * that. So an install that began within the last minute is waited for.
 */
export async function recoverInterruptedInstall(api: KubeApi, release: MarkedRelease): Promise<void> {
  const { namespace, releaseName } = release;
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const mark = await api.find(core.readNamespacedConfigMap({ namespace, name: releaseMarkName(releaseName) }));
  if (mark !== undefined) return;
  const recordsOf = async (...statuses: readonly string[]): Promise<V1Secret[]> => {
    const labelSelector = `owner=helm,name=${releaseName},status in (${statuses.join(",")})`;
    return (await core.listNamespacedSecret({ namespace, labelSelector })).items;
  };
  const [installing] = await recordsOf("pending-install");
  const began = Number(installing?.metadata?.creationTimestamp ?? 0);
  if (Date.now() - began < installTime) {
    await pulumi.log.info(`Letting Helm finish ${namespace}/${releaseName}, which a killed run began to install`);
    const settled = async (): Promise<boolean> => (await recordsOf("pending-install")).length === 0;
    await waitUntil(settled, Math.min(Date.now(), began) + installTime);
  }
  for (const record of await recordsOf("deployed", "pending-install")) {
    const { data, metadata } = record;
    const name = metadata?.name;
    if (data?.release === undefined || name === undefined) continue;
    data.release = asFailed(data.release);
    metadata!.labels = { ...metadata!.labels, status: "failed" };
    await settle({
      what: `Secret ${namespace}/${name}`,
      write: () => core.replaceNamespacedSecret({ namespace, name, body: record }),
      lookUp: async () => {
        const found = await core.readNamespacedSecret({ namespace, name });
        return found.metadata?.labels?.status === "failed" ? found : undefined;
      },
    });
    await pulumi.log.warn(
      `Helm release ${namespace}/${releaseName} was left behind by a killed run: installing it again`,
    );
  }
}

/** Helm keeps a release as base64 of gzipped JSON, and Kubernetes keeps that in base64 once more. */
function asFailed(content: string): string {
  const packed = Buffer.from(Buffer.from(content, "base64").toString(), "base64");
  const release = JSON.parse(gunzipSync(packed).toString()) as { info: { status: string } };
  release.info.status = "failed";
  return Buffer.from(gzipSync(JSON.stringify(release)).toString("base64")).toString("base64");
}
