import type { KubernetesObject, Printed } from "../../fake-kubernetes";
import type { StoredSite } from "./stored-site";

/** Snapshots on a volume beside the servers of a stored site, and the pods that read it. */
export class SnapshotSite {
  /** Content by name. */
  public readonly snapshots = new Map<string, string>();
  /** Names of those that are damaged. */
  public readonly damaged = new Set<string>();
  /** Jobs that were made. */
  public readonly jobs: KubernetesObject[] = [];
  /** Commands that were run in its pods. */
  public readonly ran: (readonly string[])[] = [];
  private starts = 0;

  public constructor(private readonly site: StoredSite) {
    const { cluster } = site;
    cluster.add({
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: "store-snapshots", namespace: "vault-servers" },
    });
    cluster.programs = (pod, command) => this.run(pod, command);
    cluster.onCreate = (object) => {
      if (object.kind !== "Job") return;
      this.jobs.push(object);
      cluster.add({
        apiVersion: "v1",
        kind: "Pod",
        metadata: {
          name: `${object.metadata.name}-pod`,
          namespace: "vault-servers",
          labels: { ...object.metadata.labels, "batch.kubernetes.io/job-name": object.metadata.name },
        },
        status: { phase: "Running", containerStatuses: [{ name: "vault", state: { running: {} } }] },
      });
    };
    cluster.onPodEnd = (pod) => {
      if (!site.vault.servers.some((each) => each.pod === pod)) return;
      site.vault.restart(pod);
      site.addPod(pod, "Running", `start ${(this.starts += 1)}`);
    };
  }

  /** Takes one of the Vault as it is. */
  public take(name: string): void {
    this.snapshots.set(name, this.site.vault.snapshot(name));
  }

  private run(pod: string, command: readonly string[]): Printed | undefined {
    this.ran.push(command);
    const [program = "", ...args] = command;
    const name = args.at(-1)?.replace("/snapshots/", "") ?? "";
    switch (program) {
      case "ls":
        return { stdout: ["lost+found", ...this.snapshots.keys(), "20270101T000000Z.snap.part"].join("\n") };
      case "vault":
        return this.damaged.has(name)
          ? { exitCode: 1, stderr: 'Error reading snapshot: hash check failed for "state.bin"\n' }
          : { stdout: "ID bolt-snapshot" };
      case "cat":
        return { stdout: this.snapshots.get(name)! };
    }
    if (program === "sh") return {};
    throw new Error(`${program} in ${pod}`);
  }
}
