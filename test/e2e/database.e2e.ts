import {
  aidboxPods,
  clientSecret,
  expectSuccess,
  expectUnchanged,
  kubectl,
  overrides,
  printFromAidbox,
  queryAsAidbox,
  type Ran,
  readSecretFile,
  readVariable,
  story,
  TestStack,
  vaultCommand,
  waitUntil,
} from "./harness";

const secrets = [
  clientSecret,
  { name: "database-password", path: "aidbox/database", environment: "BOX_DB_PASSWORD", source: "seeded" },
  { name: "admin-password", path: "aidbox/admin", environment: "BOX_ADMIN_PASSWORD", source: "seeded" },
  { name: "root-client-secret", path: "aidbox/admin", environment: "BOX_ROOT_CLIENT_SECRET", source: "seeded" },
];

describe("Aidbox with a PostgreSQL of its own, in development", () => {
  const step = story();
  let stack: TestStack;
  let options: string[];

  const syncedPassword = async (): Promise<string> => {
    const path = "jsonpath={.data.BOX_DB_PASSWORD}";
    const encoded = await kubectl("-n", "aidbox", "get", "secret", "aidbox-environment", "-o", path);
    return Buffer.from(encoded, "base64").toString();
  };
  const query = (password: string, sql?: string): Promise<Ran> =>
    queryAsAidbox({ namespace: "aidbox", service: "aidbox-postgres" }, password, sql);
  const postgresPod = (): Promise<string> =>
    kubectl(
      "-n",
      "aidbox",
      "get",
      "pod",
      "aidbox-postgres-0",
      "-o",
      "jsonpath={.metadata.uid} {.status.containerStatuses[*].restartCount}",
    );

  beforeAll(async () => {
    stack = await TestStack.create("dev", { database: null });
    options = await overrides({ secrets, database: { mode: "development" } });
  });
  afterAll(() => stack.dispose());

  step("a stack without a database, with a value that its operators changed", async () => {
    stack.configure({ secrets: [clientSecret] });
    expectSuccess(await stack.pulumi("up"));
    await vaultCommand(["kv", "put", "-mount=secret", "aidbox/client", "client-secret=by-an-operator"]);
  });

  step("gets one, and nothing is deleted or replaced", async () => {
    stack.configure({ secrets, database: { mode: "development" } });
    const { ran, steps } = await stack.upBySteps();
    expectSuccess(ran);
    expect([...new Set(steps.map(({ op }) => op))].sort()).toEqual(["create", "same", "update"]);
    expect(await vaultCommand(["kv", "get", "-mount=secret", "-field=client-secret", "aidbox/client"])).toBe(
      "by-an-operator",
    );
  });

  step("PostgreSQL has its password from Vault, and a client logs in with the synced Secret", async () => {
    const password = await syncedPassword();
    expect(password).toBe(await readSecretFile("database-password"));
    expect((await query(password)).stdout.trim()).toBe("aidbox");
    expect((await query("wrong")).code).not.toBe(0);
    expect((await query(password, "create table patients (id text); insert into patients values ('one')")).code).toBe(
      0,
    );
    expectUnchanged(await stack.command("up", "--yes", ...options));
  });

  step("Aidbox has its environment and files as the image expects them", async () => {
    const printed = await printFromAidbox(["env"]);
    const variables = Object.fromEntries(
      printed.split("\n").map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string]),
    );
    expect(variables).toMatchObject({
      BOX_DB_HOST: "aidbox-postgres",
      BOX_DB_PORT: "5432",
      BOX_DB_DATABASE: "aidbox",
      BOX_DB_USER: "aidbox",
      BOX_DB_PASSWORD: await readSecretFile("database-password"),
      BOX_ADMIN_PASSWORD: await readSecretFile("admin-password"),
      BOX_ROOT_CLIENT_SECRET: await readSecretFile("root-client-secret"),
    });
    const enforced = [
      "get",
      "namespace",
      "aidbox",
      "-o",
      "jsonpath={.metadata.labels.pod-security\\.kubernetes\\.io/enforce}",
    ];
    expect(await kubectl(...enforced)).toBe("restricted");
  });

  step(
    "after a rotation the new password works and the old one is refused; the data and the pod are the same",
    async () => {
      const before = { password: await syncedPassword(), pod: await postgresPod(), aidbox: await aidboxPods() };
      expectSuccess(await stack.command("rotate", "database-password", "--generate", "32", "--restart", ...options));
      const password = await syncedPassword();
      expect(password).not.toBe(before.password);
      expect((await query(password, "select id from patients")).stdout.trim()).toBe("one");
      expect((await query(before.password)).code).not.toBe(0);
      expect(await postgresPod()).toBe(before.pod);
      expect(await aidboxPods()).not.toBe(before.aidbox);
      expect(await readVariable("BOX_DB_PASSWORD")).toBe(password);
    },
  );

  step("changed by somebody else, it is in force within the bound too", async () => {
    await vaultCommand(["kv", "patch", "-mount=secret", "aidbox/database", "database-password=by-somebody-else"]);
    const seconds = await waitUntil(async () => (await query("by-somebody-else")).code === 0, 40);
    console.info(`PostgreSQL took the new password after ${seconds.toFixed(0)} s`);
  });

  step("no password stands in a log, a manifest or the state", async () => {
    const logs = await kubectl("-n", "aidbox", "logs", "aidbox-postgres-0", "--all-containers");
    const manifests = await kubectl("-n", "aidbox", "get", "statefulsets,deployments,configmaps,pods", "-o", "yaml");
    const seeded = await readSecretFile("root-client-secret");
    for (const text of [logs, manifests, await stack.exportState("--show-secrets")]) {
      expect(text.includes("by-somebody-else")).toBe(false);
      expect(text.includes(seeded)).toBe(false);
    }
  });

  step("destroy leaves no volume behind", async () => {
    expectSuccess(await stack.command("destroy", "--yes", ...options));
    expect(await kubectl("get", "pvc", "-A", "-o", "name")).toBe("");
  });
});
