import {
  clientSecret,
  documents,
  expectExit,
  expectSuccess,
  expectUnchanged,
  type Initialisation,
  kubectl,
  overrides,
  type Ran,
  run,
  story,
  succeed,
  TestStack,
  waitUntil,
} from "./harness";
import { hasKubeStateMetrics, KubeStateMetrics } from "./kube-state-metrics";
import { hasPrometheus, Prometheus } from "./prometheus";

const kinds = ["PodMonitor", "PrometheusRule"];

/** A CRD of the Prometheus operator's, as far as the API server needs one. */
function definition(kind: string): object {
  const plural = `${kind.toLowerCase()}s`;
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.monitoring.coreos.com` },
    spec: {
      group: "monitoring.coreos.com",
      scope: "Namespaced",
      names: { kind, plural, singular: kind.toLowerCase() },
      versions: [{ name: "v1", served: true, storage: true, schema }],
    },
  };
}

/** Addresses of pods by their names. */
async function addresses(namespace: string, labels: string): Promise<[name: string, address: string][]> {
  const format = 'jsonpath={range .items[*]}{.metadata.name} {.status.podIP}{"\\n"}{end}';
  const lines = (await kubectl("-n", namespace, "get", "pods", "-l", labels, "-o", format)).split("\n").filter(Boolean);
  return lines.map((line) => line.split(" ") as [string, string]);
}

async function objectOf(kind: string, namespace: string, name: string): Promise<{ readonly spec: object }> {
  return JSON.parse(await kubectl("-n", namespace, "get", kind, name, "-o", "json")) as { readonly spec: object };
}

interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly expr: string }[] }[];
}

/** The same rules, but those of kube-state-metrics hold as soon as they are true, so that a test need not wait ten minutes. */
function withoutDelay({ groups }: Rules): object {
  return {
    groups: groups.map((group) => ({
      ...group,
      rules: group.rules.map((rule) => (rule.expr.includes("kube_") ? { ...rule, for: "0s" } : rule)),
    })),
  };
}

(hasPrometheus ? describe : describe.skip)("a stack that a real Prometheus watches", () => {
  const step = story();
  let stack: TestStack;
  let options: string[];
  let env: NodeJS.ProcessEnv = {};
  let keyShare: string;
  let operatorToken: string | undefined;
  let prometheus: Prometheus | undefined;
  let kubeStateMetrics: KubeStateMetrics | undefined;

  const command = (name: string, args: string[] = [], input = ""): Promise<Ran> =>
    stack.commandAs({ env, input }, name, ...args, ...options);
  const firing = async (alert: string, state = "firing"): Promise<boolean> =>
    (await prometheus!.query(`ALERTS{alertname="${alert}",alertstate="${state}"}`)).length > 0;

  beforeAll(async () => {
    await succeed("kubectl", ["apply", "-f", "-"], {
      input: kinds.map((kind) => JSON.stringify(definition(kind))).join("\n---\n"),
    });
    for (const kind of kinds) {
      await kubectl("wait", "--for=condition=Established", `crd/${kind.toLowerCase()}s.monitoring.coreos.com`);
    }
    stack = await TestStack.create("dev");
    options = await overrides({
      secrets: [clientSecret],
      vault: {
        mode: "standalone",
        storage: { size: "1Gi", retain: false },
        snapshots: { schedule: "0 0 1 1 *", storage: { size: "1Gi" } },
      },
      monitoring: { from: [{ podLabels: { app: "prometheus" } }], labels: { release: "prometheus" }, dashboard: {} },
    });
    expectExit(await command("up", ["--yes"]), 3);
  });
  afterAll(async () => {
    prometheus?.stop();
    kubeStateMetrics?.stop();
    await command("destroy", ["--yes"]);
    await stack.dispose();
    await run("kubectl", ["delete", "crd", ...kinds.map((kind) => `${kind.toLowerCase()}s.monitoring.coreos.com`)]);
  });

  step("up makes monitors, rules and a dashboard, and a second up changes nothing", async () => {
    const init = await command("vault:init", ["--json", "--shares", "1", "--threshold", "1"]);
    expectSuccess(init);
    const made = documents(init) as Initialisation;
    keyShare = made.keyShares[0]!;
    env = { VAULT_TOKEN: made.stackToken };
    operatorToken = (made as { operator?: { token?: string } }).operator?.token;
    expectSuccess(await command("up", ["--yes"]));
    expectUnchanged(await command("up", ["--yes"]));
    const dashboard = await kubectl("-n", "aidbox", "get", "configmap", "aidbox-secrets-dashboard", "-o", "json");
    expect(dashboard).toContain("grafana_dashboard");
  });

  step("its metrics are there as the monitors say: Vault's by TLS without a token, and the driver's", async () => {
    const { spec } = await objectOf("podmonitor", "vault", "vault");
    const [endpoint] = (spec as { podMetricsEndpoints: Record<string, unknown>[] }).podMetricsEndpoints;
    const ca = await kubectl("-n", "vault", "get", "configmap", "vault-ca", "-o", "jsonpath={.data.ca\\.crt}");
    const { serverName } = endpoint!.tlsConfig as { serverName: string };
    const vault = await addresses("vault", "app.kubernetes.io/instance=vault,component=server");
    const driver = await addresses("kube-system", "app=secrets-store-csi-driver");
    const targets = (pods: [string, string][], namespace: string, port: number): object[] =>
      pods.map(([pod, address]) => ({ targets: [`${address}:${port}`], labels: { namespace, pod } }));
    if (hasKubeStateMetrics) kubeStateMetrics = await KubeStateMetrics.start();
    const rules = withoutDelay((await objectOf("prometheusrule", "aidbox", "aidbox-secrets")).spec as Rules);
    prometheus = await Prometheus.start(
      [
        {
          job_name: "vault",
          scheme: endpoint!.scheme,
          metrics_path: endpoint!.path,
          params: endpoint!.params,
          tls_config: { ca, server_name: serverName },
          static_configs: targets(vault, "vault", 8202),
        },
        { job_name: "driver", static_configs: targets(driver, "kube-system", 8095) },
        ...(kubeStateMetrics === undefined
          ? []
          : [{ job_name: "objects", honor_labels: true, static_configs: [{ targets: [kubeStateMetrics.target] }] }]),
      ],
      rules,
    );
    await waitUntil(
      async () => (await prometheus!.query('up{job!="objects"} == 1')).length === vault.length + driver.length,
      60,
    );
    const api = await run("curl", [
      "-sk",
      "-o",
      "/dev/null",
      "-w",
      "%{http_code}",
      `https://${vault[0]![1]}:8200/v1/sys/metrics`,
    ]);
    expect(api.stdout).toBe("403");
  });

  step("nothing is alarmed of where all is well", async () => {
    await waitUntil(async () => (await prometheus!.query("max(vault_core_active) == 1")).length === 1, 60);
    await waitUntil(async () => (await prometheus!.query("rotation_reconcile_total")).length > 0, 120);
    await new Promise((done) => setTimeout(done, 15_000));
    const alerts = await prometheus!.query('ALERTS{alertname=~"Vault.*|Secrets.*"}');
    expect(alerts.map(({ metric }) => metric.alertname)).toEqual([]);
    const [end] = await prometheus!.query("aidbox_secrets:vault_certificate_end:timestamp_seconds - time()");
    expect(Number(end!.value[1])).toBeGreaterThan(300 * 24 * 3600);
  });

  step("a sealed Vault is alarmed within two minutes, and errors that pods do not see begin to count", async () => {
    // Its container starts anew in the same pod, which keeps its address.
    await run("kubectl", ["-n", "vault", "exec", "vault-0", "-c", "vault", "--", "sh", "-c", "kill $(pidof vault)"]);
    await waitUntil(async () => firing("VaultSealed"), 180);
    expect(await firing("VaultNoLeader")).toBe(true);
    await waitUntil(async () => firing("SecretsRemountErrors", "pending"), 180);
  });

  step("once it is unsealed, all of it is quiet again", async () => {
    expectSuccess(await command("vault:unseal", [], `${keyShare}\n`));
    await waitUntil(async () => !(await firing("VaultSealed")) && !(await firing("VaultNoLeader")), 120);
  });

  step("an audit device that cannot write is alarmed, and the other one takes its part", async () => {
    const file = "/vault/audit/audit.log";
    const reload = "kill -HUP $(pidof vault | tr ' ' '\\n' | sort -n | head -n 1)";
    const onServer = (script: string): Promise<string> =>
      kubectl("-n", "vault", "exec", "vault-0", "-c", "vault", "--", "sh", "-c", script);
    await onServer(`mv ${file} ${file}.away && mkdir ${file} && ${reload}`);
    const seconds = await waitUntil(async () => {
      expectSuccess(await stack.commandAs({ env: { VAULT_TOKEN: operatorToken } }, "status", ...options));
      return firing("VaultAuditDeviceFailing");
    }, 120);
    console.info(`a failing audit device was alarmed after ${seconds.toFixed(0)} s`);
    expect(await firing("VaultAuditFailing")).toBe(false);
    await onServer(`rmdir ${file}`);
  });

  if (hasKubeStateMetrics) {
    const driver = "daemonset/csi-secrets-store-csi-driver";

    step("a driver that is not ready on a node is alarmed, and quiet again once it is", async () => {
      expect(await firing("SecretsDriverNotReady")).toBe(false);
      await kubectl("-n", "kube-system", "set", "image", driver, "secrets-store=driver.invalid/none:1");
      const seconds = await waitUntil(() => firing("SecretsDriverNotReady"), 120);
      console.info(`a driver that is not ready was alarmed after ${seconds.toFixed(0)} s, without the rule's delay`);
      await kubectl("-n", "kube-system", "rollout", "undo", driver);
      await kubectl("-n", "kube-system", "rollout", "status", driver, "--timeout=120s");
      await waitUntil(async () => !(await firing("SecretsDriverNotReady")), 120);
    });

    step("what is deleted is alarmed, and quiet again once up has put it back", async () => {
      const alerts = ["RepublisherNotAtWork", "SecretsDriverNotReady", "VaultSnapshotTooOld"];
      const raised = async (): Promise<number> =>
        (await Promise.all(alerts.map((each) => firing(each)))).filter(Boolean).length;
      expect(await raised()).toBe(0);
      await kubectl("-n", "aidbox", "delete", "deployment", "aidbox-republisher");
      await kubectl("-n", "vault", "delete", "cronjob", "vault-snapshots");
      await kubectl("-n", "kube-system", "delete", driver);
      const seconds = await waitUntil(async () => (await raised()) === alerts.length, 120);
      console.info(`alarmed after ${seconds.toFixed(0)} s, without the rules' delay`);
      expectSuccess(await command("up", ["--yes", "--refresh"]));
      await waitUntil(async () => (await raised()) === 0, 120);
    });
  } else {
    test.skip("what is deleted (skipped: install kube-state-metrics, or name it by KUBE_STATE_METRICS)", () =>
      undefined);
  }

  step("status tells the ages as metrics", async () => {
    const asOperator = { env: { VAULT_TOKEN: operatorToken } };
    const told = await stack.commandAs(asOperator, "status", "--metrics", ...options);
    expectSuccess(told);
    expect(told.stdout).toMatch(
      /^aidbox_secret_rotated_timestamp_seconds\{environment="dev",secret="client-secret"\} \d{10}$/m,
    );
    expect(told.stdout).toContain('aidbox_secret_stale_pods{environment="dev",secret="client-secret"} 0');
  });
});
