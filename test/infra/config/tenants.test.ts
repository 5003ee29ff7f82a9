import { SecretTable } from "../../../constructs/secrets";
import { ConfigError } from "../../../infra/config/config-error";
import { postgresRole } from "../../../infra/config/database";
import type { VaultEnvironment } from "../../../infra/config/environment";
import { checkVaultEnvironment } from "../vault-environment";

const image = "healthsamurai/aidboxone:2605";
const first = {
  development: true,
  kubeContext: "kind-aidbox",
  secrets: [{ name: "client-secret", path: "aidbox/client" }],
  vault: { mode: "dev" },
  aidbox: { image },
};

/** A tenant with one secret, on a path of its own. */
function tenant(name: string, change: object = {}) {
  return { name, secrets: [{ name: "client-secret", path: `${name}/client` }], ...change };
}

/** A secret of a static role of Vault's database engine. */
function role(name: string, change: object = {}) {
  return { name: "db-password", path: name, source: "database", ...change };
}

/** A secret of a KV path. */
function kv(path: string) {
  return { name: "client-secret", path };
}

function check(tenants: unknown, change: object = {}): VaultEnvironment {
  return checkVaultEnvironment("dev", { ...first, ...change, tenants });
}

function tenantsOf(tenants: unknown, change: object = {}): readonly VaultEnvironment[] {
  return check(tenants, change).tenants;
}

/** The whole message with which a config is refused, but for its first line and the project's name. */
function problemsOf(tenants: unknown, change: object = {}): string[] {
  try {
    check(tenants, change);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const [title, ...problems] = error.message.split("\n");
    expect(title).toBe('The config of environment "dev" (Pulumi.dev.yaml) is not valid:');
    return problems.map((problem) => problem.replace(/^ {2}aidbox-secrets:/, ""));
  }
  throw new Error("the config was taken for a valid one");
}

const fixes = {
  key: "is not a key that this stack knows: look it up in docs/config.md, or remove it",
  label: "write a DNS label: up to 63 lower-case letters, digits and dashes",
  path: "write a path below the mount: letters, digits, '_', '.', '-', '@', ':', ',', '=', '~', '/' and spaces inside, without slash or dash at its start, '.' or '..'",
  image: "pin the image with a tag of 2602 or later, as healthsamurai/aidboxone:2605, or with a digest",
  own: "give each its own",
  other: "write another name",
  staticRole: "write the name of a static role of the database engine: letters, digits, '_', and inside it '.' and '-'",
  move: "each reads all that is there, so give each its own",
  reserved: "is set by this stack: leave it out",
};

