import * as pulumi from "@pulumi/pulumi";
import type { Resolved } from "./output-tokens";

/**
 * Any API object, as a resource of Pulumi's Kubernetes provider.
 *
 * @typeParam Status what the cluster says of it, as `k8s.types.output.core.v1.ServiceStatus`
 */
export class KubernetesObject<Status = unknown> extends pulumi.CustomResource {
  /** Name and namespace by which the cluster has it. */
  declare public readonly metadata: pulumi.Output<{
    /** As the manifest says it; where it says `generateName`, as the API server made it. */
    readonly name: string;
    /** Undefined where the object is one of the whole cluster. */
    readonly namespace?: string;
  }>;
  /** Undefined where the kind has none. */
  declare public readonly status: pulumi.Output<Status | undefined>;

  /**
   * @param manifest the object; any value in it may be an Output
   * @throws Error where it has no apiVersion or no kind, or one that is known late
   */
  public constructor(name: string, manifest: { readonly [key: string]: Resolved }, opts: pulumi.CustomResourceOptions) {
    const { apiVersion, kind } = manifest as {
      apiVersion: string;
      kind: string;
    };
    if (typeof apiVersion !== "string" || typeof kind !== "string") {
      throw new Error(`KubernetesObject ${name}: write the manifest's apiVersion and kind as plain texts`);
    }
    const group = apiVersion.includes("/") ? apiVersion : `core/${apiVersion}`;
    const secretKeys =
      kind === "Secret" && apiVersion === "v1" ? ["data", "stringData"].filter((key) => key in manifest) : [];
    super(
      `kubernetes:${group}:${kind}`,
      name,
      {
        status: undefined, // the SDK gives out what is named here alone
        ...manifest,
        ...Object.fromEntries(secretKeys.map((key) => [key, pulumi.secret<unknown>(manifest[key])])),
      },
      {
        ...opts,
        additionalSecretOutputs: [...(opts.additionalSecretOutputs ?? []), ...secretKeys],
      },
    );
  }
}
