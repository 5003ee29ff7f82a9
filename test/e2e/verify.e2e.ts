import type { Verification } from "../../infra/operate/verify";
import {
  clientSecret,
  expectSuccess,
  expectUnchanged,
  kubectl,
  overrides,
  run,
  story,
  TestStack,
  vaultCommand,
  waitUntil,
} from "./harness";

const secrets = [
  clientSecret,
  { name: "admin-password", path: "aidbox/admin", environment: "BOX_ADMIN_PASSWORD", source: "seeded" },
];
const roleArguments = (changes: Record<string, string> = {}): string[] =>
  Object.entries({
    bound_service_account_names: "aidbox",
    bound_service_account_namespaces: "aidbox",
    audience: "vault",
    token_policies: "aidbox",
    token_ttl: "3600",
    token_explicit_max_ttl: "3600",
    ...changes,
  }).map(([key, value]) => `${key}=${value}`);

const kubernetesHost = "kubernetes_host=https://kubernetes.default.svc";

/** Each break, the one link that is broken by it, and a part of the cause. */
const breaks: readonly [what: string, link: string, cause: RegExp, doIt: () => Promise<unknown>][] = [
  ["Vault sealed", "vault", /Vault is sealed/, () => vaultCommand(["operator", "seal"])],
  ["role deleted", "role", /role aidbox is gone/, () => vaultCommand(["delete", "auth/kubernetes/role/aidbox"])],
  ["policy removed", "policy", /policy aidbox is gone/, () => vaultCommand(["policy", "delete", "aidbox"])],
  [
    "policy for another path",
    "policy",
    /lacks secret\/data\/aidbox\/client, .* and has secret\/data\/other too/,
    () => vaultPolicy('path "secret/data/other" { capabilities = ["read"] }'),
  ],
  [
    "key missing in the secret",
    "secret client-secret",
    /has no key client-secret, but other/,
    () => vaultCommand(["kv", "put", "secret/aidbox/client", "other=x"]),
  ],
  [
    "secret's last version deleted",
    "secret client-secret",
    /the last one, was deleted/,
    () => vaultCommand(["kv", "delete", "secret/aidbox/client"]),
  ],
  ["auth backend disabled", "auth", /is not enabled/, () => vaultCommand(["auth", "disable", "kubernetes"])],
  [
    "auth backend that does not read Vault's own token",
    "auth",
    /disable_local_ca_jwt of auth\/kubernetes is true/,
    () => vaultCommand(["write", "auth/kubernetes/config", kubernetesHost, "disable_local_ca_jwt=true"]),
  ],
  [
    "auth backend with a reviewer's token of somebody's",
    "auth",
    /token_reviewer_jwt_set of auth\/kubernetes is true/,
    () =>
      vaultCommand(["write", "auth/kubernetes/config", kubernetesHost, "token_reviewer_jwt=eyJhbGciOiJub25lIn0.e30."]),
  ],
  [
    "Vault without the right to check tokens",
    "login",
    /may not check one, since ClusterRoleBinding vault-server-binding is gone/,
    () => kubectl("delete", "clusterrolebinding", "vault-server-binding"),
  ],
  [
    "role for logins from elsewhere",
    "role",
    /token_bound_cidrs of role aidbox is \["10\.99\.0\.0\/16"\]/,
    () =>
      vaultCommand(["write", "auth/kubernetes/role/aidbox", ...roleArguments({ token_bound_cidrs: "10.99.0.0/16" })]),
  ],
  [
    "wrong audience",
    "role",
    /audience of role aidbox is "other"/,
    () => vaultCommand(["write", "auth/kubernetes/role/aidbox", ...roleArguments({ audience: "other" })]),
  ],
  [
    "role bound to a ServiceAccount of another name",
    "role",
    /bound_service_account_names of role aidbox is \["other"\]/,
    () =>
      vaultCommand([
        "write",
        "auth/kubernetes/role/aidbox",
        ...roleArguments({ bound_service_account_names: "other" }),
      ]),
  ],
  [
    "Deployment with a ServiceAccount of another name",
    "deployment",
    /ServiceAccount is default, and should be aidbox/,
    () => patch("aidbox", "deployment/aidbox", { spec: { template: { spec: { serviceAccountName: "default" } } } }),
  ],
  [
    "provider DaemonSet scaled away",
    "provider",
    /is wanted on no node/,
    () =>
      patch("vault-csi-provider", "daemonset/vault-node-csi-provider", {
        spec: { template: { spec: { nodeSelector: { nowhere: "true" } } } },
      }),
  ],
  [
    "driver DaemonSet gone",
    "driver",
    /DaemonSet .* is gone/,
    () => kubectl("-n", "kube-system", "delete", "daemonset", "csi-secrets-store-csi-driver"),
  ],
  [
    "what the driver may do deleted",
    "releases",
    /^Helm release kube-system\/csi has lost ClusterRole secretproviderclasses-role$/,
    () => kubectl("delete", "clusterrole", "secretproviderclasses-role"),
  ],
  [
    "Vault's Service deleted",
    "vault",
    /Service vault\/vault leads to no Vault/,
    () => kubectl("-n", "vault", "delete", "service", "vault"),
  ],
  [
    "SecretProviderClass deleted",
    "class",
    /is gone/,
    () => kubectl("-n", "aidbox", "delete", "secretproviderclass", "aidbox-vault-secrets"),
  ],
  [
    "vault-config out of step",
    "vault-config",
    /differs from the table/,
    () => patch("aidbox", "configmap/aidbox-vault-config", { data: { "vault-config.json": "{}" } }),
  ],
  [
    "Vault unreachable",
    "vault",
    /Vault has no pod/,
    async () => {
      await kubectl("-n", "vault", "scale", "statefulset", "vault", "--replicas", "0");
      await kubectl("-n", "vault", "wait", "--for=delete", "pod/vault-0", "--timeout=60s");
    },
  ],
];

