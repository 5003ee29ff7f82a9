import * as pulumi from "@pulumi/pulumi";
import { Duration } from "cdk8s";
import {
  MissingSecretsError,
  type SecretReader,
  VaultAccess,
  type VaultAccessArgs,
} from "../../../../constructs/platform";
import { type SecretSpec, SecretTable } from "../../../../constructs/secrets";
import { makeTokenKeys } from "../../../../constructs/secrets/keypair-values";
import { type VaultConnection, VaultError, VaultPaths } from "../../../../constructs/stores/vault";
import {
  Engine,
  failuresOf,
  FakeVault,
  Gate,
  promiseOf,
  secret,
  settled,
  unknown,
  type VaultAnswer,
} from "../../../mocks";
import { certifiedKey, endOf } from "../../secrets/certificates";

const types = {
  "aidbox-secrets:vault:VaultAccess": {},
  "vault:index/policy:Policy": {},
  "vault:index/authBackend:AuthBackend": {},
  "vault:index/mount:Mount": {},
  "vault:kubernetes/authBackendConfig:AuthBackendConfig": {},
  "vault:kubernetes/authBackendRole:AuthBackendRole": {},
  "vault:jwt/authBackend:AuthBackend": {},
  "vault:jwt/authBackendRole:AuthBackendRole": {},
  "vault:kv/secretV2:SecretV2": {},
  "vault:generic/endpoint:Endpoint": {},
};
const token = "hvs.the-token";

let engine: Engine;
let vault: FakeVault;
beforeEach(async () => {
  vault = await FakeVault.start();
  engine = await Engine.start({ types });
});
afterEach(async () => {
  await vault.stop();
});

type Options = Partial<Omit<VaultAccessArgs, "table">>;

type Secrets = readonly SecretSpec[];

function makeAccess(secrets: Secrets, options: Options = {}): VaultAccess {
  return new VaultAccess("access", {
    table: new SecretTable({ secrets }),
    login: { method: "kubernetes" },
    role: { name: "aidbox", serviceAccount: "aidbox", namespace: "health", audience: "vault", ttl: Duration.hours(1) },
    connection: pulumi.output<VaultConnection>({ address: vault.address, token }),
    ...options,
  });
}

/** Makes an access and waits until a pod could use it. */
async function access(secrets: Secrets, options: Options = {}): Promise<VaultAccess> {
  const made = makeAccess(secrets, options);
  await engine.finished();
  await promiseOf(made.ready);
  return made;
}

/** The error with which `ready` fails. */
async function missing(secrets: Secrets, options: Options = {}): Promise<Error | undefined> {
  let error: Error | undefined;
  await failuresOf(async () => {
    const { ready } = makeAccess(secrets, options);
    await engine.finished();
    error = await promiseOf(ready).then(
      () => undefined,
      (reason: unknown) => reason as Error,
    );
  });
  return error;
}

/** What Vault was asked, as `GET secret/subkeys/aidbox/license`. */
function asked(): string[] {
  return vault.requests.map(({ method, path }) => `${method} ${path}`);
}

/** Gives Vault a database engine with these static roles. */
function serveRoles(...names: readonly string[]): void {
  vault.intercept = ({ path }): VaultAnswer | undefined => {
    const [, name] = /^database\/static-roles\/(.*)$/.exec(path) ?? [];
    if (name === undefined) return undefined;
    if (!names.includes(name)) return { status: 404, body: { errors: [] } };
    return { status: 200, body: { data: { db_name: "postgres", username: name, credential_type: "password" } } };
  };
}

/** What `ready` says of external secrets that lack. */
function missingKeys(...commands: readonly string[]): string {
  return [
    "Aidbox waits for secrets that an operator writes (source: external). Each command reads the value from its",
    "standard input. Run them, then `up` again:",
    ...commands.map((command) => `  ${command}`),
  ].join("\n");
}

const seeded: SecretSpec = { name: "client-secret", path: "aidbox/client", source: "seeded" };
const managed: SecretSpec = { name: "db-password", path: "aidbox/db", source: "managed" };
const external: SecretSpec = { name: "license", path: "aidbox/license", source: "external" };
const role: SecretSpec = { name: "database-password", path: "aidbox", source: "database" };

/** What `ready` says of static roles that lack. */
function missingRoles(mount: string, ...commands: readonly string[]): string {
  return [
    "Aidbox waits for static roles of Vault's database engine (source: database). CONNECTION stands for the",
    `engine's connection to the database (${mount}/config/CONNECTION), USER for Aidbox's user there. Run these,`,
    "then `up` again:",
    ...commands.map((command) => `  ${command}`),
  ].join("\n");
}

/** Commands that make a database engine with a connection for some roles. */
function makeEngine(roles: string): string[] {
  return [
    "vault secrets enable -path=database database",
    `vault write database/config/CONNECTION plugin_name=postgresql-database-plugin allowed_roles=${roles} ` +
      "connection_url=URL username=ADMINISTRATOR password=-",
  ];
}

/** What is registered is the login alone, and nothing of a secret. */
function expectNoSecretRegistered(): void {
  expect(engine.registrations.map(({ type }) => type).sort()).toEqual([
    "aidbox-secrets:vault:VaultAccess",
    "vault:index/authBackend:AuthBackend",
    "vault:index/policy:Policy",
    "vault:kubernetes/authBackendConfig:AuthBackendConfig",
    "vault:kubernetes/authBackendRole:AuthBackendRole",
  ]);
}

