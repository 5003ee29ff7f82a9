import { createPrivateKey, X509Certificate } from "node:crypto";
import { issueCa, issueServer, type KeyPair } from "./issue";

/** The CA of a Vault of the stack's own, and its servers' certificate. */
export interface VaultCertificates {
  readonly ca: KeyPair;
  readonly server: KeyPair;
  /** The CA, and former ones until their end: servers take a renewed certificate later than `up` writes it. PEM. */
  readonly trusted: string;
}

/** What names a Vault's servers are reached by. */
export interface ServerNames {
  readonly dns: readonly string[];
  readonly ip: readonly string[];
}

/** How long before its end a certificate is renewed, in days. */
export const renewalDays = 60;

/**
 * The certificates that are there, with those issued anew that are missing, near their end or without a name.
 *
 * @param present those that are there
 * @param now the time
 */
export async function renewCertificates(
  name: string,
  names: ServerNames,
  present: Partial<VaultCertificates>,
  now = new Date(),
): Promise<VaultCertificates> {
  const { ca: presentCa, server: presentServer } = {
    ca: sound(present.ca),
    server: sound(present.server),
  };
  const isLasting = ({ cert }: KeyPair): boolean =>
    new Date(new X509Certificate(cert).validTo).getTime() - now.getTime() > renewalDays * 24 * 3600 * 1000;
  const ca = presentCa !== undefined && isLasting(presentCa) ? presentCa : undefined;
  const server = presentServer;
  const trusted = (current: KeyPair): string => bundle(current, present.trusted ?? present.ca?.cert ?? "", now);
  if (ca !== undefined && server !== undefined && isLasting(server) && isFor(server, names) && isSignedBy(server, ca)) {
    return { ca, server, trusted: trusted(ca) };
  }
  const signer = ca ?? (await issueCa(`${name} CA`));
  return { ca: signer, server: await issueServer(signer, names), trusted: trusted(signer) };
}

/** The CA first, then those of a bundle that are others and not over. */
function bundle(ca: KeyPair, former: string, now: Date): string {
  const current = new X509Certificate(ca.cert).fingerprint256;
  const valid = (former.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).filter((pem) => {
    try {
      const { fingerprint256, validTo } = new X509Certificate(pem);
      return fingerprint256 !== current && new Date(validTo) > now;
    } catch {
      return false; // no certificate
    }
  });
  return [ca.cert.trimEnd(), ...valid, ""].join("\n");
}

/** The pair where both can be read and belong together; none otherwise. */
function sound(pair: KeyPair | undefined): KeyPair | undefined {
  if (pair === undefined) return undefined;
  try {
    return new X509Certificate(pair.cert).checkPrivateKey(createPrivateKey(pair.key)) ? pair : undefined;
  } catch {
    return undefined; // no certificate, or no key
  }
}

function isFor({ cert }: KeyPair, { dns, ip }: ServerNames): boolean {
  const parsed = new X509Certificate(cert);
  const named = new Set(parsed.subjectAltName?.split(", ") ?? []);
  return dns.every((each) => named.has(`DNS:${each}`)) && ip.every((each) => parsed.checkIP(each) !== undefined);
}

function isSignedBy({ cert }: KeyPair, ca: KeyPair): boolean {
  return new X509Certificate(cert).verify(new X509Certificate(ca.cert).publicKey);
}
