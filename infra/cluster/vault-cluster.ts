import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { vaultServerNames } from "../../constructs/platform";
import { formerCasKey } from "../../constructs/platform/vault/tls";
import { VaultClient, type VaultHealth, VaultUnusableError } from "../../constructs/stores/vault";
import { csiProviderName, devRootTokenName, vaultTlsNames } from "../../constructs/stores/vault/names";
import { clientCertificate } from "../certificates/client-certificate";
import type { KeyPair } from "../certificates/issue";
import { renewCertificates, type VaultCertificates } from "../certificates/renew";
import { ownCommand } from "../config/command-line";
import type { VaultEnvironment } from "../config/environment";
import { sealTokenSecretName, vaultCommand } from "../config/names";
import { addressFromHere } from "../config/stores/vault/address";
import {
  clientCertificateSecret,
  configuredCa,
  csiProviderRelease,
  isStored,
  signsOwnCertificates,
  tlsServerName,
} from "../config/stores/vault/server";
import { kubectl } from "../operate/hints";
import { reportResult } from "../program/program-result";
import type { StateResource } from "../state/stack-state";
import { presentAuditPlace } from "./audit-place";
import { type Cluster, connectCluster, recoverInstall } from "./cluster";
import type { KubeApi } from "./kube-api";
import { openPortForward } from "./port-forward";
import { repairOf } from "./release-repair";
import { vaultServerPods } from "./vault-server-pods";
import { takeVersionKeyAlong } from "./version-key";

/** A Vault that answers. */
export interface ReachableVault extends VaultHealth {
  /** URL of Vault from where the program runs. */
  readonly address: string;
}

/** What the program does with the cluster of an environment whose store is Vault. */
export interface VaultCluster extends Cluster {
  /** Waits until the environment's Vault can be used, by a port-forward where it runs in the cluster. */
  reachVault(): Promise<ReachableVault>;
  /** CA of Vault's certificate, PEM; none where everybody trusts it, or Vault has no TLS. */
  readonly vaultCa: string | undefined;
  /** Certificates of a Vault of the stack's own, where its own CA signs them. */
  readonly certificates: VaultCertificates | undefined;
  /** Token in the cluster for the Vault that holds the key of the seal; none where there is none. */
  readonly sealToken: string | undefined;
  /** Root token of a Vault in dev mode in the cluster; none where there is none. */
  readonly devRootToken?: string | undefined;
  readonly repairs: Cluster["repairs"] & { readonly vault?: string | undefined };
  /** Whether the CSI provider is still beside Vault's servers, where stacks had it before it got a namespace of its own. */
  readonly movesCsiProvider: boolean;
  /** Whether Vault's servers have a volume for their audit log, or are yet to be made: those that are there can get none. */
  readonly hasAuditVolume: boolean;
  /** Prepares the CSI provider's namespace, which must be there, for a provider that was elsewhere before. */
  prepareCsiProvider(): Promise<void>;
}

/**
 * The environment's cluster, once it is known to be this stack's to change.
 *
 * @param owner value of the owner label of this stack
 * @param state what the stack has already
 */
export async function connectVaultCluster(
  api: KubeApi,
  environment: VaultEnvironment,
  owner: string,
  state: readonly StateResource[] = [],
): Promise<VaultCluster> {
  const { vault, namespaces } = environment;
  const vaultRelease = { namespace: namespaces.vault, releaseName: vault.release };
  const providerRelease = vault.csiProvider ? csiProviderRelease(environment) : undefined;
  const [cluster, vaultRepair, movesCsiProvider, auditPlace, certificates, sealToken, devRootToken] = await Promise.all(
    [
      connectCluster(api, environment, providerRelease, state),
      vault.mode === "external" ? undefined : repairOf(api, vaultRelease),
      vault.csiProvider && hasProviderBesideServers(api, environment),
      isStored(vault) ? presentAuditPlace(api, environment) : undefined,
      ownCertificates(api, environment),
      presentSealToken(api, environment),
      presentDevRootToken(api, environment),
      vault.mode === "external" ? undefined : recoverInstall(api, vaultRelease, state),
    ],
  );
  const vaultCa = certificates?.trusted ?? configuredCa(environment);
  return {
    ...cluster,
    certificates,
    vaultCa,
    sealToken,
    devRootToken,
    repairs: { ...cluster.repairs, vault: vaultRepair },
    movesCsiProvider,
    hasAuditVolume: auditPlace !== "storage",
    prepareCsiProvider: async () => {
      await takeVersionKeyAlong(api, namespaces.vault, namespaces.csiProvider);
      await assertClientCertificate(api, environment);
    },
    reachVault: async () => {
      const address =
        vault.mode === "external" ? addressFromHere(vault) : await forwardToVault(api, environment, vault, owner);
      const client = new VaultClient({
        address,
        token: "",
        ...(vaultCa === undefined ? {} : { caCert: vaultCa }),
        tlsServerName: tlsServerName(environment),
        ...(vault.mode === "external" ? { clientCertificate: clientCertificate() } : {}),
      });
      try {
        const health = await client.waitUntilUsable();
        await client.assertAnswersItself();
        return { address, ...health };
      } catch (error) {
        if (error instanceof VaultUnusableError) reportResult({ reason: "vault-unusable" });
        throw error instanceof VaultUnusableError ? new pulumi.RunError(howToUse(environment, error)) : error;
      }
    },
  };
}

