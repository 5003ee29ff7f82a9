import { VaultClient, type VaultConnection, VaultError } from "../../../../constructs/stores/vault/api/client";
import { KvMount } from "../../../../constructs/stores/vault/api/kv-mount";
import { devRootTokenName, vaultTlsNames } from "../../../../constructs/stores/vault/names";
import { clientCertificate } from "../../../certificates/client-certificate";
import { KubeApi } from "../../../cluster/kube-api";
import { openPortForward } from "../../../cluster/port-forward";
import { vaultServerPods } from "../../../cluster/vault-server-pods";
import type { VaultEnvironment } from "../../../config/environment";
import { addressFromHere } from "../../../config/stores/vault/address";
import {
  configuredCa,
  isStored,
  signsOwnCertificates,
  tlsServerName,
  vaultPaths,
} from "../../../config/stores/vault/server";
import { PermissionDeniedError } from "../../permission-denied";
import { Session } from "../../session";

/** The environment's cluster and its Vault, each with the operator's own rights. */
export class VaultSession extends Session<VaultEnvironment> {
  private vaultAddress: Promise<string> | undefined;
  private ca: Promise<string | undefined> | undefined;
  private operator: Promise<VaultClient> | undefined;
  private kv: Promise<KvMount> | undefined;
  private lastForwardError: () => unknown = () => undefined;

  private constructor(
    environment: VaultEnvironment,
    api: KubeApi,
    private readonly vaultToken: string | undefined,
  ) {
    super(environment, api);
  }

  /**
   * Touches nothing yet.
   *
   * @param vaultToken the operator's token; by default that of `VAULT_TOKEN`, else dev mode's root token from its Secret
   */
  public static async open(
    environment: VaultEnvironment,
    vaultToken = process.env.VAULT_TOKEN || undefined,
  ): Promise<VaultSession> {
    return new VaultSession(environment, await KubeApi.connect(environment.kubeContext), vaultToken);
  }

  /** Whether the operator has given a token for Vault. */
  public get hasToken(): boolean {
    return this.vaultToken !== undefined;
  }

  /** Vault without a token, for what anybody may ask: health and login. */
  public async anonymousVault(): Promise<VaultClient> {
    return new VaultClient({ ...(await this.vaultConnection()), token: "" });
  }

  /** One for all calls, which share its connections. @throws PermissionDeniedError where there is no token */
  public operatorVault(): Promise<VaultClient> {
    this.operator ??= this.connectOperator().catch((error: unknown) => {
      this.operator = undefined;
      throw error;
    });
    return this.operator;
  }

  /** The KV mount as the operator may use it; its version is asked for once. */
  public kvMount(): Promise<KvMount> {
    this.kv ??= this.operatorVault().then(
      (vault) => new KvMount(vault, vaultPaths(this.environment).kvMount),
      (error: unknown) => {
        this.kv = undefined;
        throw error;
      },
    );
    return this.kv;
  }

  /** How to reach Vault from here. */
  public async vaultConnection(): Promise<Omit<VaultConnection, "token">> {
    this.vaultAddress ??= this.reachVault();
    const [address, common] = await Promise.all([this.vaultAddress, this.commonConnection()]);
    return { address, ...common };
  }

  /** CA of Vault's certificate, PEM; none where everybody trusts it, or Vault has no TLS. */
  public async vaultCa(): Promise<string | undefined> {
    const { vault, namespaces } = this.environment;
    const configured = configuredCa(this.environment);
    if (configured !== undefined || !signsOwnCertificates(vault)) return configured;
    const core = this.api.config.makeApiClient(this.api.client.CoreV1Api);
    const name = vaultTlsNames(vault.release).ca;
    const reference = { namespace: namespaces.vault, name };
    return (await this.permitted(this.api.find(core.readNamespacedConfigMap(reference))))?.data?.["ca.crt"];
  }

  /** Why the way to a Vault in the cluster failed last, where it did. */
  public forwardError(): unknown {
    return this.lastForwardError();
  }

  protected override lackIn(error: unknown): PermissionDeniedError | undefined {
    return error instanceof VaultError && error.status === 403
      ? new PermissionDeniedError(`Vault refuses ${error.request} with this token`)
      : super.lackIn(error);
  }

  private async connectOperator(): Promise<VaultClient> {
    const [connection, token] = await Promise.all([this.vaultConnection(), this.vaultToken ?? this.devRootToken()]);
    return new VaultClient({ ...connection, token });
  }

  private async reachVault(): Promise<string> {
    const { vault } = this.environment;
    if (vault.mode === "external") return addressFromHere(vault);
    const { port, lastError } = await openPortForward(this.api, vaultServerPods(this.environment), 0);
    this.lastForwardError = lastError;
    return `${isStored(vault) ? "https" : "http"}://127.0.0.1:${port}`;
  }

  private async devRootToken(): Promise<string> {
    const { vault, namespaces } = this.environment;
    const needed = new PermissionDeniedError("a Vault token: set VAULT_TOKEN");
    if (vault.mode !== "dev") throw needed;
    const core = this.api.config.makeApiClient(this.api.client.CoreV1Api);
    const name = devRootTokenName(vault.release);
    try {
      const { data } = await core.readNamespacedSecret({ namespace: namespaces.vault, name });
      return Buffer.from(data?.token ?? "", "base64").toString();
    } catch (error) {
      throw error instanceof this.api.client.ApiException ? needed : error;
    }
  }

  /** What is the same for each server of this Vault. */
  public async commonConnection(): Promise<Omit<VaultConnection, "address" | "token">> {
    const { vault } = this.environment;
    this.ca ??= this.vaultCa();
    const caCert = await this.ca;
    return {
      ...(vault.mode === "external" && vault.vaultNamespace !== undefined
        ? { vaultNamespace: vault.vaultNamespace }
        : {}),
      ...(caCert === undefined ? {} : { caCert }),
      tlsServerName: tlsServerName(this.environment),
      ...(vault.mode === "external" ? { clientCertificate: clientCertificate() } : {}),
    };
  }
}
