import { nameOf, type StateResource } from "./stack-state";

/** What a resource of the state stands for, where deleting it would delete values with it. */
export type Held =
  /** A path of a KV v2 mount. */
  | { readonly kind: "secret"; readonly source: "seeded" | "managed"; readonly mount: string; readonly path: string }
  /** A KV v2 mount, with every secret in it. */
  | { readonly kind: "mount"; readonly mount: string }
  /** The claim of a volume. */
  | { readonly kind: "volume"; readonly namespace: string; readonly name: string }
  /** The token for the Vault that holds the key of the seal, which the cluster alone may have. */
  | { readonly kind: "seal token"; readonly namespace: string; readonly name: string }
  /** Vault's servers, with every secret on their volumes. */
  | { readonly kind: "servers"; readonly namespace: string; readonly release: string }
  /** A namespace, with the volumes that are claimed in it. */
  | { readonly kind: "namespace"; readonly name: string };

/** A resource of the state that holds values. */
export interface ValueHolder {
  readonly resource: StateResource;
  readonly held: Held;
}

/** Name of the resource that is the token for the Vault that holds the key of the seal. */
export const sealTokenResource = "vault-seal-token";

/** Types of the resources that hold values. */
export const holderTypes = {
  seeded: "vault:generic/endpoint:Endpoint",
  managed: "vault:kv/secretV2:SecretV2",
  mount: "vault:index/mount:Mount",
  volume: "kubernetes:core/v1:PersistentVolumeClaim",
  sealToken: "kubernetes:core/v1:Secret",
  servers: "kubernetes:helm.sh/v3:Release",
  namespace: "kubernetes:core/v1:Namespace",
} as const;

/** Those of the state's resources that hold values. */
export function valueHolders(state: readonly StateResource[]): readonly ValueHolder[] {
  return state.flatMap((resource) => {
    const held = heldBy(resource);
    return held === undefined ? [] : [{ resource, held }];
  });
}

function heldBy(resource: StateResource): Held | undefined {
  const inputs = resource.inputs as {
    readonly path?: string;
    readonly mount?: string;
    readonly name?: string;
    readonly namespace?: string;
    readonly metadata?: { readonly name?: string; readonly namespace?: string };
    readonly values?: { readonly server?: { readonly dataStorage?: { readonly enabled?: boolean } } };
  };
  switch (resource.type) {
    case holderTypes.seeded: {
      // Both the mount and the secret's path may have slashes; the resource is named after its component and the path.
      const path = nameOf(resource).replace(/^(kept\/)?[^/]+\//, "");
      const end = `/metadata/${path}`;
      if (inputs.path?.endsWith(end) !== true) return undefined;
      return { kind: "secret", source: "seeded", mount: inputs.path.slice(0, -end.length), path };
    }
    case holderTypes.managed:
      return { kind: "secret", source: "managed", mount: String(inputs.mount), path: String(inputs.name) };
    case holderTypes.mount:
      return { kind: "mount", mount: String(inputs.path) };
    case holderTypes.volume:
      return { kind: "volume", namespace: String(inputs.metadata?.namespace), name: String(inputs.metadata?.name) };
    case holderTypes.sealToken:
      if (nameOf(resource) !== sealTokenResource) return undefined;
      return { kind: "seal token", namespace: String(inputs.metadata?.namespace), name: String(inputs.metadata?.name) };
    case holderTypes.servers:
      if (inputs.values?.server?.dataStorage?.enabled !== true) return undefined;
      return { kind: "servers", namespace: String(inputs.namespace), release: String(inputs.name) };
    case holderTypes.namespace:
      return { kind: "namespace", name: String(inputs.metadata?.name) };
  }
  return undefined;
}

/** Where a value lies, as one text: two holders of the same place stand for the same values. */
export function placeOf(held: Held): string {
  switch (held.kind) {
    case "secret":
      return `secret ${held.mount}/${held.path}`;
    case "mount":
      return `mount ${held.mount}`;
    case "volume":
      return `volume ${held.namespace}/${held.name}`;
    case "seal token":
      return `seal token ${held.namespace}/${held.name}`;
    case "servers":
      return `servers ${held.namespace}/${held.release}`;
    case "namespace":
      return `namespace ${held.name}`;
  }
}

/** What is held, as a user calls it. */
export function describeHeld(held: Held): string {
  switch (held.kind) {
    case "secret":
      return `${held.mount}/${held.path}`;
    case "mount":
      return `the KV mount ${held.mount}/`;
    case "volume":
      return `the volume claim ${held.name} of namespace ${held.namespace}`;
    case "seal token":
      return `the Secret ${held.name} of namespace ${held.namespace} (the token for the seal)`;
    case "servers":
      return `Vault's release ${held.release} of namespace ${held.namespace}`;
    case "namespace":
      return `namespace ${held.name}`;
  }
}
