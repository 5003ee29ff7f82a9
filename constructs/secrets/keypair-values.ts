import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  randomBytes,
  X509Certificate,
} from "node:crypto";
import { promisify } from "node:util";
import { type KeypairPart, partsOf } from "./keypair";
import type { KeypairKind } from "./keypair-kind";

/** A keypair's values by part. */
export type KeypairValues = Readonly<Partial<Record<KeypairPart, string>>>;

/** Least bits of an RSA key. */
const leastBits = 2048;
/** Aidbox asks for more than 32 bytes. */
const secretBytes = 48;

const makeKeys = promisify(generateKeyPair);

/** Makes what Aidbox signs its tokens with: RSA of 2048 bits, or EC on P-256; PKCS#8 and SPKI, PEM. */
export async function makeTokenKeys(kind: "rsa" | "ec"): Promise<Required<Omit<KeypairValues, "certificate">>> {
  const { privateKey } =
    kind === "rsa"
      ? await makeKeys("rsa", { modulusLength: leastBits })
      : await makeKeys("ec", { namedCurve: "prime256v1" });
  return {
    private: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    ...completeTokenKeys(privateKey),
  };
}

/**
 * A keypair from a text with PEM blocks: of a token's keys the private key, whose public half and a new random secret are
 * added; of the other kind the private key and its certificate.
 */
export function keypairFrom(kind: KeypairKind, text: string): KeypairValues {
  const blocks = text.match(/-----BEGIN [^-]+-----[\s\S]*?-----END [^-]+-----/g) ?? [];
  const withLabel = (label: RegExp): string | undefined => blocks.find((block) => label.test(block.split("\n")[0]!));
  const privatePem = withLabel(/PRIVATE KEY/);
  const values = { ...(privatePem === undefined ? {} : { private: `${privatePem}\n` }) };
  if (kind === "certificate") {
    const chain = blocks.filter((block) => block.startsWith("-----BEGIN CERTIFICATE-----"));
    return { ...values, ...(chain.length === 0 ? {} : { certificate: `${chain.join("\n")}\n` }) };
  }
  const key = privatePem === undefined ? undefined : readKey(() => createPrivateKey(privatePem));
  return key === undefined ? values : { ...values, ...completeTokenKeys(key) };
}

function completeTokenKeys(privateKey: KeyObject): { readonly public: string; readonly secret: string } {
  return {
    public: createPublicKey(privateKey).export({ type: "spki", format: "pem" }).toString(),
    secret: randomBytes(secretBytes).toString("base64url"),
  };
}

/**
 * What is wrong with a keypair, so that Aidbox would not start with it, or could not use it. It never shows a value.
 *
 * Source: https://www.health-samurai.io/docs/aidbox/configuration/configure-aidbox-and-multibox, "Key format requirements"
 */
export function findKeypairProblems(kind: KeypairKind, values: KeypairValues, now = new Date()): string[] {
  const missing = partsOf(kind).filter((part) => (values[part] ?? "").trim() === "");
  const privateKey = missing.includes("private") ? undefined : readPrivate(values.private!);
  const problems = typeof privateKey === "string" ? [`private ${privateKey}`] : [];
  if (missing.length > 0) {
    // The other parts of a token's keys are made from the private one, where that can be read.
    const isCause = problems.length > 0 && kind !== "certificate";
    return isCause ? problems : [...problems, `it has no ${missing.join(" and no ")}: all parts are written at once`];
  }
  if (kind === "certificate") {
    return [
      ...problems,
      ...certificateProblems(values.certificate!, typeof privateKey === "object" ? privateKey : undefined, now),
    ];
  }
  const publicKey = readPublic(values.public!);
  if (typeof publicKey === "string") problems.push(`public ${publicKey}`);
  if (typeof privateKey === "object" && typeof publicKey === "object" && !belongs(publicKey, privateKey)) {
    problems.push("public does not belong to private: write both halves of one pair");
  }
  const bytes = Buffer.byteLength(values.secret!);
  if (bytes <= 32) problems.push(`secret has ${bytes} bytes: Aidbox asks for more than 32`);
  return problems;
}

function belongs(publicKey: KeyObject, privateKey: KeyObject): boolean {
  // Of keys of two types OpenSSL leaves an error behind, by which the next key that is read fails (Node 20.20).
  return publicKey.asymmetricKeyType === privateKey.asymmetricKeyType && createPublicKey(privateKey).equals(publicKey);
}

/** When a certificate ends; undefined where it is none. */
export function certificateEnd(pem: string): Date | undefined {
  const certificate = readCertificate(pem);
  return certificate === undefined ? undefined : new Date(certificate.validTo);
}

/** The key, or what is wrong with it. */
function readPrivate(pem: string): KeyObject | string {
  const label = labelOf(pem);
  if (label === undefined) return "is no PEM: write it whole, with its BEGIN and END lines";
  if (label === "OPENSSH PRIVATE KEY") {
    return "is an OpenSSH key, which Aidbox does not take: convert it by `ssh-keygen -p -m PEM -f FILE`";
  }
  if (!/^((RSA|EC) )?PRIVATE KEY$/.test(label))
    return `is ${/^[A-Z0-9 ]+$/.test(label) ? label : "another thing"}, and no private key without a passphrase`;
  if (/^Proc-Type:.*ENCRYPTED/m.test(pem)) return "has a passphrase, which Aidbox is not told: write it without one";
  const key = readKey(() => createPrivateKey(pem));
  return key === undefined ? "is no private key that can be read: it may be cut off" : supported(key);
}

function readPublic(pem: string): KeyObject | string {
  const label = labelOf(pem);
  if (label === undefined) return "is no PEM: write it whole, with its BEGIN and END lines";
  // Node makes a public key of a private one too, and Aidbox would show that in its settings.
  if (!/^(RSA )?PUBLIC KEY$/.test(label)) return "is no public key: write what `openssl pkey -pubout` prints";
  const key = readKey(() => createPublicKey(pem));
  return key === undefined ? "is no public key that can be read: it may be cut off" : supported(key);
}

function supported(key: KeyObject): KeyObject | string {
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType === "rsa") return bits >= leastBits ? key : `has ${bits} bits: write ${leastBits} or more`;
  return key.asymmetricKeyType === "ec" ? key : `is of type ${key.asymmetricKeyType}: Aidbox takes RSA and EC`;
}

function certificateProblems(pem: string, privateKey: KeyObject | undefined, now: Date): string[] {
  const certificate = readCertificate(pem);
  if (certificate === undefined) return ["certificate is no certificate: write it as PEM"];
  const [begins, ends] = [new Date(certificate.validFrom), new Date(certificate.validTo)];
  return [
    ...(privateKey === undefined || certificate.checkPrivateKey(privateKey)
      ? []
      : ["certificate does not belong to private: write both halves of one pair"]),
    ...(ends <= now ? [`certificate ended at ${ends.toISOString()}: write a new one`] : []),
    ...(begins > now ? [`certificate begins at ${begins.toISOString()}: write one that is valid now`] : []),
  ];
}

function readCertificate(pem: string): X509Certificate | undefined {
  if (labelOf(pem) !== "CERTIFICATE") return undefined;
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

/** OpenSSL's errors say where it stopped, which is nothing to act on. */
function readKey(read: () => KeyObject): KeyObject | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function labelOf(pem: string): string | undefined {
  return /^\s*-----BEGIN ([^-]+)-----[\s\S]+-----END \1-----\s*/.exec(pem)?.[1];
}
