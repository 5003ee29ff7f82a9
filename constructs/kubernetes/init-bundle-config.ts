import { createHash } from "node:crypto";
import { ConfigMap } from "cdk8s-plus-28";
import { Construct } from "constructs";
import { each, oneOf, optional, refuseProps, secretTable, text } from "../check-props";
import { identifiedResource } from "../fhir/resource";
import type { SecretTable } from "../secrets";
import { bundleContent, findInitResourcesProblems, type InitResources } from "./init-resources";

/** What Aidbox makes at its start, and the secrets that it refers to. */
export interface InitBundleConfigProps extends InitResources {
  /** @default "aidbox-init-bundle" */
  readonly name?: string;
  /** The table that the resources' references name. */
  readonly table: SecretTable;
}

const checks = {
  name: optional(text),
  table: secretTable,
  resources: each(identifiedResource),
  type: optional(oneOf("transaction", "batch")),
};

/**
 * The Init Bundle as a ConfigMap, the vendor's named way to deliver one. Aidbox loads it before it answers `/health`.
 *
 * Source: https://www.health-samurai.io/docs/aidbox/configuration/init-bundle
 *
 * @throws Error that lists every reference that the table does not bear, and every secret in plain text
 */
export class InitBundleConfig extends Construct {
  /** Key of the bundle in the ConfigMap, and so its file's name in the pod. */
  public static readonly file = "bundle.json";
  /** To be mounted in Aidbox's container. */
  public readonly configMap: ConfigMap;
  /** SHA-256 of the content. Aidbox loads it at its start alone, so a changed checksum must roll the pods. */
  public readonly checksum: string;

  public constructor(scope: Construct, id: string, props: InitBundleConfigProps) {
    super(scope, id);
    refuseProps(this.node.path, props, checks);
    const problems = findInitResourcesProblems(props.table, props);
    if (problems.length > 0) {
      throw new Error([`The Init Bundle of ${this.node.path} is not valid:`, ...problems].join("\n  "));
    }
    const content = bundleContent(props);
    this.checksum = createHash("sha256").update(content).digest("hex");
    this.configMap = new ConfigMap(this, "config", {
      metadata: { name: props.name ?? "aidbox-init-bundle" },
      data: { [InitBundleConfig.file]: content },
    });
  }
}
