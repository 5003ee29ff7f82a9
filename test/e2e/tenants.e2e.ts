import type { Verification } from "../../infra/operate/verify";
import {
  aidboxPodNames,
  authKeys,
  clientSecret,
  expectSuccess,
  expectUnchanged,
  kubectl,
  overrides,
  queryAsAidbox,
  type Ran,
  readSecretFile,
  run,
  story,
  TestStack,
  vaultCommand,
  waitForVariable,
  waitUntil,
} from "./harness";

const tenants = [
  { name: "north", secrets: [{ ...clientSecret, path: "north/client" }] },
  {
    name: "south",
    namespace: "southern",
    secrets: [
      { ...clientSecret, path: "south/client" },
      { ...authKeys, path: "south/auth-keys" },
    ],
    aidbox: { replicas: 2 },
  },
];

describe("three Aidboxes in one stack", () => {
  const step = story();
  let stack: TestStack;
  let options: string[];

  beforeAll(async () => {
    stack = await TestStack.create("dev");
    options = await overrides({ secrets: [clientSecret], tenants });
  });
  afterAll(() => stack.dispose());

  step("one up serves each its own secret", async () => {
    expectSuccess(await stack.command("up", "--yes", ...options));
    const values = await Promise.all(
      ["aidbox", "aidbox-north", "southern"].map((each) => readSecretFile("client-secret", each)),
    );
    expect(new Set(values).size).toBe(3);
    expect(values[1]).toBe(await vaultCommand(["kv", "get", "-mount=secret", "-field=client-secret", "north/client"]));
    expectUnchanged(await stack.command("up", "--yes", ...options));
  });

  step("verify is green for each of them", async () => {
    for (const own of [[], ["--tenant", "north"], ["--tenant", "south"]]) {
      const ran = await stack.command("verify", "--json", ...own, ...options);
      const { links } = JSON.parse(ran.stdout) as Verification;
      expect(links.filter(({ state }) => state !== "ok")).toEqual([]);
      expect(ran.code).toBe(0);
    }
    const unknown = await stack.command("verify", "--tenant", "west", ...options);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain('environment "dev" has no tenant "west": it has north, south');
  });

  step("a tenant's login reads its own path, is refused another's, and fails from another's namespace", async () => {
    const token = await logIn("aidbox-north", "aidbox-north");
    expect(token.code).toBe(0);
    const read = (path: string): Promise<Ran> => {
      const get = ["vault", "kv", "get", "-mount=secret", "-field=client-secret", path];
      return run("kubectl", ["-n", "vault", "exec", "vault-0", "--", "env", `VAULT_TOKEN=${token.stdout}`, ...get]);
    };
    expect((await read("north/client")).stdout).toBe(await readSecretFile("client-secret", "aidbox-north"));
    for (const other of ["south/client", "aidbox/client"]) {
      const refused = await read(other);
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toContain("permission denied");
    }
    for (const namespace of ["southern", "aidbox"]) {
      const refused = await logIn("aidbox-north", namespace);
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toContain("namespace not authorized");
    }
  });

  step("a tenant that leaves the config leaves the cluster and Vault, and the others stay as they are", async () => {
    const [before, norths] = await Promise.all(
      ["southern", "aidbox-north"].map((each) => readSecretFile("client-secret", each)),
    );
    const left = options.map((each) =>
      each.startsWith("tenants=") ? `tenants=${JSON.stringify([tenants[1]])}` : each,
    );
    expectSuccess(await stack.command("up", "--yes", ...left));
    expect((await run("kubectl", ["get", "namespace", "aidbox-north"])).code).not.toBe(0);
    expect(await vaultCommand(["policy", "list"])).not.toContain("aidbox-north");
    expect(await vaultCommand(["kv", "get", "-mount=secret", "-field=client-secret", "north/client"])).toBe(norths);
    expect(await readSecretFile("client-secret", "southern")).toBe(before);
  });
});