describe("the policy", () => {
  test("reads exactly the table's paths, and is named after the role", async () => {
    const { policy } = await access([seeded, { ...seeded, name: "other", path: "other" }]);
    expect(policy).toBe(
      'path "secret/data/aidbox/client" {\n  capabilities = ["read"]\n}\n\n' +
        'path "secret/data/other" {\n  capabilities = ["read"]\n}\n',
    );
    expect(engine.resource("access-policy").inputs).toEqual({ name: "aidbox", policy });
  });

  test("reads the credentials of exactly the table's static roles, beside a KV path of their name", async () => {
    serveRoles("aidbox");
    const user: SecretSpec = { ...role, name: "database-user", key: "username" };
    const { policy } = await access([{ ...seeded, path: "aidbox" }, role, user]);
    expect(policy).toBe(
      'path "secret/data/aidbox" {\n  capabilities = ["read"]\n}\n\n' +
        'path "database/static-creds/aidbox" {\n  capabilities = ["read"]\n}\n',
    );
    expect(engine.resource("access-policy").inputs).toEqual({ name: "aidbox", policy });
  });

  test("can have a name of its own, by which the role takes it", async () => {
    await access([seeded], { policyName: "aidbox-read" });
    expect(engine.resource("access-policy").inputs.name).toBe("aidbox-read");
    expect(engine.resource("access-role").inputs.tokenPolicies).toEqual(["aidbox-read"]);
  });
});

describe("a login by Vault's kubernetes method", () => {
  test("is bound to one ServiceAccount of one namespace, an audience and a life", async () => {
    await access([seeded]);
    expect(engine.resource("access-role")).toMatchObject({
      type: "vault:kubernetes/authBackendRole:AuthBackendRole",
      inputs: {
        backend: "kubernetes",
        roleName: "aidbox",
        boundServiceAccountNames: ["aidbox"],
        boundServiceAccountNamespaces: ["health"],
        audience: "vault",
        tokenPolicies: ["aidbox"],
        tokenTtl: 3600,
        tokenExplicitMaxTtl: 3600,
      },
      dependsOn: expect.arrayContaining(["access-auth", "access-policy"]) as string[],
    });
  });

  test("stores neither a reviewer token nor a CA, which would grow stale", async () => {
    await access([seeded]);
    expect(engine.resource("access-auth")).toMatchObject({
      type: "vault:index/authBackend:AuthBackend",
      inputs: { type: "kubernetes", path: "kubernetes" },
    });
    expect(engine.resource("access-auth-config").inputs).toEqual({
      backend: "kubernetes",
      kubernetesHost: "https://kubernetes.default.svc",
    });
  });

  test("can have a mount and an API server of its own", async () => {
    await access([seeded], {
      login: { method: "kubernetes", mount: "clusters/one", apiServer: "https://api.example" },
    });
    expect(engine.resource("access-auth").inputs.path).toBe("clusters/one");
    expect(engine.resource("access-auth-config").inputs).toEqual({
      backend: "clusters/one",
      kubernetesHost: "https://api.example",
    });
    expect(engine.resource("access-role").inputs.backend).toBe("clusters/one");
  });
});

describe("a login by Vault's jwt method", () => {
  const keys = { publicKeys: ["-----BEGIN PUBLIC KEY-----"] };

  test("is bound to one ServiceAccount of one namespace, an audience and a life", async () => {
    await access([seeded], { login: { method: "jwt", keys } });
    expect(engine.resource("access-role")).toMatchObject({
      type: "vault:jwt/authBackendRole:AuthBackendRole",
      inputs: {
        backend: "kubernetes",
        roleName: "aidbox",
        roleType: "jwt",
        userClaim: "sub",
        boundSubject: "system:serviceaccount:health:aidbox",
        boundAudiences: ["vault"],
        tokenPolicies: ["aidbox"],
        tokenTtl: 3600,
        tokenExplicitMaxTtl: 3600,
      },
      dependsOn: expect.arrayContaining(["access-auth", "access-policy"]) as string[],
    });
  });

  test("checks signatures by the cluster's public keys", async () => {
    await access([seeded], { login: { method: "jwt", mount: "jwt-one", keys, issuer: "https://issuer.example" } });
    expect(engine.resource("access-auth")).toMatchObject({
      type: "vault:jwt/authBackend:AuthBackend",
      inputs: {
        type: "jwt",
        path: "jwt-one",
        boundIssuer: "https://issuer.example",
        jwtValidationPubkeys: ["-----BEGIN PUBLIC KEY-----"],
      },
    });
    expect(engine.resource("access-auth").inputs).not.toHaveProperty("oidcDiscoveryUrl");
    expect(engine.resource("access-role").inputs.backend).toBe("jwt-one");
  });

  test("checks signatures by the cluster's discovery", async () => {
    await access([seeded], {
      login: {
        method: "jwt",
        keys: { discoveryUrl: "https://oidc.example", discoveryCa: "-----BEGIN CERTIFICATE-----" },
      },
    });
    expect(engine.resource("access-auth").inputs).toMatchObject({
      oidcDiscoveryUrl: "https://oidc.example",
      oidcDiscoveryCaPem: "-----BEGIN CERTIFICATE-----",
    });
    expect(engine.resource("access-auth").inputs).not.toHaveProperty("jwtValidationPubkeys");
    expect(engine.resource("access-auth").inputs).not.toHaveProperty("boundIssuer");
  });
});

