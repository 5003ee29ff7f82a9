import { Duration } from "cdk8s";
import { type SecretSpec, SecretTable } from "../../../../constructs/secrets";
import { VaultPaths, type VaultPathsProps, VaultStore } from "../../../../constructs/stores/vault";

const row = { name: "client-secret", path: "aidbox/client" } satisfies SecretSpec;
const role = { name: "db-password", path: "aidbox", source: "database" } satisfies SecretSpec;

/** Mounts, and rows of a table. */
interface Props extends VaultPathsProps {
  readonly secrets?: readonly SecretSpec[];
}

/** What is wrong, as `KEY: MESSAGE`. */
function problemsOf({ secrets = [row], ...mounts }: Props): string[] {
  const store = new VaultStore({ address: "http://vault.vault:8200", role: "aidbox", paths: new VaultPaths(mounts) });
  return store.validate(secrets).map(({ key, message }) => `${key}: ${message}`);
}

/** The first row of a valid table, with what a case changes of it. */
function changed(change: Partial<SecretSpec>): Props {
  return { secrets: [{ ...row, ...change }] };
}

/** The static role of a valid table, with what a case changes of it. */
function changedRole(change: Partial<SecretSpec>): Props {
  return { secrets: [{ ...role, ...change }] };
}

function besideKv(kvMount: string): string {
  return `cannot lie beside "${kvMount}" of KV v2: write the path of the database engine, as database`;
}

const characters = "letters, digits, '_', '.', '-', '@', ':', ',', '=', '~', '/' and spaces inside";
const fixes = {
  kvMount: `write the mount's path without slashes around it, as secret: ${characters}`,
  databaseMount: `write the mount's path without slashes around it, as database: ${characters}`,
  path: `write a path below the mount: ${characters}, without slash or dash at its start, '.' or '..'`,
  key: "write a key without '=', '-' or '@' at its start, line breaks and spaces around it",
  staticRole: "write the name of a static role of the database engine: letters, digits, '_', and inside it '.' and '-'",
  credential: "a static role has password and username",
};

