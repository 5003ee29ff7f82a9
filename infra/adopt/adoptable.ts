import type { VaultClient } from "../../constructs/stores/vault/api/client";
import type { FoundRelease } from "../cluster/helm-releases";
import type { KubeApi } from "../cluster/kube-api";
import type { Environment } from "../config/environment";
import { namespacesOf } from "../config/namespaces";
import type { PlannedResource } from "../plan/record";
import type { StateResource } from "../state/stack-state";

/** A resource of the plan that is there already, made by hand. */
export interface Adoptable {
  readonly resource: PlannedResource;
  /** By which Pulumi's provider imports it. */
  readonly id: string;
  /** What it is, for a user. */
  readonly what: string;
}

/** Where it is looked for. */
export interface Surroundings {
  readonly api: KubeApi;
  readonly releases: readonly FoundRelease[];
  /** None where the store is another, or its Vault is not asked. */
  readonly vault: Pick<VaultClient, "read" | "hasAuthMount"> | undefined;
}

/** Kinds of Kubernetes' objects that hold values, or other objects: none of them changes hands. */
const untouched = ["Namespace", "PersistentVolumeClaim", "Secret"];

/**
 * What of a plan is there already, and not in the stack's state. Of Kubernetes' objects those in namespaces that somebody gives;
 * of Vault what admits pods, and never a secret or its mount.
 */
export async function findAdoptable(
  environment: Environment,
  planned: readonly PlannedResource[],
  state: readonly StateResource[],
  surroundings: Surroundings,
): Promise<readonly Adoptable[]> {
  const known = new Set(state.map(({ urn }) => urn));
  const given = namespacesOf(environment).flatMap(({ create, name }) => (create ? [] : [name]));
  const found = await Promise.all(
    planned
      .filter(({ urn }) => !known.has(urn))
      .map(async (resource): Promise<Adoptable[]> => {
        const candidate = candidateOf(resource, given, surroundings);
        if (candidate === undefined || !(await candidate.isThere())) return [];
        return [{ resource, id: candidate.id, what: candidate.what }];
      }),
  );
  return found.flat();
}

interface Candidate {
  readonly id: string;
  readonly what: string;
  readonly isThere: () => Promise<boolean>;
}

function candidateOf(
  resource: PlannedResource,
  given: readonly string[],
  { api, releases, vault }: Surroundings,
): Candidate | undefined {
  const { type, inputs } = resource;
  if (type === "kubernetes:helm.sh/v3:Release") {
    const { name, namespace } = inputs as { readonly name: string; readonly namespace: string };
    return {
      id: `${namespace}/${name}`,
      what: `Helm release ${namespace}/${name}`,
      isThere: () => Promise.resolve(releases.some((each) => each.name === name && each.namespace === namespace)),
    };
  }
  if (type.startsWith("kubernetes:")) return objectCandidate(resource, given, api);
  return vault === undefined ? undefined : vaultCandidate(resource, vault);
}

function objectCandidate({ inputs }: PlannedResource, given: readonly string[], api: KubeApi): Candidate | undefined {
  const { apiVersion, kind, metadata } = inputs as {
    readonly apiVersion?: string;
    readonly kind?: string;
    readonly metadata?: { readonly name?: string; readonly namespace?: string };
  };
  const { name, namespace } = metadata ?? {};
  if (apiVersion === undefined || kind === undefined || name === undefined || namespace === undefined) return undefined;
  if (untouched.includes(kind) || !given.includes(namespace)) return undefined;
  return {
    id: `${namespace}/${name}`,
    what: `${kind} ${namespace}/${name}`,
    isThere: async () => {
      const objects = api.config.makeApiClient(api.client.KubernetesObjectApi);
      return (await api.find(objects.read({ apiVersion, kind, metadata: { name, namespace } }))) !== undefined;
    },
  };
}

function vaultCandidate(
  { type, inputs }: PlannedResource,
  vault: Pick<VaultClient, "read" | "hasAuthMount">,
): Candidate | undefined {
  const { name, path, backend, roleName } = inputs as Readonly<Record<string, string>>;
  const readable = (at: string) => async (): Promise<boolean> => (await vault.read(at)) !== undefined;
  switch (type) {
    case "vault:index/policy:Policy":
      return { id: name!, what: `policy ${name!}`, isThere: readable(`sys/policies/acl/${name!}`) };
    case "vault:index/authBackend:AuthBackend":
    case "vault:jwt/authBackend:AuthBackend":
      return { id: path!, what: `auth mount auth/${path!}`, isThere: () => vault.hasAuthMount(path!) };
    case "vault:kubernetes/authBackendConfig:AuthBackendConfig": {
      const id = `auth/${backend!}/config`;
      return { id, what: `config of auth/${backend!}`, isThere: readable(id) };
    }
    case "vault:kubernetes/authBackendRole:AuthBackendRole":
    case "vault:jwt/authBackendRole:AuthBackendRole": {
      const id = `auth/${backend!}/role/${roleName!}`;
      return { id, what: `role ${roleName!} of auth/${backend!}`, isThere: readable(id) };
    }
    default:
      return undefined;
  }
}