describe("an auth mount that is there already", () => {
  const keys = { publicKeys: ["-----BEGIN PUBLIC KEY-----"] };
  const mountTypes = [
    "vault:index/authBackend:AuthBackend",
    "vault:kubernetes/authBackendConfig:AuthBackendConfig",
    "vault:jwt/authBackend:AuthBackend",
  ];

  test.each<[login: VaultAccessArgs["login"], role: string]>([
    [{ method: "kubernetes", mount: "elsewhere" }, "vault:kubernetes/authBackendRole:AuthBackendRole"],
    [{ method: "jwt", mount: "elsewhere", keys }, "vault:jwt/authBackendRole:AuthBackendRole"],
  ])("is neither made nor configured, and takes the role: $method", async (login, role) => {
    const { authMount } = await access([seeded], { login, authMount: "clusters/one" });
    expect(engine.registrations.filter(({ type }) => mountTypes.includes(type))).toEqual([]);
    expect(engine.resource("access-role")).toMatchObject({ type: role, inputs: { backend: "clusters/one" } });
    expect(await promiseOf(authMount)).toBe("clusters/one");
  });

  test("can be that of another access, whose mount its role comes after", async () => {
    const first = makeAccess([seeded]);
    const second = new VaultAccess("second", {
      table: new SecretTable({ secrets: [{ ...seeded, path: "second/client" }] }),
      login: { method: "kubernetes" },
      role: {
        name: "second",
        serviceAccount: "aidbox",
        namespace: "second",
        audience: "vault",
        ttl: Duration.hours(1),
      },
      authMount: first.authMount,
      connection: pulumi.output<VaultConnection>({ address: vault.address, token }),
    });
    await engine.finished();
    await promiseOf(second.ready);
    expect(engine.registrations.filter(({ type }) => mountTypes.includes(type)).map(({ name }) => name)).toEqual([
      "access-auth",
      "access-auth-config",
    ]);
    expect(engine.resource("second-role")).toMatchObject({
      inputs: { backend: "kubernetes", roleName: "second", tokenPolicies: ["second"] },
      dependsOn: expect.arrayContaining(["access-auth", "second-policy"]) as string[],
    });
    expect(second.policy).toBe('path "secret/data/second/client" {\n  capabilities = ["read"]\n}\n');
  });

  test.each<[login: VaultAccessArgs["login"], path: string]>([
    [{ method: "kubernetes" }, "kubernetes"],
    [{ method: "jwt", mount: "clusters/one", keys }, "clusters/one"],
  ])("is what an access that makes its own hands on: $method", async (login, path) => {
    expect(await promiseOf((await access([seeded], { login })).authMount)).toBe(path);
  });
});

describe("readers", () => {
  const db: SecretSpec = { ...seeded, name: "db-password", path: "aidbox/db" };
  const reader = (name: string, secrets: readonly SecretSpec[]): SecretReader => ({
    role: {
      name,
      serviceAccount: `${name}-account`,
      namespace: "stores",
      audience: "vault-db",
      ttl: Duration.seconds(600),
    },
    table: new SecretTable({ secrets }),
  });
  const readers = [reader("postgres", [db]), reader("portal", [seeded, db])];
  const reads = (path: string): string => `path "secret/data/${path}" {\n  capabilities = ["read"]\n}\n`;

  test("are nobody by default", async () => {
    await access([seeded, db], { readers: [] });
    const made = engine.names;
    engine = await Engine.start({ types });
    await access([seeded, db]);
    expect([...engine.names].sort()).toEqual([...made].sort());
    expect(made.filter((name) => /-(policy|role)$/.test(name)).sort()).toEqual(["access-policy", "access-role"]);
  });

  test("have each a policy that reads their own table's paths, and no other", async () => {
    const { policy } = await access([seeded, db], { readers });
    expect(policy).toBe(`${reads("aidbox/client")}\n${reads("aidbox/db")}`);
    expect(engine.resource("access-postgres-policy").inputs).toEqual({ name: "postgres", policy: reads("aidbox/db") });
    expect(engine.resource("access-portal-policy").inputs).toEqual({
      name: "portal",
      policy: `${reads("aidbox/client")}\n${reads("aidbox/db")}`,
    });
  });

  test("have each a role with that policy alone, for their own ServiceAccount, on the mount of all", async () => {
    await access([seeded, db], { readers, login: { method: "kubernetes", mount: "clusters/one" } });
    for (const name of ["postgres", "portal"]) {
      expect(engine.resource(`access-${name}-role`)).toMatchObject({
        type: "vault:kubernetes/authBackendRole:AuthBackendRole",
        parent: "access",
        inputs: {
          backend: "clusters/one",
          roleName: name,
          tokenPolicies: [name],
          boundServiceAccountNames: [`${name}-account`],
          boundServiceAccountNamespaces: ["stores"],
          audience: "vault-db",
          tokenTtl: 600,
          tokenExplicitMaxTtl: 600,
        },
        dependsOn: expect.arrayContaining(["access-auth", `access-${name}-policy`]) as string[],
      });
    }
    expect(engine.resource("access-role").inputs.tokenPolicies).toEqual(["aidbox"]);
    expect(engine.registrations.filter(({ type }) => type === "vault:index/authBackend:AuthBackend")).toHaveLength(1);
  });

  test("log in by the method of all", async () => {
    const keys = { publicKeys: ["-----BEGIN PUBLIC KEY-----"] };
    await access([seeded, db], { readers, login: { method: "jwt", keys }, authMount: "clusters/one" });
    expect(engine.resource("access-postgres-role")).toMatchObject({
      type: "vault:jwt/authBackendRole:AuthBackendRole",
      inputs: {
        backend: "clusters/one",
        roleName: "postgres",
        tokenPolicies: ["postgres"],
        boundSubject: "system:serviceaccount:stores:postgres-account",
        boundAudiences: ["vault-db"],
      },
    });
  });

  test("write no secret of their own", async () => {
    await access([seeded, db], { readers });
    expect([...vault.secrets.keys()].sort()).toEqual(["aidbox/client", "aidbox/db"]);
    expect(engine.names.filter((name) => name.includes("/")).sort()).toEqual([
      "access/aidbox/client",
      "access/aidbox/db",
    ]);
  });

  test("can log in once the access is ready", async () => {
    const gate = new Gate();
    engine = await Engine.start({ types, slow: { "vault:kubernetes/authBackendRole:AuthBackendRole": gate.opened } });
    let isReady = false;
    const { ready } = makeAccess([seeded, db], { readers });
    ready.apply(() => (isReady = true));
    await settled();
    expect(engine.names).toContain("access-portal-role");
    expect(isReady).toBe(false);
    gate.open();
    await promiseOf(ready);
  });
});