describe("a value that a rule refuses", () => {
  it.each<{ value: string; props: Props; problem: string }>([
    { value: "kvMount, empty", props: { kvMount: "" }, problem: `kvMount: "": ${fixes.kvMount}` },
    { value: "kvMount, absolute", props: { kvMount: "/secret" }, problem: `kvMount: "/secret": ${fixes.kvMount}` },
    { value: "kvMount, open", props: { kvMount: "secret/" }, problem: `kvMount: "secret/": ${fixes.kvMount}` },
    {
      value: "databaseMount, empty",
      props: { databaseMount: "" },
      problem: `databaseMount: "": ${fixes.databaseMount}`,
    },
    {
      value: "databaseMount, absolute",
      props: { databaseMount: "/database" },
      problem: `databaseMount: "/database": ${fixes.databaseMount}`,
    },
    {
      value: "databaseMount, open",
      props: { databaseMount: "database/" },
      problem: `databaseMount: "database/": ${fixes.databaseMount}`,
    },
    {
      value: "databaseMount, climbing out",
      props: { databaseMount: "teams/../database" },
      problem: `databaseMount: "teams/../database": ${fixes.databaseMount}`,
    },
    {
      value: "databaseMount, that of KV v2",
      props: { kvMount: "teams", databaseMount: "teams", ...changedRole({}) },
      problem: `databaseMount: "teams": ${besideKv("teams")}`,
    },
    {
      value: "databaseMount, that of KV v2 by default",
      props: { databaseMount: "secret", ...changedRole({}) },
      problem: `databaseMount: "secret": ${besideKv("secret")}`,
    },
    {
      value: "databaseMount, below that of KV v2",
      props: { kvMount: "teams", databaseMount: "teams/database", ...changedRole({}) },
      problem: `databaseMount: "teams/database": ${besideKv("teams")}`,
    },
    {
      value: "databaseMount, above that of KV v2",
      props: { kvMount: "teams/kv", databaseMount: "teams", ...changedRole({}) },
      problem: `databaseMount: "teams": ${besideKv("teams/kv")}`,
    },
    {
      value: "path, absolute",
      props: changed({ path: "/aidbox" }),
      problem: `secrets[0].path: "/aidbox": ${fixes.path}`,
    },
    {
      value: "path, an option of a command",
      props: changed({ path: "-field" }),
      problem: `secrets[0].path: "-field": ${fixes.path}`,
    },
    {
      value: "path, with an empty part",
      props: changed({ path: "aidbox//client" }),
      problem: `secrets[0].path: "aidbox//client": ${fixes.path}`,
    },
    {
      value: "path, a wildcard of policies",
      props: changed({ path: "aidbox/*" }),
      problem: `secrets[0].path: "aidbox/*": ${fixes.path}`,
    },
    {
      value: "path, a single-part wildcard of policies",
      props: changed({ path: "aidbox/+" }),
      problem: `secrets[0].path: "aidbox/+": ${fixes.path}`,
    },
    { value: "path, the mount", props: changed({ path: "." }), problem: `secrets[0].path: ".": ${fixes.path}` },
    {
      value: "path, climbing out",
      props: changed({ path: "../x" }),
      problem: `secrets[0].path: "../x": ${fixes.path}`,
    },
    {
      value: "path, climbing out from within",
      props: changed({ path: "aidbox/../.." }),
      problem: `secrets[0].path: "aidbox/../..": ${fixes.path}`,
    },
    {
      value: "path, with data/",
      props: changed({ path: "data/aidbox" }),
      problem: 'secrets[0].path: "data/aidbox": leave out data/ and metadata/: they are added',
    },
    {
      value: "path, with metadata/",
      props: changed({ path: "metadata/aidbox" }),
      problem: 'secrets[0].path: "metadata/aidbox": leave out data/ and metadata/: they are added',
    },
    { value: "key, empty", props: changed({ key: "" }), problem: `secrets[0].key: "": ${fixes.key}` },
    ...["a=b", "-field", "@file", " a", "a ", "a\nb"].map((key) => ({
      value: `key ${JSON.stringify(key)}`,
      props: changed({ key }),
      problem: `secrets[0].key: "${key}": ${fixes.key}`,
    })),
    ...["a?b", "a#b", "a%20b", "a+b", "a{{b}}", 'a"b', "a\\b", " a", "a/ b"].map((path) => ({
      value: `path ${JSON.stringify(path)}`,
      props: changed({ path }),
      problem: `secrets[0].path: "${path}": ${fixes.path}`,
    })),
    {
      value: "static role, empty",
      props: changedRole({ path: "" }),
      problem: `secrets[0].path: "": ${fixes.staticRole}`,
    },
    {
      value: "static role, in folders",
      props: changedRole({ path: "aidbox/db" }),
      problem: `secrets[0].path: "aidbox/db": ${fixes.staticRole}`,
    },
    {
      value: "static role, with the engine's path",
      props: changedRole({ path: "static-creds/aidbox" }),
      problem: `secrets[0].path: "static-creds/aidbox": ${fixes.staticRole}`,
    },
    {
      value: "static role, a wildcard of policies",
      props: changedRole({ path: "aidbox*" }),
      problem: `secrets[0].path: "aidbox*": ${fixes.staticRole}`,
    },
    {
      value: "static role dot",
      props: changedRole({ path: "." }),
      problem: `secrets[0].path: ".": ${fixes.staticRole}`,
    },
    {
      value: "static role two dots",
      props: changedRole({ path: ".." }),
      problem: `secrets[0].path: "..": ${fixes.staticRole}`,
    },
    {
      value: "static role leading dash",
      props: changedRole({ path: "-a" }),
      problem: `secrets[0].path: "-a": ${fixes.staticRole}`,
    },
    {
      value: "static role trailing dot",
      props: changedRole({ path: "a." }),
      problem: `secrets[0].path: "a.": ${fixes.staticRole}`,
    },
    {
      value: "static role of data/",
      props: changedRole({ path: "data/x" }),
      problem: `secrets[0].path: "data/x": ${fixes.staticRole}`,
    },
    {
      value: "static role, a single-part wildcard of policies",
      props: changedRole({ path: "+" }),
      problem: `secrets[0].path: "+": ${fixes.staticRole}`,
    },
    {
      value: "key of a static role, empty",
      props: changedRole({ key: "" }),
      problem: `secrets[0].key: "": ${fixes.credential}`,
    },
    {
      value: "key of a static role, of what else Vault says of it",
      props: changedRole({ key: "last_vault_rotation" }),
      problem: `secrets[0].key: "last_vault_rotation": ${fixes.credential}`,
    },
    {
      value: "key of a static role, in capitals",
      props: changedRole({ key: "Password" }),
      problem: `secrets[0].key: "Password": ${fixes.credential}`,
    },
    {
      value: "key of a static role, only beginning as one",
      props: changedRole({ key: "username2" }),
      problem: `secrets[0].key: "username2": ${fixes.credential}`,
    },
  ])("$value", ({ props, problem }) => {
    expect(problemsOf(props)).toEqual([problem]);
  });
});

describe("a value at the edge of its rule is taken", () => {
  it.each<{ value: string; props: Props }>([
    { value: "kvMount in folders", props: { kvMount: "teams/health/kv" } },
    { value: "databaseMount of KV v2 where no secret is of source database", props: { kvMount: "database" } },
    { value: "databaseMount in folders", props: { databaseMount: "teams/health/database" } },
    { value: "databaseMount that only begins as KV v2's", props: { databaseMount: "secret-database" } },
    { value: "the mounts' defaults the other way round", props: { kvMount: "database", databaseMount: "secret" } },
    { value: "path with data further in", props: changed({ path: "aidbox/data/client" }) },
    { value: "path with dots inside a part", props: changed({ path: "aidbox.v2/..client" }) },
    { value: "path that is an address", props: changed({ path: "apps/user@example.com" }) },
    {
      value: "path with other characters that mean nothing to a policy",
      props: changed({ path: "a:b/c,d/e=f/~g/h i" }),
    },
    { value: "mount of a team", props: { kvMount: "Payments:Data" } },
    { value: "key with dots and underscores", props: changed({ key: "tls.key_1" }) },
    { value: "key with a space", props: changed({ key: "client secret" }) },
    { value: "key that is a file", props: changed({ key: "/etc/x.crt" }) },
    { value: "static role with dots, dashes and underscores", props: changedRole({ path: "aidbox.v2-db_1" }) },
    { value: "password of a static role", props: changedRole({ key: "password" }) },
    { value: "username of a static role", props: changedRole({ key: "username" }) },
  ])("$value", ({ props }) => {
    expect(problemsOf(props)).toEqual([]);
  });
});

