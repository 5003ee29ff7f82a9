import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Agent } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import { issueCa, issueServer } from "../../infra/certificates/issue";
import { StandInAgent } from "./agent";
import { Entra, type Identity } from "./entra";
import type { AzureAnswer, AzureRequest } from "./http";
import { keyVaultError } from "./http";
import { KeyVault } from "./key-vault";

/** One answered call; it holds no value and no token. */
export interface AzureCall {
  readonly host: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

const metadataHost = "169.254.169.254";
const entraHost = "login.microsoftonline.com";
const vaultSuffix = ".vault.azure.net";

/** The same for all stand-ins of a process. */
let issued: ReturnType<typeof issue> | undefined;

async function issue() {
  const ca = await issueCa("stand-in for Azure");
  return { ca, server: await issueServer(ca, { dns: [entraHost, `*${vaultSuffix}`], ip: [] }) };
}

/**
 * Stands in for Azure: Key Vault, Entra ID and the metadata service of a node, behind a proxy with a CA of its own. Programs
 * reach it by HTTPS_PROXY and HTTP_PROXY, and name Azure's real hosts: none of them is ever called.
 */
export class AzureStandIn {
  public readonly entra = new Entra();
  public readonly calls: AzureCall[] = [];
  /** Called before a request is answered, as by somebody who is quicker. */
  public beforeAnswer: ((request: AzureRequest) => void) | undefined;
  /** Whether a request is carried out, and its answer lost. */
  public loseAnswers: ((request: AzureRequest) => boolean) | undefined;
  private readonly vaults = new Map<string, KeyVault>();
  private readonly sockets = new Set<Socket>();
  private readonly services: Server;
  private throttled = { left: 0, retryAfterSeconds: 0 };

  private constructor(
    private readonly proxy: Server,
    private readonly context: SecureContext,
    /** CA of all hosts' certificates, PEM. */
    public readonly ca: string,
  ) {
    this.services = createServer((request, response) => void this.respond(request, response));
    proxy.on("request", (request, response) => void this.respond(request, response));
    proxy.on("connect", (request: IncomingMessage, socket: Socket) => {
      this.tunnel(request.url ?? "", socket);
    });
    proxy.on("connection", (socket: Socket) => {
      this.sockets.add(socket.on("error", () => undefined));
      socket.once("close", () => this.sockets.delete(socket));
    });
  }

  /** @param port of 127.0.0.1; by default any that is free */
  public static async start(port = 0): Promise<AzureStandIn> {
    const { ca, server } = await (issued ??= issue());
    const { cert, key } = server;
    const proxy = createServer();
    const standIn = new AzureStandIn(proxy, createSecureContext({ cert, key }), ca.cert);
    await new Promise<void>((resolve, reject) => {
      proxy.once("error", reject).listen(port, "127.0.0.1", resolve);
    });
    return standIn;
  }

  /** Port of the proxy, on 127.0.0.1. */
  public get port(): number {
    return (this.proxy.address() as AddressInfo).port;
  }

  /** What a program's environment needs to reach the stand-in; `caFile` holds `ca`. */
  public variables(caFile: string): Record<string, string> {
    const address = `http://127.0.0.1:${this.port}`;
    return { HTTPS_PROXY: address, HTTP_PROXY: address, NODE_EXTRA_CA_CERTS: caFile, SSL_CERT_FILE: caFile };
  }

  /** Connects by the proxy, and trusts its CA: for a client of this process, which read its variables long ago. */
  public agent(): Agent {
    return new StandInAgent(this.port, this.ca);
  }

  public addVault(name: string, tenantId: string): KeyVault {
    const vault = new KeyVault(name, tenantId, this.entra);
    this.vaults.set(`${name}${vaultSuffix}`.toLowerCase(), vault);
    return vault;
  }

  /** Has no DNS know a vault's name any more. */
  public removeVault(name: string): void {
    this.vaults.delete(`${name}${vaultSuffix}`.toLowerCase());
  }

  public addIdentity(identity: Identity): void {
    this.entra.identities.push(identity);
  }

  /** Has Key Vault refuse its next calls, as where a vault is asked more often than 4,000 times in 10 s. */
  public throttle(times: number, retryAfterSeconds: number): void {
    this.throttled = { left: times, retryAfterSeconds };
  }

  public async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.proxy.close(resolve));
  }

  private tunnel(target: string, socket: Socket): void {
    const host = target.replace(/:443$/, "").toLowerCase();
    if (host !== entraHost && !this.vaults.has(host)) {
      socket.end("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"); // as a name that no DNS knows
      return;
    }
    socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    const secure = new TLSSocket(socket, { isServer: true, secureContext: this.context, ALPNProtocols: ["http/1.1"] });
    secure.on("error", () => undefined); // of a client that does not trust the CA
    this.services.emit("connection", secure);
  }

  private async respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? "/", `http://${request.headers.host ?? "unknown"}`);
    const asked: AzureRequest = {
      method: request.method ?? "GET",
      host: url.hostname.toLowerCase(),
      path: url.pathname.replace(/(.)\/$/, "$1"),
      query: url.searchParams,
      headers: request.headers,
      body: Buffer.concat(chunks).toString(),
    };
    this.beforeAnswer?.(asked);
    const { status, headers = {}, body } = this.answer(asked);
    if (this.loseAnswers?.(asked) === true) {
      request.socket.destroy();
      return;
    }
    this.calls.push({ host: asked.host, method: asked.method, path: asked.path, status });
    response.writeHead(status, { "content-type": "application/json; charset=utf-8", ...headers });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  }

  private answer(request: AzureRequest): AzureAnswer {
    if (request.host === metadataHost) return this.entra.answerOnNode(request);
    if (request.host === entraHost) return this.entra.answer(request);
    const vault = this.vaults.get(request.host);
    if (vault === undefined) return { status: 502 };
    if (this.throttled.left > 0) {
      this.throttled.left -= 1;
      const headers = { "retry-after": String(this.throttled.retryAfterSeconds) };
      return { ...keyVaultError(429, "Throttled", "Too many requests", "VaultRequestTypeLimitReached"), headers };
    }
    return vault.answer(request);
  }
}
