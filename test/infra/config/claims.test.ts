import { checkEnvironment } from "../../../infra/config/check-environment";
import { type Claim, claimsOf } from "../../../infra/config/claims";
import { ConfigError } from "../../../infra/config/config-error";
import { type PlannedResource, recordPlan } from "../../../infra/plan/record";
import { certificatePem, publicKeyPem } from "../../pems";

/** A name that the stack really gives to something: its kind, where it must be the only one, and itself. */
type Made = Pick<Claim, "kind" | "scope" | "name">;

const image = "healthsamurai/aidboxone:2605";

function table(owner: string): object[] {
  return [
    { name: "client-secret", path: `${owner}/client`, source: "seeded" },
    { name: "auth-keys", path: `${owner}/auth-keys`, keypair: "ec", source: "seeded" },
    { name: "password", path: `${owner}/password`, source: "managed", environment: "BOX_DB_PASSWORD" },
  ];
}

function base(change: object = {}): Record<string, unknown> {
  return {
    development: true,
    kubeContext: "kind-aidbox",
    secrets: table("first"),
    vault: { mode: "dev" },
    aidbox: { image },
    ...change,
  };
}

function tenant(name: string, change: object = {}): Record<string, unknown> {
  return { name, secrets: table(name), ...change };
}

/** All that an Aidbox may have, by hosts of its own. */
function everything(owner: string): object {
  return {
    ingress: { hosts: [`${owner}.example.com`] },
    gatewayRoute: { parentRefs: [{ name: "public" }], hostnames: [`fhir.${owner}.example.com`] },
    autoscaling: { maxReplicas: 4 },
    serviceMonitor: {},
    networkPolicy: {
      from: [{ podLabels: { app: "proxy" } }],
      monitors: [{ podLabels: { app: "prometheus" } }],
      database: { peer: { cidr: "10.0.0.1/32" } },
    },
  };
}

const vaults = {
  dev: { mode: "dev" },
  standalone: { mode: "standalone", seal: { type: "transit", address: "https://vault.example", keyName: "unseal" } },
  snapshots: { mode: "standalone", snapshots: {} },
  "cert-manager": { mode: "ha", certManager: { issuer: "vault", ca: certificatePem } },
  external: {
    mode: "external",
    address: "https://vault.example:8200",
    kvMount: { owned: true },
    login: { method: "jwt", mount: "cluster-one", keys: { publicKeys: [publicKeyPem] } },
  },
};

const development = { database: { mode: "development" } };

/** Each kind of Vault with each kind of what an Aidbox may have, and tenants whose names are near to others'. */
const configs: readonly (readonly [what: string, config: Record<string, unknown>])[] = [
  ...Object.entries(vaults).map(([mode, vault]) => {
    const tenants = [tenant("north", { aidbox: everything("north") }), tenant("database-north")];
    return [
      `a Vault of ${mode}, and all that there is`,
      base({ vault, ...development, aidbox: { image, ...everything("first") }, tenants }),
    ] as const;
  }),
  ["a Vault of one's own without tenants", base({ vault: vaults.standalone })],
  [
    "tenants named as parts of the stack",
    base({ tenants: ["stack", "kv", "auth", "aidbox"].map((name) => tenant(name)) }),
  ],
  [
    "an Aidbox and a namespace that make each other's names with a dash",
    base({ aidbox: { image, name: "north-aidbox" }, tenants: [tenant("north", { aidbox: { name: "aidbox" } })] }),
  ],
];

/** The names of a resource outside the state; none where it is only a part of the program. */
function madeBy({ type, name, inputs }: PlannedResource): Made[] {
  const text = (key: string): string => {
    const value = inputs[key];
    if (typeof value !== "string") throw new Error(`${type} ${name} has no ${key} that is known before it is made`);
    return value;
  };
  if (type === "kubernetes:helm.sh/v3:Release") {
    return [{ kind: "Helm release", scope: `namespace ${text("namespace")}`, name: text("name") }];
  }
  if (type.startsWith("kubernetes:")) {
    const { metadata } = inputs as { metadata: { name: string; namespace?: string } };
    const { name: own, namespace } = metadata;
    return [
      {
        kind: type.split(":").at(-1)!,
        scope: namespace === undefined ? "cluster" : `namespace ${namespace}`,
        name: own,
      },
    ];
  }
  switch (type) {
    case "vault:index/policy:Policy":
      return [{ kind: "Vault policy", scope: "Vault", name: text("name") }];
    case "vault:kubernetes/authBackendRole:AuthBackendRole":
    case "vault:jwt/authBackendRole:AuthBackendRole":
      return [{ kind: "Vault role", scope: "auth mount", name: text("roleName") }];
    case "vault:index/authBackend:AuthBackend":
    case "vault:jwt/authBackend:AuthBackend":
      return [{ kind: "auth mount", scope: "Vault", name: text("path") }];
    case "vault:index/mount:Mount":
      return [{ kind: "mount", scope: "Vault", name: text("path") }];
    case "vault:kv/secretV2:SecretV2":
      return [{ kind: "path", scope: `KV mount ${text("mount")}`, name: text("name") }];
    case "vault:generic/endpoint:Endpoint": {
      const [, mount, path] = /^(.*)\/metadata\/(.*)$/.exec(text("path"))!;
      return [{ kind: "path", scope: `KV mount ${mount}`, name: path! }];
    }
  }
  if (withoutName.some((prefix) => type.startsWith(prefix))) return [];
  throw new Error(`The test does not know what ${type} (${name}) is called outside the state`);
}

