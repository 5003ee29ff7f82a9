import { randomBytes } from "node:crypto";
import { dirname } from "node:path";
import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import { Release } from "@pulumi/kubernetes/helm/v3/release";
import * as pulumi from "@pulumi/pulumi";
import { vaultCaCertPath, vaultServiceAddress } from "../kubernetes/vault-address";
import { chartSource, type DaemonSetReference, type HelmChart } from "./helm-chart";
import { csiProviderName, devRootTokenName } from "./names";
import { markRelease } from "./release-mark";
import { overrideValues } from "./values";
import { splitImage } from "./image";
import {
  containerSecurityContext,
  readyServers,
  serverResources,
  storedServerValues,
  type VaultRelease,
  type VaultServer,
  writableFolders,
} from "./vault-server";

export interface VaultArgs {
  readonly server: VaultServer;
  /** @default 0.34.1 from HashiCorp's repository */
  readonly chart?: HelmChart;
  /** @default "vault", as in the vendor's guide */
  readonly releaseName?: string;
  /** Must exist, at the `privileged` Pod Security level: the CSI provider uses host paths. */
  readonly namespace: string;
  /**
   * Whether to install the CSI provider. A node holds one: leave it out where another release has it.
   * @default true
   */
  readonly csiProvider?: boolean;
  /**
   * Image of the servers, with its tag.
   * @default - `Vault.defaultImage`
   */
  readonly image?: string | undefined;
  /**
   * ConfigMap in the namespace whose `ca.crt` the CSI provider trusts, mounted at `vaultCaCertPath`.
   * @default - the provider's image's own CAs
   */
  readonly caConfigMapName?: pulumi.Input<string>;
  /** Further values of the chart; they win over those of this component. @default - none */
  readonly values?: Record<string, unknown>;
  /** Another text than before has Helm put back objects of the release that were lost. @default - none */
  readonly repair?: string;
}

/** Vault with its CSI provider, from HashiCorp's chart; without the injector, which files by CSI make needless. */
export class Vault extends pulumi.ComponentResource {
  public static readonly defaultChart: HelmChart = {
    repository: "https://helm.releases.hashicorp.com",
    name: "vault",
    version: "0.34.1",
  };
  /** The default chart's own. */
  public static readonly defaultImage = "hashicorp/vault:2.0.4";

  /** Done when its objects are made; neither the server nor the CSI provider may be ready yet. */
  public readonly release: Release;
  /** DaemonSet of the CSI provider; none where it is left out. */
  public readonly csiProviderDaemonSet: DaemonSetReference | undefined;
  /** URL of Vault as seen from the cluster's pods. */
  public readonly address: pulumi.Output<string>;
  /** Dev mode's root token, secret; none in other modes. */
  public readonly devRootToken: pulumi.Output<string> | undefined;

  public constructor(name: string, args: VaultArgs, opts?: pulumi.ComponentResourceOptions) {
    super("aidbox-secrets:platform:Vault", name, {}, opts);
    const releaseName = args.releaseName ?? "vault";
    const tokenSecret =
      args.server.mode === "dev" ? this.makeDevRootToken(name, args.namespace, releaseName) : undefined;
    const csiProvider = args.csiProvider ?? true;
    const release = { releaseName, namespace: args.namespace, image: args.image ?? Vault.defaultImage };
    this.csiProviderDaemonSet = csiProvider
      ? { namespace: args.namespace, name: csiProviderName(releaseName) }
      : undefined;
    const values = {
      fullnameOverride: releaseName,
      injector: { enabled: false },
      server: serverValues(args.server, release, tokenSecret?.metadata.name),
      csi: {
        enabled: csiProvider,
        // The SecretProviderClass says the address itself, so nothing would go through the caching agent.
        agent: { enabled: false },
        readinessProbe: { initialDelaySeconds: 1, periodSeconds: 2 },
        // The driver's folder for providers' sockets is root's, so the provider is too; it needs no more than that.
        daemonSet: {
          securityContext: {
            pod: { seccompProfile: containerSecurityContext.seccompProfile },
            container: containerSecurityContext,
          },
        },
        resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "256Mi" } },
        ...(args.caConfigMapName === undefined ? {} : caMount(args.caConfigMapName)),
      },
      ...(isStored(args.server) ? { global: { tlsDisable: false } } : {}),
      ...(args.server.mode === "external" ? { global: { externalVaultAddr: args.server.address } } : {}),
    };
    this.release = new Release(
      name,
      {
        ...chartSource(args.chart ?? Vault.defaultChart),
        name: releaseName,
        namespace: args.namespace,
        // Helm takes a DaemonSet nobody has looked at yet for a ready one, and does not wait for the server at all.
        skipAwait: true,
        // Install over a release that failed, or that a killed run left behind.
        replace: true,
        values: overrideValues(values, args.values ?? {}),
        description: args.repair,
      },
      { parent: this, dependsOn: tokenSecret ?? [] },
    );
    markRelease(name, { namespace: args.namespace, releaseName, repair: args.repair }, this.release, this);
    this.address = pulumi.output(
      args.server.mode === "external"
        ? args.server.address
        : vaultServiceAddress(releaseName, args.namespace, isStored(args.server)),
    );
    this.devRootToken = tokenSecret?.data.apply((data) => Buffer.from(data[tokenKey] ?? "", "base64").toString());
    this.registerOutputs();
  }

  private makeDevRootToken(name: string, namespace: string, releaseName: string): Secret {
    return new Secret(
      `${name}-dev-root-token`,
      {
        metadata: { name: devRootTokenName(releaseName), namespace },
        data: {
          [tokenKey]: Buffer.from(randomBytes(24).toString("base64url")).toString("base64"),
        },
      },
      // Made once: every run draws another token, and the state keeps the first.
      { parent: this, ignoreChanges: ["data"] },
    );
  }
}

const tokenKey = "token";

function isStored(server: VaultServer): server is VaultServer & { mode: "standalone" | "ha" } {
  return server.mode === "standalone" || server.mode === "ha";
}

function serverValues(
  server: VaultServer,
  release: VaultRelease,
  tokenSecretName: pulumi.Input<string> | undefined,
): object {
  if (isStored(server)) return storedServerValues(server, release);
  return tokenSecretName === undefined ? { enabled: false } : devServer(release, tokenSecretName);
}

function caMount(configMapName: pulumi.Input<string>): object {
  return {
    volumes: [{ name: "ca", configMap: { name: configMapName } }],
    volumeMounts: [{ name: "ca", mountPath: dirname(vaultCaCertPath), readOnly: true }],
  };
}

function devServer(release: VaultRelease, tokenSecretName: pulumi.Input<string>): object {
  const variable = "VAULT_DEV_ROOT_TOKEN_ID";
  return {
    image: splitImage(release.image),
    ...writableFolders,
    resources: serverResources,
    statefulSet: { securityContext: { container: containerSecurityContext } },
    dev: {
      enabled: true,
      // Rendered in plain; the variable of the same name below comes after it and wins.
      devRootToken: "replaced-by-the-secret",
    },
    extraSecretEnvironmentVars: [{ envName: variable, secretName: tokenSecretName, secretKey: tokenKey }],
    readinessProbe: { initialDelaySeconds: 1, periodSeconds: 2 },
    ...readyServers,
    preStopSleepSeconds: 0,
  };
}
