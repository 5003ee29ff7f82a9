import type { SecretSource } from "../../constructs/secrets";
import { vaultSnapshotsName } from "../../constructs/stores/vault/names";
import { postgresName } from "../config/database";
import type { Environment, VaultEnvironment } from "../config/environment";
import { accessName, sealTokenSecretName } from "../config/names";
import { namespacesOf } from "../config/namespaces";
import { isStored, ownsKvMount, snapshotsOf, vaultPaths } from "../config/stores/vault/server";
import { holderTypes, placeOf } from "./value-holders";

/** What a config makes that holds values. */
export interface Planned {
  /** Places of what it holds. */
  readonly places: ReadonlySet<string>;
  /** Types and names of its resources in Vault, as `resourceKey` makes them. */
  readonly keys: ReadonlySet<string>;
  /** Source of each row's path on the KV mount, by place. */
  readonly sources: ReadonlyMap<string, SecretSource>;
}

/** Tells resources apart as their URNs do, without their parents. */
export function resourceKey(type: string, name: string): string {
  return `${type} ${name}`;
}

/** What the config of an environment makes that holds values. */
export function plannedHolders(environment: Environment): Planned {
  const places = new Set<string>();
  const keys = new Set<string>();
  const sources = new Map<string, SecretSource>();
  const planValues = (each: VaultEnvironment): void => {
    const mount = vaultPaths(each).kvMount;
    for (const { path, source } of each.table.paths) {
      if (source === "database") continue; // Vault's engine has the value, and its path is not the KV mount's
      const place = placeOf({ kind: "secret", source: "seeded", mount, path });
      sources.set(place, source);
      if (source === "external") continue;
      places.add(place);
      keys.add(resourceKey(holderTypes[source], `${accessName(each)}/${path}`));
    }
  };
  for (const each of [environment, ...environment.tenants]) {
    if (each.vault !== undefined) planValues(each);
    if (each.database?.mode === "development") {
      places.add(placeOf({ kind: "volume", namespace: each.namespaces.aidbox, name: postgresName(each.aidbox.name) }));
    }
  }
  if (environment.vault !== undefined) {
    const { vault, namespaces } = environment;
    if (ownsKvMount(environment)) {
      places.add(placeOf({ kind: "mount", mount: vaultPaths(environment).kvMount }));
      keys.add(resourceKey(holderTypes.mount, `${accessName(environment)}-kv`));
    }
    if (isStored(vault)) {
      const namespace = namespaces.vault;
      places.add(placeOf({ kind: "servers", namespace, release: vault.release }));
      if (snapshotsOf(environment) !== undefined) {
        places.add(placeOf({ kind: "volume", namespace, name: vaultSnapshotsName(vault.release) }));
      }
      if (vault.seal?.type === "transit") {
        places.add(placeOf({ kind: "seal token", namespace, name: sealTokenSecretName(vault.release) }));
      }
    }
  }
  for (const { create, name } of namespacesOf(environment)) {
    if (create) places.add(placeOf({ kind: "namespace", name }));
  }
  return { places, keys, sources };
}
