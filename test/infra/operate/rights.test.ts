import { readPolicy, VaultPaths } from "../../../constructs/stores/vault";
import type { VaultEnvironment } from "../../../infra/config/environment";
import { vaultPaths } from "../../../infra/config/stores/vault/server";
import { operatorRights, type OperatorRole } from "../../../infra/operate/rights";
import { Acl } from "../../../infra/operate/stores/vault/access/acl";
import { policyRules } from "../../../infra/operate/stores/vault/access/policy-rules";
import { publicKeyPem } from "../../pems";
import { checkVaultEnvironment } from "../vault-environment";
import { parsePolicy } from "./operated-vault";

const group = "on-call";
const roles: readonly OperatorRole[] = ["viewer", "rotator", "writer"];

const file = { name: "client-secret", path: "aidbox/client", source: "seeded" };
const synced = { name: "admin-password", path: "aidbox/admin", environment: "BOX_ADMIN_PASSWORD" };
const managed = { name: "db-password", path: "aidbox/db", source: "managed" };
const dev = {
  development: true,
  kubeContext: "kind-aidbox",
  secrets: [file, managed],
  vault: { mode: "dev" },
  aidbox: { image: "healthsamurai/aidboxone:2605" },
};
const external = {
  kubeContext: "production",
  secrets: [file, managed],
  namespaces: { aidbox: "health", vault: "vault-csi" },
  csiDriver: { release: "driver", namespace: "csi" },
  rotationBound: "90s",
  vault: {
    mode: "external",
    address: "https://vault.example:8200",
    release: "provider",
    role: "fhir-role",
    kvMount: { path: "kv" },
    login: { method: "jwt", mount: "cluster-one", keys: { publicKeys: [publicKeyPem] } },
  },
  aidbox: { image: "healthsamurai/aidboxone:2605", name: "fhir" },
};
const nothingInstalled = {
  ...external,
  csiDriver: { install: false },
  vault: { ...external.vault, csiProvider: false },
};
const withSynced = (config: typeof dev | typeof external): Record<string, unknown> => ({
  ...config,
  secrets: [...config.secrets, synced],
});

const environments: Readonly<Record<string, Record<string, unknown>>> = {
  "a Vault in the cluster": dev,
  "a Vault in the cluster, with a synced secret": withSynced(dev),
  "a Vault outside of it": external,
  "a Vault outside of it, with a synced secret": withSynced(external),
  "driver and provider that another stack installed": nothingInstalled,
  "a Vault with storage": { ...dev, vault: { mode: "ha" } },
};
const cases = Object.entries(environments).flatMap(([what, config]) =>
  roles.map((role) => [role, what, checkVaultEnvironment("test", config)] as const),
);

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

interface RbacObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules?: readonly Rule[];
  readonly roleRef?: { readonly kind: string; readonly name: string };
  readonly subjects?: readonly object[];
}

function wordsOf({ apiGroups, resources, resourceNames, verbs }: Rule): string {
  const of = resourceNames === undefined ? "" : ` ${resourceNames.join(", ")}`;
  const groups = apiGroups.map((each) => (each === "" ? "" : ` of ${each}`)).join();
  return `${verbs.join(", ")} ${resources.join(", ")}${of}${groups}`;
}

function kubernetes(environment: VaultEnvironment, role: OperatorRole): readonly RbacObject[] {
  return operatorRights(environment, role, group).kubernetes as readonly RbacObject[];
}

function rules(environment: VaultEnvironment, role: OperatorRole): readonly Rule[] {
  return kubernetes(environment, role).flatMap((each) => each.rules ?? []);
}

function policy(environment: VaultEnvironment, role: OperatorRole): Map<string, string[]> {
  return parsePolicy(operatorRights(environment, role, group).store);
}

