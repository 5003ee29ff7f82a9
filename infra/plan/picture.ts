import { locate } from "../config/stores/locate";
import type { Environment } from "../config/environment";
import { describeInLine } from "./describe";
import type { Plan, PlannedResource } from "./record";
import { shown } from "./tree";

/**
 * The environment as a picture (SVG): its resources by component, what waits for what (grey), and the way of each secret
 * from the store to its file (blue).
 */
export async function drawPicture(plan: Plan, environment: Environment): Promise<string> {
  const { Graphviz } = await import("@hpcc-js/wasm-graphviz"); // an ES module
  return (await Graphviz.load()).dot(toDot(plan, environment));
}

/** The picture in Graphviz' own language. */
export function toDot({ resources }: Plan, environment: Environment): string {
  const drawn = shown(resources);
  const components = drawn.filter(({ urn }) => drawn.some(({ parent }) => parent === urn));
  const leaves = drawn.filter(
    (resource) => !components.includes(resource) && !resource.type.startsWith("pulumi:providers"),
  );
  const leavesOf = (urn: string): string[] => {
    const component = components.find((each) => each.urn === urn);
    return component === undefined ? [urn] : leaves.filter(({ parent }) => parent === urn).map((leaf) => leaf.urn);
  };
  const edges = leaves.flatMap(({ urn, parent, dependencies }): Edge[] => {
    // What a component waits for, its parts wait for.
    const ofComponent = components.find((each) => each.urn === parent)?.dependencies ?? [];
    return [...new Set([...dependencies, ...ofComponent].flatMap(leavesOf))]
      .filter((dependency) => dependency !== urn && leaves.some((leaf) => leaf.urn === dependency))
      .map((dependency): Edge => [dependency, urn]);
  });
  return [
    `digraph ${quote(environment.name)} {`,
    '  rankdir=LR; fontname="Helvetica"; node [shape=box, style="rounded,filled", fillcolor=white, fontname="Helvetica", fontsize=11, margin="0.25,0.08"];',
    "  edge [color=gray60];",
    ...components.flatMap((component, index) => [
      `  subgraph cluster_${index} {`,
      `    label=${quote(component.name)}; style="rounded,filled"; fillcolor=gray96; color=gray80;`,
      ...leaves.filter(({ parent }) => parent === component.urn).map((leaf) => `    ${node(leaf)}`),
      "  }",
    ]),
    ...leaves.filter(({ parent }) => parent === undefined).map((leaf) => `  ${node(leaf)}`),
    ...withoutDetours(edges).map(([from, to]) => `  ${quote(from)} -> ${quote(to)};`),
    ...secretWays(leaves, environment),
    "}",
  ].join("\n");
}

/** From what is waited for to what waits. */
type Edge = readonly [from: string, to: string];

/** The edges but for those that a longer way says already. */
function withoutDetours(edges: readonly Edge[]): Edge[] {
  const next = new Map<string, Set<string>>();
  for (const [from, to] of edges) next.set(from, (next.get(from) ?? new Set()).add(to));
  const nextOf = (urn: string): string[] => [...(next.get(urn) ?? [])];

  const known = new Map<string, ReadonlySet<string>>(); // or each way would be walked anew, and there are very many
  const reachedFrom = (urn: string): ReadonlySet<string> => {
    const reached = known.get(urn) ?? new Set(nextOf(urn).flatMap((each) => [each, ...reachedFrom(each)]));
    known.set(urn, reached);
    return reached;
  };
  return edges.filter(([from, to]) => !nextOf(from).some((each) => each !== to && reachedFrom(each).has(to)));
}

function node(resource: PlannedResource): string {
  return `${quote(resource.urn)} [label=${quote(wrap(describeInLine(resource)))}];`;
}

function secretWays(leaves: readonly PlannedResource[], environment: Environment): string[] {
  const { table } = environment;
  const find = (kind: string, name = ""): string | undefined =>
    leaves.find((leaf) => leaf.type.endsWith(`:${kind}`) && leaf.name.startsWith(name))?.urn;
  const providerClass = find("SecretProviderClass", "aidbox/secret-provider-class/");
  const deployment = find("Deployment", "aidbox/aidbox/");
  return table.secrets.flatMap((secret) => {
    const store = quote(`store ${locate(environment, secret)}`);
    const file = quote(`file ${table.filePath(secret)}`);
    const look = "color=dodgerblue3, fontcolor=dodgerblue4, fillcolor=aliceblue";
    const way = `[color=dodgerblue3, penwidth=2, label=${quote(secret.name)}, fontcolor=dodgerblue4, fontsize=10]`;
    return [
      `  ${store} [label=${quote(`${locate(environment, secret)}\n${secret.source}`)}, shape=cylinder, ${look}];`,
      `  ${file} [label=${quote(table.filePath(secret))}, shape=note, ${look}];`,
      ...(providerClass === undefined
        ? []
        : [`  ${store} -> ${quote(providerClass)} ${way};`, `  ${quote(providerClass)} -> ${file} ${way};`]),
      ...(deployment === undefined ? [] : [`  ${file} -> ${quote(deployment)} ${way};`]),
    ];
  });
}

function wrap(label: string): string {
  return label.replace(": ", "\n").replaceAll(", ", ",\n");
}

function quote(text: string): string {
  return JSON.stringify(text);
}
