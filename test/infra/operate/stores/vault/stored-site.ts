import timers from "node:timers/promises";
import { issueCa, issueServer } from "../../../../../infra/certificates/issue";
import * as portForward from "../../../../../infra/cluster/port-forward";
import type { VaultEnvironment } from "../../../../../infra/config/environment";
import { StoredVault, type StoredVaultOptions } from "../../../../stored-vault";
import { checkVaultEnvironment } from "../../../vault-environment";
import { FakeKubernetes } from "../../fake-kubernetes";

/** Config of an environment with a Vault of the stack's own. */
export const config = {
  kubeContext: "somewhere",
  secrets: [
    { name: "client-secret", path: "aidbox/client", scope: { resourceType: "Client", id: "basic" } },
    { name: "admin-password", path: "aidbox/admin", source: "seeded" },
  ],
  namespaces: { aidbox: "health", vault: "vault-servers" },
  vault: { mode: "ha", release: "store" },
  aidbox: { image: "healthsamurai/aidboxone:2605" },
};

/** What tells the cluster from others. */
export const clusterUid = "uid-of-the-cluster";

/** Image of Vault that a server has which is made now. */
const serverImage = "hashicorp/vault:1.21.4";

export const pods = ["store-0", "store-1", "store-2"];

/** The same for all sites of a test file. */
let issued: ReturnType<typeof issue> | undefined;

async function issue() {
  const ca = await issueCa("store.vault-servers CA");
  return { ca, tls: await issueServer(ca, { dns: ["localhost"], ip: ["127.0.0.1"] }) };
}

/**
 * A cluster with the servers of a Vault of the stack's own: their pods, and the CA that signs their certificates. What
 * would be port-forwards leads to the servers straight.
 */
export class StoredSite {
  private readonly forward = jest
    .spyOn(portForward, "openPortForward")
    .mockImplementation((_, target) => Promise.resolve(forwardTo(this.portOf(target))));

  private constructor(
    public readonly environment: VaultEnvironment,
    public readonly vault: StoredVault,
    public readonly cluster: FakeKubernetes,
    public readonly caCert: string,
  ) {}

  public static async start(options: StoredVaultOptions = {}, vault: object = config.vault): Promise<StoredSite> {
    const { ca, tls } = await (issued ??= issue());
    const environment = checkVaultEnvironment("test", { ...config, vault });
    const cluster = await FakeKubernetes.start(environment.kubeContext);
    const site = new StoredSite(environment, await StoredVault.start({ pods, tls, ...options }), cluster, ca.cert);
    for (const pod of pods) site.addPod(pod, "Running");
    cluster.add({
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      metadata: { name: "store", namespace: "vault-servers", generation: 2 },
      spec: {
        replicas: pods.length,
        template: { spec: { containers: [{ name: "vault", image: serverImage }, { name: "audit-log-rotator" }] } },
        volumeClaimTemplates: [{ metadata: { name: "data" } }, { metadata: { name: "audit" } }],
      },
      status: { observedGeneration: 2, updateRevision: "store-now" },
    });
    cluster.add({ apiVersion: "v1", kind: "Namespace", metadata: { name: "kube-system", uid: clusterUid } });
    cluster.add({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "store-ca", namespace: "vault-servers" },
      data: { "ca.crt": ca.cert },
    });
    return site;
  }

  /**
   * @param revision of the StatefulSet that it runs
   * @param image of Vault that it runs
   */
  public addPod(name: string, phase: string, revision = "store-now", image = serverImage): void {
    this.cluster.add({
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        name,
        namespace: "vault-servers",
        uid: `${name} of ${revision}`,
        labels: {
          "app.kubernetes.io/instance": "store",
          component: "server",
          "statefulset.kubernetes.io/pod-name": name,
          "controller-revision-hash": revision,
        },
      },
      spec: { containers: [{ name: "vault", image }] },
      status: { phase },
    });
  }

  /** The port of the server that a port-forward leads to: of the pod that is named, else of the active one. */
  public portOf({ namespace, labelSelector, port }: portForward.PortForwardTarget): number {
    expect({ namespace, port }).toEqual({ namespace: "vault-servers", port: 8200 });
    expect(labelSelector).toContain("app.kubernetes.io/instance=store,component=server");
    const [, pod = this.vault.first.pod] = /statefulset\.kubernetes\.io\/pod-name=(.*)$/.exec(labelSelector) ?? [];
    return this.vault.servers.find((each) => each.pod === pod)!.fake.port;
  }

  public async stop(): Promise<void> {
    this.forward.mockRestore();
    await Promise.all([this.vault.stop(), this.cluster.stop()]);
  }
}

/** A port-forward that is open to a port of this machine. */
export const forwardTo = (port: number) => ({ port, lastError: () => undefined }) as portForward.PortForward;

/** A clock that stands still but for those who sleep by `node:timers/promises`, so that no test waits for a deadline. */
export class SleepersClock {
  private time = 0;
  /** For how long each slept, in milliseconds. */
  public readonly sleeps: number[] = [];
  private spies: jest.SpyInstance[] = [];

  public start(): void {
    this.sleeps.length = 0;
    this.time = Date.now();
    this.spies = [
      jest.spyOn(Date, "now").mockImplementation(() => this.time),
      jest.spyOn(timers, "setTimeout").mockImplementation(this.sleep as typeof timers.setTimeout),
    ];
  }

  private readonly sleep = async (milliseconds: number, _: unknown, options?: { ref?: boolean }): Promise<void> => {
    if (options?.ref === false) return new Promise(() => undefined); // nobody waits for it
    this.sleeps.push(milliseconds);
    this.time += milliseconds;
    await new Promise((resolve) => setImmediate(resolve));
  };

  public stop(): void {
    for (const spy of this.spies) spy.mockRestore();
  }
}