describe.each(cases)("the rights of a %s for %s", (role, _, environment) => {
  test("are these", () => {
    const lines = kubernetes(environment, role).flatMap(({ kind, metadata: { namespace, name }, rules: all = [] }) =>
      all.map((rule) => `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}: ${wordsOf(rule)}`),
    );
    expect(lines.join("\n")).toMatchSnapshot("Kubernetes");
    expect(operatorRights(environment, role, group).store).toMatchSnapshot("Vault");
  });

  test("name every group, resource and verb: none is *", () => {
    for (const { apiGroups, resources, verbs, resourceNames = [] } of rules(environment, role)) {
      const all = [...apiGroups, ...resources, ...verbs, ...resourceNames];
      expect(all.join()).not.toContain("*");
      expect([apiGroups, resources, verbs].map(({ length }) => length)).not.toContain(0);
    }
    const paths = [...policy(environment, role)];
    for (const [path, capabilities] of paths) expect(`${path} ${capabilities.join()}`).not.toMatch(/[*+]/);
  });

  test("name the objects of every rule but those whose names nobody knows beforehand", () => {
    // Pods' names are made up by the cluster, nodes' are not this stack's, and a list cannot be restricted to names.
    const unnamed = rules(environment, role).filter(({ resourceNames }) => resourceNames === undefined);
    for (const { resources, verbs } of unnamed) {
      const namedByCluster = ["nodes", "leases", "pods"];
      const ofPodsAndNodes = resources.every((each) => namedByCluster.includes(each) || each.startsWith("pods/"));
      expect({ resources, isListOrOfPodsAndNodes: ofPodsAndNodes || verbs.join() === "list" }).toEqual({
        resources,
        isListOrOfPodsAndNodes: true,
      });
    }
    for (const { resourceNames, verbs } of rules(environment, role)) {
      if (resourceNames !== undefined) expect(verbs).not.toContain("list");
    }
  });

  test("do not hold a right to make, delete or replace anything, but for what is no object of its own", () => {
    const given = rules(environment, role).flatMap(({ resources, verbs }) => {
      return resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}`));
    });
    const changing = new Set(given.filter((each) => !/^(get|list) /.test(each)));
    for (const each of ["create pods/exec", "create pods/portforward", "create serviceaccounts/token"]) {
      changing.delete(each);
    }
    const allowed = role === "viewer" ? [] : ["patch deployments", "patch pods/status"];
    expect(allowed).toEqual(expect.arrayContaining([...changing]));
  });

  test("read no Kubernetes Secret but the synced one", () => {
    const secrets = rules(environment, role).filter(({ resources }) => resources.includes("secrets"));
    const name = `${environment.aidbox.name}-environment`;
    expect(secrets).toEqual(
      environment.table.synced.length === 0
        ? []
        : [{ apiGroups: [""], resources: ["secrets"], resourceNames: [name], verbs: ["get"] }],
    );
  });

  test("are all bound to the group, each in the namespace of its role", () => {
    const objects = kubernetes(environment, role);
    const made = objects.filter((each) => each.rules !== undefined);
    const bindings = objects.filter((each) => each.roleRef !== undefined);
    expect(bindings).toEqual(
      made.map(({ kind, metadata }) => ({
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: `${kind}Binding`,
        metadata,
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind, name: metadata.name },
        subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: group }],
      })),
    );
    expect(objects).toHaveLength(made.length + bindings.length);
  });

  test("do not overwrite each other when they are applied", () => {
    const keys = kubernetes(environment, role).map(({ kind, metadata }) => JSON.stringify([kind, metadata]));
    expect(new Set(keys).size).toBe(keys.length);
  });

  test("give Vault's token no value to read", () => {
    const paths = [...policy(environment, role)];
    const kvMount = environment.vault.kvMount.path;
    const data = paths.filter(([path]) => path.startsWith(`${kvMount}/data/`));
    for (const [, capabilities] of data) expect(capabilities).not.toContain("read");
    if (role === "writer") return;
    expect(data.map(([, capabilities]) => capabilities)).toEqual(data.map(() => ["patch"]));
    const others = paths.filter(([path]) => !path.startsWith(`${kvMount}/data/`));
    // Vault protects the list of audit devices as a root's: to see it takes sudo too.
    const seen = others.map(([path]) => (path === "sys/audit" ? ["read", "sudo"] : ["read"]));
    expect(others.map(([, capabilities]) => capabilities)).toEqual(seen);
  });
});

describe.each(Object.entries(environments))("in an environment with %s", (_, config) => {
  const environment = checkVaultEnvironment("test", config);
  const dataPaths = (role: OperatorRole): string[] =>
    [...policy(environment, role).keys()].filter((path) => path.includes("/data/"));

  test("a viewer's policy has no path under data/", () => {
    expect(dataPaths("viewer")).toEqual([]);
  });

  test("a rotator's has those that are not managed", () => {
    const { table } = environment;
    expect(dataPaths("rotator")).toEqual(
      table.secrets.filter(({ source }) => source !== "managed").map((each) => vaultPaths(environment).data(each)),
    );
    expect(dataPaths("rotator")).not.toContain(vaultPaths(environment).data({ path: "aidbox/db" }));
  });

  test("a rotator may all that a viewer may", () => {
    const has = rules(environment, "rotator").map((rule) => JSON.stringify(rule));
    expect(has).toEqual(expect.arrayContaining(rules(environment, "viewer").map((rule) => JSON.stringify(rule))));
    expect([...policy(environment, "rotator")]).toEqual(expect.arrayContaining([...policy(environment, "viewer")]));
  });

  test("a writer may all that a rotator may, and write the first value of what is external", () => {
    const has = policy(environment, "writer");
    for (const [path, capabilities] of policy(environment, "rotator")) {
      expect(has.get(path)).toEqual(expect.arrayContaining(capabilities));
    }
    const { table } = environment;
    const written = [...has].filter(([path, all]) => path.includes("/data/") && all.includes("create"));
    expect(written.map(([path]) => path)).toEqual(
      table.paths.filter(({ source }) => source === "external").map((each) => vaultPaths(environment).data(each)),
    );
  });

  test("roles of viewers and rotators are others, so that both can be applied", () => {
    const [viewer, rotator] = roles.map((role) => kubernetes(environment, role).map(({ metadata }) => metadata.name));
    expect(viewer!.filter((name) => rotator!.includes(name))).toEqual([]);
  });
});

test("a path that two secrets share is named once", () => {
  const secrets = [file, { ...file, name: "other", key: "other" }];
  const { store: vaultPolicy } = operatorRights(checkVaultEnvironment("test", { ...dev, secrets }), "rotator", group);
  expect(vaultPolicy.match(/"secret\/data\/aidbox\/client"/g)).toHaveLength(1);
});

const shared = checkVaultEnvironment("test", { ...dev, csiDriver: { namespace: "vault-csi-provider" } });
test("where the driver's namespace is the provider's, no role overwrites another", () => {
  const keys = kubernetes(shared, "viewer").map(({ kind, metadata }) => JSON.stringify([kind, metadata]));
  expect(new Set(keys).size).toBe(keys.length);
});

test("where the roles share as many namespaces as they can, no role overwrites another", () => {
  const all = checkVaultEnvironment("test", {
    ...withSynced(dev),
    csiDriver: { namespace: "vault-csi-provider" },
    namespaces: { aidbox: "health", vault: "vault" },
  });
  const keys = roles.flatMap((role) =>
    kubernetes(all, role).map(({ kind, metadata }) => JSON.stringify([kind, metadata])),
  );
  expect(new Set(keys).size).toBe(keys.length);
});

const staticRole = { name: "box-password", path: "box", source: "database" };
/** Two secrets of one static role. */
const ofDatabase = {
  ...external,
  secrets: [staticRole, { ...staticRole, name: "box-user", key: "username" }],
  vault: { ...external.vault, databaseMount: "db/team" },
};

describe("a static role of the database engine", () => {
  const rightsOf = (role: OperatorRole): Record<string, string[]> =>
    Object.fromEntries(policy(checkVaultEnvironment("test", ofDatabase), role));
  const seen = {
    "auth/cluster-one/config": ["read"],
    "auth/cluster-one/role/fhir-role": ["read"],
    "sys/policies/acl/fhir-role": ["read"],
    "db/team/static-roles/box": ["read"],
  };

  test("is looked at by a viewer, without its password", () => {
    expect(rightsOf("viewer")).toEqual(seen);
  });

  test("is rotated by a rotator, who writes no password", () => {
    expect(rightsOf("rotator")).toEqual({ ...seen, "db/team/rotate-role/box": ["update"] });
  });

  test("needs of the cluster what any other secret needs", () => {
    for (const role of roles) {
      for (const environment of ["BOX_DB_PASSWORD", undefined]) {
        const ofSource = (source: string): VaultEnvironment =>
          checkVaultEnvironment("test", { ...ofDatabase, secrets: [{ ...staticRole, source, environment }] });
        expect(kubernetes(ofSource("database"), role)).toEqual(kubernetes(ofSource("external"), role));
      }
    }
  });
});

describe("the rights of the stack itself", () => {
  const all = ["create", "read", "update", "delete"];
  /** What stays where it holds values, but for what a stack for development made in a Vault of others. */
  const kept = ["create", "read", "update"];
  const self = (role: string): Record<string, string[]> => ({
    "auth/token/lookup-self": ["read"],
    "auth/token/renew-self": ["update"],
    "auth/token/revoke-self": ["update"],
    "sys/capabilities-self": ["update"],
    [`sys/policies/acl/${role}-stack`]: ["read"],
    "sys/generate-root/attempt": [...all, "sudo"],
    "sys/generate-root/update": ["create", "update", "sudo"],
  });
  const mountPaths = (mount: string): Record<string, string[]> => ({
    ...self(mount === "cluster-one" ? "fhir-role" : mount === "kubernetes" ? "aidbox" : ""),
    "sys/auth": ["read"],
    [`sys/auth/${mount}`]: mount === "cluster-one" ? [...all, "sudo"] : [...kept, "sudo"],
    [`sys/mounts/auth/${mount}`]: ["read"],
    [`sys/mounts/auth/${mount}/tune`]: ["read"],
    [`auth/${mount}/config`]: kept,
  });
  const rolePaths = (mount: string, role: string): Record<string, string[]> => ({
    [`auth/${mount}/role/${role}`]: all,
    [`sys/policies/acl/${role}`]: all,
  });
  const kvPaths = (kv: string): Record<string, string[]> => ({
    "sys/mounts": ["read"],
    [`sys/mounts/${kv}`]: kept,
    [`sys/mounts/${kv}/tune`]: ["read", "update"],
  });
  const written = (kv: string, path: string): Record<string, string[]> => ({
    [`${kv}/subkeys/${path}`]: ["read"],
    [`${kv}/metadata/${path}`]: kept,
    [`${kv}/data/${path}`]: ["create", "update", "patch"],
  });
  const onlySeen = (kv: string, path: string): Record<string, string[]> => ({ [`${kv}/subkeys/${path}`]: ["read"] });
  const stackRights = (config: Record<string, unknown>): Record<string, string[]> =>
    Object.fromEntries(policy(checkVaultEnvironment("test", config), "stack"));

  const password = { name: "database-password", path: "aidbox/database", environment: "BOX_DB_PASSWORD" };
  const tenant = (name: string, source?: string): object => ({
    name,
    secrets: [{ ...password, path: `${name}/database`, source }],
  });
  const withTenants = {
    ...dev,
    vault: { mode: "standalone", role: "box" },
    secrets: [file, managed, synced, { ...password, source: "seeded" }],
    database: { mode: "development" },
    tenants: [tenant("north", "managed"), tenant("south")],
  };

  test.each<[what: string, config: Record<string, unknown>, expected: Record<string, string[]>]>([
    [
      "a Vault in memory, whose mount is there already",
      withSynced(dev),
      {
        ...mountPaths("kubernetes"),
        ...rolePaths("kubernetes", "aidbox"),
        ...written("secret", "aidbox/client"),
        ...written("secret", "aidbox/db"),
        ...onlySeen("secret", "aidbox/admin"),
      },
    ],
    [
      "a Vault outside of the cluster",
      external,
      {
        ...mountPaths("cluster-one"),
        ...rolePaths("cluster-one", "fhir-role"),
        ...written("kv", "aidbox/client"),
        ...written("kv", "aidbox/db"),
      },
    ],
    [
      "a Vault outside of the cluster, whose mount is the stack's own",
      { ...external, secrets: [synced], vault: { ...external.vault, kvMount: { path: "kv/team", owned: true } } },
      {
        ...mountPaths("cluster-one"),
        ...rolePaths("cluster-one", "fhir-role"),
        ...kvPaths("kv/team"),
        ...onlySeen("kv/team", "aidbox/admin"),
      },
    ],
    [
      "a Vault of its own, tenants and their databases for development",
      withTenants,
      {
        "sys/audit": ["read", "sudo"],
        ...mountPaths("kubernetes"),
        ...self("box"),
        ...["box", "box-north", "box-south"]
          .flatMap((role) => [role, `${role}-database`])
          .reduce((all, role) => ({ ...all, ...rolePaths("kubernetes", role) }), {}),
        ...kvPaths("secret"),
        ...written("secret", "aidbox/client"),
        ...written("secret", "aidbox/db"),
        ...onlySeen("secret", "aidbox/admin"),
        ...written("secret", "aidbox/database"),
        ...written("secret", "north/database"),
        ...onlySeen("secret", "south/database"),
      },
    ],
    [
      "static roles of the database engine, an own one and a tenant's",
      {
        ...ofDatabase,
        secrets: [...ofDatabase.secrets, synced],
        tenants: [{ name: "north", secrets: [{ ...staticRole, path: "north" }] }],
      },
      {
        ...mountPaths("cluster-one"),
        ...rolePaths("cluster-one", "fhir-role"),
        ...rolePaths("cluster-one", "fhir-role-north"),
        ...onlySeen("kv", "aidbox/admin"),
        "db/team/static-roles/box": ["read"],
        "db/team/static-roles/north": ["read"],
      },
    ],
    [
      "a database that is there already, which has no role",
      {
        ...external,
        secrets: [password],
        database: { mode: "external", host: "postgres.example.com", tls: { mode: "require" } },
      },
      {
        ...mountPaths("cluster-one"),
        ...rolePaths("cluster-one", "fhir-role"),
        ...onlySeen("kv", "aidbox/database"),
      },
    ],
  ])("are those on each path that it makes, and nothing beside, for %s", (_, config, expected) => {
    const found = stackRights(config);
    // The name of the stack's own policy follows the role's.
    const own = `sys/policies/acl/${checkVaultEnvironment("test", config).vault.role}-stack`;
    expect(found[own]).toEqual(["read"]);
    const others = Object.entries(expected).filter(([path]) => path === own || !path.endsWith("-stack"));
    expect(found).toEqual(Object.fromEntries(others));
  });

  test("end what holds values in a Vault of others alone, where the stack is for development", () => {
    const config = {
      ...external,
      development: true,
      vault: { ...external.vault, kvMount: { path: "kv", owned: true } },
    };
    const paths = ["sys/mounts/kv", "kv/metadata/aidbox/client", "kv/metadata/aidbox/db"];
    for (const path of paths) expect(stackRights(config)[path]).toEqual(["create", "read", "update", "delete"]);
    const inProduction = stackRights({ ...config, development: false });
    for (const path of paths) expect(inProduction[path]).not.toContain("delete");
  });

  test.each([dev, external, withTenants])(
    "read no value, hold sudo on the auth mount and the list of audit devices alone, and no wildcard",
    (config) => {
      const paths = Object.entries(stackRights(config));
      for (const [path, capabilities] of paths) {
        expect(path).not.toMatch(/[*+]/);
        if (path.includes("/data/")) expect(capabilities).not.toContain("read");
      }
      const mount = config === external ? "cluster-one" : "kubernetes";
      const sudo = paths.filter(([, capabilities]) => capabilities.includes("sudo"));
      expect(sudo.map(([path]) => path)).toEqual([
        "sys/generate-root/attempt", // which needs key shares to end
        "sys/generate-root/update",
        ...(config === withTenants ? ["sys/audit"] : []),
        `sys/auth/${mount}`,
      ]);
    },
  );

  /** The parameters that a rule admits, each with the HCL of its values. */
  const pins = (config: Record<string, unknown>, path: string): Record<string, string> => {
    const { store: vaultPolicy } = operatorRights(checkVaultEnvironment("test", config), "stack", group);
    const rule = vaultPolicy.split("\n\n").find((each) => each.startsWith(`path "${path}" {`)) ?? "";
    return Object.fromEntries([...rule.matchAll(/^ {4}"(\w+)" = (.*)$/gm)].map(([, name, values]) => [name!, values!]));
  };

  test("pin each role to its ServiceAccount, namespace, audience and policy", () => {
    expect(pins(dev, "auth/kubernetes/role/aidbox")).toMatchObject({
      bound_service_account_names: '[["aidbox"]]',
      bound_service_account_namespaces: '[["aidbox"]]',
      bound_service_account_namespace_selector: '[""]',
      audience: '["vault"]',
      token_policies: '[["aidbox"]]',
    });
    expect(pins(external, "auth/cluster-one/role/fhir-role")).toMatchObject({
      bound_subject: '["system:serviceaccount:health:fhir"]',
      bound_audiences: '[["vault"]]',
      user_claim: '["sub"]',
      token_policies: '[["fhir-role"]]',
    });
  });

  test("pin where a login's token is checked, and admit no stored token to ask with", () => {
    const kubernetes = pins(dev, "auth/kubernetes/config");
    expect(kubernetes.kubernetes_host).toBe('["https://kubernetes.default.svc"]');
    expect(Object.keys(kubernetes)).not.toContain("token_reviewer_jwt");
    const jwt = pins(external, "auth/cluster-one/config");
    expect(jwt.jwt_validation_pubkeys).toBe(`[${JSON.stringify([publicKeyPem])}]`);
    for (const elsewhere of ["oidc_discovery_url", "jwks_url", "jwks_pairs"]) {
      expect(Object.keys(jwt)).not.toContain(elsewhere);
    }
  });

  test("pin each policy to the one text that the stack writes", () => {
    const config = { ...withTenants, csiDriver: { release: "driver" } };
    const environment = checkVaultEnvironment("test", config);
    const mark = "aidbox-secrets: stack test, logins at auth/kubernetes";
    for (const each of [environment, ...environment.tenants]) {
      expect(pins(config, `sys/policies/acl/${each.vault.role}`)).toEqual({
        policy: `[${JSON.stringify(readPolicy(each.table, vaultPaths(each), mark))}]`,
      });
    }
  });

  test("pin the login that takes snapshots to its one policy", () => {
    const config = { ...dev, vault: { mode: "ha", release: "store", snapshots: {} } };
    expect(pins(config, "sys/policies/acl/aidbox-snapshots").policy).toContain("sys/storage/raft/snapshot");
    expect(pins(config, "auth/kubernetes/role/aidbox-snapshots")).toMatchObject({
      token_policies: '[["aidbox-snapshots"]]',
      token_no_default_policy: "[true]",
      bound_service_account_names: '[["store-snapshots"]]',
      bound_service_account_namespaces: '[["vault"]]',
    });
  });

  test("pin the types of what is mounted", () => {
    expect(pins(withTenants, "sys/auth/kubernetes").type).toBe('["kubernetes"]');
    expect(pins(withTenants, "sys/mounts/secret").type).toBe('["kv-v2"]');
  });

  test("name each path once", () => {
    const { store: vaultPolicy } = operatorRights(checkVaultEnvironment("test", withTenants), "stack", group);
    const named = [...vaultPolicy.matchAll(/^path "([^"]+)"/gm)].map(([, path]) => path);
    expect(named).toHaveLength(new Set(named).size);
  });

  test("are none in the cluster, where it is its administrator", () => {
    for (const config of [dev, external, withTenants]) {
      expect(operatorRights(checkVaultEnvironment("test", config), "stack", group).kubernetes).toEqual([]);
    }
  });
});

describe("a scheduler's rights", () => {
  const aged = { ...file, maxAge: "90d" };
  const rights = (secrets: readonly object[], config: Record<string, unknown> = external) => {
    const environment = checkVaultEnvironment("test", { ...config, secrets });
    const lines = kubernetes(environment, "scheduler").flatMap(({ kind, metadata, rules: all = [] }) =>
      all.map((rule) => `${kind} ${metadata.namespace!}/${metadata.name}: ${wordsOf(rule)}`),
    );
    return { lines, policy: [...policy(environment, "scheduler")] };
  };
  const role = "Role health/fhir-secrets-scheduler: ";

  test("are to see the ages, and to rotate what it may rotate: no other path, no other object", () => {
    const asked = { ...synced, source: "external", maxAge: "90d" };
    const { lines, policy: paths } = rights([
      aged,
      asked,
      managed,
      { name: "ageless", path: "aidbox/x", source: "seeded" },
    ]);
    expect(lines).toEqual([
      `${role}list pods`,
      `${role}get, create pods/exec`,
      `${role}patch pods/status`,
      `${role}create serviceaccounts/token fhir`,
    ]);
    expect(paths).toEqual([
      ["kv/metadata/aidbox/client", ["read"]],
      ["kv/metadata/aidbox/admin", ["read"]],
      ["kv/subkeys/aidbox/client", ["read"]],
      ["kv/data/aidbox/client", ["patch"]],
    ]);
  });

  test("are to see the synced Kubernetes Secret too, and who takes it, where it rotates what is environment", () => {
    const { lines } = rights([{ ...synced, source: "seeded", maxAge: "90d" }]);
    expect(lines.slice(4)).toEqual([
      `${role}get secrets fhir-environment`,
      `${role}list deployments, statefulsets, daemonsets of apps`,
    ]);
  });

  test("are to have Vault change a static role's password, where one is due", () => {
    const { policy: paths } = rights([{ name: "box", path: "box", source: "database", maxAge: "90d" }]);
    expect(paths).toEqual([
      ["database/static-roles/box", ["read"]],
      ["database/rotate-role/box", ["update"]],
    ]);
  });

  test("lead to a Vault in the cluster", () => {
    const { lines } = rights([aged], dev);
    expect(lines.filter((line) => line.includes("vault/"))).toEqual([
      "Role vault/aidbox.aidbox-secrets-scheduler-vault: list pods",
      "Role vault/aidbox.aidbox-secrets-scheduler-vault: get, create pods/portforward",
      "Role vault/aidbox.aidbox-secrets-scheduler-vault: list endpointslices of discovery.k8s.io",
    ]);
  });

  test("are none in Aidbox's namespace where nothing may be rotated unasked", () => {
    const { lines, policy: paths } = rights([{ ...synced, maxAge: "90d" }]);
    expect(lines).toEqual([]);
    expect(paths).toEqual([["kv/metadata/aidbox/admin", ["read"]]]);
  });
});

describe.each(Object.entries(environments))("the rights of an auditor for %s", (_, config) => {
  const environment = checkVaultEnvironment("test", config);

  test("list and read, and change nothing", () => {
    const verbs = rules(environment, "auditor").flatMap((rule) =>
      rule.resources.flatMap((resource) => rule.verbs.map((verb) => `${verb} ${resource}`)),
    );
    const ofVault = ["get pods/portforward", "create pods/portforward", "get pods/log", "get configmaps"];
    const rest = verbs.filter((each) => !each.startsWith("list ") && !ofVault.includes(each));
    expect(rest).toEqual([]);
    expect(verbs.join()).not.toMatch(/secrets|exec|token|\*/);
    for (const capabilities of policy(environment, "auditor").values()) {
      expect(["read", "list"]).toEqual(expect.arrayContaining(capabilities));
    }
  });

  test("read no value, and no login's secret", () => {
    const acl = new Acl([{ name: "auditor", rules: policyRules(operatorRights(environment, "auditor", group).store) }]);
    const paths = new VaultPaths({ kvMount: environment.vault.kvMount.path });
    for (const each of environment.table.paths) {
      expect(acl.at(paths.metadata(each)).capabilities).toEqual(["read"]);
      expect(acl.at(paths.data(each)).capabilities).toEqual([]);
    }
    for (const path of [
      "auth/token/create",
      "auth/approle/role/x/secret-id",
      "sys/raw/core",
      "identity/oidc/token/x",
    ]) {
      expect(acl.at(path).capabilities).toEqual([]);
    }
  });
});
