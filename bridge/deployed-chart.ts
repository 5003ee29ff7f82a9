import * as pulumi from "@pulumi/pulumi";
import { type ApiObject, App, Chart, type IResolver, type ResolutionContext } from "cdk8s";
import { Construct, type IConstruct } from "constructs";
import { KubernetesObject } from "./kubernetes-object";
import { orderObjects } from "./object-graph";
import { OutputTokens, refusal, type Resolved } from "./output-tokens";

/** What a chart is built with. */
export interface ChartBuilder {
  /** The cdk8s app to put the chart into. */
  readonly app: App;
  /** Turns Outputs into the plain values that constructs take. */
  readonly outputs: OutputTokens;
  /** Has every API object of a construct wait for resources, or for Outputs to be resolved; unknown ones do not wait. */
  readonly waitFor: (construct: Construct, ...awaited: (pulumi.Resource | pulumi.Output<unknown>)[]) => void;
  /**
   * Keeps the resources of a construct that was renamed or moved: those that a former program made for it below another path
   * in the chart become its own.
   *
   * @param formerPath path in the chart, without the chart's id
   */
  readonly renamed: (construct: Construct, formerPath: string) => void;
}

/**
 * A cdk8s chart as Pulumi resources, with all charts beside it in the app: one for each API object, named after its construct
 * path, after those it depends on, the Namespace that it is in and the definition of its kind. Pass a Kubernetes provider in `opts`; a changed ConfigMap is updated in place where the provider was made with
 * `enableConfigMapMutable`, and replaced otherwise.
 *
 * @throws Error where `build` is no function, or returns no chart; Error that names the construct's path, where an Output was cast into a string, a token is left over, the
 * chart's own validation fails or constructs depend on each other in a circle
 * @example
 * ```ts
 * import { Provider } from "@pulumi/kubernetes";
 * import { Config } from "@pulumi/pulumi";
 * import { ApiObject, Chart } from "cdk8s";
 * import { DeployedChart } from "cdk8s-pulumi";
 *
 * const password = new Config().requireSecret("password");
 * new DeployedChart(
 *   "web",
 *   ({ app, outputs }) => {
 *     const chart = new Chart(app, "web", { namespace: "web" });
 *     new ApiObject(chart, "credentials", {
 *       apiVersion: "v1",
 *       kind: "Secret",
 *       stringData: { password: outputs.string(password) },
 *     });
 *     return chart;
 *   },
 *   { provider: new Provider("cluster", { context: "kind-web", enableConfigMapMutable: true }) },
 * );
 * ```
 */
export class DeployedChart<C extends Chart> extends pulumi.ComponentResource {
  /** What `build` has returned: the chart's constructs, for their names and addresses. */
  public readonly chart: C;
  private readonly resources = new Map<IConstruct, KubernetesObject>();

  public constructor(name: string, build: (builder: ChartBuilder) => C, opts?: pulumi.ComponentResourceOptions) {
    if (typeof build !== "function") {
      throw new Error(
        `DeployedChart ${name}: give a function that makes a chart in the app that it is given, and returns it`,
      );
    }
    super("cdk8s-pulumi:index:DeployedChart", name, {}, opts);
    const outputs = new OutputTokens(name);
    const refusals = new OutputRefusal();
    const waits = new Map<IConstruct, pulumi.Input<pulumi.Resource>[]>();
    const renames = new Map<IConstruct, string>();
    const app = new App({ resolvers: [refusals] });
    this.chart = build({
      app,
      outputs,
      waitFor: (construct, ...awaited) => {
        assertConstruct("waitFor", construct);
        waits.set(construct, [...(waits.get(construct) ?? []), ...awaited.map(asDependency)]);
      },
      renamed: (construct, formerPath) => {
        assertConstruct("renamed", construct);
        renames.set(construct, formerPath);
      },
    });
    if (!Chart.isChart(this.chart)) {
      throw new Error(
        `DeployedChart ${name}: what builds it returns no chart: return the one that it makes in the app`,
      );
    }
    validate(app, outputs);

    // All of them are rendered before the first is registered, so that a faulty one leaves nothing half done.
    const rendered = orderObjects(app).map(({ object, after }) => ({
      object,
      after,
      manifest: outputs.resolve(render(object, refusals), object.node.path) as { readonly [key: string]: Resolved },
    }));
    app.node.lock(); // what is added from here on would be deployed by nobody
    for (const { object, after, manifest } of rendered) {
      const waited = object.node.scopes.flatMap((scope) => waits.get(scope) ?? []);
      const resource = new KubernetesObject(`${name}${this.pathOf(object)}`, manifest, {
        parent: this,
        aliases: object.node.scopes.flatMap((scope) => {
          const former = renames.get(scope);
          return former === undefined
            ? []
            : [{ name: `${name}/${former}${object.node.path.slice(scope.node.path.length)}` }];
        }),
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
    assertConstruct("resourcesOf", construct);
    return construct.node.findAll().flatMap((child) => this.resources.get(child) ?? []);
  }

  /**
   * What the cluster says of the one API object of a construct, as the address of a Service.
   *
   * @throws Error where the construct has no API object, or several
   */
  public statusOf<Status>(construct: Construct): pulumi.Output<Status | undefined> {
    const [resource, ...others] = this.resourcesOf(construct);
    if (resource === undefined || others.length > 0) {
      throw new Error(`${construct.node.path} has ${others.length + (resource ? 1 : 0)} API objects, not one`);
    }
    return (resource as KubernetesObject<Status>).status;
  }

  /** Path in this component: below the chart, or that of another chart of the app after a colon. */
  private pathOf({ node }: ApiObject): string {
    const chart = this.chart.node;
    return node.scopes.includes(this.chart) ? node.path.slice(chart.path.length) : `:${node.path}`;
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

/** For users whose compiler does not say it. */
function assertConstruct(what: string, value: unknown): void {
  if (!Construct.isConstruct(value)) throw new Error(`${what}: give a construct of the chart`);
}

/** What a resource can depend on: another one, or an Output that is resolved first; one that is unknown does not wait. */
export function asDependency(awaited: pulumi.Resource | pulumi.Output<unknown>): pulumi.Input<pulumi.Resource> {
  if (pulumi.Resource.isInstance(awaited)) return awaited;
  if (!pulumi.Output.isInstance(awaited)) throw new Error("what is waited for is no resource and no Output: give one");
  // The SDK takes an Output of resources for a dependency, and with it all that the Output itself depends on.
  return awaited.apply((): pulumi.Resource[] => []) as unknown as pulumi.Output<pulumi.Resource>;
}

function validate(app: App, outputs: OutputTokens): void {
  const faults = app.node.children
    .filter((child) => Chart.isChart(child))
    .flatMap((chart) => {
      const errors = chart.node
        .findAll()
        .flatMap(({ node }) => [
          ...(outputs.isMadeFromOutput(node.id)
            ? [`${node.path}: the construct's id is made from an Output, which is not known yet; use a plain string`]
            : []),
          ...node.validate().map((error) => `${node.path}: ${error}`),
        ]);
      return errors.length === 0 ? [] : [`The chart ${chart.node.path} is not valid:\n  ${errors.join("\n  ")}`];
    });
  if (faults.length > 0) throw new Error(faults.join("\n"));
}

function render(object: ApiObject, refusals: OutputRefusal): unknown {
  try {
    return object.toJson();
  } catch (error) {
    throw refusals.error ?? new Error(`${object.node.path} cannot be rendered: ${String(error)}`, { cause: error });
  }
}