describe("a valid tenant", () => {
  it("is by default the first Aidbox once more, in a namespace, by a role and with secrets of its own", () => {
    const environment = check([tenant("north")]);
    expect(environment.tenants).toStrictEqual<readonly VaultEnvironment[]>([
      {
        ...environment,
        tenant: "north",
        tenants: [],
        namespaces: { ...environment.namespaces, aidbox: "aidbox-north" },
        vault: { ...environment.vault, role: "aidbox-north" },
        table: new SecretTable({ secrets: [{ name: "client-secret", path: "north/client" }] }),
      },
    ]);
  });

  it("can say its namespace, and where the first Aidbox's role has another name, so has its own", () => {
    const vault = { ...first.vault, role: "fhir" };
    const [north, south] = tenantsOf([tenant("north"), tenant("south", { namespace: "southern" })], { vault });
    expect(north).toMatchObject({ namespaces: { aidbox: "aidbox-north" }, vault: { role: "fhir-north" } });
    expect(south).toMatchObject({ namespaces: { aidbox: "southern" }, vault: { role: "fhir-south" } });
  });

  it("takes the rest of the config from the first Aidbox", () => {
    const shared = {
      mountPath: "/mnt/secrets",
      rotationBound: "5m",
      namespaces: { aidbox: "health", vault: "store" },
      vault: {
        ...first.vault,
        release: "store",
        audience: "health",
        tokenTtl: "20m",
        kvMount: { path: "teams/kv" },
        databaseMount: "teams/database",
      },
      aidbox: { name: "box", image, servicePort: 80 },
    };
    const environment = check([tenant("north")], shared);
    const [north] = environment.tenants;
    expect(north).toMatchObject({
      name: "dev",
      kubeContext: "kind-aidbox",
      namespaces: { aidbox: "aidbox-north", vault: "store" },
      rotationBoundSeconds: 300,
      vault: {
        release: "store",
        tokenTtl: "20m",
        audience: "health",
        kvMount: { path: "teams/kv" },
        databaseMount: "teams/database",
      },
      aidbox: environment.aidbox,
    });
    expect(north!.table).toMatchObject({
      mountPath: "/mnt/secrets",
    });
  });

  it("has its own where it says what differs in its Aidbox, key by key", () => {
    const aidbox = {
      image,
      servicePort: 80,
      resources: { cpuRequest: "250m", memoryRequest: "1Gi" },
      environment: { BOX_FHIR_COMPLIANT_MODE: "true" },
    };
    const own = { name: "box", servicePort: 81, resources: { memoryLimit: "8Gi" } };
    const environment = check([tenant("north"), tenant("south", { aidbox: own })], { aidbox });
    const [north, south] = environment.tenants.map((each) => each.aidbox);
    expect(north).toEqual(environment.aidbox);
    expect(south).toEqual({
      ...environment.aidbox,
      ...own,
      // A key is replaced whole.
      resources: { cpuRequest: "500m", memoryRequest: "2Gi", memoryLimit: "8Gi" },
    });
  });

  it("has no tenants of its own", () => {
    const environment = check([tenant("north"), tenant("south")]);
    expect(environment.tenants.map((each) => each.tenants)).toEqual([[], []]);
    expect(environment).not.toHaveProperty("tenant");
    expect(problemsOf([tenant("north", { tenants: [tenant("south")] })])).toEqual([`tenants[0].tenants: ${fixes.key}`]);
  });

  it("comes in the order of the config, and is told by its name", () => {
    const names = ["south", "north", "a".repeat(56)];
    expect(tenantsOf(names.map((name) => tenant(name))).map((each) => each.tenant)).toEqual(names);
  });

  it("may have secrets of the same names and files as another, several on one path of its own", () => {
    const secrets = (owner: string) => [
      { name: "client-secret", path: `${owner}/client`, environment: "BOX_ROOT_CLIENT_SECRET" },
      { name: "client-id", path: `${owner}/client` },
    ];
    const tenants = ["north", "south"].map((name) => tenant(name, { secrets: secrets(name) }));
    expect(tenantsOf(tenants).map(({ table }) => table.paths.map(({ path }) => path))).toEqual([
      ["north/client"],
      ["south/client"],
    ]);
  });

  it.each<{ what: string; own: object[]; others: object[] }>([
    {
      what: "static roles of its own, beside other KV paths of their names",
      own: [{ name: "client-secret", path: "south" }, role("north")],
      others: [{ name: "client-secret", path: "north" }, role("south")],
    },
    { what: "a static role of the name of a KV path of another", own: [role("fhir")], others: [kv("fhir")] },
    { what: "a KV path of the name of a static role of another", own: [kv("fhir")], others: [role("fhir")] },
    {
      what: "a KV path and a static role of one name",
      own: [kv("fhir"), role("fhir")],
      others: [kv("other"), role("other")],
    },
  ])("may have $what", ({ own, others }) => {
    expect(tenantsOf([tenant("north", { secrets: own }), tenant("south", { secrets: others })])).toHaveLength(2);
    expect(tenantsOf([tenant("north", { secrets: own })], { secrets: others })).toHaveLength(1);
  });

  it("need not be there", () => {
    expect(check([]).tenants).toEqual([]);
    expect(checkVaultEnvironment("dev", first).tenants).toEqual([]);
  });

  // Known not to work: its namespace, aidbox-NAME, is too long then, which is not said, and the tenant is left out.
  it("is there or refused, also where its name is long", () => {
    const outcome = (): unknown => {
      try {
        return tenantsOf([tenant("a".repeat(57))]);
      } catch (error) {
        return error;
      }
    };
    expect(outcome()).not.toEqual([]);
  });
});

