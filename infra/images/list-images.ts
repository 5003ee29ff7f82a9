import { parseAllDocuments } from "yaml";
import type { Environment } from "../config/environment";
import { type PlannedResource, recordPlan } from "../plan/record";

/** An image that the environment's pods run. */
export interface ListedImage {
  /** As pods name it. */
  readonly image: string;
  /** Where it comes from by itself, which is what a mirror copies: the same, unless `images.registry` names a mirror. */
  readonly source: string;
  /** As the config or the chart pins it; none where it is not pinned, since only a registry knows it. */
  readonly digest?: string;
  /** Who runs it: objects of the stack, and Helm releases. */
  readonly usedBy: readonly string[];
}

/** A Helm release as Pulumi installs it. */
export interface PlannedRelease {
  readonly name: string;
  readonly namespace: string;
  /** Folder, archive, `oci://` address, or a name in the repository. */
  readonly chart: string;
  readonly version?: string;
  readonly repositoryOpts?: { readonly repo?: string };
  readonly values: Readonly<Record<string, unknown>>;
}

/** Renders a release's chart to YAML, as `helm template` does. */
export type Render = (release: PlannedRelease) => Promise<string>;

interface Use {
  readonly image: string;
  readonly usedBy: string;
}

/** All images of an environment: those of its own objects, and those of its charts as they are rendered for it. */
export async function listImages(environment: Environment, render: Render): Promise<readonly ListedImage[]> {
  const uses = await usesOf(environment, render);
  const { registry } = environment.images;
  // The same objects in the same order, only from the images' own registries.
  const own = registry === undefined ? uses : await usesOf(withoutRegistry(environment), render);
  const byImage = new Map<string, { readonly source: string; readonly usedBy: Set<string> }>();
  for (const [index, { image, usedBy }] of uses.entries()) {
    const listed = byImage.get(image) ?? { source: own[index]!.image, usedBy: new Set() };
    listed.usedBy.add(usedBy);
    byImage.set(image, listed);
  }
  return [...byImage]
    .map(([image, { source, usedBy }]): ListedImage => {
      const digest = /@(sha256:[0-9a-f]{64})$/.exec(image)?.[1];
      return { image, source, ...(digest === undefined ? {} : { digest }), usedBy: [...usedBy] };
    })
    .sort((one, other) => (one.image < other.image ? -1 : 1));
}

function withoutRegistry(environment: Environment): Environment {
  const bare = ({ images, ...rest }: Environment): Environment => ({
    ...rest,
    images: { pullSecrets: images.pullSecrets },
  });
  return { ...bare(environment), tenants: environment.tenants.map(bare) } as Environment;
}

async function usesOf(environment: Environment, render: Render): Promise<Use[]> {
  const { resources } = await recordPlan(environment);
  const uses = await Promise.all(resources.map((resource) => usesOfResource(resource, render)));
  return uses.flat();
}

async function usesOfResource({ type, inputs }: PlannedResource, render: Render): Promise<Use[]> {
  if (type === "kubernetes:helm.sh/v3:Release") {
    const release = inputs as unknown as PlannedRelease;
    const usedBy = `Helm release ${release.namespace}/${release.name}`;
    const documents = parseAllDocuments(await render(release)).map((document) => document.toJS() as unknown);
    return documents.flatMap(imagesIn).map((image) => ({ image, usedBy }));
  }
  const { kind, metadata } = inputs as {
    readonly kind?: string;
    readonly metadata?: { readonly name?: string; readonly namespace?: string };
  };
  return imagesIn(inputs).map((image) => ({
    image,
    usedBy: `${kind ?? type} ${[metadata?.namespace, metadata?.name].filter(Boolean).join("/")}`,
  }));
}

/** Images of the containers anywhere in an object: of a Deployment, a CronJob, a pod. */
function imagesIn(object: unknown): string[] {
  if (Array.isArray(object)) return object.flatMap(imagesIn);
  if (typeof object !== "object" || object === null) return [];
  return Object.entries(object).flatMap(([key, value]) => {
    if (!["containers", "initContainers"].includes(key) || !Array.isArray(value)) return imagesIn(value);
    return value.flatMap((container: unknown) => {
      const { image } = Object(container) as { readonly image?: unknown };
      return typeof image === "string" ? [image] : [];
    });
  });
}
