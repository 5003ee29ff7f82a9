import { createPublicKey, X509Certificate } from "node:crypto";
import { matching } from "./primitives";

const block = /-----BEGIN ([A-Z ]+)-----[^-]+-----END \1-----/g;

const damaged = "is damaged or cut off: copy it whole, from -----BEGIN to -----END …-----";

/** One certificate or more. */
export const certificates = matching(/^-----BEGIN CERTIFICATE-----/, "write the certificate as PEM").refine(
  (text) => isWhole(text, (each) => new X509Certificate(each)),
  damaged,
);

/** As Vault checks the cluster's tokens with it. A JWKS, which Kubernetes gives, is another format. */
export const publicKey = matching(
  /^-----BEGIN (RSA PUBLIC KEY|PUBLIC KEY|CERTIFICATE)-----/,
  "write the public key as PEM; docs/own-vault.md shows how to make it of the cluster's JWKS",
).refine((text) => isWhole(text, createPublicKey), damaged);

function isWhole(text: string, read: (block: string) => unknown): boolean {
  const blocks = text.match(block) ?? [];
  if (blocks.length === 0 || text.replace(block, "").includes("-----")) return false;
  try {
    blocks.forEach(read);
    return true;
  } catch {
    return false;
  }
}