const withoutName = [
  "aidbox-secrets:",
  "cdk8s-pulumi:",
  "pulumi:",
  "vault:kubernetes/authBackendConfig:AuthBackendConfig",
];

function ids(names: readonly Made[]): string[] {
  return names.map(({ kind, scope, name }) => `${scope}: ${kind} ${name}`);
}

function twice(values: readonly string[]): string[] {
  return values.filter((value, at) => values.indexOf(value) < at);
}

it.each(configs)(
  "claims every name that the stack makes, and makes none twice, with %s",
  async (_, config) => {
    const environment = checkEnvironment("test", config);
    const { resources } = await recordPlan(environment);
    const made = ids(resources.flatMap(madeBy));
    const claimed = new Set(ids(claimsOf(environment)));
    expect(made.length).toBeGreaterThan(10);
    expect(made.filter((each) => !claimed.has(each))).toEqual([]);
    expect([...twice(made), ...twice(resources.map(({ urn }) => urn))]).toEqual([]);
  },
  60_000,
);

/** What is said of a config that gives one name twice. */
function problemsOf(change: object): string[] {
  try {
    checkEnvironment("test", base(change));
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ key, message }) => `${key}: ${message}`);
    throw error;
  }
  return [];
}

const another = "write another name";
const external = { mode: "external", host: "pg.example.com", tls: { mode: "require" } };
const records = "each serves all records in it, so give each its own";
const owns = "it reads all that it owns, so give each its own";