describe("two Aidboxes, each with a PostgreSQL of its own", () => {
  const step = story();
  const password = (owner: string) => ({
    name: "database-password",
    path: `${owner}/database`,
    environment: "BOX_DB_PASSWORD",
    source: "managed",
  });
  const values = { first: "of-the-first-Aidbox", north: "of-the-tenant-north" };
  const servers = {
    first: { namespace: "aidbox", service: "aidbox-postgres" },
    north: { namespace: "aidbox-north", service: "aidbox-postgres" },
  };
  let stack: TestStack;

  beforeAll(async () => {
    stack = await TestStack.create("dev", {
      secrets: [clientSecret, password("first")],
      database: { mode: "development" },
      tenants: [{ name: "north", secrets: [password("north")] }],
    });
  });
  afterAll(() => stack.dispose());

  step("values in plain text, another's name and a lacking value are refused before anything is touched", async () => {
    stack.configure({ values: { "database-password": "in-plain-text" } });
    const plain = await stack.pulumi("up");
    expect(plain.code).not.toBe(0);
    expect(plain.stdout + plain.stderr).toContain(
      "aidbox-secrets:values: is in plain text: run `pulumi config set --secret",
    );
    expect(plain.stdout + plain.stderr).not.toContain("in-plain-text");
    await stack.setSecret("aidbox-secrets:values.database-password", values.first);
    const lacking = await stack.pulumi("up");
    expect(lacking.code).not.toBe(0);
    expect(lacking.stdout + lacking.stderr).toContain("aidbox-secrets:values.north.database-password: is missing: run");
    await stack.setSecret("aidbox-secrets:values.north.database-password", values.north);
    const tenants = [{ name: "database", secrets: [password("north")] }];
    const clash = await stack.command(
      "up",
      "--yes",
      ...(await overrides({ secrets: [password("first")], database: { mode: "development" }, tenants })),
    );
    expect(clash.code).toBe(2);
    expect(clash.stderr).toContain(
      'makes the Vault policy "aidbox-database", which is that of the PostgreSQL of the first Aidbox',
    );
    expect((await run("kubectl", ["get", "namespace", "aidbox"])).code).not.toBe(0);
  });

  step("the password of each opens its own database, and nothing of the other's", async () => {
    expectSuccess(await stack.pulumi("up"));
    for (const own of ["first", "north"] as const) {
      const other = own === "first" ? "north" : "first";
      expect((await queryAsAidbox(servers[own], values[own], "create table patients (id text)")).code).toBe(0);
      const refused = await queryAsAidbox(servers[other], values[own]);
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toContain("password authentication failed");
      expect((await queryAsAidbox(servers[own], values[own], `insert into patients values ('${own}')`)).code).toBe(0);
    }
    for (const own of ["first", "north"] as const) {
      expect((await queryAsAidbox(servers[own], values[own], "select id from patients")).stdout.trim()).toBe(own);
    }
    expectUnchanged(await stack.pulumi("up"));
  });

  step("neither password stands in the state, and none in the other's namespace", async () => {
    const state = await stack.exportState();
    for (const value of Object.values(values)) expect(state.includes(value)).toBe(false);
    const synced = (namespace: string): Promise<string> => kubectl("-n", namespace, "get", "secrets", "-o", "json");
    const encoded = (value: string): string => Buffer.from(value).toString("base64");
    expect(await synced("aidbox")).toContain(encoded(values.first));
    expect(await synced("aidbox")).not.toContain(encoded(values.north));
    expect(await synced("aidbox-north")).toContain(encoded(values.north));
    expect(await synced("aidbox-north")).not.toContain(encoded(values.first));
  });
});

describe("a secret that is environment too", () => {
  const step = story();
  const admin = { name: "admin-password", path: "aidbox/admin", environment: "BOX_ADMIN_PASSWORD", source: "seeded" };
  let stack: TestStack;

  beforeAll(async () => {
    stack = await TestStack.create("dev", {
      secrets: [clientSecret, authKeys, admin],
      aidbox: {
        image: "healthsamurai/aidboxone:2605",
        replicas: 2,
        resources: { cpuRequest: "100m", memoryRequest: "64Mi" },
      },
    });
    expectSuccess(await stack.pulumi("up"));
  });
  afterAll(() => stack.dispose());

  step("changed in Vault, it rolls the pods by itself, once, and there is always a ready one", async () => {
    const generation = (): Promise<string> =>
      kubectl("-n", "aidbox", "get", "deployment", "aidbox", "-o", "jsonpath={.metadata.generation}");
    const noted = "jsonpath={.metadata.annotations.aidbox-secrets/environment}";
    await waitUntil(async () => (await kubectl("-n", "aidbox", "get", "deployment", "aidbox", "-o", noted)) !== "", 40);
    const before = Number(await generation());
    let least = 2;
    const watched = new AbortController();
    const watch = (async () => {
      while (!watched.signal.aborted) {
        const ready = await kubectl(
          "-n",
          "aidbox",
          "get",
          "deployment",
          "aidbox",
          "-o",
          "jsonpath={.status.readyReplicas}",
        );
        least = Math.min(least, Number(ready));
      }
    })();
    await vaultCommand(["kv", "put", "secret/aidbox/admin", "admin-password=new-password"]);
    const seconds = await waitForVariable("BOX_ADMIN_PASSWORD", "new-password", 90);
    console.info(`the roll was done after ${seconds.toFixed(0)} s`);
    watched.abort();
    await watch;
    expect(least).toBeGreaterThan(0);
    await new Promise((done) => setTimeout(done, 35_000)); // another round of the Republisher, which must not roll again
    expect(Number(await generation())).toBe(before + 1);
    expectUnchanged(await stack.pulumi("refresh", "--run-program", "--expect-no-changes"));
  });

  step("an evicted pod that is left behind does not hold the roll up", async () => {
    const [evicted] = await aidboxPodNames();
    const status = JSON.stringify({ status: { phase: "Failed", reason: "Evicted" } });
    await kubectl("-n", "aidbox", "patch", "pod", evicted!, "--subresource=status", "-p", status);
    await waitUntil(async () => {
      const names = await aidboxPodNames();
      return names.length === 2 && !names.includes(evicted!);
    }, 30);
    await kubectl("-n", "aidbox", "rollout", "status", "deployment", "aidbox", "--timeout=60s");
    await vaultCommand(["kv", "put", "secret/aidbox/admin", "admin-password=newer-password"]);
    const seconds = await waitForVariable("BOX_ADMIN_PASSWORD", "newer-password", 90);
    console.info(`with an evicted pod the roll was done after ${seconds.toFixed(0)} s`);
  });
});

function logIn(role: string, namespace: string): Promise<Ran> {
  const login = `kubectl -n ${namespace} create token aidbox --audience vault | tr -d '\\n' |
    kubectl -n vault exec -i vault-0 -- vault write -field=token auth/kubernetes/login role=${role} jwt=-`;
  return run("sh", ["-c", login]);
}
