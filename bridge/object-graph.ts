import { ApiObject } from "cdk8s";
import type { IConstruct } from "constructs";

/** An API object of a construct tree and those that must be there before it. */
export interface ObjectNode {
  readonly object: ApiObject;
  readonly after: readonly ApiObject[];
}

/**
 * The API objects below a construct, each after those it depends on: by its own dependencies or by those of a construct
 * that it is part of, and after the Namespace that it is in and the definition of its kind, where those are among them. A
 * dependency on a construct means all API objects below it.
 *
 * @throws Error that names the constructs of a cycle, or of a dependency that leads out of the tree
 */
export function orderObjects(root: IConstruct): ObjectNode[] {
  const below = memoize((construct: IConstruct) =>
    construct.node.findAll().filter((child): child is ApiObject => ApiObject.isApiObject(child)),
  );
  const prerequisites = prerequisitesAmong(below(root));
  const dependencies = memoize((object: ApiObject): readonly ApiObject[] => {
    const scopes = object.node.scopes;
    const constructs = scopes.flatMap((scope) => {
      // Where a construct depends on parts of itself, its other parts come after those, and those are free.
      const parts = scope.node.dependencies.filter((construct) => construct.node.scopes.includes(scope));
      const isInPart = parts.some((part) => scopes.includes(part));
      return scope.node.dependencies.filter((construct) => !isInPart || !parts.includes(construct));
    });
    const outside = constructs.find((construct) => !construct.node.scopes.includes(root));
    if (outside !== undefined) {
      throw new Error(
        `${object.node.path} depends on ${outside.node.path}, which is in another app: ` +
          "deploy that one too, and wait for its resources by waitFor()",
      );
    }
    const wanted = [...constructs.flatMap((construct) => below(construct)), ...prerequisites(object)];
    return [...new Set(wanted)].filter((each) => each !== object);
  });

  const ordered = new Map<ApiObject, ObjectNode>();
  const visit = (object: ApiObject, path: readonly ApiObject[]): void => {
    if (ordered.has(object)) return;
    if (path.includes(object)) {
      const cycle = [...path.slice(path.indexOf(object)), object].map((each) => each.node.path);
      throw new Error(`Constructs depend on each other in a circle: ${cycle.join(" → ")}`);
    }
    const after = dependencies(object);
    for (const dependency of after) visit(dependency, [...path, object]);
    ordered.set(object, { object, after });
  };
  for (const object of below(root)) visit(object, []);
  return [...ordered.values()];
}

/** Finds the Namespace of an object and the CustomResourceDefinition of its kind among others. */
function prerequisitesAmong(objects: readonly ApiObject[]): (object: ApiObject) => readonly ApiObject[] {
  const namespaces = new Map<string, ApiObject>();
  const definitions = new Map<string, ApiObject>();
  for (const object of objects) {
    if (object.kind === "Namespace" && object.apiVersion === "v1") namespaces.set(object.name, object);
    if (object.kind !== "CustomResourceDefinition") continue;
    const { spec } = object.toJson() as {
      readonly spec?: { readonly group?: string; readonly names?: { kind?: string } };
    };
    definitions.set(`${spec?.group}/${spec?.names?.kind}`, object);
  }
  return ({ apiGroup, kind, metadata: { namespace } }) =>
    [definitions.get(`${apiGroup}/${kind}`), namespaces.get(namespace ?? "")].filter((each) => each !== undefined);
}

function memoize<K, V>(compute: (key: K) => V): (key: K) => V {
  const known = new Map<K, V>();
  return (key) => {
    if (!known.has(key)) known.set(key, compute(key));
    return known.get(key)!;
  };
}
