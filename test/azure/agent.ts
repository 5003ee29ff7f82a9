import { request } from "node:http";
import { Agent, type AgentOptions } from "node:https";
import type { Duplex } from "node:stream";
import { connect } from "node:tls";

/** Reaches every host by one proxy, and trusts one CA. */
export class StandInAgent extends Agent {
  public constructor(
    private readonly port: number,
    private readonly ca: string,
  ) {
    super({ keepAlive: false });
  }

  public override createConnection(
    { host, servername }: AgentOptions & { readonly host?: string; readonly servername?: string },
    done: (error: Error | null, socket?: Duplex) => void,
  ): undefined {
    const target = servername ?? host ?? "";
    const tunnel = request({
      host: "127.0.0.1",
      port: this.port,
      method: "CONNECT",
      path: `${target}:443`,
      agent: false,
    });
    tunnel.once("error", done);
    tunnel.once("connect", ({ statusCode }, socket) => {
      if (statusCode !== 200) {
        socket.destroy();
        done(new Error(`the proxy answered CONNECT ${target} with ${statusCode}`));
        return;
      }
      done(null, connect({ socket, servername: target, ca: this.ca }));
    });
    tunnel.end();
  }
}
