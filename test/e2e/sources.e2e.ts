import {
  clientSecret,
  expectExit,
  expectSuccess,
  expectUnchanged,
  kubectl,
  overrides,
  readSecretFile,
  readVariable,
  run,
  story,
  TestStack,
  vaultCommand,
} from "./harness";

const readStore = (): Promise<string> =>
  vaultCommand(["kv", "get", "-mount=secret", "-field=client-secret", "aidbox/client"]);

describe("a secret that an operator writes (external)", () => {
  const step = story();
  const value = "written-by-an-operator";
  let stack: TestStack;
  let options: string[];
  let written: string;

  beforeAll(async () => {
    stack = await TestStack.create();
    const secrets = [{ ...clientSecret, source: "external" }];
    options = ["--yes", ...(await overrides({ secrets }))];
  });
  afterAll(() => stack.dispose());

  step("the first up stops before Aidbox, says how to write it, and has an exit code of its own", async () => {
    const up = await stack.command("up", ...options);
    expectExit(up, 3);
    written = /^\s+(kubectl .* vault kv put -mount=secret aidbox\/client client-secret=-)$/m.exec(up.stdout)?.[1] ?? "";
    expect(written).not.toBe("");
    expect(await kubectl("-n", "aidbox", "get", "deployments", "-o", "name")).not.toMatch(/\/aidbox$/m);
  });

  step("the printed command writes it, and the next up serves it", async () => {
    expectSuccess(await run("sh", ["-c", written], { input: value }));
    expectSuccess(await stack.command("up", ...options));
    expect(await readSecretFile()).toBe(value);
  });

  step("Pulumi holds the value nowhere, not even encrypted", async () => {
    expect((await stack.exportState("--show-secrets")).includes(value)).toBe(false);
  });

  step("the clone is as clean as before", async () => {
    expect((await run("git", ["status", "--porcelain", "Pulumi.dev.yaml", "Pulumi.yaml"])).stdout).toBe("");
  });
});

describe("a secret from stack config (managed)", () => {
  const step = story();
  let stack: TestStack;

  beforeAll(async () => {
    stack = await TestStack.create("dev", { secrets: [{ ...clientSecret, source: "managed" }] });
  });
  afterAll(() => stack.dispose());

  step("without a value, up names the secret and how to set it", async () => {
    const up = await stack.pulumi("up");
    expect(up.code).not.toBe(0);
    expect(up.stdout).toContain("No value for the managed client-secret");
  });

  step("its value reaches the pod", async () => {
    await stack.setSecret("aidbox-secrets:values.client-secret", "first-managed-value");
    expectSuccess(await stack.pulumi("up"));
    expect(await readSecretFile()).toBe("first-managed-value");
    expectUnchanged(await stack.pulumi("up", "--expect-no-changes"));
  });

  step("a changed value is written, and one changed by hand does not show as drift", async () => {
    await stack.setSecret("aidbox-secrets:values.client-secret", "second-managed-value");
    expectSuccess(await stack.pulumi("up"));
    expect(await readStore()).toBe("second-managed-value");
    await vaultCommand(["kv", "put", "secret/aidbox/client", "client-secret=by-hand"]);
    expectUnchanged(await stack.pulumi("refresh", "--run-program", "--expect-no-changes"));
  });

  step("the state holds it encrypted alone", async () => {
    expect((await stack.exportState()).includes("second-managed-value")).toBe(false);
    expect((await stack.exportState("--show-secrets")).includes("second-managed-value")).toBe(true);
  });
});

describe("a table that changes", () => {
  const step = story();
  const admin = { name: "admin-password", path: "aidbox/admin", environment: "BOX_ADMIN_PASSWORD", source: "seeded" };
  let stack: TestStack;

  beforeAll(async () => {
    stack = await TestStack.create("dev", { secrets: [clientSecret, admin] });
  });
  afterAll(() => stack.dispose());

  step(
    "a secret with a variable reaches the pod as file and, by a synced Kubernetes Secret, as environment",
    async () => {
      expectSuccess(await stack.pulumi("up"));
      const file = await readSecretFile("admin-password");
      expect(file).toMatch(/^[\w-]{32}$/);
      expect(await readVariable("BOX_ADMIN_PASSWORD")).toBe(file);
      expectUnchanged(await stack.pulumi("preview", "--expect-no-changes"));
    },
  );

  step(
    "a secret that leaves the table leaves Vault and the policy with it, and the driver's right to sync",
    async () => {
      stack.configure({ secrets: [clientSecret] });
      expectSuccess(await stack.pulumi("up"));
      expect(await vaultCommand(["kv", "list", "-mount=secret", "aidbox"])).not.toContain("admin");
      expect(await vaultCommand(["policy", "read", "aidbox"])).toBe(
        'path "secret/data/aidbox/client" {\n  capabilities = ["read"]\n}\n',
      );
      expect((await run("kubectl", ["get", "clusterrole", "secretprovidersyncing-role"])).code).not.toBe(0);
      expect(await readSecretFile()).toMatch(/^[\w-]{32}$/);
    },
  );
});
