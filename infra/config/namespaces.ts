import type { PodSecurityLevel } from "../../constructs/kubernetes";
import type { Environment } from "./environment";
import { storeReleases } from "./stores/of-environment";

/** A namespace of a stack, as its config wants it. */
export interface StackNamespace {
  /** Name of its construct. */
  readonly id: string;
  /** Key that names it. */
  readonly key: string;
  readonly name: string;
  /** Key of what the config says of how it is made. */
  readonly optionsKey: string;
  /** Whether the stack makes it; else it is there already, and nobody's to change. */
  readonly create: boolean;
  /** Pod Security level that its pods need. */
  readonly needs: PodSecurityLevel;
  /** Level that it gets where the stack makes it. */
  readonly level: PodSecurityLevel;
  /** Labels of the config's. */
  readonly labels: Readonly<Record<string, string>>;
}

/** The namespaces of a stack: the store's, and one for each Aidbox. */
export function namespacesOf(environment: Environment): readonly StackNamespace[] {
  const { namespaces, tenants } = environment;
  return [
    ...storeReleases(environment).namespaces.map(({ id, key, name, level }) => {
      const which = key === "namespaces.vault" ? "vault" : "csiProvider";
      return stackNamespace({ id, key, name, optionsKey: `namespaces.options.${which}` }, level, environment, which);
    }),
    stackNamespace(
      { id: "aidbox", key: "namespaces.aidbox", name: namespaces.aidbox, optionsKey: "namespaces.options.aidbox" },
      "restricted",
      environment,
      "aidbox",
    ),
    ...tenants.map((each, index) =>
      stackNamespace(
        {
          id: `tenant-${each.tenant!}`,
          key: `tenants[${index}].namespace`,
          name: each.namespaces.aidbox,
          optionsKey: `tenants[${index}].namespaceOptions`,
        },
        "restricted",
        each,
        "aidbox",
      ),
    ),
  ];
}

function stackNamespace(
  place: Pick<StackNamespace, "id" | "key" | "name" | "optionsKey">,
  needs: PodSecurityLevel,
  { namespaces }: Environment,
  which: keyof Environment["namespaces"]["options"],
): StackNamespace {
  const { create, labels = {}, level = needs } = namespaces.options[which];
  return { ...place, create, needs, level, labels };
}
