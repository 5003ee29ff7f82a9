import { createServer } from "node:net";
import { expectSuccess, expectUnchanged, kubectl, readSecretFile, story, TestStack, vaultCommand } from "./harness";

describe("what goes wrong on the way, and the next up", () => {
  const step = story();
  let stack: TestStack;

  beforeAll(async () => {
    stack = await TestStack.create("dev", { vault: { mode: "dev", localPort: 28_200 } });
  });
  afterAll(() => stack.dispose());

  step("a taken local port is refused before anything is written to what listens there", async () => {
    const received: Buffer[] = [];
    const neighbour = createServer((socket) => socket.on("data", (data) => received.push(data)));
    await new Promise<void>((done) => neighbour.listen(28_200, "127.0.0.1", done));
    try {
      const up = await stack.pulumi("up");
      expect(up.code).not.toBe(0);
      expect(up.stdout).toContain("Port 28200 of 127.0.0.1, by which this stack reaches its Vault, is taken");
      expect(Buffer.concat(received).toString()).toBe("");
    } finally {
      await new Promise((done) => neighbour.close(done));
    }
    expectSuccess(await stack.pulumi("destroy"));
  });

  for (const milliseconds of [1500, 3000, 5000, 8000]) {
    step(`an up killed after ${milliseconds} ms can be run again`, async () => {
      await stack.upKilledAfter(milliseconds);
      expectSuccess(await stack.pulumi("up"));
      expect(await readSecretFile()).not.toBe("");
      expectUnchanged(await stack.pulumi("preview", "--expect-no-changes"));
      expectSuccess(await stack.pulumi("destroy"));
    });
  }

  step("a dev-mode Vault that restarted has lost everything, and the next up heals it", async () => {
    expectSuccess(await stack.pulumi("up"));
    await kubectl("-n", "vault", "delete", "pod", "vault-0");
    expectSuccess(await stack.pulumi("up"));
    expect(await vaultCommand(["read", "-field=bound_service_account_names", "auth/kubernetes/role/aidbox"])).toContain(
      "aidbox",
    );
    expect(await vaultCommand(["kv", "get", "-mount=secret", "-field=client-secret", "aidbox/client"])).not.toBe("");
    expectUnchanged(await stack.pulumi("up", "--expect-no-changes"));
  });
});
