import {
  expectExit,
  expectSuccess,
  expectUnchanged,
  kubectl,
  overrides,
  type Ran,
  readSecretFile,
  root,
  run,
  story,
  succeed,
  TestStack,
  waitUntil,
} from "./harness";

interface Adoption {
  readonly takes: readonly {
    readonly urn: string;
    readonly what: string;
    readonly change: string;
    readonly differences: readonly object[];
  }[];
  readonly makes: readonly { readonly urn: string; readonly what: string }[];
  readonly taken: boolean;
}

const secrets = [{ name: "client-secret", path: "aidbox/client", scope: { resourceType: "Client", id: "basic" } }];

/** Does by hand what the vendor's guide says; what it prints. */
const guide = (step: "up" | "keep" | "down"): Promise<string> => succeed("bash", [`${root}/test/e2e/guide.sh`, step]);

/** URL by which this machine reaches Vault of the guide. */
const addressFromHere = async (): Promise<string> =>
  `http://${await kubectl("get", "service", "vault", "-o", "jsonpath={.spec.clusterIP}")}:8200`;

/** The guide's Vault, and what differs from a stack's own. */
const external = async (): Promise<Record<string, unknown>> => ({
  mode: "external",
  address: "http://vault.default:8200",
  addressFromHere: await addressFromHere(),
  login: { method: "kubernetes" },
});

const vaultPod = (): Promise<string> =>
  kubectl("get", "pod", "vault-0", "-o", "jsonpath={.metadata.uid} {.status.containerStatuses[*].restartCount}");

describe("the guide's install by hand", () => {
  const step = story();
  let stack: TestStack;
  let options: string[];
  let env: NodeJS.ProcessEnv;
  let found: { readonly metadata: string; readonly pod: string };
  let adoption: Adoption;

  const command = (name: string, ...args: string[]): Promise<Ran> =>
    stack.commandAs({ env }, name, ...args, ...options);
  const vault = (...args: string[]): Promise<string> => succeed("vault", args, { env });
  /** What Vault tells of the secret: versions, times and metadata. */
  const metadata = (): Promise<string> => vault("kv", "metadata", "get", "-mount=secret", "aidbox/client");
  const resourcesInState = async (): Promise<unknown> =>
    (JSON.parse(await stack.exportState()) as { deployment: { resources?: unknown } }).deployment.resources;

  beforeAll(async () => {
    stack = await TestStack.create("dev");
  });
  afterAll(async () => {
    await stack.dispose(env);
    await guide("down");
  });

  step("a Vault in dev mode is refused, with the way to copy its secrets to one that stays", async () => {
    await guide("up");
    env = { VAULT_ADDR: await addressFromHere(), VAULT_TOKEN: "root" };
    options = await overrides({ secrets, vault: await external() });
    const refused = await command("adopt", "--yes");
    expectExit(refused, 2);
    expect(refused.stderr).toContain("default/vault is a Vault in dev mode: it is in memory");
    const copy = /kubectl .* vault kv get -mount=secret -field=client-secret aidbox\/client(?= \| npm run write)/;
    expect(await succeed("sh", ["-c", copy.exec(refused.stderr)![0]])).toBe("by-the-guide");
    expect(await resourcesInState()).toBeUndefined();
    await guide("down");
  });

  step("a config that does not fit is refused with the lines that do", async () => {
    env = { VAULT_TOKEN: (await guide("keep")).trim() };
    env.VAULT_ADDR = await addressFromHere();
    found = { metadata: await metadata(), pod: await vaultPod() };
    options = await overrides({ secrets });
    const refused = await command("adopt", "--yes");
    expectExit(refused, 2);
    for (const line of [
      "  address: http://vault.default:8200",
      "  serversRelease: { name: vault, namespace: default }",
      "namespaces: { aidbox: default, options: { aidbox: { create: false } } }",
    ]) {
      expect(refused.stderr).toContain(line);
    }
    options = await overrides({
      secrets,
      vault: { ...(await external()), serversRelease: { name: "vault", namespace: "default" } },
      namespaces: { aidbox: "default", options: { aidbox: { create: false }, vault: { create: false } } },
    });
    const up = await command("up", "--yes");
    expect(up.code).not.toBe(0);
    expect(up.stdout).toContain("take it over by `npm run adopt`");
  });

  step("it is shown what would be taken over, and what differs; nothing is touched", async () => {
    const objects = await kubectl("get", "serviceaccount,deployment,secretproviderclass", "-o", "yaml");
    const resources = await resourcesInState(); // what the refused `up` left: its providers
    const shown = await command("adopt");
    expectSuccess(shown);
    expect(shown.stdout).toContain("Deployment default/aidbox: `up` then REPLACES it");
    expect(shown.stdout).toContain("spec.selector.matchLabels");
    expect(shown.stdout).toContain('values.rotationPollInterval: "30s" → "1s"');
    expect(shown.stdout).toContain(
      "Helm release default/vault: `up` then changes it:\n      values.csi.enabled: true → false\n",
    );
    expect(await resourcesInState()).toEqual(resources);
    expect(await kubectl("get", "serviceaccount,deployment,secretproviderclass", "-o", "yaml")).toBe(objects);
  });

  step("one that is killed leaves nothing half done, and can be run again", async () => {
    const args = ["-s", "KILL", "6", "node", "infra/cli/start.js", "adopt", "--yes", ...options];
    await run("timeout", args, { cwd: root, env: { ...stack.env, ...env } });
    const taken = await command("adopt", "--yes", "--json");
    expectSuccess(taken);
    adoption = JSON.parse(taken.stdout) as Adoption;
    expect(adoption.taken).toBe(true);
    expect(adoption.takes.map(({ what }) => what).sort()).toEqual([
      "Deployment default/aidbox",
      "Helm release default/vault",
      "Helm release kube-system/csi",
      "SecretProviderClass default/aidbox-vault-secrets",
      "ServiceAccount default/aidbox",
      "auth mount auth/kubernetes",
      "config of auth/kubernetes",
      "policy aidbox",
      "role aidbox of auth/kubernetes",
    ]);
    expect(await stack.exportState("--show-secrets")).not.toContain("by-the-guide");
    expectSuccess(await command("adopt"));
  });

  step("up changes only what was shown, and touches no secret", async () => {
    stack.configure(configOf(options));
    const { ran, steps } = await stack.upBySteps(env);
    expectSuccess(ran);
    const shown = [...adoption.takes.filter(({ change }) => change !== "none"), ...adoption.makes];
    // A preview that does not know Vault's address yet shows more than there is to change.
    const certain = [...adoption.takes.filter(({ differences }) => differences.length > 0), ...adoption.makes];
    const isNothing = (type: string): boolean => !/^(kubernetes|vault):/.test(type);
    const changed = steps.filter(({ op, type }) => op !== "same" && !isNothing(type)).map(({ urn }) => urn);
    expect(changed.filter((urn) => !shown.some((each) => each.urn === urn))).toEqual([]);
    expect(certain.filter(({ urn }) => !changed.includes(urn))).toEqual([]);
    expect(await readSecretFile("client-secret", "default")).toBe("by-the-guide");
    expect({ metadata: await metadata(), pod: await vaultPod() }).toEqual(found);
    expect(
      await kubectl("get", "daemonset", "-A", "-l", "app.kubernetes.io/name=vault-csi-provider", "-o", "name"),
    ).toBe("daemonset.apps/vault-node-csi-provider\n");
    const { ran: second, steps: further } = await stack.upBySteps(env);
    expectUnchanged(second);
    expect(further.filter(({ op }) => op !== "same")).toEqual([]);
  });

  step("a rotation reaches the pods, and verify is green", async () => {
    const rotated = await stack.commandAs(
      { env, input: "another-value" },
      "rotate",
      "client-secret",
      "--stdin",
      ...options,
    );
    expectSuccess(rotated);
    expect(await readSecretFile("client-secret", "default")).toBe("another-value");
    await waitUntil(async () => (await command("verify")).code === 0, 60);
  });

  step("destroy leaves Vault's servers, and all that they hold", async () => {
    expectSuccess(await command("destroy", "--yes"));
    expect(await vaultPod()).toBe(found.pod);
    expect(await vault("kv", "get", "-mount=secret", "-field=client-secret", "aidbox/client")).toBe("another-value");
    expect(await succeed("helm", ["list", "-A", "-q"])).toBe("vault\n");
  });
});

