import { dnsLabel } from "../primitives";
import { environmentSchema } from "../schema";
import { namedStores, type StoreConfig, storeConfigOf } from "../stores";
import { vaultCommon } from "../stores/vault/schema";

/** What names are made of; an `Environment` is one, and so has the block of another store than Vault by its key. Undefined is what is not known, as it is not well-formed. */
export interface Named {
  readonly tenant?: string | undefined;
  readonly namespaces: {
    readonly aidbox: string | undefined;
    readonly vault: string | undefined;
    readonly csiProvider: string | undefined;
  };
  readonly csiDriver: {
    readonly install: boolean;
    readonly release: string | undefined;
    readonly namespace: string | undefined;
  };
  /** None where the store is another. */
  readonly vault?: NamedVault | undefined;
  readonly database?: NamedDatabase | undefined;
  readonly aidbox: {
    readonly name: string | undefined;
    readonly environment: Readonly<Record<string, unknown>>;
    readonly ingress?: { readonly hosts: readonly string[] } | undefined;
    readonly gatewayRoute?: { readonly hostnames: readonly string[] } | undefined;
    readonly serviceAnnotations?: Readonly<Record<string, string>> | undefined;
  };
  readonly table: { readonly secrets: readonly NamedSecret[] };
  readonly tenants: readonly Named[];
}

export interface NamedVault {
  readonly mode: string | undefined;
  readonly release: string | undefined;
  readonly csiProvider: boolean;
  readonly role: string | undefined;
  readonly kvMount: { readonly path: string | undefined };
  readonly databaseMount: string | undefined;
  /** None where none are taken. */
  readonly snapshots?: unknown;
  readonly login?: { readonly mount?: string | undefined } | undefined;
  readonly operators?: { readonly method?: string | undefined; readonly mount?: string | undefined } | undefined;
}

export type NamedDatabase =
  | { readonly mode: "development" }
  | {
      readonly mode: "external";
      readonly host: string | undefined;
      readonly port: number | undefined;
      readonly name: string | undefined;
      readonly user: string | undefined;
    };

export interface NamedSecret {
  readonly name: string;
  readonly path: string;
  readonly source?: string | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

const { namespaces, csiDriver, aidbox } = environmentSchema.shape;

/**
 * What names are made of, in a config as it is: so that a clash shows together with all else that is wrong.
 *
 * @param tenants configs of the tenants, each as one of an environment of its own; what is none is left undefined
 */
export function namedIn(config: Fields, tenants: readonly (TenantFields | undefined)[] = []): Named {
  const known = {
    namespaces: fields(config.namespaces),
    driver: fields(config.csiDriver),
    vault: fields(config.vault),
  };
  const { shape: namespaceShape } = namespaces.unwrap();
  const { shape: driverShape } = csiDriver.unwrap();
  const box = fields(config.aidbox);
  return {
    namespaces: {
      aidbox: read(namespaceShape.aidbox, known.namespaces.aidbox),
      vault: read(namespaceShape.vault, known.namespaces.vault),
      csiProvider: read(
        namespaceShape.csiProvider,
        known.namespaces.csiProvider ?? storeConfigOf(config).csiProviderNamespace,
      ),
    },
    csiDriver: {
      install: known.driver.install !== false,
      release: read(driverShape.release, known.driver.release),
      namespace: read(driverShape.namespace, known.driver.namespace),
    },
    vault:
      config.vault === undefined
        ? undefined
        : {
            mode: textOf(known.vault.mode),
            release: read(vaultCommon.release, known.vault.release),
            csiProvider: known.vault.csiProvider !== false,
            role: read(vaultCommon.role, known.vault.role),
            kvMount: { path: read(vaultCommon.kvMount.unwrap().shape.path, fields(known.vault.kvMount).path) },
            databaseMount: read(vaultCommon.databaseMount, known.vault.databaseMount),
            snapshots: known.vault.snapshots,
            login: { mount: textOf(fields(known.vault.login).mount) },
            operators: {
              method: textOf(fields(known.vault.operators).method),
              mount: textOf(fields(known.vault.operators).mount),
            },
          },
    ...Object.fromEntries(
      namedStores(config)
        .filter(({ key }) => key !== "vault")
        .map(({ key }) => [key, { csiProvider: textOf(fields(config[key]).csiProvider) }] as const),
    ),
    database: databaseIn(config.database),
    aidbox: {
      name: read(aidbox.shape.name, box.name),
      environment: fields(box.environment),
      ingress: read(aidbox.shape.ingress, box.ingress),
      gatewayRoute: read(aidbox.shape.gatewayRoute, box.gatewayRoute),
      serviceAnnotations: read(aidbox.shape.serviceAnnotations, box.serviceAnnotations),
    },
    table: { secrets: secretsIn(config.secrets) },
    tenants: tenants.map((each) =>
      each === undefined ? nothingNamed : { ...namedIn(each.config), tenant: read(dnsLabel, each.name) },
    ),
  };
}

/** The store, where it is another than Vault: its CSI provider is the cluster's own where it is `there`. */
export function otherStoreOf(stack: Named): { readonly store: StoreConfig; readonly csiProvider: unknown } | undefined {
  const store = namedStores(stack).find(({ key }) => key !== "vault");
  if (store === undefined) return undefined;
  return { store, csiProvider: fields((stack as unknown as Fields)[store.key]).csiProvider };
}

/** A tenant's name, and its config as one of an environment of its own. */
export interface TenantFields {
  readonly name: unknown;
  readonly config: Fields;
}

/** A Vault of which no name is made. */
export const nothingInVault: NamedVault = {
  mode: undefined,
  release: undefined,
  csiProvider: false,
  role: undefined,
  kvMount: { path: undefined },
  databaseMount: undefined,
};

/** Of which no name is made. */
export const nothingNamed: Named = {
  namespaces: { aidbox: undefined, vault: undefined, csiProvider: undefined },
  csiDriver: { install: false, release: undefined, namespace: undefined },
  aidbox: { name: undefined, environment: {} },
  table: { secrets: [] },
  tenants: [],
};

function databaseIn(value: unknown): NamedDatabase | undefined {
  const { mode, host, port, name, user } = fields(value);
  if (mode === "development") return { mode };
  if (mode !== "external") return undefined;
  return {
    mode,
    host: textOf(host),
    port: port === undefined ? 5432 : typeof port === "number" ? port : undefined,
    name: name === undefined ? "aidbox" : textOf(name),
    user: user === undefined ? "aidbox" : textOf(user),
  };
}

function secretsIn(value: unknown): NamedSecret[] {
  return (Array.isArray(value) ? (value as unknown[]) : []).flatMap((row) => {
    const { name, path, source } = fields(row);
    return typeof path === "string" ? [{ name: textOf(name) ?? "", path, source: textOf(source) }] : [];
  });
}

/** A value with its default, where it is well-formed. */
function read<T>(
  schema: { safeParse(value: unknown): { readonly success: boolean; readonly data?: T | undefined } },
  value: unknown,
): T | undefined {
  return schema.safeParse(value).data;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}
