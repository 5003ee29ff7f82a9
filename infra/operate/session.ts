import { KubeApi } from "../cluster/kube-api";
import type { Environment } from "../config/environment";
import { firstLine } from "./errors";
import { PermissionDeniedError } from "./permission-denied";

/** What an operator's commands reach of an environment's cluster, with the operator's own rights. */
export class Session<E extends Environment = Environment> {
  protected constructor(
    public readonly environment: E,
    public readonly api: KubeApi,
  ) {}

  /** Touches nothing yet. */
  public static async connect<E extends Environment>(environment: E): Promise<Session<E>> {
    return new Session(environment, await KubeApi.connect(environment.kubeContext));
  }

  /** The same cluster, of an environment that sees it otherwise. */
  public of(environment: Environment): Session {
    return new Session<Environment>(environment, this.api);
  }

  /** A call to the cluster; a refusal becomes a PermissionDeniedError. */
  public readonly permitted = async <T>(call: Promise<T>): Promise<T> => {
    try {
      return await call;
    } catch (error) {
      throw this.lackIn(error) ?? error;
    }
  };

  /** The right that a refused call lacks; undefined where it failed otherwise. */
  protected lackIn(error: unknown): PermissionDeniedError | undefined {
    return error instanceof this.api.client.ApiException && error.code === 403
      ? new PermissionDeniedError(firstLine(error)) // as `pods is forbidden: User "x" cannot list resource "pods" …`
      : undefined;
  }

  /** A token of the pods' ServiceAccount for an audience, as kubelet hands it to the driver; valid for 10 minutes, the least there is. */
  public async podToken(audience: string): Promise<string> {
    const { api, environment } = this;
    const core = api.config.makeApiClient(api.client.CoreV1Api);
    const [namespace, name] = [environment.namespaces.aidbox, environment.aidbox.name];
    const { AuthenticationV1TokenRequest, V1TokenRequestSpec } = api.client;
    const body = Object.assign(new AuthenticationV1TokenRequest(), {
      spec: Object.assign(new V1TokenRequestSpec(), { audiences: [audience], expirationSeconds: 600 }),
    });
    const { status } = await this.permitted(core.createNamespacedServiceAccountToken({ namespace, name, body }));
    return status?.token ?? "";
  }

  /** Content of a Kubernetes Secret beside Aidbox's pods; empty where there is none. */
  public async secretBesidePods(name: string): Promise<Readonly<Record<string, string>>> {
    const { api, environment } = this;
    const core = api.config.makeApiClient(api.client.CoreV1Api);
    const reference = { namespace: environment.namespaces.aidbox, name };
    const found = await this.permitted(api.find(core.readNamespacedSecret(reference)));
    return Object.fromEntries(
      Object.entries(found?.data ?? {}).map(([key, text]) => [key, Buffer.from(text, "base64").toString()] as const),
    );
  }
}
