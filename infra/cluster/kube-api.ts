import type * as KubernetesClient from "@kubernetes/client-node" with { "resolution-mode": "import" };
import type { KubeConfig } from "@kubernetes/client-node" with {
  "resolution-mode": "import",
};
import { proxyFor } from "../../constructs/proxy";
import { boundCalls } from "./bounded-calls";
import { unusableKubeconfig } from "./unusable-kubeconfig";

/** An API object, as far as this stack looks at one. */
export interface ApiObjectSummary {
  readonly metadata?: {
    readonly name?: string;
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
  };
}

/** The cluster of one context of the kubeconfig; each call of `config`'s clients ends in time. */
export class KubeApi {
  private constructor(
    public readonly client: typeof KubernetesClient,
    public readonly config: KubeConfig,
  ) {}

  /** The kubeconfig's cluster of a context; its current one is not looked at. */
  public static async connect(context: string): Promise<KubeApi> {
    const { client, config } = await loadKubeConfig();
    config.setCurrentContext(context);
    return new KubeApi(client, config);
  }

  /**
   * Names of the kubeconfig's contexts; none where there is no kubeconfig.
   *
   * @throws UnusableKubeconfigError where it cannot be read
   */
  public static async contexts(): Promise<string[]> {
    const config = await readableKubeConfig();
    if (config === undefined) return [];
    const names = config.getContexts().map(({ name }) => name);
    return names.filter((name) => name !== "loaded-context"); // what the client makes up where it finds none
  }

  /** What a read returns, or undefined where there is no such object. */
  public async find<T>(read: Promise<T>): Promise<T | undefined> {
    try {
      return await read;
    } catch (error) {
      if (error instanceof this.client.ApiException && error.code === 404) return undefined;
      throw error;
    }
  }
}

/** The kubeconfig; undefined where there is none. @throws UnusableKubeconfigError where it cannot be read */
async function readableKubeConfig(): Promise<KubeConfig | undefined> {
  try {
    return (await loadKubeConfig()).config;
  } catch (error) {
    const unusable = unusableKubeconfig(error);
    if (unusable === undefined) return undefined;
    throw unusable;
  }
}

async function loadKubeConfig(): Promise<{ client: typeof KubernetesClient; config: KubeConfig }> {
  const client = await import("@kubernetes/client-node"); // an ES module, and only needed where a cluster is
  const config = new client.KubeConfig();
  config.loadFromDefault();
  config.clusters = config.clusters.map((cluster) => {
    // As kubectl does: what the kubeconfig itself says wins.
    const proxyUrl = cluster.proxyUrl ?? (URL.canParse(cluster.server) ? proxyFor(cluster.server) : undefined);
    return proxyUrl === undefined ? cluster : { ...cluster, proxyUrl };
  });
  boundCalls(client, config);
  return { client, config };
}
