import { Duration } from "cdk8s";
import { type Secret, type SecretSpec, SecretTable, type SecretTableProps } from "../../../constructs/secrets";
import { findMountPathProblems, findSecretProblems } from "../../../constructs/secrets/rules";

const row = { name: "client-secret", path: "aidbox/client" } satisfies SecretSpec;
const role = { name: "db-password", path: "aidbox", source: "database" } satisfies SecretSpec;

function tableOf(props: Partial<SecretTableProps>): SecretTable {
  return new SecretTable({ secrets: [row], ...props });
}

/** The first row of a valid table, with what a case changes of it. */
function changed(change: Partial<SecretSpec>): Partial<SecretTableProps> {
  return { secrets: [{ ...row, ...change }] };
}

function invalid(...problems: string[]): Error {
  return new Error(["The table of secrets is not valid:", ...problems.map((problem) => `  ${problem}`)].join("\n"));
}

const fixes = {
  mount: "write an absolute folder, as /run/vault-secrets",
  file: "write a file below the mount path: letters, digits, '_', '.', '-' and '/', without slash or dash at its start, '.' or '..'",
  name: "write a DNS label: up to 63 lower-case letters, digits and dashes",
  environment: "write a variable's name, as BOX_ADMIN_PASSWORD",
  resourceType: "write a FHIR resource type, as Client",
  id: "write a FHIR id: up to 64 letters, digits, '.' and '-'",
};

describe("a value that a rule refuses", () => {
  const longName = "a".repeat(64);
  const longId = "1".repeat(65);

  it.each<{ value: string; props: Partial<SecretTableProps>; problem: string }>([
    { value: "mountPath, relative", props: { mountPath: "run" }, problem: `mountPath: "run": ${fixes.mount}` },
    { value: "mountPath, root", props: { mountPath: "/" }, problem: `mountPath: "/": ${fixes.mount}` },
    { value: "mountPath, open", props: { mountPath: "/run/" }, problem: `mountPath: "/run/": ${fixes.mount}` },
    {
      value: "mountPath, climbing out",
      props: { mountPath: "/run/../etc" },
      problem: `mountPath: "/run/../etc": ${fixes.mount}`,
    },
    { value: "no rows", props: { secrets: [] }, problem: "secrets: is empty: name at least one secret" },
    { value: "name, empty", props: changed({ name: "" }), problem: `secrets[0].name: "": ${fixes.name}` },
    {
      value: "name, in capitals",
      props: changed({ name: "Client" }),
      problem: `secrets[0].name: "Client": ${fixes.name}`,
    },
    {
      value: "name, with an underscore",
      props: changed({ name: "client_secret" }),
      problem: `secrets[0].name: "client_secret": ${fixes.name}`,
    },
    {
      value: "name, ending in a dash",
      props: changed({ name: "client-" }),
      problem: `secrets[0].name: "client-": ${fixes.name}`,
    },
    {
      value: "name, too long",
      props: changed({ name: longName }),
      problem: `secrets[0].name: "${longName}": ${fixes.name}`,
    },
    {
      value: "file, absolute",
      props: changed({ file: "/etc/x" }),
      problem: `secrets[0].file: "/etc/x": ${fixes.file}`,
    },
    {
      value: "file, climbing out",
      props: changed({ file: "../x" }),
      problem: `secrets[0].file: "../x": ${fixes.file}`,
    },
    {
      value: "file, climbing out from within",
      props: changed({ file: "tls/../../x" }),
      problem: `secrets[0].file: "tls/../../x": ${fixes.file}`,
    },
    {
      value: "environment, with a dash",
      props: changed({ environment: "BOX-ADMIN" }),
      problem: `secrets[0].environment: "BOX-ADMIN": ${fixes.environment}`,
    },
    {
      value: "environment, beginning with a digit",
      props: changed({ environment: "1BOX" }),
      problem: `secrets[0].environment: "1BOX": ${fixes.environment}`,
    },
    {
      value: "resource type, in lower case",
      props: changed({ scope: { resourceType: "client" } }),
      problem: `secrets[0].scope.resourceType: "client": ${fixes.resourceType}`,
    },
    {
      value: "resource type with an id",
      props: changed({ scope: { resourceType: "Client/basic" } }),
      problem: `secrets[0].scope.resourceType: "Client/basic": ${fixes.resourceType}`,
    },
    {
      value: "resource id, with an underscore",
      props: changed({ scope: { resourceType: "Client", id: "a_b" } }),
      problem: `secrets[0].scope.id: "a_b": ${fixes.id}`,
    },
    {
      value: "resource id, too long",
      props: changed({ scope: { resourceType: "Client", id: longId } }),
      problem: `secrets[0].scope.id: "${longId}": ${fixes.id}`,
    },
  ])("$value", ({ props, problem }) => {
    expect(() => tableOf(props)).toThrow(invalid(problem));
  });
});

