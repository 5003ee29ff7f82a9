import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { issueCa, issueServer } from "../../infra/certificates/issue";

/** A listener that answers those alone who show a certificate of its CA. */
export interface StrictListener {
  readonly address: string;
  /** CA of its own certificate and of its clients', PEM. */
  readonly ca: string;
  /** Files of a client's certificate and its key. */
  readonly files: { readonly cert: string; readonly key: string };
  /** File of Vault's config. */
  readonly config: string;
}

/**
 * @param folder for its files
 * @param host address of this machine, by which clients reach it
 */
export async function strictListener(folder: string, host: string, port: number): Promise<StrictListener> {
  const ca = await issueCa("a gateway before Vault");
  const { cert, key } = await issueServer(ca, { dns: ["gateway"], ip: [host] });
  const write = (name: string, text: string): string => {
    const file = join(folder, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  };
  const files = { cert: write("client.crt", cert), key: write("client.key", key) };
  const tcp = {
    address: `0.0.0.0:${port}`,
    tls_cert_file: files.cert,
    tls_key_file: files.key,
    tls_client_ca_file: write("clients-ca.pem", ca.cert),
    tls_require_and_verify_client_cert: true,
  };
  const config = write("strict.json", JSON.stringify({ listener: [{ tcp }] }));
  return { address: `https://${host}:${port}`, ca: ca.cert, files, config };
}
