import { auditVolumeName } from "../../constructs/platform/vault/audit-log";
import { vaultSnapshotsName } from "../../constructs/stores/vault/names";
import { postgresName } from "./database";
import type { Environment } from "./environment";
import { isStored } from "./stores/vault/server";

/** Volumes of one kind that a stack wants to have. */
export interface StackVolumes {
  /** Key of the config that describes them, as `vault.storage`. */
  readonly key: string;
  readonly namespace: string;
  /** What the names of their claims look like. */
  readonly claims: RegExp;
  /** As Kubernetes takes it, as `10Gi`; undefined where the config wants none. */
  readonly size: string | undefined;
  /** Undefined: the cluster's own. */
  readonly storageClass: string | undefined;
  /** The StatefulSet that claims them, and what it calls them. @default - the stack claims the volume itself */
  readonly template?: { readonly statefulSet: string; readonly name: string };
}

/** All volumes whose size the config says. */
export function volumesOf(environment: Environment): readonly StackVolumes[] {
  return [...vaultVolumes(environment), ...[environment, ...environment.tenants].flatMap(postgresVolumes)];
}

interface OfChart {
  readonly size?: string;
  readonly storageClass?: string;
}

function vaultVolumes({ vault, namespaces }: Environment): StackVolumes[] {
  if (vault === undefined || !isStored(vault)) return [];
  const { release, storage, audit, snapshots, values } = vault;
  // What the config says of the chart itself wins.
  const { dataStorage, auditStorage } = Object(values?.server) as { dataStorage?: OfChart; auditStorage?: OfChart };
  const namespace = namespaces.vault;
  const ofServers = (name: string): Pick<StackVolumes, "namespace" | "claims" | "template"> => ({
    namespace,
    claims: new RegExp(`^${name}-${release}-\\d+$`),
    template: { statefulSet: release, name },
  });
  return [
    {
      key: "vault.storage",
      ...ofServers("data"),
      size: dataStorage?.size ?? storage.size,
      storageClass: dataStorage?.storageClass ?? storage.storageClass,
    },
    {
      key: "vault.audit",
      ...ofServers(auditVolumeName),
      size: audit.enabled ? (auditStorage?.size ?? audit.size) : undefined,
      storageClass: auditStorage?.storageClass ?? audit.storageClass,
    },
    ...(snapshots === undefined
      ? []
      : [
          {
            key: "vault.snapshots.storage",
            namespace,
            claims: new RegExp(`^${vaultSnapshotsName(release)}$`),
            size: snapshots.storage.size,
            storageClass: snapshots.storage.storageClass,
          },
        ]),
  ];
}

function postgresVolumes({ database, aidbox, namespaces, tenant }: Environment): StackVolumes[] {
  if (database?.mode !== "development") return [];
  return [
    {
      key: tenant === undefined ? "database.storage" : `tenant ${tenant}: database.storage`,
      namespace: namespaces.aidbox,
      claims: new RegExp(`^${postgresName(aidbox.name)}$`),
      size: database.storage.size,
      storageClass: database.storage.storageClass,
    },
  ];
}