describe("a value at the edge of its rule is taken", () => {
  it.each<{ value: string; props: Partial<SecretTableProps> }>([
    { value: "mountPath of one part", props: { mountPath: "/secrets" } },
    { value: "mountPath that only begins as /tmp", props: { mountPath: "/tmpfs/secrets" } },
    { value: "mountPath that only begins as /etc/aidbox", props: { mountPath: "/etc/aidbox-secrets" } },
    { value: "name of 63 letters", props: changed({ name: "a".repeat(63) }) },
    { value: "name of one digit", props: changed({ name: "1" }) },
    { value: "file in folders", props: changed({ file: "tls/server/key.pem" }) },
    { value: "environment with a leading underscore", props: changed({ environment: "_x1" }) },
    { value: "environment that only begins as the stack's", props: changed({ environment: "BOX_WEB_PORT_2" }) },
    {
      value: "resource id of 64 characters",
      props: changed({ scope: { resourceType: "Client", id: "a".repeat(64) } }),
    },
  ])("$value", ({ props }) => {
    expect(findMountPathProblems(props.mountPath ?? "/run/vault-secrets")).toEqual([]);
    expect(findSecretProblems(props.secrets ?? [row])).toEqual([]);
    expect(() => tableOf(props)).not.toThrow();
  });
});

describe("rows that don't go together", () => {
  const other = { name: "db-password", path: "aidbox/db" } satisfies SecretSpec;

  it.each<{ clash: string; secrets: SecretSpec[]; problem: string }>([
    {
      clash: "one name",
      secrets: [row, { ...other, name: "client-secret" }],
      problem: 'secrets[1].name: "client-secret": is that of secrets[0] too: give each its own',
    },
    {
      clash: "one file",
      secrets: [
        { ...row, file: "secret" },
        { ...other, file: "secret" },
      ],
      problem: 'secrets[1].file: "secret": is that of secrets[0] too: give each its own',
    },
    {
      clash: "a file that is an earlier row's default file",
      secrets: [row, { ...other, file: "client-secret" }],
      problem: 'secrets[1].file: "client-secret": is that of secrets[0] too: give each its own',
    },
    {
      clash: "a file that is a later row's default file",
      secrets: [{ ...row, file: "db-password" }, other],
      problem: 'secrets[1].file: "db-password": is that of secrets[0] too: give each its own',
    },
    {
      clash: "one environment variable",
      secrets: [
        { ...row, environment: "BOX_PASSWORD" },
        { ...other, environment: "BOX_PASSWORD" },
      ],
      problem: 'secrets[1].environment: "BOX_PASSWORD": is that of secrets[0] too: give each its own',
    },
    {
      clash: "a file below another's",
      secrets: [
        { ...row, file: "tls" },
        { ...other, file: "tls/key.pem" },
      ],
      problem: 'secrets[1].file: "tls/key.pem": lies below the file of secrets[0]: move one of them',
    },
    {
      clash: "a file below a later row's default file",
      secrets: [{ ...row, file: "db-password/client" }, other],
      problem: 'secrets[0].file: "db-password/client": lies below the file of secrets[1]: move one of them',
    },
    {
      clash: "one name, of a static role too",
      secrets: [row, { ...role, name: "client-secret" }],
      problem: 'secrets[1].name: "client-secret": is that of secrets[0] too: give each its own',
    },
    {
      clash: "one file, of a static role too",
      secrets: [row, { ...role, file: "client-secret" }],
      problem: 'secrets[1].file: "client-secret": is that of secrets[0] too: give each its own',
    },
  ])("$clash", ({ secrets, problem }) => {
    expect(() => tableOf({ secrets })).toThrow(invalid(problem));
  });

  it("a file may be another row's name where that row has a file of its own", () => {
    const secrets = [
      { ...row, file: "db-password" },
      { ...other, file: "password" },
    ];
    expect(tableOf({ secrets }).secrets.map(({ file }) => file)).toEqual(["db-password", "password"]);
  });

  it("files whose names only begin alike go together", () => {
    const secrets = [
      { ...row, file: "tls" },
      { ...other, file: "tls-key" },
    ];
    expect(tableOf({ secrets }).secrets.map(({ file }) => file)).toEqual(["tls", "tls-key"]);
  });

  it("rows on two paths may have two sources", () => {
    const secrets: SecretSpec[] = [{ ...row, source: "managed" }, other];
    expect(tableOf({ secrets }).secrets.map(({ source }) => source)).toEqual(["managed", "external"]);
  });

  it.each<{ order: string; secrets: SecretSpec[] }>([
    { order: "after it", secrets: [{ ...row, path: role.path, source: "seeded" }, role] },
    { order: "before it", secrets: [role, { ...row, path: role.path, source: "seeded" }] },
  ])("a static role may have the name of a KV path, $order", ({ secrets }) => {
    expect(tableOf({ secrets }).secrets.map(({ path }) => path)).toEqual(["aidbox", "aidbox"]);
  });
});

