import type { X509Certificate } from "node:crypto";
import { connect, type ConnectionOptions } from "node:tls";

/**
 * The certificate that somebody serves.
 *
 * @param ca whom to trust, PEM; by default whom everybody trusts
 * @throws Error with OpenSSL's words where nobody answers within 10 s, or the certificate is not to be trusted
 */
export function servedCertificate(address: string, ca: string | undefined): Promise<X509Certificate> {
  const { hostname, port } = new URL(address);
  const options: ConnectionOptions = { host: hostname, port: Number(port || 443), ...(ca === undefined ? {} : { ca }) };
  return new Promise((resolve, reject) => {
    const socket = connect(options, () => {
      const certificate = socket.getPeerX509Certificate();
      socket.destroy();
      if (certificate === undefined) reject(new Error(`${address} serves no certificate`));
      else resolve(certificate);
    });
    socket.setTimeout(10_000, () => socket.destroy(new Error(`${address} does not answer within 10 s`)));
    socket.on("error", reject);
  });
}