describe("the KV mount", () => {
  test("is left alone where it is there already", async () => {
    await access([seeded]);
    expect(engine.registrations.map(({ type }) => type)).not.toContain("vault:index/mount:Mount");
  });

  test("is made before what lies in it, where the stack owns it", async () => {
    await access([seeded, managed], { ownsKvMount: true, managedValues: { "db-password": "hunter2" } });
    expect(engine.resource("access-kv")).toMatchObject({
      type: "vault:index/mount:Mount",
      inputs: { path: "secret", type: "kv-v2" },
    });
    expect(engine.resource("access/aidbox/client").dependsOn).toEqual(["access-kv"]);
    expect(engine.resource("access/aidbox/db").dependsOn).toEqual(["access-kv"]);
  });
});

describe("managed secrets", () => {
  const user: SecretSpec = { name: "db-user", path: "aidbox/db", key: "user", source: "managed" };
  const values = { "db-password": "hunter2", "db-user": "aidbox", unrelated: "not of this table" };

  test("are written whole for each path, as a secret", async () => {
    await access([managed, user], { managedValues: values });
    const { type, inputs, secretOutputs } = engine.resource("access/aidbox/db");
    expect(type).toBe("vault:kv/secretV2:SecretV2");
    expect(inputs).toEqual({
      mount: "secret",
      name: "aidbox/db",
      dataJson: secret('{"db-password":"hunter2","user":"aidbox"}'),
      deleteAllVersions: true,
      disableRead: true,
    });
    expect(secretOutputs).toContain("dataJson");
  });

  test("take values that come from config", async () => {
    await access([managed], { managedValues: pulumi.secret({ "db-password": "hunter2" }) });
    expect(engine.resource("access/aidbox/db").inputs.dataJson).toEqual(secret('{"db-password":"hunter2"}'));
  });

  /** What the store has once Pulumi has written the path, and what somebody else did to it since. */
  function store(data?: Record<string, string>): void {
    vault.secrets.set("aidbox/db", { version: 3, data });
  }

  test("that are there are only looked at, without their values, also where somebody rotated them", async () => {
    store({ "db-password": "rotated", user: "aidbox" });
    await access([managed, user], { managedValues: values });
    expect(asked()).toEqual(["GET secret/subkeys/aidbox/db"]);
  });

  test("of which somebody deleted a key get it back, and keep their other keys", async () => {
    store({ user: "rotated", "by-hand": "kept" });
    await access([managed, user], { managedValues: values });
    expect(vault.writes).toMatchObject([
      { method: "PATCH", path: "secret/data/aidbox/db", body: { data: { "db-password": "hunter2" } } },
    ]);
    expect(vault.secrets.get("aidbox/db")).toEqual({
      version: 4,
      data: { user: "rotated", "by-hand": "kept", "db-password": "hunter2" },
    });
  });

  test.each<[what: string, lose: () => void, version: number]>([
    [
      "the current version",
      () => {
        store();
      },
      4,
    ],
    ["everything", () => undefined, 1],
  ])(
    "of which somebody deleted %s get all their keys back, and no other value of the config",
    async (_, lose, version) => {
      lose();
      await access([managed, user], { managedValues: values });
      expect(vault.secrets.get("aidbox/db")).toEqual({ version, data: { "db-password": "hunter2", user: "aidbox" } });
    },
  );

  test("are put back once Pulumi has written their path, and before a pod needs them", async () => {
    const gate = new Gate();
    engine = await Engine.start({ types, slow: { "vault:kv/secretV2:SecretV2": gate.opened } });
    const { ready } = makeAccess([managed], { managedValues: values });
    await settled();
    expect(engine.names).toContain("access/aidbox/db");
    expect(vault.requests).toEqual([]);
    gate.open();
    await promiseOf(ready);
    expect(vault.secrets.get("aidbox/db")?.data).toEqual({ "db-password": "hunter2" });
  });

  test.each(["first preview", "later preview"] as const)(
    "are not put back in a %s, though Vault is there",
    async (run) => {
      engine = await Engine.start({ types, run });
      store({ user: "aidbox" });
      await access([managed, user], { managedValues: values });
      expect(engine.names).toContain("access/aidbox/db");
      expect(vault.requests).toEqual([]);
    },
  );

  test("end the program where Vault refuses to put them back, without their values in the message", async () => {
    store({ user: "aidbox" });
    vault.intercept = ({ method }) =>
      method === "GET" ? undefined : { status: 403, body: { errors: ["permission denied"] } };
    const failures = await failuresOf(async () => {
      const { ready } = makeAccess([managed, user], { managedValues: values });
      await engine.finished();
      await expect(promiseOf(ready)).rejects.toThrow("Vault answered PATCH secret/data/aidbox/db with 403");
    });
    expect(failures).toEqual(["Vault answered PATCH secret/data/aidbox/db with 403: permission denied"]);
  });

  describe("on a mount that wants versions", () => {
    /** Vault has version 3 with these values, and this note of the version that the stack wrote. */
    function hold(data: Record<string, string>, note: string): void {
      store(data);
      vault.intercept = ({ method, path }): VaultAnswer | undefined => {
        const answer = (body: object): VaultAnswer => ({ status: 200, body: { data: { ...body } } });
        if (path === "secret/metadata/aidbox/db") {
          const notes = { "aidbox-secrets-version": note, theirs: "a note" };
          return answer({ current_version: 3, versions: {}, custom_metadata: notes });
        }
        if (method !== "GET" || !path.startsWith("secret/data/aidbox/db")) return undefined;
        return answer({ data: path.endsWith("?version=2") ? { "db-password": "hunter2", user: "aidbox" } : data });
      };
    }
    const byVersion = { managedValues: values, casRequired: true };
    const written = (): unknown[] => vault.writes.map(({ method, path, body }) => [`${method} ${path}`, body]);

    test("are made by Pulumi on top of the one that is there, and written as the next by the stack", async () => {
      hold({ "db-password": "former", user: "aidbox" }, "3");
      await access([managed, user], byVersion);
      expect(engine.resource("access/aidbox/db").inputs).toMatchObject({ options: { cas: "3" } });
      const { dataJson } = engine.resource("access/aidbox/db").inputs;
      expect(dataJson).toEqual(secret('{"db-password":"hunter2","user":"aidbox"}'));
      expect(written()).toEqual([
        ["PATCH secret/data/aidbox/db", { options: { cas: 3 }, data: { "db-password": "hunter2", user: "aidbox" } }],
        ["POST secret/metadata/aidbox/db", { custom_metadata: { "aidbox-secrets-version": "4", theirs: "a note" } }],
      ]);
    });

    test("stay as somebody else wrote them, which is told, while the config is as it was", async () => {
      const warn = jest.spyOn(console, "warn").mockImplementation();
      hold({ "db-password": "by hand", user: "aidbox" }, "2");
      await access([managed, user], byVersion);
      expect(written()).toEqual([]);
      expect(warn.mock.calls).toEqual([
        [
          "warning: [runtime] secret/aidbox/db: somebody else wrote db-password (version 3), which stays until the config has another",
        ],
      ]);
      warn.mockRestore();
    });

    test("are an error where somebody else wrote them and the config is another, with the way on", async () => {
      hold({ "db-password": "by hand", user: "aidbox" }, "1");
      const failures = await failuresOf(async () => {
        makeAccess([managed, user], byVersion);
        await engine.finished();
      });
      expect(failures.join("\n")).toContain(
        "vault kv metadata patch -mount=secret -custom-metadata=aidbox-secrets-version=3 aidbox/db",
      );
      expect(failures.join("\n")).not.toMatch(/hunter2|by hand/);
      expect(written()).toEqual([]);
    });
  });

  test("show their value in no input of any other resource", async () => {
    await access([managed], { managedValues: pulumi.secret({ "db-password": "hunter2" }) });
    const elsewhere = engine.registrations.filter(({ name }) => name !== "access/aidbox/db");
    expect(JSON.stringify(elsewhere)).not.toContain("hunter2");
  });

  test.each<[what: string, given: Record<string, string> | undefined, lacking: string]>([
    ["one value", { "db-user": "aidbox" }, "db-password"],
    ["every value", undefined, "db-password, db-user"],
  ])("without %s are an error that names the secrets", async (_, given, lacking) => {
    const failures = await failuresOf(async () => {
      makeAccess([managed, user], given === undefined ? {} : { managedValues: given });
      await engine.finished();
    });
    expect(failures).toEqual([`error serializing property "dataJson": No value for the managed ${lacking}`]);
    expect(engine.names).not.toContain("access/aidbox/db");
  });
});