it("says every problem of a table in one error, each with its row", () => {
  const props: SecretTableProps = {
    mountPath: "secrets",
    secrets: [
      { name: "Client", path: "data/../x", scope: { resourceType: "client", id: "a b" } },
      { name: "db", path: "/db", key: "a/b", file: "../db", environment: "1" },
      { name: "db", path: "aidbox/db" },
      { name: "role", path: "aidbox/db", key: "ttl", source: "database" },
    ],
  };
  expect(() => new SecretTable(props)).toThrow(
    invalid(
      `mountPath: "secrets": ${fixes.mount}`,
      `secrets[0].name: "Client": ${fixes.name}`,
      `secrets[0].scope.resourceType: "client": ${fixes.resourceType}`,
      `secrets[0].scope.id: "a b": ${fixes.id}`,
      `secrets[1].file: "../db": ${fixes.file}`,
      `secrets[1].environment: "1": ${fixes.environment}`,
      'secrets[2].name: "db": is that of secrets[1] too: give each its own',
    ),
  );
});

describe("defaults", () => {
  const table = tableOf({});

  it("the folder is that of the vendor's guide", () => {
    expect(table.mountPath).toBe("/run/vault-secrets");
  });

  it("key and file are the name; the value is an operator's; no scope and no environment", () => {
    expect(table.secrets).toStrictEqual<Secret[]>([
      {
        name: "client-secret",
        path: "aidbox/client",
        key: "client-secret",
        file: "client-secret",
        source: "external",
      },
    ]);
  });

  it("of a static role the key is its password, the file the name", () => {
    expect(tableOf({ secrets: [role] }).secrets).toStrictEqual<Secret[]>([
      { name: "db-password", path: "aidbox", key: "password", file: "db-password", source: "database" },
    ]);
  });

  it("what a row says stays", () => {
    const full: Required<Omit<SecretSpec, "keypair" | "keys">> = {
      name: "db",
      path: "aidbox/db",
      key: "password",
      file: "db/password",
      scope: { resourceType: "AidboxSubscription", id: "one" },
      environment: "BOX_DB_PASSWORD",
      source: "managed",
      maxAge: Duration.days(1),
      mayBeEmpty: true,
      optional: false,
    };
    const { maxAge, ...ageless } = full;
    const user: SecretSpec = { ...ageless, mayBeEmpty: false, path: "aidbox", key: "username", source: "database" };
    expect(tableOf({ secrets: [{ ...role, maxAge }] }).secrets[0]).toMatchObject({ maxAge });
    expect(tableOf({ secrets: [full] }).secrets).toStrictEqual<Secret[]>([full]);
    expect(tableOf({ secrets: [user] }).secrets).toStrictEqual([user]);
  });
});

