import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { freePort } from "./dev-vault";
import { waitUntil } from "./harness";

const program = process.env.KUBE_STATE_METRICS ?? "kube-state-metrics";

/** Whether the program is on this machine: on the PATH, or where `KUBE_STATE_METRICS` says. */
export const hasKubeStateMetrics = spawnSync(program, ["version"]).status === 0;

/** A real kube-state-metrics on this machine, which tells of what the stack's alerts ask for. */
export class KubeStateMetrics {
  private constructor(
    private readonly process: ChildProcess,
    /** Where Prometheus finds it. */
    public readonly target: string,
  ) {}

  public static async start(): Promise<KubeStateMetrics> {
    const host = "127.0.0.1";
    const [port, telemetryPort] = [await freePort(), await freePort()];
    const args = [
      `--kubeconfig=${process.env.KUBECONFIG!}`,
      "--resources=cronjobs,daemonsets,deployments,namespaces",
      ...[`--host=${host}`, `--port=${port}`, `--telemetry-host=${host}`, `--telemetry-port=${telemetryPort}`],
    ];
    const target = `${host}:${port}`;
    const started = new KubeStateMetrics(spawn(program, args, { stdio: "ignore" }), target);
    const metrics = (): Promise<string> => fetch(`http://${target}/metrics`).then((answer) => answer.text());
    await waitUntil(async () => (await metrics().catch(() => "")).includes("kube_namespace_created{"), 60);
    return started;
  }

  public stop(): void {
    this.process.kill("SIGKILL");
  }
}
