import { gunzipSync, gzipSync } from "node:zlib";
import * as pulumi from "@pulumi/pulumi";
import { type MarkedRelease, releaseMarkName } from "../../constructs/platform";
import type { KubeApi } from "./kube-api";

/**
 * Lets a release be installed again that a killed run left behind without Pulumi's state knowing it. Helm refuses a name
 * that is in use, but installs anew over a release that failed, and takes over the objects of the first try. So its
 * record is set to failed, which harms nothing where the state knows it after all.
 */
export async function recoverInterruptedInstall(api: KubeApi, release: MarkedRelease): Promise<void> {
  const { namespace, releaseName } = release;
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const mark = await api.find(core.readNamespacedConfigMap({ namespace, name: releaseMarkName(releaseName) }));
  if (mark !== undefined) return;
  const labelSelector = `owner=helm,name=${releaseName},status in (deployed,pending-install)`;
  const records = await core.listNamespacedSecret({ namespace, labelSelector });
  for (const record of records.items) {
    const { data, metadata } = record;
    if (data?.release === undefined || metadata?.name === undefined) continue;
    data.release = asFailed(data.release);
    metadata.labels = { ...metadata.labels, status: "failed" };
    await core.replaceNamespacedSecret({ namespace, name: metadata.name, body: record });
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