describe("seeded secrets", () => {
  const two: readonly SecretSpec[] = [seeded, { ...seeded, name: "signing-key", key: "key" }];

  test("are written by the program, each a value of its own at random", async () => {
    await access(two);
    const { data } = vault.secrets.get("aidbox/client")!;
    expect(Object.keys(data!)).toEqual(["client-secret", "key"]);
    expect(data!["client-secret"]).toMatch(/^[\x21-\x7e]{32}$/);
    expect(data!.key).toMatch(/^[\x21-\x7e]{32}$/);
    expect(data!.key).not.toBe(data!["client-secret"]);
  });

  test("keep the values that are there", async () => {
    vault.secrets.set("aidbox/client", { version: 2, data: { "client-secret": "kept", key: "kept" } });
    await access(two);
    expect(vault.writes).toEqual([]);
  });

  test("are held by Pulumi as their path's metadata alone", async () => {
    await access([seeded]);
    expect(engine.resource("access/aidbox/client")).toMatchObject({
      type: "vault:generic/endpoint:Endpoint",
      inputs: {
        path: "secret/metadata/aidbox/client",
        dataJson: secret('{"custom_metadata":{"seeded-by":"aidbox-secrets/test"}}'),
        disableRead: true,
      },
    });
  });

  test.each<[source: "seeded" | "managed"]>([["seeded"], ["managed"]])(
    "and %s ones at paths that differ in a slash alone are resources of their own",
    async (source) => {
      await access(
        [
          { name: "one", path: "aidbox/db", source },
          { name: "two", path: "aidbox-db", source },
        ],
        { managedValues: { one: "1", two: "2" } },
      );
      expect(engine.names).toEqual(expect.arrayContaining(["access/aidbox/db", "access/aidbox-db"]));
      expect(new Set(engine.names).size).toBe(engine.names.length);
      if (source === "seeded") expect([...vault.secrets.keys()].sort()).toEqual(["aidbox-db", "aidbox/db"]);
    },
  );

  test("show their value in no input of any resource, nor the token that wrote them", async () => {
    await access(two);
    const recorded = JSON.stringify(engine.registrations);
    for (const value of [...Object.values(vault.secrets.get("aidbox/client")!.data!), token]) {
      expect(recorded).not.toContain(value);
    }
  });

  test("are written once Pulumi holds their path, so that a destroy removes them", async () => {
    const gate = new Gate();
    engine = await Engine.start({ types, slow: { "vault:generic/endpoint:Endpoint": gate.opened } });
    const { ready } = makeAccess([seeded]);
    await settled();
    expect(engine.names).toContain("access/aidbox/client");
    expect(vault.requests).toEqual([]);
    gate.open();
    await promiseOf(ready);
    expect(vault.secrets.has("aidbox/client")).toBe(true);
  });

  test.each(["first preview", "later preview"] as const)(
    "are not written in a %s, though Vault is there",
    async (run) => {
      engine = await Engine.start({ types, run });
      await access([seeded]);
      expect(engine.names).toContain("access/aidbox/client");
      expect(vault.requests).toEqual([]);
    },
  );

  test("end the program where Vault refuses the write", async () => {
    vault.intercept = ({ method }) =>
      method === "GET" ? undefined : { status: 403, body: { errors: ["permission denied"] } };
    const failures = await failuresOf(async () => {
      const { ready } = makeAccess([seeded]);
      await engine.finished();
      await expect(promiseOf(ready)).rejects.toThrow("Vault answered POST secret/data/aidbox/client with 403");
    });
    expect(failures).toEqual(["Vault answered POST secret/data/aidbox/client with 403: permission denied"]);
  });
});

