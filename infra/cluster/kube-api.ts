import type { KubeConfig } from "@kubernetes/client-node" with {
  "resolution-mode": "import",
};

import type * as KubernetesClient from "@kubernetes/client-node" with { "resolution-mode": "import" };

/** An API object, as far as this stack looks at one. */
export interface ApiObjectSummary {
  readonly metadata?: {
    readonly name?: string;
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
  };
}

/** The cluster of one context of the kubeconfig. */
export class KubeApi {
  private constructor(
    public readonly client: typeof KubernetesClient,
    public readonly config: KubeConfig,
  ) {}

  /**
   * @param context name of the context; the kubeconfig's current one is not looked at
   * @throws Error that lists the kubeconfig's contexts, where it has no such one
   */
  public static async connect(context: string): Promise<KubeApi> {
    const client = await import("@kubernetes/client-node"); // an ES module, and only needed where a cluster is
    const config = new client.KubeConfig();
    config.loadFromDefault();
    const known = config.getContexts().map(({ name }) => name);
    if (!known.includes(context)) {
      throw new Error(
        `The kubeconfig has no context "${context}". It has: ${known.join(", ") || "none"}. ` +
          "Set kubeContext to one of them, or KUBECONFIG to the file that has it.",
      );
    }
    config.setCurrentContext(context);
    return new KubeApi(client, config);
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
