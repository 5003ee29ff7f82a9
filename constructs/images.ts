import { each, optional, shape, text } from "./check-props";

/** Where a site's images come from. */
export interface ImageSource {
  /**
   * Registry, with a path in it, that takes the place of every image's own.
   * @default - each image's own
   */
  readonly registry?: string | undefined;
  /**
   * Kubernetes Secrets with the registry's credentials, in each namespace with pods.
   * @default - none
   */
  readonly pullSecrets?: readonly string[] | undefined;
}

/** What each part of it is. */
export const imageSource = shape<ImageSource>({ registry: optional(text), pullSecrets: optional(each(text)) });

/** An image as the registry of a site has it: `docker.io/library/postgres:17` is REGISTRY/library/postgres:17 there. */
export function imageFrom(image: string, { registry }: ImageSource = {}): string {
  if (registry === undefined || image.startsWith(`${registry}/`)) return image;
  return `${registry}/${withoutRegistry(image)}`;
}

function withoutRegistry(image: string): string {
  const [first = "", ...rest] = image.split("/");
  const hasRegistry = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  const path = hasRegistry ? rest.join("/") : image;
  const isOfHub = !hasRegistry || first === "docker.io";
  return isOfHub && !path.includes("/") ? `library/${path}` : path; // Docker's own have a short name too
}

/** As a pod's spec names Secrets; undefined where there are none, so that nothing is said. */
export function pullSecretReferences({ pullSecrets = [] }: ImageSource = {}): { readonly name: string }[] | undefined {
  return pullSecrets.length === 0 ? undefined : pullSecrets.map((name) => ({ name }));
}
