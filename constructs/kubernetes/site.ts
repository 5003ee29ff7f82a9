import { ApiObject, JsonPatch } from "cdk8s";
import type { k8s } from "cdk8s-plus-28";
import type { IConstruct } from "constructs";
import { flag, optional, refuseProps, texts } from "../check-props";
import { imageFrom, type ImageSource, imageSource, pullSecretReferences } from "../images";
import { tolerations } from "./plus-checks";

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

/** Where each kind has the spec of its pods. */
const templates: Readonly<Record<string, string>> = {
  Deployment: "/spec/template/spec",
  StatefulSet: "/spec/template/spec",
  CronJob: "/spec/jobTemplate/spec/template/spec",
};

const checks = {
  images: optional(imageSource),
  assignsUsers: optional(flag),
  nodeSelector: optional(texts),
  tolerations: optional(tolerations),
};

/**
 * Fits each pod of a chart that is complete to a site.
 *
 * @throws Error that lists all that is wrong with the options
 */
export function fitToSite(scope: IConstruct, options: SiteOptions): void {
  refuseProps(`fitToSite(${scope.node.path})`, options, checks);
  for (const object of scope.node.findAll()) {
    if (!ApiObject.isApiObject(object)) continue;
    const path = templates[object.kind];
    if (path === undefined) continue;
    const pod = { path, spec: specAt(object.toJson(), path) };
    object.addJsonPatch(...imagePatches(pod, options), ...userPatches(pod, options), ...placePatches(pod, options));
  }
}

/** The spec of an object's pods, and where it stands. */
interface PodTemplate {
  readonly path: string;
  readonly spec: k8s.PodSpec;
}

function specAt(manifest: unknown, path: string): k8s.PodSpec {
  const keys = path.split("/").slice(1);
  return keys.reduce((at, key) => (at as Record<string, unknown>)[key], manifest) as k8s.PodSpec;
}

function imagePatches(pod: PodTemplate, { images = {} }: SiteOptions): JsonPatch[] {
  const own = pod.spec.imagePullSecrets ?? [];
  const secrets = (pullSecretReferences(images) ?? []).filter(({ name }) => own.every((each) => each.name !== name));
  return [
    ...containersOf(pod).flatMap(({ path, container: { image } }) =>
      image === undefined || imageFrom(image, images) === image
        ? []
        : [JsonPatch.replace(`${path}/image`, imageFrom(image, images))],
    ),
    ...(secrets.length === 0 ? [] : [JsonPatch.add(`${pod.path}/imagePullSecrets`, [...own, ...secrets])]),
  ];
}

function userPatches(pod: PodTemplate, { assignsUsers = false }: SiteOptions): JsonPatch[] {
  if (!assignsUsers) return [];
  const contexts = [
    { path: pod.path, securityContext: pod.spec.securityContext },
    ...containersOf(pod).map(({ path, container: { securityContext } }) => ({ path, securityContext })),
  ];
  return contexts.flatMap(({ path, securityContext = {} }) =>
    ["runAsUser", "runAsGroup", "fsGroup"]
      .filter((field) => field in securityContext)
      .map((field) => JsonPatch.remove(`${path}/securityContext/${field}`)),
  );
}

function placePatches({ path, spec }: PodTemplate, { nodeSelector, tolerations = [] }: SiteOptions): JsonPatch[] {
  return [
    ...(nodeSelector === undefined || spec.nodeSelector !== undefined
      ? []
      : [JsonPatch.add(`${path}/nodeSelector`, nodeSelector)]),
    ...(tolerations.length === 0 || spec.tolerations !== undefined
      ? []
      : [JsonPatch.add(`${path}/tolerations`, tolerations)]),
  ];
}

function containersOf(pod: PodTemplate): { readonly path: string; readonly container: k8s.Container }[] {
  return (["initContainers", "containers"] as const).flatMap((field) =>
    (pod.spec[field] ?? []).map((container, index) => ({ path: `${pod.path}/${field}/${index}`, container })),
  );
}
