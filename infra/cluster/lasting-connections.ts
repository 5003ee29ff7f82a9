import { Agent as HttpAgent, type AgentOptions } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { isDeepStrictEqual } from "node:util";
import type { RequestContext } from "@kubernetes/client-node" with { "resolution-mode": "import" };

/** How long a connection that nobody uses is kept, in milliseconds: less than an API server or a load balancer keeps it. */
const idleMilliseconds = 4000;

/**
 * Has reads share connections: the client opens one for each call, with a TLS handshake of its own. A write has its own: where
 * the other end closes one that lay idle, nobody knows whether a write in it was carried out.
 */
export class LastingConnections {
  private shared: HttpAgent | undefined;
  /** Those of the agent that the client made: with a renewed credential they are others. */
  private options: AgentOptions | undefined;

  /** Sends a request; a read that finds its connection closed is sent once more, by one of its own. */
  public async send<T>(request: RequestContext, send: () => Promise<T>): Promise<T> {
    const own = request.getAgent();
    const shared = this.sharedLike(own);
    if (request.getHttpMethod().toString() !== "GET" || own === undefined || shared === undefined) return send();
    request.setAgent(shared);
    try {
      return await send();
    } catch (error) {
      if (!["ECONNRESET", "EPIPE"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
      request.setAgent(own);
      return send();
    }
  }

  /** An agent that keeps connections; none for a way by a proxy, which keeps to its own. */
  private sharedLike(own: unknown): HttpAgent | undefined {
    const type = [HttpAgent, HttpsAgent].find((each) => (own as object | undefined)?.constructor === each);
    if (type === undefined) return undefined;
    const { options } = own as HttpAgent & { readonly options: AgentOptions };
    if (this.shared === undefined || !isDeepStrictEqual(this.options, options)) {
      this.options = options;
      this.shared = new type({ ...options, keepAlive: true, timeout: idleMilliseconds });
    }
    return this.shared;
  }
}