describe("verify, on a healthy stack and on broken ones", () => {
  const step = story();
  let stack: TestStack;
  let options: string[];
  const verify = async (): Promise<{ code: number; verification: Verification }> => {
    const ran = await stack.command("verify", "--json", ...options);
    if (ran.stdout === "") throw new Error(ran.stderr);
    return { code: ran.code, verification: JSON.parse(ran.stdout) as Verification };
  };
  const notOk = ({ links }: Verification): object[] => links.filter(({ state }) => state !== "ok");
  /** A pod that a fix rolls, and a file that follows its new version, take their time. */
  const expectGreenSoon = async (): Promise<void> => {
    let last: object[] = [];
    await waitUntil(async () => {
      const { code, verification } = await verify();
      last = notOk(verification);
      return code === 0;
    }, 90).catch(() => {
      expect(last).toEqual([]);
    });
  };

  beforeAll(async () => {
    stack = await TestStack.create("dev");
    options = await overrides({ secrets });
    expectSuccess(await stack.command("up", "--yes", ...options));
  });
  afterAll(() => stack.dispose());

  step("all links are in order, and the exit code says so", async () => {
    await expectGreenSoon();
    const start = Date.now();
    const ran = await stack.command("verify", ...options);
    console.info(`verify took ${((Date.now() - start) / 1000).toFixed(1)} s`);
    expectSuccess(ran);
    expect(ran.stdout).toMatch(/(\d+) of \1 links in order/);
  });

  step("the driver's ServiceAccount made anew: its pods' tokens are refused until they are restarted", async () => {
    await kubectl("-n", "kube-system", "delete", "serviceaccount", "secrets-store-csi-driver");
    const broken = async (): Promise<{ cause: string; fix: string }> => {
      const { links } = (await verify()).verification;
      const [only, ...others] = links.flatMap((each) => (each.state === "broken" ? [each] : []));
      expect([only?.name, others]).toEqual(["releases", []]);
      return only!;
    };
    const lost = await broken();
    expect(lost.cause).toBe("Helm release kube-system/csi has lost ServiceAccount secrets-store-csi-driver");
    expectSuccess(await stack.shell(lost.fix, ["--yes", ...options]));
    const former = await broken();
    expect(former.cause).toMatch(/are older than their ServiceAccount, and the cluster refuses the tokens/);
    expectSuccess(await stack.shell(former.fix, []));
    await kubectl("-n", "kube-system", "rollout", "status", "daemonset/csi-secrets-store-csi-driver", "--timeout=120s");
    await kubectl("-n", "aidbox", "delete", "pod", "-l", "app.kubernetes.io/name=aidbox", "--wait=false");
    await expectGreenSoon();
  });

  for (const [what, link, cause, doIt] of breaks) {
    step(`${what}: names ${link} and no other, and its fix works`, async () => {
      await doIt();
      const { code, verification } = await verify();
      const broken = verification.links.flatMap((each) => (each.state === "broken" ? [each] : []));
      expect(broken.map(({ name }) => name)).toEqual([link]);
      expect(broken[0]!.cause).toMatch(cause);
      expect(code).toBe(5);
      const up = broken[0]!.fix.includes("npm run up") ? ["--yes"] : [];
      expectSuccess(await stack.shell(broken[0]!.fix, [...up, ...options]));
      await expectGreenSoon();
    });
  }

  /** What a policy of the network does, where one is enforced: Vault serves, and the provider does not reach it. */
  const leadTo = (port: number): Promise<string> =>
    kubectl(
      ...["-n", "vault", "patch", "service", "vault", "--type", "json", "-p"],
      JSON.stringify([{ op: "replace", path: "/spec/ports/0/targetPort", value: port }]),
    );
  const linkOf = async (name: string) =>
    (await verify()).verification.links.find((each) => each.name === name) as { cause?: string; fix?: string };

  step("the provider does not reach Vault: stale files are explained by the driver, whose log says why", async () => {
    await leadTo(8299);
    await vaultCommand(["kv", "patch", "secret/aidbox/client", "client-secret=of a Vault out of reach"]);
    let files = await linkOf("files");
    await waitUntil(async () => (files = await linkOf("files")).cause !== undefined, 120).catch(async () => {
      expect({ files, notOk: notOk((await verify()).verification) }).toEqual("stale files");
    });
    console.info(`${files.cause!}\n${files.fix!}`);
    expect(files.cause).toMatch(/has another content .*; the driver on \S+ met \d+ errors "\w+" since it started$/);
    const log = await stack.shell(files.fix!, []);
    console.info(log.stdout.slice(-1500));
    expect(log.stdout).toMatch(/8200.*connection refused/);
  });

  step("the provider does not reach Vault: a pod that does not start is explained by its mount's error", async () => {
    await kubectl("-n", "aidbox", "delete", "pod", "-l", "app.kubernetes.io/name=aidbox", "--wait=false");
    let health = await linkOf("health");
    await waitUntil(async () => /MountVolume/.test((health = await linkOf("health")).cause ?? ""), 120);
    console.info(health.cause);
    expect(health.cause).toMatch(/^not ready: aidbox-\S+ \(.*MountVolume\.SetUp failed .*connection refused/);
    await leadTo(8200);
    await expectGreenSoon();
  });

  step("after all of it, up changes nothing", async () => {
    expectSuccess(await stack.command("up", "--yes", ...options));
    const again = await stack.command("up", "--yes", ...options);
    expectUnchanged(again);
  });
});

function patch(namespace: string, object: string, change: object): Promise<string> {
  return kubectl("-n", namespace, "patch", object, "--type", "merge", "-p", JSON.stringify(change));
}

async function vaultPolicy(text: string): Promise<void> {
  const args = ["-n", "vault", "exec", "-i", "vault-0", "--", "vault", "policy", "write", "aidbox", "-"];
  const { code, stderr } = await run("kubectl", args, { input: text });
  if (code !== 0) throw new Error(stderr);
}
