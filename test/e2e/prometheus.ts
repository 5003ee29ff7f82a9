import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { freePort } from "./dev-vault";
import { waitUntil } from "./harness";

/** Whether the program `prometheus` is on this machine. */
export const hasPrometheus = spawnSync("prometheus", ["--version"]).status === 0;

/** A sample of a query's result. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [time: number, value: string];
}

/** A real Prometheus on this machine, which looks at its targets each five seconds. It needs the program `prometheus`. */
export class Prometheus {
  private constructor(
    private readonly process: ChildProcess,
    private readonly address: string,
    private readonly folder: string,
  ) {}

  /**
   * @param scrapes as `scrape_configs` has them
   * @param rules as a PrometheusRule's `spec` has them
   */
  public static async start(scrapes: readonly object[], rules: object): Promise<Prometheus> {
    const folder = mkdtempSync(join(tmpdir(), "prometheus-"));
    const config = {
      global: { scrape_interval: "5s", evaluation_interval: "5s" },
      rule_files: ["rules.yaml"],
      scrape_configs: scrapes,
    };
    writeFileSync(join(folder, "prometheus.yaml"), stringify(config));
    writeFileSync(join(folder, "rules.yaml"), stringify(rules));
    const listen = `127.0.0.1:${await freePort()}`;
    const args = [
      `--config.file=${folder}/prometheus.yaml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=${listen}`,
    ];
    const started = new Prometheus(spawn("prometheus", args, { stdio: "ignore" }), `http://${listen}`, folder);
    await waitUntil(() => started.isReady(), 60);
    return started;
  }

  public async query(expr: string): Promise<readonly Sample[]> {
    const answer = await fetch(`${this.address}/api/v1/query?query=${encodeURIComponent(expr)}`);
    const { data } = (await answer.json()) as { data: { result: readonly Sample[] } };
    return data.result;
  }

  public stop(): void {
    this.process.kill("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async isReady(): Promise<boolean> {
    return fetch(`${this.address}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  }
}
