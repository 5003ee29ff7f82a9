import "reflect-metadata";
import { webcrypto, X509Certificate } from "node:crypto";
import { PemConverter, X509CertificateGenerator } from "@peculiar/x509";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const dayMilliseconds = 24 * 3600 * 1000;

/** A private key and a certificate of it that lives for some days from now, or ended so long ago. */
export async function certifiedKey(days: number): Promise<{ readonly private: string; readonly certificate: string }> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const now = Date.now();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: "CN=okta",
    keys: keys,
    signingAlgorithm: algorithm,
    notBefore: new Date(now - (Math.abs(days) + 1) * dayMilliseconds),
    notAfter: new Date(now + days * dayMilliseconds + 60_000),
  });
  const exported = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return {
    private: `${PemConverter.encode(exported, "PRIVATE KEY")}\n`,
    certificate: `${certificate.toString("pem")}\n`,
  };
}

/** When it ends, as an error says it. */
export function endOf(certificate: string): string {
  return new Date(new X509Certificate(certificate).validTo).toISOString();
}