describe("beside a PostgreSQL for development", () => {
  const password = (owner: string) => ({
    name: "db-password",
    path: `${owner}/db`,
    environment: "BOX_DB_PASSWORD",
    source: "seeded",
  });
  const database = { database: { mode: "development" }, secrets: [password("aidbox")] };
  /** Names of all roles in Vault, each with a policy of its name; those of a config that is refused are nobody's. */
  const rolesOf = (name: string): string[] => {
    try {
      const environment = check([tenant(name, { secrets: [password(name)] })], database);
      return [environment, ...environment.tenants].flatMap((each) => [each.vault.role, postgresRole(each)]);
    } catch (error) {
      if (error instanceof ConfigError) return [];
      throw error;
    }
  };

  it("a tenant has a PostgreSQL of its own, with a role of its own", () => {
    expect(rolesOf("north")).toEqual(["aidbox", "aidbox-database", "aidbox-north", "aidbox-north-database"]);
  });

  it("a tenant without its password is refused", () => {
    expect(problemsOf([tenant("north")], database)).toEqual([
      expect.stringMatching(
        /^tenants\[0\]\.secrets: no row has environment: BOX_DB_PASSWORD, which the database needs: /,
      ),
    ]);
  });

  // Known not to work: its role and policy are those of the first Aidbox's PostgreSQL, aidbox-database.
  it("a tenant named database shares no role with another, or is refused", () => {
    const roles = rolesOf("database");
    expect([...new Set(roles)]).toEqual(roles);
  });
});

describe("the database of a tenant", () => {
  const password = (owner: string) => ({ name: "db-password", path: `${owner}/db`, environment: "BOX_DB_PASSWORD" });
  const north = (change: object = {}) => tenant("north", { secrets: [password("north")], ...change });
  const tls = { mode: "require" };
  const external = { mode: "external", host: "pg.example.com", port: 6432, tls };
  const beside = (database: object) => ({ secrets: [password("first")], database });

  it("is one of its own on the first's server", () => {
    const own = { name: "north", user: "north_box" };
    const [found] = tenantsOf([north({ database: own })], beside({ ...external, name: "fhir" }));
    expect(found!.database).toEqual({ ...external, ...own });
  });

  it("is another server, of which it takes nothing over", () => {
    const own = {
      mode: "external",
      host: "pg.north.example.com",
      name: "aidbox",
      user: "north",
      tls: { mode: "disable" },
    };
    const [found] = tenantsOf([north({ database: own })], beside(external));
    expect(found!.database).toEqual({ ...own, port: 5432 });
  });

  it("is there also where the first Aidbox has none", () => {
    const own = { ...external, name: "north", user: "north" };
    expect(tenantsOf([north({ database: own })])[0]!.database).toEqual(own);
    expect(tenantsOf([north({ database: { mode: "development" } })])[0]!.database).toMatchObject({
      mode: "development",
    });
  });

  it("is a server of its own for development, with the first's settings or others", () => {
    const first = { mode: "development", storage: { size: "2Gi" } };
    const [same, other] = tenantsOf(
      [north(), tenant("south", { secrets: [password("south")], database: { name: "clinic" } })],
      beside(first),
    );
    expect(same!.database).toMatchObject({ ...first, name: "aidbox", user: "aidbox" });
    expect(other!.database).toMatchObject({ ...first, name: "clinic" });
  });

  it.each<{ what: string; database: unknown; problems: string[] }>([
    {
      what: "left to silence",
      database: undefined,
      problems: [
        "tenants[0].database: is missing: the database of the first Aidbox holds its records: write one of the tenant's " +
          "own, as { name: north, user: north }",
      ],
    },
    {
      what: "without a name and a user",
      database: { host: "pg.north.example.com" },
      problems: [
        "tenants[0].database.name: is missing: write a database of the tenant's own",
        "tenants[0].database.user: is missing: write a user of the tenant's own",
      ],
    },
    {
      what: "the first's",
      database: { name: "aidbox", user: "north" },
      problems: [
        'tenants[0].database.name: "aidbox": makes the database "pg.example.com:6432/aidbox", which is that of the first ' +
          "Aidbox too (database.name): each serves all records in it, so give each its own",
      ],
    },
    {
      what: "no object",
      database: "north",
      problems: ['tenants[0].database: "north": write an object with keys of database, as { name, user }'],
    },
    {
      what: "of an unknown key",
      database: { name: "north", user: "north", password: "hunter2" },
      problems: [
        "tenants[0].database.password: is not a key that this stack knows: write one of mode, host, port, name, user, tls, or remove it",
      ],
    },
  ])("is refused where it is $what", ({ database, problems }) => {
    expect(problemsOf([north({ database })], beside(external))).toEqual(problems);
  });
});

