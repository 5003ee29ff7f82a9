import { createHash } from "node:crypto";
import { ConfigMap } from "cdk8s-plus-28";
import { Construct } from "constructs";
import { optional, refuseProps, secretTable, text } from "../check-props";
import type { IdentifiedResource } from "../fhir";
import { identifiedResource } from "../fhir/resource-kind";
import type { SecretTable } from "../secrets";
import { assertMayAdd, whenRendered } from "./additions";
import { bundleContent, findInitResourcesProblems, type InitResources, initResourcesChecks } from "./init-resources";

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
  ...initResourcesChecks,
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
  private readonly table: SecretTable;
  private readonly resources: IdentifiedResource[];
  private readonly type: InitResources["type"];

  public constructor(scope: Construct, id: string, props: InitBundleConfigProps) {
    super(scope, id);
    refuseProps(this.node.path, props, checks);
    this.table = props.table;
    this.resources = [...props.resources];
    this.type = props.type;
    this.refuseProblems(this.resources);
    this.configMap = new ConfigMap(this, "config", {
      metadata: { name: props.name ?? "aidbox-init-bundle" },
      data: { [InitBundleConfig.file]: whenRendered(() => this.content) },
    });
  }

  /** SHA-256 of the content so far. Aidbox loads it at its start alone, so a changed checksum must roll the pods. */
  public get checksum(): string {
    return createHash("sha256").update(this.content).digest("hex");
  }

  /**
   * Has Aidbox make a further resource, after those that are there.
   *
   * @throws Error with the construct's path where the bundle has it already, it refers to what the table does not bear or holds a
   * secret in plain text, or comes too late
   */
  public addResource(resource: IdentifiedResource): void {
    assertMayAdd(this, { what: "resource", value: resource, check: identifiedResource });
    this.refuseProblems([...this.resources, resource]);
    this.resources.push(resource);
  }

  private get content(): string {
    const { resources, type } = this;
    return bundleContent({ resources, ...(type === undefined ? {} : { type }) });
  }

  private refuseProblems(resources: readonly IdentifiedResource[]): void {
    const problems = findInitResourcesProblems(this.table, { resources, ...(this.type && { type: this.type }) });
    if (problems.length === 0) return;
    throw new Error([`The Init Bundle of ${this.node.path} is not valid:`, ...problems].join("\n  "));
  }
}
