import { gzipSync } from "node:zlib";
import { stringify } from "yaml";

/** An object that a release has installed, as its chart renders it. */
export interface Rendered {
  readonly apiVersion?: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** Helm's record of a release that is installed, as the cluster keeps it. */
export function helmRecord(namespace: string, releaseName: string, rendered: readonly Rendered[], revision = 1) {
  const manifest = ["# Source: chart/templates/off.yaml\n", ...rendered.map((each) => stringify(each))].join("---\n");
  const packed = gzipSync(JSON.stringify({ manifest })).toString("base64");
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: `sh.helm.release.v1.${releaseName}.v${revision}`,
      namespace,
      labels: { owner: "helm", name: releaseName, status: "deployed", version: String(revision) },
    },
    data: { release: Buffer.from(packed).toString("base64") },
  };
}