describe("what a tenant does not take over", () => {
  it("are hosts of ingress and route", () => {
    const aidbox = {
      image,
      ingress: { hosts: ["one.example.com"], tlsSecretName: "one" },
      gatewayRoute: { parentRefs: [{ name: "public" }], hostnames: ["two.example.com"] },
    };
    const own = { hosts: ["north.example.com"] };
    const [south, north] = tenantsOf([tenant("south"), tenant("north", { aidbox: { ingress: own } })], { aidbox });
    expect(south!.aidbox).not.toHaveProperty("ingress");
    expect(south!.aidbox).not.toHaveProperty("gatewayRoute");
    expect(north!.aidbox.ingress).toEqual(own);
  });
});

describe("a tenant that cannot be", () => {
  const row = { name: "client-secret", path: "south/client" };
  const southern = (...secrets: unknown[]) => [tenant("north"), tenant("south", { secrets })];
  const aidbox = (own: unknown) => [tenant("north", { aidbox: own })];

  it.each<{ what: string; tenants: unknown; problems: string[] }>([
    {
      what: "one alone, not in a list",
      tenants: tenant("north").name,
      problems: ['tenants: "north": write a list of tenants'],
    },
    { what: "no list", tenants: null, problems: ["tenants: null: write a list of tenants"] },
    { what: "a name alone", tenants: ["north"], problems: ['tenants[0]: "north": write an object with keys'] },
    {
      what: "an unknown key",
      tenants: [tenant("north", { role: "aidbox" })],
      problems: [`tenants[0].role: ${fixes.key}`],
    },

    {
      what: "a name that is no DNS label",
      tenants: [tenant("North")],
      problems: [`tenants[0].name: "North": ${fixes.label}`],
    },
    {
      what: "a name of a number",
      tenants: [tenant("north", { name: 5 })],
      problems: [`tenants[0].name: 5: ${fixes.label}: put it in quotes`],
    },
    {
      what: "no name",
      tenants: [tenant("north", { name: undefined })],
      problems: [`tenants[0].name: is missing: ${fixes.label}`],
    },
    {
      what: "a namespace that is no DNS label",
      tenants: [tenant("north", { namespace: "north_1" })],
      problems: [`tenants[0].namespace: "north_1": ${fixes.label}`],
    },

    {
      what: "an empty table of secrets",
      tenants: [tenant("north", { secrets: [] })],
      problems: ["tenants[0].secrets: is empty: name at least one secret"],
    },
    {
      what: "a wrong path, of the second tenant",
      tenants: southern({ ...row, path: "/south/client" }),
      problems: [`tenants[1].secrets[0].path: "/south/client": ${fixes.path}`],
    },
    {
      what: "an unknown key of a secret, of the second tenant",
      tenants: southern({ ...row, value: "s3cret" }),
      problems: [`tenants[1].secrets[0].value: ${fixes.key}`],
    },
    {
      what: "a secret's name twice, of the second tenant",
      tenants: southern(row, { ...row, path: "south/other" }),
      problems: [`tenants[1].secrets[1].name: "client-secret": is that of secrets[0] too: ${fixes.own}`],
    },
    {
      what: "a secret that is a word",
      tenants: southern("client-secret"),
      problems: ['tenants[1].secrets[0]: "client-secret": write an object with keys'],
    },

    {
      what: "an unknown key of aidbox",
      tenants: aidbox({ replica: 2 }),
      problems: ["tenants[0].aidbox.replica: is not a key that this stack knows: did you mean replicas?"],
    },
    {
      what: "wrong values of aidbox",
      tenants: aidbox({ image: "aidboxone:edge", replicas: 0 }),
      problems: [
        `tenants[0].aidbox.image: "aidboxone:edge": ${fixes.image}`,
        "tenants[0].aidbox.replicas: 0: write 1 or more",
      ],
    },
    {
      what: "keys of aidbox that do not go together",
      tenants: aidbox({ resources: { memoryLimit: "1Gi" }, environment: { BOX_WEB_PORT: "80" } }),
      problems: [
        'tenants[0].aidbox.resources: memoryLimit "1Gi" is less than memoryRequest "2Gi": ' +
          "raise the limit or lower the request",
        `tenants[0].aidbox.environment.BOX_WEB_PORT: ${fixes.reserved}`,
      ],
    },
    {
      what: "an aidbox that is a word",
      tenants: aidbox("large"),
      problems: ['tenants[0].aidbox: "large": write an object with keys of aidbox'],
    },
    {
      what: "an aidbox of nothing",
      tenants: aidbox(null),
      problems: ["tenants[0].aidbox: null: write an object with keys of aidbox"],
    },

    {
      what: "the name of another",
      tenants: [tenant("north"), { ...tenant("south"), name: "north", namespace: "southern" }],
      problems: [
        `tenants[1].name: "north": makes the Vault policy "aidbox-north", which is that of tenant north too (tenants[0].name): ${fixes.other}`,
      ],
    },
    {
      what: "all of another",
      tenants: [tenant("north"), tenant("north")],
      problems: [
        'tenants[1].name: "north": makes the Namespace "aidbox-north", which is that of tenant north too ' +
          `(tenants[0].name): ${fixes.other}, or a namespace`,
        'tenants[1].secrets[0].path: "north/client": is the path of tenant north too ' +
          `(tenants[0].secrets[0].path): ${fixes.move}`,
      ],
    },
    {
      what: "the namespace that another says",
      tenants: [tenant("north", { namespace: "clinics" }), tenant("south", { namespace: "clinics" })],
      problems: [
        `tenants[1].namespace: "clinics": is the Namespace of tenant north too (tenants[0].namespace): ${fixes.own}`,
      ],
    },
    {
      what: "the namespace that another has by default",
      tenants: [tenant("north"), tenant("south", { namespace: "aidbox-north" })],
      problems: [
        `tenants[1].namespace: "aidbox-north": is the Namespace of tenant north too (tenants[0].name): ${fixes.own}`,
      ],
    },
    {
      what: "the first Aidbox's namespace",
      tenants: [tenant("north", { namespace: "aidbox" })],
      problems: [
        `tenants[0].namespace: "aidbox": is the Namespace of the first Aidbox too (namespaces.aidbox): ${fixes.own}`,
      ],
    },
    {
      what: "Vault's namespace",
      tenants: [tenant("north", { namespace: "vault" })],
      problems: [`tenants[0].namespace: "vault": is the Namespace of Vault too (namespaces.vault): ${fixes.own}`],
    },
    {
      what: "a path of another tenant",
      tenants: [
        tenant("north"),
        tenant("south", {
          secrets: [
            { name: "own", path: "south/own" },
            { name: "client-secret", path: "north/client" },
            { name: "client-id", path: "north/client" },
          ],
        }),
      ],
      problems: [
        `tenants[1].secrets[1].path: "north/client": is the path of tenant north too (tenants[0].secrets[0].path): ${fixes.move}`,
        `tenants[1].secrets[2].path: "north/client": is the path of tenant north too (tenants[0].secrets[0].path): ${fixes.move}`,
      ],
    },
    {
      what: "a path of the first Aidbox",
      tenants: [tenant("north"), tenant("south", { secrets: first.secrets })],
      problems: [
        `tenants[1].secrets[0].path: "aidbox/client": is the path of the first Aidbox too (secrets[0].path): ${fixes.move}`,
      ],
    },
    {
      what: "a static role of another tenant",
      tenants: [
        tenant("north", { secrets: [role("fhir")] }),
        tenant("south", { secrets: [role("fhir"), role("fhir", { name: "db-user", key: "username" })] }),
      ],
      problems: [
        `tenants[1].secrets[0].path: "fhir": is the static role of tenant north too (tenants[0].secrets[0].path): ${fixes.move}`,
        `tenants[1].secrets[1].path: "fhir": is the static role of tenant north too (tenants[0].secrets[0].path): ${fixes.move}`,
      ],
    },
    {
      what: "a static role and a KV path of another tenant, of one name",
      tenants: ["north", "south"].map((name) => tenant(name, { secrets: [kv("fhir"), role("fhir")] })),
      problems: [
        `tenants[1].secrets[0].path: "fhir": is the path of tenant north too (tenants[0].secrets[0].path): ${fixes.move}`,
        `tenants[1].secrets[1].path: "fhir": is the static role of tenant north too (tenants[0].secrets[1].path): ${fixes.move}`,
      ],
    },
  ])("has $what", ({ tenants, problems }) => {
    expect(problemsOf(tenants)).toEqual(problems);
  });

  it.each([
    { secrets: undefined, said: "is missing" },
    { secrets: "client-secret", said: '"client-secret"' },
  ])("has no table of secrets, which is said once: $said", ({ secrets, said }) => {
    expect(problemsOf([tenant("north", { secrets })])).toEqual([
      `tenants[0].secrets: ${said}: write its table of secrets, a list`,
    ]);
  });

  it("has a static role of the first Aidbox", () => {
    const tenants = [tenant("north"), tenant("south", { secrets: [role("fhir", { key: "username" })] })];
    expect(problemsOf(tenants, { secrets: [role("fhir")] })).toEqual([
      `tenants[1].secrets[0].path: "fhir": is the static role of the first Aidbox too (secrets[0].path): ${fixes.move}`,
    ]);
  });

  it("has a wrong static role, which is said with its row", () => {
    const secrets = [role("south/fhir", { key: "ttl" })];
    expect(problemsOf([tenant("north"), tenant("south", { secrets })])).toEqual([
      `tenants[1].secrets[0].path: "south/fhir": ${fixes.staticRole}`,
      `tenants[1].secrets[0].key: "ttl": a static role has password and username`,
    ]);
  });

  it("has the namespace that the config names for the first Aidbox, or for Vault", () => {
    const tenants = [tenant("north", { namespace: "health" }), tenant("south", { namespace: "store" })];
    expect(problemsOf(tenants, { namespaces: { aidbox: "health", vault: "store" } })).toEqual([
      `tenants[0].namespace: "health": is the Namespace of the first Aidbox too (namespaces.aidbox): ${fixes.own}`,
      `tenants[1].namespace: "store": is the Namespace of Vault too (namespaces.vault): ${fixes.own}`,
    ]);
    expect(tenantsOf([tenant("north", { namespace: "aidbox" })], { namespaces: { aidbox: "health" } })).toHaveLength(1);
  });

  it("is said together with all else that is wrong, each once", () => {
    const tenants = [
      tenant("north", { namespace: "vault", aidbox: { replicas: 0 } }),
      { name: "South", secrets: [{ name: "client-secret", path: "north/client" }] },
    ];
    expect(problemsOf(tenants, { rotationBound: "5s", foo: 1, csiDriver: { chart: { path: "/nowhere" } } })).toEqual([
      `tenants[1].name: "South": ${fixes.label}`,
      `foo: ${fixes.key}`,
      'rotationBound: "5s": a publication takes up to 5 s by itself: write 10s or more',
      'csiDriver.chart.path: "/nowhere": is not there: write the path of the chart\'s folder or archive',
      "tenants[0].aidbox.replicas: 0: write 1 or more",
      `tenants[0].namespace: "vault": is the Namespace of Vault too (namespaces.vault): ${fixes.own}`,
      `tenants[1].secrets[0].path: "north/client": is the path of tenant north too (tenants[0].secrets[0].path): ${fixes.move}`,
    ]);
  });

  it("is not what is wrong where the first Aidbox has no Vault", () => {
    expect(problemsOf([tenant("north")], { vault: undefined })).toEqual([
      expect.stringContaining("vault: is missing: write mode: "),
    ]);
  });
});
