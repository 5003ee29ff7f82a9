import type { X509Certificate } from "node:crypto";
import { request as requestByHttp } from "node:http";
import { request as requestByHttps } from "node:https";
import { isIP, type Socket } from "node:net";
import { connect, type ConnectionOptions } from "node:tls";
import { proxyFor } from "../../../../constructs/proxy";
import type { VaultConnection } from "../../../../constructs/stores/vault/api/client";

/** How long a server may take to serve it, in milliseconds. */
const bound = 10_000;

/**
 * The certificate that somebody serves.
 *
 * @throws Error with OpenSSL's words where nobody answers within 10 s, or the certificate is not to be trusted
 */
export async function servedCertificate({
  address,
  caCert,
  tlsServerName,
  clientCertificate,
}: Omit<VaultConnection, "token">): Promise<X509Certificate> {
  const { hostname, port: given } = new URL(address);
  const [host, port] = [hostname.replaceAll(/^\[|\]$/g, ""), Number(given || 443)];
  const proxy = proxyFor(address);
  const options: ConnectionOptions = {
    ...(proxy === undefined ? { host, port } : { host, socket: await tunnel(proxy, `${hostname}:${port}`) }),
    ...(caCert === undefined ? {} : { ca: caCert }),
    // Node's TLS says no name by itself, and a gateway would serve another's certificate.
    ...(tlsServerName === undefined && isIP(host) !== 0 ? {} : { servername: tlsServerName ?? host }),
    ...clientCertificate,
  };
  return new Promise((resolve, reject) => {
    const socket = connect(options, () => {
      const certificate = socket.getPeerX509Certificate();
      socket.destroy();
      if (certificate === undefined) reject(new Error(`${address} serves no certificate`));
      else resolve(certificate);
    });
    socket.setTimeout(bound, () => socket.destroy(new Error(`${address} does not answer within 10 s`)));
    socket.on("error", reject);
  });
}

/** A connection to a server by way of a proxy. */
function tunnel(proxy: string, path: string): Promise<Socket> {
  const { protocol, hostname, port, username, password } = new URL(proxy);
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const headers = { "Proxy-Authorization": `Basic ${Buffer.from(login).toString("base64")}` };
  const request = protocol === "https:" ? requestByHttps : requestByHttp;
  return new Promise((resolve, reject) => {
    const asked = request({
      method: "CONNECT",
      host: hostname.replaceAll(/^\[|\]$/g, ""),
      port: port || (protocol === "https:" ? 443 : 80),
      path,
      ...(username === "" ? {} : { headers }),
    });
    asked.on("connect", ({ statusCode }, socket: Socket) => {
      if (statusCode === 200) resolve(socket);
      else reject(new Error(`the proxy answers ${statusCode ?? "nothing"} to CONNECT ${path}`));
    });
    asked.setTimeout(bound, () => asked.destroy(new Error("the proxy does not answer within 10 s")));
    asked.on("error", reject);
    asked.end();
  });
}