describe("a row with keys", () => {
  const partner: SecretSpec = { name: "partner", path: "apps/partner", keys: ["user", "TOKEN.x"] };

  it("is one secret for each, in a folder of its name", () => {
    const { secrets, paths } = tableOf({ secrets: [row, { ...partner, mayBeEmpty: true }] });
    const common = { path: "apps/partner", source: "external", keysOf: "partner", mayBeEmpty: true };
    expect(secrets.slice(1)).toStrictEqual([
      { ...common, name: "partner/user", key: "user", file: "partner/user" },
      { ...common, name: "partner/TOKEN.x", key: "TOKEN.x", file: "partner/TOKEN.x" },
    ]);
    expect(paths.map(({ path }) => path)).toEqual(["aidbox/client", "apps/partner"]);
  });

  it("may have another folder, and be seeded", () => {
    const { secrets } = tableOf({ secrets: [{ ...partner, file: "apps/b2b", source: "seeded" }] });
    expect(secrets.map(({ file, source }) => [file, source])).toEqual([
      ["apps/b2b/user", "seeded"],
      ["apps/b2b/TOKEN.x", "seeded"],
    ]);
  });

  it("of all keys stands for them in one, and its path is read", () => {
    const { secrets } = tableOf({ secrets: [row, { ...partner, keys: "all" }] });
    expect(secrets[1]).toMatchObject({ name: "partner/*", key: "*", file: "partner/*", isEveryKey: true });
  });

  const ofOne = "says something of one value, and the row is one for each of its keys: give that key a row of its own";

  it.each<[Partial<SecretSpec>, string]>([
    [{ key: "user" }, `secrets[1].key: ${ofOne}`],
    [{ scope: { resourceType: "Client" } }, `secrets[1].scope: ${ofOne}`],
    [{ environment: "PARTNER" }, `secrets[1].environment: ${ofOne}`],
    [{ maxAge: Duration.minutes(1) }, `secrets[1].maxAge: ${ofOne}`],
    [{ optional: true }, `secrets[1].optional: ${ofOne}`],
    [
      { source: "managed" },
      'secrets[1].source: "managed": the value of each is in the config by its row\'s name: write a row for each key',
    ],
    [{ source: "database" }, 'secrets[1].source: "database": a static role has a key alone: leave the keys out'],
    [
      { keys: "all", source: "seeded" },
      'secrets[1].source: "seeded": the stack makes the keys that it knows: list them',
    ],
    [{ keys: [] }, "secrets[1].keys: is empty: name a key, or write all"],
    [{ keys: ["a", "a"] }, 'secrets[1].name: "partner/a": is that of secrets[1] too: give each its own'],
    [
      { keys: ["client secret"] },
      "secrets[1].keys[0]: \"client secret\": is no file's name: letters, digits, '_', '.', '-' and '/', without slash or dash " +
        "at its start: give the key a row of its own, with a file",
    ],
    [{ keys: "some" as "all" }, "secrets[1].keys: "],
  ])("is refused with %j", (change, problem) => {
    expect(() => tableOf({ secrets: [row, { ...partner, ...change }] })).toThrow(
      `The table of secrets is not valid:\n  ${problem}`,
    );
  });

  it("of all keys is not the one row", () => {
    expect(() => tableOf({ secrets: [{ ...partner, keys: "all" }] })).toThrow(
      "secrets: have no value that is known without the store, and pods mount one at least: write a row for one key",
    );
  });
});

