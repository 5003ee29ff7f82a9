import { createPrivateKey, X509Certificate } from "node:crypto";
import { issueCa, issueServer, type KeyPair } from "./issue";

/** The CA of a Vault of the stack's own, and its servers' certificate. */
export interface VaultCertificates {
  readonly ca: KeyPair;
  readonly server: KeyPair;
  /** CAs that were ours before, until their end: servers take a renewed certificate later than `up` writes it. PEM. */
  readonly former: string;
  /** The CA and the former ones, PEM. */
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
 * @param present those that are there; of `trusted`, which more people can write than a Secret, only those count that the
 * others prove to be ours
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
  const whole = (signer: KeyPair, own: KeyPair): VaultCertificates => {
    const former = formerCas(signer, { ...present, ca: presentCa }, now);
    return { ca: signer, server: own, former: bundle(former), trusted: bundle([signer.cert, ...former]) };
  };
  if (ca !== undefined && server !== undefined && isLasting(server) && isFor(server, names) && isSignedBy(server, ca)) {
    return whole(ca, server);
  }
  const signer = ca ?? (await issueCa(`${name} CA`));
  return whole(signer, await issueServer(signer, names));
}

/** What was our CA before: the one in its Secret, those noted beside it, and one that has signed the server's certificate. */
function formerCas(
  current: KeyPair,
  { ca, server, former = "", trusted = "" }: Partial<Omit<VaultCertificates, "ca">> & { ca: KeyPair | undefined },
  now: Date,
): string[] {
  const candidates = [
    ...certificatesIn(ca?.cert ?? ""),
    ...certificatesIn(former),
    ...certificatesIn(trusted).filter(({ publicKey }) =>
      certificatesIn(server?.cert ?? "").some((own) => own.verify(publicKey)),
    ),
  ];
  const byFingerprint = new Map(candidates.map((each) => [each.fingerprint256, each]));
  byFingerprint.delete(new X509Certificate(current.cert).fingerprint256);
  return [...byFingerprint.values()].filter(({ validTo }) => new Date(validTo) > now).map((each) => each.toString());
}

/** The certificates of a text that can be read. */
function certificatesIn(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.flatMap((block) => {
    try {
      return [new X509Certificate(block)];
    } catch {
      return []; // no certificate
    }
  });
}

function bundle(certificates: readonly string[]): string {
  return certificates.map((each) => `${each.trimEnd()}\n`).join("");
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
