import { VaultClient, VaultError } from "../../constructs/vault";
import { vaultServerPods } from "../cluster/cluster";
import { KubeApi } from "../cluster/kube-api";
import { openPortForward } from "../cluster/port-forward";
import type { Environment } from "../config/environment";
import { MissingRightError } from "./missing-right";

/** What an operator's commands reach: the environment's cluster and its Vault, each with the operator's own rights. */
export class Session {
  private vaultAddress: Promise<string> | undefined;
  private lastForwardError: () => unknown = () => undefined;

  private constructor(
    public readonly environment: Environment,
    public readonly api: KubeApi,
    private readonly vaultToken: string | undefined,
  ) {}

  /**
   * Touches nothing yet.
   *
   * @param vaultToken the operator's token; by default that of `VAULT_TOKEN`, else dev mode's root token from its Secret
   */
  public static async open(environment: Environment, vaultToken = process.env.VAULT_TOKEN): Promise<Session> {
    return new Session(environment, await KubeApi.connect(environment.kubeContext), vaultToken);
  }

  /** Vault without a token, for what anybody may ask: health and login. */
  public async anonymousVault(): Promise<VaultClient> {
    this.vaultAddress ??= this.reachVault();
    return new VaultClient({ address: await this.vaultAddress, token: "", ...this.vaultNamespace() });
  }

  /** @throws MissingRightError where there is no token */
  public async operatorVault(): Promise<VaultClient> {
    this.vaultAddress ??= this.reachVault();
    const [address, token] = await Promise.all([this.vaultAddress, this.vaultToken ?? this.devRootToken()]);
    return new VaultClient({ address, token, ...this.vaultNamespace() });
  }

  /** Why the way to a Vault in the cluster failed last, where it did. */
  public forwardError(): unknown {
    return this.lastForwardError();
  }

  /** A call to the cluster or to Vault; a refusal becomes a MissingRightError. */
  public readonly permitted = async <T>(call: Promise<T>): Promise<T> => {
    try {
      return await call;
    } catch (error) {
      if (error instanceof this.api.client.ApiException && error.code === 403) {
        throw new MissingRightError(refusalOf(error.body));
      }
      if (error instanceof VaultError && error.status === 403) {
        throw new MissingRightError(`Vault refuses ${error.request} with this token`);
      }
      throw error;
    }
  };

  private async reachVault(): Promise<string> {
    const { vault } = this.environment;
    if (vault.mode === "external") return vault.addressFromHere ?? vault.address;
    const { port, lastError } = await openPortForward(this.api, vaultServerPods(this.environment), 0);
    this.lastForwardError = lastError;
    return `http://127.0.0.1:${port}`;
  }

  private async devRootToken(): Promise<string> {
    const { vault, namespaces } = this.environment;
    const needed = new MissingRightError("a Vault token: set VAULT_TOKEN");
    if (vault.mode !== "dev") throw needed;
    const core = this.api.config.makeApiClient(this.api.client.CoreV1Api);
    const name = `${vault.release}-dev-root-token`;
    try {
      const { data } = await core.readNamespacedSecret({ namespace: namespaces.vault, name });
      return Buffer.from(data?.token ?? "", "base64").toString();
    } catch (error) {
      throw error instanceof this.api.client.ApiException ? needed : error;
    }
  }

  private vaultNamespace(): { vaultNamespace?: string } {
    const { vault } = this.environment;
    return vault.mode === "external" && vault.vaultNamespace !== undefined
      ? { vaultNamespace: vault.vaultNamespace }
      : {};
  }
}

/** Kubernetes' own words for what is refused, as `pods is forbidden: User "x" cannot list resource "pods" …`. */
function refusalOf(body: unknown): string {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  try {
    return (JSON.parse(text) as { message?: string }).message ?? text;
  } catch {
    return text;
  }
}