describe("rows that don't go together", () => {
  const other = { name: "db-password", path: "aidbox/db" } satisfies SecretSpec;

  it.each<{ clash: string; secrets: SecretSpec[]; problem: string }>([
    {
      clash: "two sources on one path",
      secrets: [
        { ...row, source: "managed" },
        { ...other, path: row.path, source: "seeded" },
      ],
      problem:
        'secrets[1].source: "seeded": secrets[0] on the same path "aidbox/client" is managed: ' +
        "a path is written whole, so give both one source or move one to a path of its own",
    },
    {
      clash: "a source and the default one on one path",
      secrets: [
        { ...row, source: "seeded" },
        { ...other, path: row.path },
      ],
      problem:
        'secrets[1].source: "external": secrets[0] on the same path "aidbox/client" is seeded: ' +
        "a path is written whole, so give both one source or move one to a path of its own",
    },
    {
      clash: "two sources on one path, a static role of that name between them",
      secrets: [{ ...row, path: role.path, source: "managed" }, role, { ...other, name: "license", path: role.path }],
      problem:
        'secrets[2].source: "external": secrets[0] on the same path "aidbox" is managed: ' +
        "a path is written whole, so give both one source or move one to a path of its own",
    },
    {
      clash: "a keypair and a value on one path",
      secrets: [
        { ...row, source: "seeded" },
        { name: "auth-keys", path: row.path, keypair: "rsa", source: "seeded" },
      ],
      problem:
        'secrets[1].path: "aidbox/client": is that of secrets[0] too, and a keypair is written whole: give it a path of its own',
    },
    {
      clash: "a greatest age on a path that another shares, whose age would be its own",
      secrets: [
        { name: "one", path: "aidbox/one", maxAge: Duration.hours(1) },
        { name: "two", path: "aidbox/one" },
      ],
      problem:
        'secrets[0].path: "aidbox/one": is that of secrets[1] too, and the store knows the age of a path alone, not that of one: ' +
        "give it a path of its own, or leave its greatest age out",
    },
  ])("$clash", ({ secrets, problem }) => {
    expect(problemsOf({ secrets })).toEqual([problem]);
  });
});

it("says every problem at once, each with its row", () => {
  expect(
    problemsOf({
      kvMount: "/kv",
      databaseMount: "database/",
      secrets: [
        { name: "client", path: "data/../x" },
        { name: "db", path: "/db", key: "a=b" },
        { name: "role", path: "aidbox/db", key: "ttl", source: "database" },
      ],
    }),
  ).toEqual([
    `kvMount: "/kv": ${fixes.kvMount}`,
    `databaseMount: "database/": ${fixes.databaseMount}`,
    `secrets[0].path: "data/../x": ${fixes.path}`,
    'secrets[0].path: "data/../x": leave out data/ and metadata/: they are added',
    `secrets[1].path: "/db": ${fixes.path}`,
    `secrets[1].key: "a=b": ${fixes.key}`,
    `secrets[2].path: "aidbox/db": ${fixes.staticRole}`,
    `secrets[2].key: "ttl": ${fixes.credential}`,
  ]);
});

it("is Vault, or OpenBao by its provider, and hands its provider tokens for the audience", () => {
  const login = { address: "http://vault.vault:8200", role: "aidbox" };
  expect(new VaultStore(login)).toMatchObject({ provider: "vault", tokenAudiences: ["vault"] });
  const bao = new VaultStore({ ...login, provider: "openbao", audience: "bao" });
  expect(bao).toMatchObject({ provider: "openbao", tokenAudiences: ["bao"] });
  const table = new SecretTable({ secrets: [row] });
  const { audience, ...others } = new VaultStore({ ...login, provider: "vault" }).parameters(table);
  expect(audience).toBe("vault");
  expect(bao.parameters(table)).toEqual({ ...others, audience: "bao" });
});

it("says where a secret lies, and by which id the status of a mount names it", () => {
  const store = new VaultStore({ address: "http://vault.vault:8200", role: "aidbox" });
  const { secrets } = new SecretTable({ secrets: [{ ...row, file: "tls/client" }, role] });
  expect(secrets.map((each) => store.locate(each))).toEqual([
    "secret/aidbox/client, key client-secret",
    "database/static-creds/aidbox, key password",
  ]);
  expect(secrets.map((each) => store.objectId(each))).toEqual(["tls/client", "db-password"]);
});