/** Pods of the CSI provider would wait for ever for a Secret that nobody has made. */
async function assertClientCertificate(api: KubeApi, environment: VaultEnvironment): Promise<void> {
  const name = clientCertificateSecret(environment);
  const namespace = environment.namespaces.csiProvider;
  if (name === undefined) return;
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  if ((await api.find(core.readNamespacedSecret({ namespace, name }))) !== undefined) return;
  reportResult({ reason: "vault-unusable" });
  const make = kubectl(environment, namespace, "create", "secret", "tls", name, "--cert=FILE", "--key=FILE");
  throw new pulumi.RunError(
    `Secret ${name} of namespace ${namespace}, by which the CSI provider shows Vault who asks, is not there: run ` +
      `\`${make}\`, then \`${ownCommand("up", environment)}\``,
  );
}

async function hasProviderBesideServers(api: KubeApi, { vault, namespaces }: VaultEnvironment): Promise<boolean> {
  const apps = api.config.makeApiClient(api.client.AppsV1Api);
  const former = { namespace: namespaces.vault, name: csiProviderName(vault.release) };
  return (await api.find(apps.readNamespacedDaemonSet(former))) !== undefined;
}

async function forwardToVault(
  api: KubeApi,
  environment: VaultEnvironment,
  vault: VaultInCluster,
  owner: string,
): Promise<string> {
  const port = vault.localPort ?? defaultLocalPort(owner);
  await openPortForward(api, vaultServerPods(environment), port);
  return `${isStored(vault) ? "https" : "http"}://127.0.0.1:${port}`;
}

type VaultInCluster = VaultEnvironment["vault"] & { readonly mode: "dev" | "standalone" | "ha" };

/** A Vault that operators have to do something for, and what. */
function howToUse(environment: VaultEnvironment, { initialized }: VaultUnusableError): string {
  const command = isStored(environment.vault)
    ? ownCommand(initialized ? "vault:unseal" : "vault:init", environment)
    : `${vaultCommand(environment)} operator ${initialized ? "unseal" : "init"}`;
  return `Vault is ${initialized ? "sealed" : "not initialised"}: run \`${command}\`, then \`${ownCommand("up", environment)}\``;
}

/** The certificates in the cluster, renewed where they are due; none where the stack issues none. */
async function ownCertificates(api: KubeApi, environment: VaultEnvironment): Promise<VaultCertificates | undefined> {
  const { vault } = environment;
  if (!signsOwnCertificates(vault)) return undefined;
  const namespace = environment.namespaces.vault;
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const names = vaultTlsNames(vault.release);
  const read = async (name: string): Promise<Record<string, string>> => {
    const data = (await api.find(core.readNamespacedSecret({ namespace, name })))?.data;
    return Object.fromEntries(
      Object.entries(data ?? {}).map(([key, text]) => [key, Buffer.from(text, "base64").toString()]),
    );
  };
  const [ca, server, trusted] = await Promise.all([
    read(names.caKey),
    read(names.server),
    api.find(core.readNamespacedConfigMap({ namespace, name: names.ca })).then((found) => found?.data?.["ca.crt"]),
  ]);
  const present = {
    ca: keyPairIn(ca),
    server: keyPairIn(server),
    former: ca[formerCasKey],
    trusted,
  };
  return renewCertificates(`${vault.release}.${namespace}`, vaultServerNames(vault.release, namespace), present);
}

function keyPairIn({ "tls.crt": cert = "", "tls.key": key = "" }: Record<string, string>): KeyPair | undefined {
  return cert === "" || key === "" ? undefined : { cert, key };
}

async function presentSealToken(api: KubeApi, { vault, namespaces }: VaultEnvironment): Promise<string | undefined> {
  if (!isStored(vault) || vault.seal?.type !== "transit") return undefined;
  return tokenIn(api, namespaces.vault, sealTokenSecretName(vault.release));
}

async function presentDevRootToken(api: KubeApi, { vault, namespaces }: VaultEnvironment): Promise<string | undefined> {
  if (vault.mode !== "dev") return undefined;
  return tokenIn(api, namespaces.vault, devRootTokenName(vault.release));
}

async function tokenIn(api: KubeApi, namespace: string, name: string): Promise<string | undefined> {
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const token = (await api.find(core.readNamespacedSecret({ namespace, name })))?.data?.token;
  return token === undefined ? undefined : Buffer.from(token, "base64").toString();
}

/** A port of the stack's own, below those that systems give to outgoing connections; the same in every run. */
export function defaultLocalPort(owner: string): number {
  return 20_000 + (createHash("sha256").update(owner).digest().readUInt32BE() % 10_000);
}
