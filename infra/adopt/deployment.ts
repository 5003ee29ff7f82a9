import { randomUUID } from "node:crypto";
import type { PlannedResource } from "../plan/record";
import type { Adoptable } from "./adoptable";

/** A resource as `pulumi stack export` writes it. */
export interface ExportedResource {
  readonly urn: string;
  readonly type: string;
  readonly custom?: boolean;
  readonly id?: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
  readonly parent?: string;
  readonly retainOnDelete?: boolean;
}

/** What `pulumi stack export` prints, and `pulumi stack import` takes. */
export interface Exported {
  readonly version: number;
  readonly deployment: { readonly resources?: readonly ExportedResource[] } & Readonly<Record<string, unknown>>;
}

/** Inputs of the explicit providers, by type: only what an import needs. */
export type ProviderInputs = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** A state with more resources at its end. */
export function withResources(exported: Exported, more: readonly ExportedResource[]): Exported {
  const { deployment } = exported;
  return { ...exported, deployment: { ...deployment, resources: [...(deployment.resources ?? []), ...more] } };
}

const isProvider = (type: string): boolean => type.startsWith("pulumi:providers:");

/** What must be in the state before the adopted: the stack, its providers, and the components that they are in. */
export function missingAncestors(
  { deployment: { resources = [] } }: Exported,
  planned: readonly PlannedResource[],
  adoptables: readonly Adoptable[],
  providers: ProviderInputs,
): ExportedResource[] {
  const byUrn = new Map(planned.map((each) => [each.urn, each]));
  const stack = planned.find(({ type }) => type === "pulumi:pulumi:Stack")!.urn;
  const ancestorsOf = (urn: string | undefined): string[] =>
    urn === undefined ? [] : [...ancestorsOf(byUrn.get(urn)?.parent), urn];
  const wanted = [
    stack,
    ...planned.filter(({ type }) => providers[type] !== undefined).map(({ urn }) => urn),
    ...adoptables.flatMap(({ resource: { parent } }) => ancestorsOf(parent)),
  ];
  const known = new Set(resources.map(({ urn }) => urn));
  return [...new Set(wanted)]
    .filter((urn) => !known.has(urn))
    .map((urn): ExportedResource => {
      const { type, parent = stack } = byUrn.get(urn)!;
      if (urn === stack) return { urn, type, custom: false };
      if (!isProvider(type)) return { urn, type, custom: false, parent };
      const inputs = providers[type]!;
      return { urn, type, custom: true, id: randomUUID(), inputs, outputs: inputs, parent: stack };
    });
}

/** The file by which `pulumi import` takes them. */
export function importFile(planned: readonly PlannedResource[], adoptables: readonly Adoptable[]): object {
  const nameTable: Record<string, string> = {};
  const nameOf = (urn: string): string => {
    nameTable[urn] = urn;
    return urn;
  };
  const providerOf = ({ type }: PlannedResource): string => {
    const [pkg = ""] = type.split(":");
    return planned.find((each) => each.type === `pulumi:providers:${pkg}`)!.urn;
  };
  const resources = adoptables.map(({ resource, id }) => ({
    type: resource.type,
    name: resource.name,
    id,
    provider: nameOf(providerOf(resource)),
    ...(resource.parent === undefined ? {} : { parent: nameOf(resource.parent) }),
  }));
  return { nameTable, resources };
}

/**
 * What was imported of an export, as it is to be in the state. The values of a release whose servers are not the stack's stay out
 * of it, since they may hold what is secret, and so does any way to delete it.
 */
export function importedOf(
  exported: Exported,
  before: Exported,
  isKept: (resource: ExportedResource) => boolean,
): ExportedResource[] {
  const known = new Set((before.deployment.resources ?? []).map(({ urn }) => urn));
  return (exported.deployment.resources ?? [])
    .filter(({ urn }) => !known.has(urn))
    .map((resource) => {
      if (!isKept(resource)) return resource;
      const { name, namespace, chart, version, status } = resource.outputs ?? {};
      const { csi } = Object(resource.inputs?.values) as { readonly csi?: { readonly enabled?: unknown } };
      // The one value that the stack changes.
      const values = csi?.enabled === undefined ? {} : { csi: { enabled: csi.enabled } };
      const inputs = { name, namespace, chart, version, values };
      return { ...resource, inputs, outputs: { ...inputs, status }, retainOnDelete: true };
    });
}
