import { expectSuccess, expectUnchanged, readSecretFile, run, story, TestStack } from "./harness";

/** The CSI provider of the first stack, which serves the second too. */
const provider = {
  namespaceLabels: { "kubernetes.io/metadata.name": "vault-csi-provider" },
  podLabels: { "app.kubernetes.io/name": "vault-csi-provider" },
};

describe("two stacks on one cluster", () => {
  const step = story();
  let first: TestStack;
  let second: TestStack;

  beforeAll(async () => {
    first = await TestStack.create("dev");
    second = await TestStack.create("other");
    expectSuccess(await first.pulumi("up"));
  });
  afterAll(async () => {
    await second.dispose();
    await first.dispose();
  });

  step("what clashes is named, all at once and before anything is touched", async () => {
    const up = await second.pulumi("up");
    expect(up.code).not.toBe(0);
    for (const clash of [
      "Namespace aidbox belongs to the stack aidbox-secrets.dev: set namespaces.aidbox to another name",
      "Namespace vault belongs to the stack aidbox-secrets.dev: set namespaces.vault to another name",
      "Namespace vault-csi-provider belongs to the stack aidbox-secrets.dev: set namespaces.csiProvider to another name",
      "CSIDriver secrets-store.csi.k8s.io belongs to the stack aidbox-secrets.dev: a cluster has one: set " +
        "csiDriver.install: false to use it",
    ]) {
      expect(up.stdout).toContain(clash);
    }
    expectUnchanged(await first.pulumi("preview", "--expect-no-changes"));
  });

  step("another state of a stack of the same name cannot take the namespaces over", async () => {
    const twin = await TestStack.create("dev");
    const up = await twin.pulumi("up");
    expect(up.code).not.toBe(0);
    expect(up.stdout).toContain(".metadata.labels.aidbox-secrets/state-mark");
    await twin.dispose();
    expectUnchanged(await first.pulumi("preview", "--expect-no-changes"));
  });

  step("side by side, each serves its own secret", async () => {
    second.configure({
      namespaces: { aidbox: "aidbox-other", vault: "vault-other" },
      csiDriver: { install: false },
      vault: { mode: "dev", release: "vault-other", csiProvider: false, allowFrom: [provider] },
    });
    expectSuccess(await second.pulumi("up"));
    const values = [await readSecretFile(), await readSecretFile("client-secret", "aidbox-other")];
    expect(values[1]).toMatch(/^[\w-]{32}$/);
    expect(values[1]).not.toBe(values[0]);
    expectUnchanged(await first.pulumi("up", "--expect-no-changes"));
    expectUnchanged(await second.pulumi("up", "--expect-no-changes"));
  });

  step("one goes, the other stays", async () => {
    expectSuccess(await second.pulumi("destroy"));
    expectUnchanged(await first.pulumi("refresh", "--run-program", "--expect-no-changes"));
    expect(await readSecretFile()).toMatch(/^[\w-]{32}$/);
    expect((await run("kubectl", ["get", "namespace", "vault-other"])).code).not.toBe(0);
  });
});
