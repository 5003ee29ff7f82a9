import type { KubernetesObject, Printed } from "../../fake-kubernetes";
import type { StoredSite } from "./stored-site";

/** Snapshots on a volume beside the servers of a stored site, and the pods that read it. */
export class SnapshotSite {
  /** Content by name. */
  public readonly snapshots = new Map<string, string>();
  /** Content by name of those in the store of the copies. */
  public readonly copies = new Map<string, string>();
  /** Whether that store refuses. */
  public refusesCopies = false;
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
      Object.assign(object.metadata, { uid: SnapshotSite.uidOf(object.metadata.name) });
      this.addPod(object.metadata.name, SnapshotSite.uidOf(object.metadata.name));
    };
    cluster.onPodEnd = (pod) => {
      if (!site.vault.servers.some((each) => each.pod === pod)) return;
      site.vault.restart(pod);
      site.addPod(pod, "Running", `start ${(this.starts += 1)}`);
    };
  }

  /** That of a Job which is made here. */
  public static uidOf(job: string): string {
    return `uid-of-${job}`;
  }

  /** A pod of a Job that an earlier run made, and which is gone: no command runs in it any more. */
  public addEndingPod(job: string): void {
    this.addPod(job, "former", true);
  }

  /** Takes one of the Vault as it is. */
  public take(name: string): void {
    this.snapshots.set(name, this.site.vault.snapshot(name));
  }

  private addPod(job: string, uid: string, isEnding = false): void {
    this.site.cluster.add({
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        name: `${job}-${isEnding ? "former" : "pod"}`,
        namespace: "vault-servers",
        labels: { "batch.kubernetes.io/job-name": job, "batch.kubernetes.io/controller-uid": uid },
      },
      status: { phase: "Running", containerStatuses: [{ name: "vault", state: { running: {} } }] },
    });
  }

  private run(pod: string, command: readonly string[]): Printed | undefined {
    if (pod.endsWith("-former")) throw new Error(`container not found in ${pod}`);
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
    if (pod === "store-fetch-pod") return this.fetch(args[3]);
    if (program === "sh") return {};
    throw new Error(`${program} in ${pod}`);
  }

  private fetch(wanted: string | undefined): Printed {
    if (this.refusesCopies) return { exitCode: 1, stderr: "Attempt 1/3\nSignatureDoesNotMatch\n" };
    const name = wanted ?? [...this.copies.keys()].sort().at(-1)!;
    this.snapshots.set(name, this.copies.get(name)!);
    return { stdout: `${name}\n` };
  }
}
