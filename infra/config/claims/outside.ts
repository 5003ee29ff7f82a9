import type { Claim, Origin } from "./claim";
import type { Named } from "./named";
import { type Claimant, claimantsOf, isKnown, type MaybeClaim } from "./owner";

/** The names outside cluster and Vault that two Aidboxes cannot share: hosts, databases, and values in the stack's config. */
export function outsideClaims(stack: Named): Claim[] {
  return claimantsOf(stack)
    .flatMap((claimant) => [...hosts(claimant), ...databases(claimant), ...managedValues(claimant)])
    .filter(isKnown);
}

/** By one host two Aidboxes would get each other's requests and cookies, whatever their paths. */
function hosts({ aidbox: { aidbox }, owner, prefix }: Claimant): MaybeClaim[] {
  const { ingress, gatewayRoute, serviceAnnotations = {}, environment } = aidbox;
  const listed = [
    ...(ingress?.hosts ?? []).map((host, index) => ({ key: `ingress.hosts[${index}]`, host })),
    ...(gatewayRoute?.hostnames ?? []).map((host, index) => ({ key: `gatewayRoute.hostnames[${index}]`, host })),
    ...(serviceAnnotations[externalDns]?.split(",") ?? []).map((host) => ({
      key: `serviceAnnotations.${externalDns}`,
      host: host.trim(),
    })),
    ...textIn(environment, baseUrl).map((url) => ({ key: `environment.${baseUrl}`, host: hostOf(url) })),
  ];
  return listed.map(({ key, host }) => ({
    ...{ kind: "host", scope: "network", name: host.toLowerCase(), owner },
    from: origin(`${prefix}aidbox.${key}`, host.toLowerCase(), "give each its own hosts"),
  }));
}

const externalDns = "external-dns.alpha.kubernetes.io/hostname";
const baseUrl = "BOX_WEB_BASE_URL";

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : url;
}

/** Variables by which Aidbox is told of a database without the key `database`; those of PostgreSQL's own are older. */
const variables = ["BOX_DB_", "BOX_DB_RO_REPLICA_", "PG"];

/** A database holds the records of one Aidbox, and a user owns them. */
function databases({ aidbox: { database, aidbox }, owner, prefix }: Claimant): MaybeClaim[] {
  const told = variables.flatMap((variable) => databaseOf(aidbox.environment, variable));
  const own =
    database?.mode === "external" ? [{ ...database, keys: { name: "database.name", user: "database.user" } }] : [];
  return [...own, ...told].flatMap(({ host, port, name, user, keys }): MaybeClaim[] => [
    {
      ...{ kind: "database", scope: "PostgreSQL", owner },
      name: host === undefined || name === undefined ? undefined : `${canonical(host)}:${port ?? 5432}/${name}`,
      from: origin(`${prefix}${keys.name}`, name ?? "", "each serves all records in it, so give each its own"),
    },
    {
      ...{ kind: "database user", scope: "PostgreSQL", owner, name: user },
      from: origin(`${prefix}${keys.user}`, user ?? "", "it reads all that it owns, so give each its own"),
    },
  ]);
}

interface ToldDatabase {
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly name: string | undefined;
  readonly user: string | undefined;
  readonly keys: { readonly name: string; readonly user: string };
}

function databaseOf(environment: Readonly<Record<string, unknown>>, variable: string): ToldDatabase[] {
  const [host] = textIn(environment, `${variable}HOST`);
  const [port] = textIn(environment, `${variable}PORT`);
  const [name] = textIn(environment, `${variable}DATABASE`);
  const [user] = textIn(environment, `${variable}USER`);
  if (host === undefined && name === undefined && user === undefined) return [];
  const key = (field: string): string => `aidbox.environment.${variable}${field}`;
  return [
    {
      ...{ host, port: port === undefined ? undefined : Number(port), name, user },
      keys: { name: key(name === undefined ? "HOST" : "DATABASE"), user: key("USER") },
    },
  ];
}

/** A host in the one way to write it: lower case, an IPv6 address without needless zeros. */
function canonical(host: string): string {
  const url = `http://${host}`;
  return URL.canParse(url) ? new URL(url).hostname : host;
}

/** A tenant's values lie below its name, beside those of the first Aidbox. */
function managedValues({ aidbox, owner, prefix }: Claimant): MaybeClaim[] {
  const managed = aidbox.table.secrets.filter(({ source }) => source === "managed");
  const named = (name: string | undefined, key: string): MaybeClaim => ({
    ...{ kind: "key of values", scope: "config", name, owner },
    from: origin(`${prefix}${key}`, name ?? "", "write another name"),
  });
  if (prefix !== "") return managed.length === 0 ? [] : [named(aidbox.tenant, "name")];
  return aidbox.table.secrets.flatMap(({ source, name }, index) =>
    source === "managed" ? [named(name, `secrets[${index}].name`)] : [],
  );
}

function textIn(environment: Readonly<Record<string, unknown>>, variable: string): string[] {
  const value = environment[variable];
  return typeof value === "string" ? [value] : [];
}

function origin(key: string, value: string, fix: string): Origin {
  return { key, value, fix };
}
