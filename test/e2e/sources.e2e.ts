import {
  clientSecret,
  expectExit,
  expectSuccess,
  expectUnchanged,
  kubectl,
  overrides,
  type Ran,
  readSecretFile,
  readVariable,
  run,
  story,
  TestStack,
  vaultCommand,
  waitUntil,
} from "./harness";
import { SecondVault } from "./second-vault";

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
    written = /^\s+(npm run write .*)$/m.exec(up.stdout)?.[1] ?? "";
    expect(written).toBe("npm run write -- client-secret");
    expect(await kubectl("-n", "aidbox", "get", "deployments", "-o", "name")).not.toMatch(/\/aidbox$/m);
  });

  step("the printed command writes it, and the next up serves it", async () => {
    expectSuccess(await stack.shell(`printf %s "$VALUE" | ${written}`, options.slice(1), { VALUE: value }));
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
    expect(up.stdout).toContain(
      "values.client-secret: is missing: run `pulumi config set --secret --path aidbox-secrets:values.client-secret`",
    );
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

type Source = "external" | "seeded" | "managed";

/** Each of the six ways from one source to another, one after the other. */
const transitions: readonly (readonly [from: Source, to: Source])[] = [
  ["external", "seeded"],
  ["seeded", "external"],
  ["external", "managed"],
  ["managed", "seeded"],
  ["seeded", "managed"],
  ["managed", "external"],
];

interface Running {
  readonly stack: TestStack;
  readonly env: NodeJS.ProcessEnv;
  /** Runs Vault's command line against the stack's Vault. */
  readonly vault: (args: readonly string[]) => Promise<string>;
  readonly stop: () => Promise<void>;
}

const rowOf = (source: Source): Record<string, unknown> => ({ secrets: [{ ...clientSecret, source }] });

describe.each<[where: string, start: () => Promise<Running>]>([
  [
    "in development",
    async () => {
      const stack = await TestStack.create("dev", rowOf("external"));
      return { stack, env: {}, vault: (args) => vaultCommand(args), stop: () => stack.dispose() };
    },
  ],
  [
    "outside development, on a Vault of others",
    async () => {
      const vault = await SecondVault.start(8400);
      const config = { development: false, vault: await vault.asExternal() };
      const stack = await TestStack.create("prod", { ...rowOf("external"), ...config });
      const env = { VAULT_TOKEN: SecondVault.rootToken };
      const stop = async (): Promise<void> => {
        await stack.dispose(env);
        vault.stop();
      };
      return { stack, env, vault: (args) => vault.succeed(args), stop };
    },
  ],
])("a row of another source, %s", (_, start) => {
  const step = story();
  let running: Running;
  /** Every value that the path has had, by version. */
  const history = ["written-by-an-operator"];

  const current = (version = 0): Promise<string> =>
    running.vault(["kv", "get", "-mount=secret", `-version=${version}`, "-field=client-secret", "aidbox/client"]);
  const up = (): Promise<Ran> => running.stack.pulumiAs({ env: running.env }, "up");

  beforeAll(async () => {
    running = await start();
    await running.stack.setSecret("aidbox-secrets:values.client-secret", "of-the-config");
    await up(); // which waits for the operator
    await running.vault(["kv", "put", "-mount=secret", "aidbox/client", `client-secret=${history[0]!}`]);
    expectSuccess(await up());
  });
  afterAll(() => running.stop());

  for (const [from, to] of transitions) {
    step(`${from} to ${to}: the value is still there, and so is each that there was`, async () => {
      running.stack.configure(rowOf(to));
      const { ran, steps } = await running.stack.upBySteps(running.env);
      expectSuccess(ran);
      if (to === "managed") history.push("of-the-config");
      if (from !== "external") expect(ran.stdout).toContain(`was ${from} and is ${to} from now on`);
      expect(await Promise.all(history.map((_, index) => current(index + 1)))).toEqual(history);
      expect(await current()).toBe(history.at(-1));
      expect(steps.filter(({ op, urn }) => op.includes("replace") && urn.includes("aidbox/client"))).toEqual([]);
      expectUnchanged(await running.stack.pulumiAs({ env: running.env }, "up", "--expect-no-changes"));
    });
  }

  step("the pod serves what Vault has", async () => {
    await waitUntil(async () => (await readSecretFile()) === history.at(-1), 60);
  });

  step("a row that goes leaves its value in Vault, and up prints the command that ends it", async () => {
    const other = { name: "other", path: "aidbox/other", source: "seeded" };
    const value = (): Promise<string> => running.vault(["kv", "get", "-mount=secret", "-field=other", "aidbox/other"]);
    running.stack.configure({ secrets: [clientSecret, other] });
    expectSuccess(await up());
    const before = await value();
    running.stack.configure(rowOf("external"));
    const gone = await up();
    expectSuccess(gone);
    expect(gone.stdout).toMatch(/secret\/aidbox\/other stays, .* vault kv metadata delete -mount=secret aidbox\/other/);
    expect(await value()).toBe(before);
    expectUnchanged(await running.stack.pulumiAs({ env: running.env }, "up", "--expect-no-changes"));
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
    "a secret that leaves the table leaves the policy with it, and the driver's right to sync, and stays in Vault",
    async () => {
      const value = await readSecretFile("admin-password");
      stack.configure({ secrets: [clientSecret] });
      const up = await stack.pulumi("up");
      expectSuccess(up);
      expect(up.stdout).toContain("secret/aidbox/admin stays, though the config no longer has it");
      expect(await vaultCommand(["kv", "get", "-mount=secret", "-field=admin-password", "aidbox/admin"])).toBe(value);
      expectUnchanged(await stack.pulumi("up", "--expect-no-changes"));
      const policy = await vaultCommand(["policy", "read", "aidbox"]);
      expect(policy.match(/path "[^"]*"/g)).toEqual(['path "secret/data/aidbox/client"']);
      expect((await run("kubectl", ["get", "clusterrole", "secretprovidersyncing-role"])).code).not.toBe(0);
      expect(await readSecretFile()).toMatch(/^[\w-]{32}$/);
    },
  );
});