describe("the greatest age of a value", () => {
  const aged = { name: "one", path: "aidbox/one", maxAge: Duration.hours(1) };

  it("is that of a keypair as a whole", () => {
    const { keypairs } = tableOf({ secrets: [{ ...aged, keypair: "ec", source: "seeded" }] });
    expect(keypairs).toMatchObject([{ name: "one", maxAge: Duration.hours(1) }]);
  });

  it.each<{ what: string; secrets: readonly SecretSpec[]; problem: string }>([
    {
      what: "no age",
      secrets: [{ ...aged, maxAge: Duration.seconds(0) }],
      problem: "secrets[0].maxAge: 0 s: write whole seconds, 1 or more",
    },
    {
      what: "a name that Vault never changes",
      secrets: [{ ...aged, path: "role", source: "database", key: "username" }],
      problem: 'secrets[0].key: "username": never changes: leave its greatest age out',
    },
  ])("is refused with $what", ({ secrets, problem }) => {
    expect(() => tableOf({ secrets })).toThrow(`The table of secrets is not valid:\n  ${problem}`);
  });
});

describe("what is drawn from the table", () => {
  const table = new SecretTable({
    mountPath: "/mnt/secrets",
    secrets: [
      { name: "user", path: "aidbox/db", file: "db/user", source: "managed" },
      { name: "client", path: "aidbox/client", environment: "BOX_CLIENT", source: "seeded" },
      { name: "password", path: "aidbox/db", environment: "BOX_DB_PASSWORD", source: "managed" },
    ],
  });
  const user = table.secrets[0]!;

  it("each path once, in the table's order, with its secrets and their source", () => {
    expect(
      table.paths.map(({ path, source, secrets }) => ({ path, source, names: secrets.map(({ name }) => name) })),
    ).toEqual([
      { path: "aidbox/db", source: "managed", names: ["user", "password"] },
      { path: "aidbox/client", source: "seeded", names: ["client"] },
    ]);
  });

  it("a file lies below the mount path", () => {
    expect(table.filePath(user)).toBe("/mnt/secrets/db/user");
  });

  it("only secrets with an environment variable are synced", () => {
    expect(table.synced.map(({ name, environment }) => ({ name, environment }))).toEqual([
      { name: "client", environment: "BOX_CLIENT" },
      { name: "password", environment: "BOX_DB_PASSWORD" },
    ]);
    expect(tableOf({}).synced).toEqual([]);
  });
});

describe("what is drawn from a table with static roles", () => {
  const table = new SecretTable({
    secrets: [
      { name: "license", path: "aidbox", environment: "BOX_LICENSE" },
      { name: "db-password", path: "aidbox", environment: "BOX_DB_PASSWORD", source: "database" },
      { name: "client-secret", path: "aidbox" },
      { name: "db-user", path: "aidbox", key: "username", source: "database" },
      { name: "other-password", path: "reports", source: "database" },
    ],
  });

  it("a KV path and a static role of one name are two paths, each with its own secrets", () => {
    expect(
      table.paths.map(({ path, source, secrets }) => ({ path, source, names: secrets.map(({ name }) => name) })),
    ).toEqual([
      { path: "aidbox", source: "external", names: ["license", "client-secret"] },
      { path: "aidbox", source: "database", names: ["db-password", "db-user"] },
      { path: "reports", source: "database", names: ["other-password"] },
    ]);
  });

  it("a static role's password can be an environment variable, as any other secret", () => {
    expect(table.synced.map(({ name, environment }) => ({ name, environment }))).toEqual([
      { name: "license", environment: "BOX_LICENSE" },
      { name: "db-password", environment: "BOX_DB_PASSWORD" },
    ]);
  });
});

test.each([
  [{ source: "seeded" }, "a value of source seeded"],
  [{ source: "database" }, "a value of source database"],
  [{ keypair: "ec" }, "a keypair's value"],
] as const)("a value that is made is never empty: %j", (row, what) => {
  const of = (more: object): SecretTable =>
    tableOf({ secrets: [{ name: "one", path: "one", mayBeEmpty: true, ...more }] });
  expect(() => of(row)).toThrow(`secrets[0].mayBeEmpty: true: ${what} is never empty: leave it out`);
  expect(of({ source: "managed" }).secrets).toMatchObject([{ mayBeEmpty: true }]);
});