describe("one name for two", () => {
  it.each<{ what: string; change: object; problems: string[] }>([
    {
      what: "a tenant whose policy is that of the writers of secrets",
      change: { vault: vaults.standalone, tenants: [tenant("writer")] },
      problems: [
        `tenants[0].name: "writer": makes the Vault policy "aidbox-writer", which is that of the writers of the first Aidbox too (vault.role): ${another}`,
      ],
    },
    {
      what: "a tenant's login and the stack's own token",
      change: { vault: vaults.standalone, tenants: [tenant("stack")] },
      problems: [
        `tenants[0].name: "stack": makes the Vault policy "aidbox-stack", which is that of the stack's own token too (vault.role): ${another}`,
      ],
    },
    {
      what: "a tenant's login and that of Vault's snapshots",
      change: { vault: vaults.snapshots, tenants: [tenant("snapshots")] },
      problems: [
        `tenants[0].name: "snapshots": makes the Vault policy "aidbox-snapshots", which is that of Vault's snapshots too (vault.role): ${another}`,
      ],
    },
    {
      what: "a tenant's login and the writers of another",
      change: { vault: vaults.standalone, tenants: [tenant("north"), tenant("north-writer")] },
      problems: [
        'tenants[1].name: "north-writer": makes the Vault policy "aidbox-north-writer", which is that of ' +
          `the writers of tenant north too (tenants[0].name): ${another}`,
      ],
    },
    {
      what: "a tenant's login and another's PostgreSQL",
      change: { ...development, tenants: [tenant("north"), tenant("north-database")] },
      problems: [
        'tenants[1].name: "north-database": makes the Vault policy "aidbox-north-database", which is that of ' +
          `the PostgreSQL of tenant north too (tenants[0].name): ${another}`,
      ],
    },
    {
      what: "a tenant's login and the first Aidbox's PostgreSQL",
      change: { ...development, tenants: [tenant("database")] },
      problems: [
        'tenants[0].name: "database": makes the Vault policy "aidbox-database", which is that of ' +
          `the PostgreSQL of the first Aidbox too (vault.role): ${another}`,
      ],
    },
    {
      what: "resources of Pulumi's state",
      change: { ...development, tenants: [tenant("aidbox-database")] },
      problems: [
        'tenants[0].name: "aidbox-database": makes the resource of the state "vault-access-aidbox-database", ' +
          `which is that of the PostgreSQL of the first Aidbox too (vault.role): ${another}`,
      ],
    },
    {
      what: "the namespaces of Vault and of the first Aidbox",
      change: { namespaces: { aidbox: "vault" } },
      problems: ['namespaces.aidbox: "vault": is the Namespace of Vault too (namespaces.vault): give each its own'],
    },
    {
      what: "the Helm releases of Vault and of the driver",
      change: { vault: { mode: "dev", release: "csi" }, csiDriver: { namespace: "vault" } },
      problems: [
        'csiDriver.namespace: "vault": is at the level restricted, which refuses the driver\'s host paths: write another, as kube-system',
        `vault.release: "csi": is the Helm release of the CSI driver too (csiDriver.release): ${another}`,
      ],
    },
    {
      what: "a key of values, of a secret and of a tenant",
      change: {
        secrets: [...table("first"), { name: "north", path: "first/north", source: "managed" }],
        tenants: [tenant("north")],
      },
      problems: [
        `tenants[0].name: "north": is the key of values of the first Aidbox too (secrets[3].name): ${another}`,
      ],
    },
    {
      what: "a host, by ingress, route, variable and DNS name of the Service",
      change: {
        aidbox: { image, ingress: { hosts: ["one.example.com"] } },
        tenants: [
          tenant("a", { aidbox: { ingress: { hosts: ["one.example.com"], path: "/a" } } }),
          tenant("b", {
            aidbox: { gatewayRoute: { parentRefs: [{ name: "public" }], hostnames: ["one.example.com"] } },
          }),
          tenant("c", { aidbox: { environment: { BOX_WEB_BASE_URL: "https://One.example.com/c" } } }),
          tenant("d", {
            aidbox: {
              serviceAnnotations: { "external-dns.alpha.kubernetes.io/hostname": "d.example.com, one.example.com" },
            },
          }),
        ],
      },
      problems: [
        ["tenants[0].aidbox.ingress.hosts[0]"],
        ["tenants[1].aidbox.gatewayRoute.hostnames[0]"],
        ["tenants[2].aidbox.environment.BOX_WEB_BASE_URL"],
        ["tenants[3].aidbox.serviceAnnotations.external-dns.alpha.kubernetes.io/hostname"],
      ].map(
        ([key]) =>
          `${key}: "one.example.com": is the host of the first Aidbox too (aidbox.ingress.hosts[0]): give each its own hosts`,
      ),
    },
    {
      what: "the base URL that a tenant takes over with the other variables",
      change: {
        aidbox: { image, environment: { BOX_WEB_BASE_URL: "https://one.example.com" } },
        tenants: [tenant("a")],
      },
      problems: [
        'tenants[0].aidbox.environment.BOX_WEB_BASE_URL: "one.example.com": is the host of the first Aidbox too ' +
          "(aidbox.environment.BOX_WEB_BASE_URL): give each its own hosts",
      ],
    },
    {
      what: "a database and its user, however the host is written",
      change: {
        database: external,
        tenants: [tenant("a", { database: { ...external, host: "PG.example.com", name: "aidbox", user: "aidbox" } })],
      },
      problems: [
        'tenants[0].database.name: "aidbox": makes the database "pg.example.com:5432/aidbox", which is that of the first ' +
          `Aidbox too (database.name): ${records}`,
        `tenants[0].database.user: "aidbox": is the database user of the first Aidbox too (database.user): ${owns}`,
      ],
    },
    {
      what: "a user in databases of two hosts, which may be one server",
      change: {
        database: external,
        tenants: [tenant("a", { database: { host: "10.0.0.5", name: "a", user: "aidbox" } })],
      },
      problems: [
        `tenants[0].database.user: "aidbox": is the database user of the first Aidbox too (database.user): ${owns}`,
      ],
    },
    {
      what: "a database that Aidbox is told of by variables, which a tenant takes over",
      change: {
        secrets: [{ name: "client-secret", path: "first/client" }],
        aidbox: { image, environment: { BOX_DB_HOST: "pg", BOX_DB_DATABASE: "fhir", BOX_DB_USER: "box" } },
        tenants: [tenant("a")],
      },
      problems: [
        'tenants[0].aidbox.environment.BOX_DB_DATABASE: "fhir": makes the database "pg:5432/fhir", which is that of the first ' +
          `Aidbox too (aidbox.environment.BOX_DB_DATABASE): ${records}`,
        'tenants[0].aidbox.environment.BOX_DB_USER: "box": is the database user of the first Aidbox too ' +
          `(aidbox.environment.BOX_DB_USER): ${owns}`,
      ],
    },
  ])("is refused with both: $what", ({ change, problems }) => {
    expect(problemsOf(change)).toEqual(problems);
  });

  it("is none where only a dash would make it one", () => {
    const tenants = [tenant("north", { aidbox: { name: "aidbox" } })];
    expect(problemsOf({ aidbox: { image, name: "north-aidbox" }, tenants })).toEqual([]);
  });

  it("is none where nothing of the name is made", () => {
    expect(
      problemsOf({ tenants: ["stack", "snapshots", "north", "north-database"].map((name) => tenant(name)) }),
    ).toEqual([]);
  });
});
