import * as pulumi from "@pulumi/pulumi";
import { type ApiObject, App, type Chart, type IResolver, type ResolutionContext } from "cdk8s";
import type { Construct, IConstruct } from "constructs";
import { orderObjects } from "./object-graph";
import { containsToken, OutputTokens, refusal, type Resolved } from "./output-tokens";

/** What a chart is built with. */
export interface ChartBuilder {
  /** The cdk8s app to put the chart into. */
  readonly app: App;
  /** Turns Outputs into strings that constructs take. */
  readonly outputs: OutputTokens;
  /** Has every API object of a construct wait for resources, or for Outputs to be resolved; unknown ones do not wait. */
  readonly waitFor: (construct: Construct, ...awaited: (pulumi.Resource | pulumi.Output<unknown>)[]) => void;
}

/** The state that all Kubernetes resources of the Pulumi provider have in common. */
export class KubernetesObject extends pulumi.CustomResource {
  declare public readonly metadata: pulumi.Output<{
    readonly name: string;
    readonly namespace?: string;
  }>;

  /** @param manifest the object; any leaf may be an Output */
  public constructor(name: string, manifest: { readonly [key: string]: Resolved }, opts: pulumi.CustomResourceOptions) {
    const { apiVersion, kind } = manifest as {
      apiVersion: string;
      kind: string;
    };
    const group = apiVersion.includes("/") ? apiVersion : `core/${apiVersion}`;
    const secretKeys =
      kind === "Secret" && apiVersion === "v1" ? ["data", "stringData"].filter((key) => key in manifest) : [];
    super(
      `kubernetes:${group}:${kind}`,
      name,
      {
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

/**
 * A cdk8s chart as Pulumi resources: one for each API object, named after its construct path, after those it depends
 * on. Pass a Kubernetes provider in `opts`; a changed ConfigMap is updated in place where the provider was made with
 * `enableConfigMapMutable`, and replaced otherwise.
 *
 * @throws Error that names the construct's path, where an Output was cast into a string, a token is left over, the
 * chart's own validation fails or constructs depend on each other in a circle
 */
export class DeployedChart<C extends Chart> extends pulumi.ComponentResource {
  public readonly chart: C;
  private readonly resources = new Map<IConstruct, KubernetesObject>();

  public constructor(name: string, build: (builder: ChartBuilder) => C, opts?: pulumi.ComponentResourceOptions) {
    super("cdk8s-pulumi:index:DeployedChart", name, {}, opts);
    const outputs = new OutputTokens();
    const refusals = new OutputRefusal();
    const waits = new Map<IConstruct, pulumi.Input<pulumi.Resource>[]>();
    this.chart = build({
      app: new App({ resolvers: [refusals] }),
      outputs,
      waitFor: (construct, ...awaited) => {
        waits.set(construct, [...(waits.get(construct) ?? []), ...awaited.map(asDependency)]);
      },
    });
    validate(this.chart);

    // All of them are rendered before the first is registered, so that a faulty one leaves nothing half done.
    const rendered = orderObjects(this.chart).map(({ object, after }) => ({
      object,
      after,
      manifest: outputs.resolve(render(object, refusals), object.node.path) as { readonly [key: string]: Resolved },
    }));
    for (const { object, after, manifest } of rendered) {
      const waited = object.node.scopes.flatMap((scope) => waits.get(scope) ?? []);
      const resource = new KubernetesObject(`${name}/${pathInChart(object, this.chart)}`, manifest, {
        parent: this,
        dependsOn: [...after.flatMap((each) => this.resources.get(each) ?? []), ...waited],
      });
      this.resources.set(object, resource);
    }
    this.registerOutputs();
  }

  /** Ids of all its resources, known once they are made. */
  public get ids(): pulumi.Output<string[]> {
    return pulumi.all([...this.resources.values()].map(({ id }) => id));
  }

  /** The Pulumi resources of the API objects below a construct, to depend on or to read from. */
  public resourcesOf(construct: Construct): KubernetesObject[] {
    return construct.node.findAll().flatMap((child) => this.resources.get(child) ?? []);
  }
}

/** Stops at a raw Output before cdk8s takes it apart as if it were a plain object. */
class OutputRefusal implements IResolver {
  /** The last refusal; cdk8s hands it on inside errors of its own. */
  public error: Error | undefined;

  public resolve(context: ResolutionContext): void {
    if (!pulumi.Output.isInstance(context.value)) return;
    this.error = refusal(context.obj.node.path, context.key, "holds a raw Output");
    throw this.error;
  }
}

/** What a resource can depend on: another one, or an Output that is resolved first; one that is unknown does not wait. */
export function asDependency(awaited: pulumi.Resource | pulumi.Output<unknown>): pulumi.Input<pulumi.Resource> {
  if (pulumi.Resource.isInstance(awaited)) return awaited;
  // The SDK takes an Output of resources for a dependency, and with it all that the Output itself depends on.
  return awaited.apply((): pulumi.Resource[] => []) as unknown as pulumi.Output<pulumi.Resource>;
}

function validate(chart: Chart): void {
  const constructs = chart.node.findAll();
  const errors = constructs.flatMap((construct) => [
    ...(containsToken(construct.node.id)
      ? [
          `${construct.node.path}: the construct's id is made from an Output, which is not known yet; use a plain string`,
        ]
      : []),
    ...construct.node.validate().map((error) => `${construct.node.path}: ${error}`),
  ]);
  if (errors.length > 0) throw new Error(`The chart ${chart.node.path} is not valid:\n  ${errors.join("\n  ")}`);
}

function render(object: ApiObject, refusals: OutputRefusal): unknown {
  try {
    return object.toJson();
  } catch (error) {
    throw refusals.error ?? new Error(`${object.node.path} cannot be rendered: ${String(error)}`, { cause: error });
  }
}

function pathInChart(object: ApiObject, chart: Chart): string {
  return object.node.path.slice(chart.node.path.length + 1);
}
