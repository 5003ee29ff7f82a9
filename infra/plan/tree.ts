import { describe } from "./describe";
import type { Plan, PlannedResource } from "./record";

/** The plan's resources as an indented tree, components with what they are made of. */
export async function formatTree({ resources }: Plan): Promise<string> {
  const { default: treeify } = await import("object-treeify"); // an ES module
  const childrenOf = (parent: string | undefined): Record<string, object> =>
    Object.fromEntries(
      shown(resources)
        .filter((resource) => resource.parent === parent)
        .map((resource) => [describe(resource), childrenOf(resource.urn)]),
    );
  return treeify(childrenOf(undefined));
}

/** All but the stack itself, which every plan has. */
export function shown(resources: readonly PlannedResource[]): PlannedResource[] {
  return resources.filter(({ type }) => type !== "pulumi:pulumi:Stack");
}