/** The config of the options `--config KEY=VALUE`. */
function configOf(options: readonly string[]): Record<string, unknown> {
  const pairs = options.filter((option) => option !== "--config").map((option) => option.split(/=(.*)/s));
  return Object.fromEntries(pairs.map(([key, value]) => [key!, parsed(value!)]));
}

function parsed(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

describe("beside the guide's two installs", () => {
  let stack: TestStack;
  let options: string[];
  const env = { VAULT_TOKEN: "root" };
  const names = (...args: string[]): Promise<string> => kubectl("get", ...args, "-o", "name");
  const command = (name: string, ...args: string[]): Promise<Ran> =>
    stack.commandAs({ env }, name, ...args, ...options);

  beforeAll(async () => {
    await guide("up");
    stack = await TestStack.create("dev");
  });
  afterAll(async () => {
    await command("destroy", "--yes");
    await stack.dispose(env);
    await guide("down");
  });

  test("there is no release, no privileged namespace and no ClusterRoleBinding of the stack's", async () => {
    const before = [await names("clusterrolebindings"), await succeed("helm", ["list", "-A", "-q"])];
    options = await overrides({
      secrets,
      csiDriver: { install: false },
      namespaces: { options: { vault: { create: false } } },
      vault: {
        ...(await external()),
        csiProvider: false,
        role: "beside",
        login: { method: "kubernetes", owned: false },
      },
    });
    expectSuccess(await command("up", "--yes"));
    expect(await readSecretFile()).toBe("by-the-guide");
    expect([await names("clusterrolebindings"), await succeed("helm", ["list", "-A", "-q"])]).toEqual(before);
    expect(await names("namespaces", "-l", "pod-security.kubernetes.io/enforce=privileged")).toBe("");
    expect(await names("namespaces", "-l", "aidbox-secrets/stack")).toBe("namespace/aidbox\n");
    expectSuccess(await command("destroy", "--yes"));
    expect([await names("clusterrolebindings"), await succeed("helm", ["list", "-A", "-q"])]).toEqual(before);
  });
});
