import { dirname } from "node:path";
import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap";
import type { Release } from "@pulumi/kubernetes/helm/v3/release";
import * as pulumi from "@pulumi/pulumi";
import { given, optional, refuseProps, text } from "../../check-props";
import { csiProviderName, vaultCaCertPath, vaultClientCertificate } from "../../stores/vault/names";
import { containerSecurityContext } from "../container-security";
import type { DaemonSetReference, HelmChart } from "../helm-chart";
import { helmRelease } from "../helm-release";
import { releaseChecks } from "../release-checks";
import { type PlatformSite, platformSite, vaultProviderSiteValues } from "../site";
import { overrideValues } from "../values";
import { Vault } from "./release";

/** Where the provider is installed, and which Vault it reads. */
export interface VaultCsiProviderArgs {
  /** URL of Vault as seen from the cluster's pods, for a SecretProviderClass that names none. */
  readonly address: pulumi.Input<string>;
  /** @default 0.34.1 from HashiCorp's repository */
  readonly chart?: HelmChart;
  /** @default "vault-node" */
  readonly releaseName?: string;
  /** Must exist, at the `privileged` Pod Security level: the provider uses host paths. */
  readonly namespace: string;
  /**
   * CAs that it trusts, PEM; they are mounted at `vaultCaCertPath`.
   * @default - its image's own
   */
  readonly caCerts?: pulumi.Input<string>;
  /**
   * Secret of type kubernetes.io/tls in the namespace, by which it shows Vault who asks; mounted at `vaultClientCertificate`.
   * Its pods start once it is there.
   * @default - it shows none
   */
  readonly clientCertificateSecret?: string | undefined;
  /** PriorityClass of its pods. @default - the cluster's own */
  readonly priorityClass?: string | undefined;
  /** @default - nothing more than the chart has */
  readonly site?: PlatformSite;
  /** Further values of the chart; they win over those of this component. @default - none */
  readonly values?: Record<string, unknown>;
  /** Another text than before has Helm put back objects of the release that were lost. @default - none */
  readonly repair?: string;
}

const checks = {
  ...releaseChecks,
  address: given,
  namespace: text,
  caCerts: optional(given),
  clientCertificateSecret: optional(text),
  priorityClass: optional(text),
  site: optional(platformSite),
};

/**
 * Vault's CSI provider alone, from HashiCorp's chart. The driver knows a provider by one socket of the node, so a node
 * holds one: where another is at work, a pod of this one waits until it is gone.
 *
 * @throws Error that lists all that is wrong with the props
 * @example
 * ```ts
 * import { Provider } from "@pulumi/kubernetes";
 * import { VaultCsiProvider } from "aidbox-secrets/platform";
 *
 * const provider = new Provider("cluster", { context: "production" });
 * new VaultCsiProvider("provider", { namespace: "csi", address: "https://vault.example.com:8200" }, { provider });
 * ```
 */
export class VaultCsiProvider extends pulumi.ComponentResource {
  /** Done when its objects are made; the DaemonSet may not be ready yet. */
  public readonly release: Release;
  /** Runs a pod on each node. Wait for it before pods mount secrets. */
  public readonly daemonSet: DaemonSetReference;

  public constructor(name: string, args: VaultCsiProviderArgs, opts?: pulumi.ComponentResourceOptions) {
    refuseProps(`VaultCsiProvider ${name}`, args, checks);
    super("aidbox-secrets:platform:VaultCsiProvider", name, {}, opts);
    const releaseName = args.releaseName ?? "vault-node";
    const { namespace } = args;
    this.daemonSet = { namespace, name: csiProviderName(releaseName) };
    const ca =
      args.caCerts === undefined
        ? undefined
        : new ConfigMap(
            `${name}-ca`,
            { metadata: { name: `${releaseName}-ca`, namespace }, data: { "ca.crt": args.caCerts } },
            { parent: this },
          );
    const values = {
      fullnameOverride: releaseName,
      global: { externalVaultAddr: args.address },
      injector: { enabled: false },
      // The chart makes the servers' account, which may check every token of the cluster, also where there is no server.
      server: { enabled: false, serviceAccount: { create: false }, authDelegator: { enabled: false } },
      csi: {
        enabled: true,
        // The SecretProviderClass says the address itself, so nothing would go through the caching agent.
        agent: { enabled: false },
        readinessProbe: { initialDelaySeconds: 1, periodSeconds: 2 },
        // The driver's folder for providers' sockets is root's, so the provider is too; it needs no more than that.
        daemonSet: {
          securityContext: {
            pod: { seccompProfile: containerSecurityContext.seccompProfile },
            // SELinux lets no other container of OpenShift's at host paths, and a privileged one takes no further limits.
            container: args.site?.assignsUsers === true ? { privileged: true } : containerSecurityContext,
          },
        },
        resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "256Mi" } },
        ...(args.priorityClass === undefined ? {} : { priorityClassName: args.priorityClass }),
        // Wherever the driver runs, which tolerates every taint.
        pod: {
          affinity: oneOnANode,
          tolerations: [{ operator: "Exists" }],
          nodeSelector: { "kubernetes.io/os": "linux" },
        },
        ...mounts(ca?.metadata.name, args.clientCertificateSecret),
      },
    };
    this.release = helmRelease(
      name,
      {
        chart: args.chart ?? Vault.defaultChart,
        releaseName,
        namespace,
        values: overrideValues(values, vaultProviderSiteValues(args.site ?? {})),
        overrides: args.values,
        repair: args.repair,
      },
      { parent: this },
    );
    this.registerOutputs();
  }
}

/** A provider that ends takes the socket's file away, also where another has made it anew meanwhile. */
const oneOnANode = {
  podAntiAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: [
      {
        labelSelector: { matchLabels: { "app.kubernetes.io/name": "vault-csi-provider" } },
        namespaceSelector: {},
        topologyKey: "kubernetes.io/hostname",
      },
    ],
  },
};

function mounts(caConfigMap: pulumi.Input<string> | undefined, clientSecret: string | undefined): object {
  const mounted = [
    ...(caConfigMap === undefined
      ? []
      : [{ name: "ca", file: vaultCaCertPath, from: { configMap: { name: caConfigMap } } }]),
    ...(clientSecret === undefined
      ? []
      : [{ name: "client", file: vaultClientCertificate.certPath, from: { secret: { secretName: clientSecret } } }]),
  ];
  if (mounted.length === 0) return {};
  return {
    volumes: mounted.map(({ name, from }) => ({ name, ...from })),
    volumeMounts: mounted.map(({ name, file }) => ({ name, mountPath: dirname(file), readOnly: true })),
  };
}
