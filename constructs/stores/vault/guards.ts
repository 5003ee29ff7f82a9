import { Construct } from "constructs";
import { each, optional, refuseProps, shape, text } from "../../check-props";
import { NetworkGuard } from "../../kubernetes/network/network-guard";
import type { NetworkPeer, NetworkTarget } from "../../kubernetes/network/peers";
import { networkTarget, peer, peerProblems, targetProblems } from "../../kubernetes/network/rules";
import { vaultMetricsPort, vaultProviderLabels, vaultServerLabels } from "./names";

/** A release of HashiCorp's chart. */
export interface VaultReleaseReference {
  /** Name of the Helm release. */
  readonly releaseName: string;
  /** Namespace of the Helm release. */
  readonly namespace: string;
}

/** Which releases are guarded, and what stays open. */
export interface VaultGuardsProps {
  /** @default - none in this cluster */
  readonly servers?: VaultReleaseReference;
  /** The release with the CSI provider. Its pods must not be on the nodes' network, where no policy knows them. @default - none */
  readonly provider?: VaultReleaseReference;
  /**
   * Who may reach Vault's API beside the servers themselves and the CSI provider, as Prometheus or another team's pods.
   * @default - nobody
   */
  readonly allowFrom?: readonly NetworkPeer[];
  /**
   * Who may reach the port of Vault's metrics, as Prometheus.
   * @default - nobody
   */
  readonly metricsFrom?: readonly NetworkPeer[];
  /**
   * Whom servers and provider may reach beside each other and the cluster's DNS: the API server, and a seal's key.
   * @default - everybody
   */
  readonly allowTo?: readonly NetworkTarget[];
}

const apiPort = 8200;
const clusterPort = 8201;

const release = shape<VaultReleaseReference>({ releaseName: text, namespace: text });
const checks = {
  servers: optional(release),
  provider: optional(release),
  allowFrom: optional(each(peer)),
  metricsFrom: optional(each(peer)),
  allowTo: optional(each(networkTarget)),
};

/**
 * Closes the ways to Vault's servers and to its CSI provider. Have it before the servers: until one is initialised,
 * whoever reaches it may initialise it.
 */
export class VaultGuards extends Construct {
  /** Of Vault's servers, whose `addSource` lets others reach them; undefined where none are in this cluster. */
  public readonly servers: NetworkGuard | undefined;
  /** Of the CSI provider; undefined where none is in this cluster. */
  public readonly provider: NetworkGuard | undefined;

  /** @throws Error that lists all that is wrong with the props */
  public constructor(scope: Construct, id: string, props: VaultGuardsProps) {
    super(scope, id);
    const { servers, provider, allowFrom = [], metricsFrom = [], allowTo } = props;
    refuseProps(this.node.path, props, checks, () => [
      ...allowFrom.flatMap((each, index) => peerProblems(`allowFrom[${index}]`, each)),
      ...metricsFrom.flatMap((each, index) => peerProblems(`metricsFrom[${index}]`, each)),
      ...(allowTo ?? []).flatMap((each, index) => targetProblems(`allowTo[${index}]`, each)),
    ]);
    const peerOf = (podLabels: Record<string, string>, { namespace }: VaultReleaseReference): NetworkPeer => ({
      podLabels,
      namespaceLabels: { "kubernetes.io/metadata.name": namespace },
    });
    const serverLabels = servers && vaultServerLabels(servers.releaseName);
    const providerLabels = provider && vaultProviderLabels(provider.releaseName);
    if (servers !== undefined) {
      const peers = [{ podLabels: serverLabels! }];
      this.servers = new NetworkGuard(this, "servers", {
        name: `${servers.releaseName}-servers`,
        namespace: servers.namespace,
        podLabels: serverLabels!,
        from: [
          { peers, ports: [apiPort, clusterPort] },
          { peers: [...(provider ? [peerOf(providerLabels!, provider)] : []), ...allowFrom], ports: [apiPort] },
          { peers: metricsFrom, ports: [vaultMetricsPort] },
        ],
        ...(allowTo && { to: [...peers.map((peer) => ({ peer, ports: [apiPort, clusterPort] })), ...allowTo] }),
      });
    }
    if (provider !== undefined) {
      const vault = servers === undefined ? [] : [{ peer: peerOf(serverLabels!, servers), ports: [apiPort] }];
      this.provider = new NetworkGuard(this, "provider", {
        name: `${provider.releaseName}-csi-provider`,
        namespace: provider.namespace,
        podLabels: providerLabels!,
        ...(allowTo && { to: [...vault, ...allowTo] }),
      });
    }
  }
}
