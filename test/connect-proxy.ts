import { createServer, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";

/** A proxy of 127.0.0.1 that takes CONNECT alone, and knows where each host really is. */
export class ConnectProxy {
  /** Hosts and ports that were asked for. */
  public readonly asked: string[] = [];
  /** What it wants of who asks, as `Basic …`. */
  public authorization: string | undefined;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly portOf: (host: string) => number,
  ) {
    server.on("connect", (request: IncomingMessage, socket: Socket) => {
      this.asked.push(request.url!);
      if (this.authorization !== undefined && request.headers["proxy-authorization"] !== this.authorization) {
        socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
        return;
      }
      const target = connect(this.portOf(request.url!), "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        socket.pipe(target).pipe(socket);
      });
      for (const each of [socket, target]) this.sockets.add(each.on("error", () => undefined));
    });
  }

  /** @param portOf port of 127.0.0.1 where a host and port of a request really is */
  public static async start(portOf: (host: string) => number): Promise<ConnectProxy> {
    const server = createServer((_, response) => response.writeHead(405).end());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new ConnectProxy(server, portOf);
  }

  public get address(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  public async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
