import { ApiObject, JsonPatch } from "cdk8s";
import type { k8s } from "cdk8s-plus-28";
import type { IConstruct } from "constructs";
import { imageFrom, type ImageSource, pullSecretReferences } from "../images";

/** What a site wants of every pod, whatever it is. */
export interface SiteOptions {
  /** @default - each image's own registry, without credentials */
  readonly images?: ImageSource;
  /**
   * Whether the platform gives each namespace users of its own, as OpenShift does: no pod names a user or a group then.
   * @default false
   */
  readonly assignsUsers?: boolean;
  /** Labels of the nodes, for pods that say nothing of it themselves. @default - any node */
  readonly nodeSelector?: Record<string, string> | undefined;
  /** Taints of nodes, for pods that say nothing of it themselves. @default - none */
  readonly tolerations?: readonly k8s.Toleration[] | undefined;
}

const kinds = ["Deployment", "StatefulSet"];
const template = "/spec/template/spec";

/** Fits each pod of a chart that is complete to a site. */
export function fitToSite(scope: IConstruct, options: SiteOptions): void {
  for (const object of scope.node.findAll()) {
    if (!ApiObject.isApiObject(object) || !kinds.includes(object.kind)) continue;
    const { spec } = (object.toJson() as { spec: { template: { spec: k8s.PodSpec } } }).spec.template;
    object.addJsonPatch(...imagePatches(spec, options), ...userPatches(spec, options), ...placePatches(spec, options));
  }
}

function imagePatches(pod: k8s.PodSpec, { images = {} }: SiteOptions): JsonPatch[] {
  const own = pod.imagePullSecrets ?? [];
  const secrets = (pullSecretReferences(images) ?? []).filter(({ name }) => own.every((each) => each.name !== name));
  return [
    ...containersOf(pod).flatMap(({ path, container: { image } }) =>
      image === undefined || imageFrom(image, images) === image
        ? []
        : [JsonPatch.replace(`${path}/image`, imageFrom(image, images))],
    ),
    ...(secrets.length === 0 ? [] : [JsonPatch.add(`${template}/imagePullSecrets`, [...own, ...secrets])]),
  ];
}

function userPatches(pod: k8s.PodSpec, { assignsUsers = false }: SiteOptions): JsonPatch[] {
  if (!assignsUsers) return [];
  const contexts = [
    { path: template, securityContext: pod.securityContext },
    ...containersOf(pod).map(({ path, container: { securityContext } }) => ({ path, securityContext })),
  ];
  return contexts.flatMap(({ path, securityContext = {} }) =>
    ["runAsUser", "runAsGroup", "fsGroup"]
      .filter((field) => field in securityContext)
      .map((field) => JsonPatch.remove(`${path}/securityContext/${field}`)),
  );
}

function placePatches(pod: k8s.PodSpec, { nodeSelector, tolerations = [] }: SiteOptions): JsonPatch[] {
  return [
    ...(nodeSelector === undefined || pod.nodeSelector !== undefined
      ? []
      : [JsonPatch.add(`${template}/nodeSelector`, nodeSelector)]),
    ...(tolerations.length === 0 || pod.tolerations !== undefined
      ? []
      : [JsonPatch.add(`${template}/tolerations`, tolerations)]),
  ];
}

function containersOf(pod: k8s.PodSpec): { readonly path: string; readonly container: k8s.Container }[] {
  return (["initContainers", "containers"] as const).flatMap((field) =>
    (pod[field] ?? []).map((container, index) => ({ path: `${template}/${field}/${index}`, container })),
  );
}