describe("external secrets", () => {
  const db: readonly SecretSpec[] = [
    { name: "db-user", path: "aidbox/db", key: "user" },
    { name: "db-password", path: "aidbox/db", key: "password" },
  ];

  test("that are there are only looked at, without their values", async () => {
    vault.secrets.set("aidbox/license", { version: 1, data: { license: "the license" } });
    await access([external]);
    expect(asked()).toEqual(["GET sys/internal/ui/mounts/secret", "GET secret/subkeys/aidbox/license"]);
    expectNoSecretRegistered();
  });

  test("that lack are an error with a command for each: put makes a path, patch adds to it", async () => {
    vault.secrets.set("aidbox/license", { version: 1, data: { "another-key": "kept" } });
    const error = await missing([...db, external]);
    expect(error).toBeInstanceOf(MissingSecretsError);
    expect(error).toBeInstanceOf(pulumi.RunError); // Pulumi shows its message without a stack trace
    expect(error!.message).toBe(
      missingKeys(
        "vault kv put -cas=0 -mount=secret aidbox/db user=-",
        "vault kv patch -cas=1 -mount=secret aidbox/db password=-",
        "vault kv patch -cas=1 -mount=secret aidbox/license license=-",
      ),
    );
  });

  test("that lack in part are named alone", async () => {
    vault.secrets.set("aidbox/db", { version: 1, data: { user: "aidbox" } });
    vault.secrets.set("aidbox/license", { version: 1, data: { license: "the license" } });
    expect((await missing([...db, external]))?.message).toBe(
      missingKeys("vault kv patch -cas=1 -mount=secret aidbox/db password=-"),
    );
  });

  test("that lack are written with the operator's own way to run Vault's command line", async () => {
    const error = await missing([external], { vaultCommand: "kubectl exec -i vault-0 -- vault" });
    expect(error?.message).toBe(
      missingKeys("kubectl exec -i vault-0 -- vault kv put -cas=0 -mount=secret aidbox/license license=-"),
    );
  });

  test("of which all keys are mounted lack only where there is none", async () => {
    const partner: SecretSpec = { name: "partner", path: "apps/partner", keys: "all" };
    vault.secrets.set("aidbox/license", { version: 1, data: { license: "the license" } });
    const error = await missing([external, partner]);
    expect(error?.message).toBe(
      `${missingKeys("vault kv put -cas=0 -mount=secret apps/partner KEY=-")}\n` +
        "KEY stands for a key of the secret, as its owner calls it: all keys are mounted.",
    );
    expect(engine.resource("access-policy").inputs.policy).toContain('path "secret/data/apps/partner"');
    vault.secrets.set("apps/partner", { version: 1, data: { any: "a value" } });
    await access([external, partner]);
  });

  test("that lack leave the policy and the login made, for the next run", async () => {
    await missing([external]);
    expect(engine.names).toEqual(expect.arrayContaining(["access-policy", "access-auth", "access-role"]));
  });

  test("that lack are told to who asked for it, once", async () => {
    const onMissingSecrets = jest.fn();
    const error = await missing([...db, external], { onMissingSecrets });
    expect(onMissingSecrets.mock.calls).toEqual([[error]]);
  });

  test("that lack are only a warning in a preview", async () => {
    engine = await Engine.start({ types, run: "later preview" });
    const warn = jest.spyOn(console, "warn").mockImplementation();
    const onMissingSecrets = jest.fn();
    await access([external], { onMissingSecrets });
    expect(warn.mock.calls).toEqual([
      [`warning: [runtime] ${missingKeys("vault kv put -cas=0 -mount=secret aidbox/license license=-")}`],
    ]);
    expect(onMissingSecrets).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  test("of a mount that the stack is about to make are not looked for in its first preview", async () => {
    engine = await Engine.start({ types, run: "first preview" });
    await access([external], { ownsKvMount: true });
    expect(vault.requests).toEqual([]);
  });
});

describe("external keypairs that Aidbox could not use", () => {
  const tokens: SecretSpec = { name: "auth-keys", path: "aidbox/auth-keys", keypair: "ec", source: "external" };
  const okta: SecretSpec = {
    name: "okta",
    path: "aidbox/okta",
    keypair: "certificate",
    scope: { resourceType: "IdentityProvider", id: "okta" },
  };
  const openSsh = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END OPENSSH PRIVATE KEY-----\n";
  const writeTokens =
    "jq -n --rawfile private private.pem --rawfile public public.pem --rawfile secret secret.txt '$ARGS.named' | " +
    "vault kv put -cas=0 -mount=secret aidbox/auth-keys -";
  const writeOkta =
    "jq -n --rawfile private private.pem --rawfile certificate certificate.pem '$ARGS.named' | " +
    "vault kv put -cas=0 -mount=secret aidbox/okta -";
  type Pair = Readonly<Record<string, string>>;

  test.each<[what: string, row: SecretSpec, fix: string, of: () => Promise<{ pair: Pair; reasons: string[] }>]>([
    [
      "halves of two",
      tokens,
      writeTokens,
      async () => ({
        pair: { ...(await makeTokenKeys("ec")), private: (await makeTokenKeys("ec")).private },
        reasons: ["public does not belong to private: write both halves of one pair"],
      }),
    ],
    [
      "half a pair",
      tokens,
      writeTokens,
      async () => ({
        pair: { private: (await makeTokenKeys("ec")).private },
        reasons: ["it has no public and no secret: all parts are written at once"],
      }),
    ],
    [
      "an OpenSSH key",
      tokens,
      writeTokens,
      async () => ({
        pair: { ...(await makeTokenKeys("ec")), private: openSsh },
        reasons: [
          "private is an OpenSSH key, which Aidbox does not take: convert it by `ssh-keygen -p -m PEM -f FILE`",
        ],
      }),
    ],
    [
      "a certificate that ended",
      okta,
      writeOkta,
      async () => {
        const pair = await certifiedKey(-1);
        return { pair, reasons: [`certificate ended at ${endOf(pair.certificate)}: write a new one`] };
      },
    ],
    [
      "a certificate of another key",
      okta,
      writeOkta,
      async () => ({
        pair: { ...(await certifiedKey(90)), private: (await certifiedKey(90)).private },
        reasons: ["certificate does not belong to private: write both halves of one pair"],
      }),
    ],
  ])("as %s are refused with row, reason and fix, and not shown", async (_, row, fix, of) => {
    const { pair, reasons } = await of();
    // The one value of an operator's that the stack reads.
    vault.intercept = ({ method, path }) =>
      method === "GET" && path === `secret/data/${row.path}`
        ? { status: 200, body: { data: { data: pair, metadata: { version: 1 } } } }
        : undefined;
    const error = await missing([row]);
    expect(error).toBeInstanceOf(MissingSecretsError);
    expect(error!.message.split("\n").slice(2)).toEqual([
      ...reasons.map((reason) => `  ${row.name} (secret/${row.path}): ${reason}`),
      `  ${fix}`,
    ]);
    for (const value of Object.values(pair)) expect(error!.message).not.toContain(value.trim());
  });
});

describe("static roles", () => {
  const reports: SecretSpec = { ...role, name: "reports-password", path: "reports" };
  const write = (name: string): string =>
    `vault write database/static-roles/${name} db_name=CONNECTION username=USER rotation_period=24h`;

  test("that are there are only looked at, once each and without their password, and are no resource", async () => {
    serveRoles("aidbox");
    await access([role, { ...role, name: "database-user", key: "username" }]);
    expect(asked()).toEqual(["GET database/static-roles/aidbox"]);
    expectNoSecretRegistered();
  });

  test("that lack are an error with a command for each, which leaves out those that are there", async () => {
    serveRoles("billing");
    const error = await missing([role, { ...role, name: "billing-password", path: "billing" }, reports]);
    expect(error).toBeInstanceOf(MissingSecretsError);
    expect(error).toBeInstanceOf(pulumi.RunError);
    expect(error!.message).toBe(missingRoles("database", write("aidbox"), write("reports")));
  });

  test("of which two secrets lack are named once", async () => {
    serveRoles();
    const error = await missing([role, { ...role, name: "database-user", key: "username" }]);
    expect(error?.message).toBe(missingRoles("database", write("aidbox")));
  });

  test("that lack with their engine are an error that first enables it, once", async () => {
    expect((await missing([role, reports]))?.message).toBe(
      missingRoles("database", ...makeEngine("aidbox,reports"), write("aidbox"), write("reports")),
    );
    expect(asked().sort()).toEqual(["GET database/static-roles/aidbox", "GET database/static-roles/reports"]);
  });

  test("are of the table's mount, and written with the operator's own way to run Vault's command line", async () => {
    const paths = new VaultPaths({ databaseMount: "teams/database" });
    const error = await missing([role], { paths, vaultCommand: "kubectl exec -i vault-0 -- vault" });
    expect(error?.message).toBe(
      missingRoles(
        "teams/database",
        "kubectl exec -i vault-0 -- vault secrets enable -path=teams/database database",
        "kubectl exec -i vault-0 -- vault write teams/database/config/CONNECTION plugin_name=postgresql-database-plugin " +
          "allowed_roles=aidbox connection_url=URL username=ADMINISTRATOR password=-",
        "kubectl exec -i vault-0 -- vault write teams/database/static-roles/aidbox " +
          "db_name=CONNECTION username=USER rotation_period=24h",
      ),
    );
    expect(asked()).toEqual(["GET teams/database/static-roles/aidbox"]);
  });

  test("that lack together with external secrets are one error, which says the external ones first", async () => {
    const error = await missing([role, external, { ...external, name: "client", path: "aidbox" }]);
    expect(error).toBeInstanceOf(MissingSecretsError);
    expect(error!.message).toBe(
      [
        missingKeys(
          "vault kv put -cas=0 -mount=secret aidbox/license license=-",
          "vault kv put -cas=0 -mount=secret aidbox client=-",
        ),
        missingRoles("database", ...makeEngine("aidbox"), write("aidbox")),
      ].join("\n"),
    );
  });

  test("that are there are not named where external secrets lack", async () => {
    serveRoles("aidbox");
    expect((await missing([role, external]))?.message).toBe(
      missingKeys("vault kv put -cas=0 -mount=secret aidbox/license license=-"),
    );
  });

  test("that lack are named alone where the external secrets are there", async () => {
    serveRoles();
    vault.secrets.set("aidbox/license", { version: 1, data: { license: "the license" } });
    expect((await missing([role, external]))?.message).toBe(missingRoles("database", write("aidbox")));
  });

  test("that lack are told to who asked for it, once", async () => {
    const onMissingSecrets = jest.fn();
    const error = await missing([role, reports, external], { onMissingSecrets });
    expect(onMissingSecrets.mock.calls).toEqual([[error]]);
  });

  test("that lack are only a warning in a preview", async () => {
    engine = await Engine.start({ types, run: "later preview" });
    serveRoles();
    const warn = jest.spyOn(console, "warn").mockImplementation();
    const onMissingSecrets = jest.fn();
    await access([role], { onMissingSecrets });
    expect(warn.mock.calls).toEqual([[`warning: [runtime] ${missingRoles("database", write("aidbox"))}`]]);
    expect(onMissingSecrets).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  test.each<[what: string, status: number, words: string]>([
    ["refuses to show", 403, "permission denied"],
    ["fails to find", 500, "internal error"],
  ])("that Vault %s end the program in its words, and are not called missing", async (_, status, words) => {
    vault.intercept = () => ({ status, body: { errors: [words] } });
    const onMissingSecrets = jest.fn();
    const error = await missing([role], { onMissingSecrets });
    expect(error).toBeInstanceOf(VaultError);
    expect(error!.message).toBe(`Vault answered GET database/static-roles/aidbox with ${status}: ${words}`);
    expect(onMissingSecrets).not.toHaveBeenCalled();
  });
});

describe("every resource in Vault", () => {
  const mixed = [seeded, managed, external];
  const managedValues = { "db-password": "hunter2" };
  const inVault = [
    "access-auth",
    "access-auth-config",
    "access-kv",
    "access-policy",
    "access-postgres-policy",
    "access-postgres-role",
    "access-role",
    "access/aidbox/client",
    "access/aidbox/db",
  ];
  const postgres: SecretReader = {
    role: {
      name: "postgres",
      serviceAccount: "postgres",
      namespace: "health",
      audience: "vault",
      ttl: Duration.seconds(60),
    },
    table: new SecretTable({ secrets: [managed] }),
  };

  beforeEach(() => {
    vault.secrets.set("aidbox/license", { version: 1, data: { license: "the license" } });
  });

  test("is a child of the component and makes way before its replacement", async () => {
    await access(mixed, { ownsKvMount: true, managedValues, readers: [postgres] });
    const children = engine.registrations.filter(({ parent }) => parent === "access");
    expect(children.map(({ name }) => name).sort()).toEqual(inVault);
    expect(children.filter(({ deleteBeforeReplace }) => !deleteBeforeReplace)).toEqual([]);
  });

  test.each<[keepsValues: boolean | undefined, kept: string[]]>([
    [undefined, ["access-kv", "access/aidbox/client", "access/aidbox/db"]],
    [true, ["access-kv", "access/aidbox/client", "access/aidbox/db"]],
    [false, []],
  ])("stays in Vault without the stack where it holds values: keepsValues %s", async (keepsValues, kept) => {
    const options = keepsValues === undefined ? {} : { keepsValues };
    await access(mixed, { ownsKvMount: true, managedValues, readers: [postgres], ...options });
    const retained = engine.registrations.filter(({ retainOnDelete }) => retainOnDelete);
    expect(retained.map(({ name }) => name).sort()).toEqual(kept);
  });

  test("that is the mount is not moved, which would take a right that the stack has not", async () => {
    await access(mixed, { ownsKvMount: true, managedValues });
    expect(engine.resource("access-kv").replaceOnChanges).toEqual(["path"]);
  });

  test("goes with the Vault that it lies in, and comes again with another", async () => {
    engine = await Engine.start({ types: { ...types, "test:index:Release": {} } });
    class Release extends pulumi.CustomResource {}
    const release = new Release("test:index:Release", "release");
    await access(mixed, {
      ownsKvMount: true,
      managedValues,
      readers: [postgres],
      resourceOptions: { deletedWith: release, replacementTrigger: "cluster-1" },
    });
    for (const name of inVault) {
      expect(engine.resource(name)).toMatchObject({ deletedWith: "release", replacementTrigger: "cluster-1" });
    }
  });
});

test("in the first preview everything is registered while Vault is unknown", async () => {
  engine = await Engine.start({ types, run: "first preview" });
  const connection = pulumi.output(pulumi.unknown as unknown as VaultConnection);
  const { ready } = makeAccess([seeded, managed, external, role], {
    connection,
    ownsKvMount: true,
    managedValues: pulumi.output(pulumi.unknown as unknown as Record<string, string>),
  });
  await engine.finished();
  expect([...engine.names].sort()).toEqual([
    "access",
    "access-auth",
    "access-auth-config",
    "access-kv",
    "access-policy",
    "access-role",
    "access/aidbox/client",
    "access/aidbox/db",
  ]);
  expect(engine.resource("access/aidbox/db").inputs.dataJson).toBe(unknown);
  expect(await promiseOf(ready)).toBeUndefined();
  expect(vault.requests).toEqual([]);
});
