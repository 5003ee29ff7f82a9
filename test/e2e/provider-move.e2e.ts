import { commonAidbox, describeUpgrade, FormerVersion } from "./former-version";
import {
  clientSecret,
  expectSuccess,
  expectUnchanged,
  kubectl,
  overrides,
  readSecretFile,
  run,
  story,
  TestStack,
  vaultPods,
} from "./harness";

/** A pod that mounts the secrets and does nothing, at the restricted level. */
function probe(name: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: { app: "probe" } },
    spec: {
      serviceAccountName: "aidbox",
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: "RuntimeDefault" } },
      containers: [
        {
          name: "probe",
          image: "docker.io/curlimages/curl:8.17.0",
          command: ["sleep", "600"],
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
          volumeMounts: [{ name: "secrets", mountPath: "/secrets", readOnly: true }],
        },
      ],
      volumes: [
        {
          name: "secrets",
          csi: {
            driver: "secrets-store.csi.k8s.io",
            readOnly: true,
            volumeAttributes: { secretProviderClass: "aidbox-vault-secrets" },
          },
        },
      ],
    },
  });
}

const inAidbox = (...args: string[]): Promise<string> => kubectl("-n", "aidbox", ...args);

/** What a pod of its own reads, from before it was asked for to its end, and the seconds until it was ready. */
async function mountOnce(name: string): Promise<{ readonly value: string; readonly seconds: number }> {
  const start = Date.now();
  const made = await run("kubectl", ["-n", "aidbox", "create", "-f", "-"], { input: probe(name) });
  expectSuccess(made);
  await inAidbox("wait", "--for=condition=ready", `pod/${name}`, "--timeout=120s");
  const seconds = (Date.now() - start) / 1000;
  const value = await inAidbox("exec", name, "--", "cat", "/secrets/client-secret");
  await inAidbox("delete", "pod", name, "--wait=false");
  return { value, seconds };
}

/** A pod that was there before the move; Aidbox's own may be rolled by whatever else another version changes. */
const reader = "probe-reader";

/** What `reader` has: its restarts and the versions that it has mounted. */
async function readerState(): Promise<string> {
  const restarts = await inAidbox("get", "pod", reader, "-o", "jsonpath={.status.containerStatuses[0].restartCount}");
  const format = 'jsonpath={range .items[*]}{.status.podName} {.status.objects}{"\\n"}{end}';
  const mounted = await inAidbox("get", "secretproviderclasspodstatuses", "-o", format);
  return [restarts, ...mounted.split("\n").filter((line) => line.startsWith(reader))].join("\n");
}

const readByReader = (): Promise<string> => inAidbox("exec", reader, "--", "cat", "/secrets/client-secret");

describeUpgrade("a stack whose CSI provider was beside Vault's servers", () => {
  const step = story();
  let stack: TestStack;
  let former: FormerVersion;
  const admin = { name: "admin-password", path: "aidbox/admin", environment: "BOX_ADMIN_PASSWORD", source: "seeded" };
  const config = { secrets: [clientSecret, admin], aidbox: commonAidbox };

  beforeAll(async () => {
    former = await FormerVersion.checkOut();
    stack = await TestStack.create("dev", config);
    expectSuccess(await stack.pulumiAs({ cwd: former.folder }, "up"));
  });
  afterAll(async () => {
    await stack.dispose();
    former.dispose();
  });

  step(
    "gets another by up, while pods mount and read: no server restarts, no pod loses its files, no mount fails",
    async () => {
      const value = await readSecretFile();
      expectSuccess(await run("kubectl", ["-n", "aidbox", "create", "-f", "-"], { input: probe(reader) }));
      await inAidbox("wait", "--for=condition=ready", `pod/${reader}`, "--timeout=120s");
      const state = async (): Promise<string[]> => [await vaultPods(), await readerState()];
      const before = await state();
      const moving = { isDone: false };
      const mounts = (async () => {
        const all: Awaited<ReturnType<typeof mountOnce>>[] = [];
        while (!moving.isDone || all.length < 3) all.push(await mountOnce(`probe-${all.length}`));
        return all;
      })();
      const reads = (async () => {
        const all: string[] = [];
        while (!moving.isDone) all.push(await readByReader());
        return all;
      })();
      const up = await stack.pulumi("up");
      const last = await mountOnce("probe-last");
      moving.isDone = true;
      expectSuccess(up);
      const mounted = [...(await mounts), last];
      const slowest = Math.max(...mounted.map(({ seconds }) => seconds));
      console.info(`${mounted.length} pods mounted meanwhile, the slowest was ready after ${slowest.toFixed(1)} s`);
      expect([...new Set([...mounted.map((each) => each.value), ...(await reads)])]).toEqual([value]);
      expect(await state()).toEqual(before);
    },
  );

  step("has no provider beside the servers any more, whose namespace is restricted", async () => {
    const names = await kubectl(
      "get",
      "daemonsets",
      "-A",
      "-l",
      "app.kubernetes.io/name=vault-csi-provider",
      "-o",
      "name",
    );
    expect(names.trim()).toBe("daemonset.apps/vault-node-csi-provider");
    const level = "jsonpath={.metadata.labels.pod-security\\.kubernetes\\.io/enforce}";
    expect(await kubectl("get", "namespace", "vault", "-o", level)).toBe("restricted");
    expectUnchanged(await stack.pulumi("up"));
  });

  step("follows a change in Vault as before", async () => {
    const options = await overrides(config);
    const command = await stack.command("rotate", "client-secret", "--generate", "32", ...options);
    expectSuccess(command);
  });
});
