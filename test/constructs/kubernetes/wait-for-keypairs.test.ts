import { spawnSync } from "node:child_process";
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  randomUUID,
} from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keypairFiles, waitForKeypairs } from "../../../constructs/kubernetes/wait-for-keypairs";
import { SecretTable } from "../../../constructs/secrets";
import { certifiedKey } from "../secrets/certificates";

const folder = mkdtempSync(join(tmpdir(), "keypairs-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function fileOf(text: string): string {
  const file = join(folder, randomUUID());
  writeFileSync(file, text);
  return file;
}

/** Whether the container would have ended; what it would say if not. A `sleep` that fails ends the script in place of a wait. */
function waitFor(...files: readonly (readonly [string, string])[]): { readonly ended: boolean; readonly said: string } {
  const [shell, flag, script, ...args] = waitForKeypairs("image", files).command!;
  const { status, stdout, stderr } = spawnSync(shell!, [flag!, `sleep() { exit 9; }\n${script!}`, ...args], {
    encoding: "utf8",
  });
  expect([0, 9]).toContain(status);
  expect(stderr).toBe("");
  return { ended: status === 0, said: stdout };
}

const rsa = (modulusLength: number) => generateKeyPairSync("rsa", { modulusLength });
const ec = (namedCurve: string) => generateKeyPairSync("ec", { namedCurve });
type Pair = ReturnType<typeof rsa>;
/** The public half of a key of that size that nobody has: to make a whole one takes half a second. */
function foreignRsa(modulusLength: number): KeyObject {
  const modulus = randomBytes(modulusLength / 8);
  modulus[0]! |= 0x80;
  modulus[modulus.length - 1]! |= 1;
  return createPublicKey({ key: { kty: "RSA", n: modulus.toString("base64url"), e: "AQAB" }, format: "jwk" });
}
const foreignEc = (namedCurve: string): KeyObject => ec(namedCurve).publicKey;
const publicPem = (key: KeyObject): string => key.export({ type: "spki", format: "pem" }).toString();

describe("the container that waits for a keypair's halves", () => {
  const kinds: [string, () => Pair, () => KeyObject, ("pkcs8" | "pkcs1" | "sec1")[]][] = [
    ["RSA of 2048 bits", () => rsa(2048), () => foreignRsa(2048), ["pkcs8", "pkcs1"]],
    ["RSA of 3072 bits", () => rsa(3072), () => foreignRsa(3072), ["pkcs8", "pkcs1"]],
    ["EC on P-256", () => ec("prime256v1"), () => foreignEc("prime256v1"), ["pkcs8", "sec1"]],
    ["EC on P-384", () => ec("secp384r1"), () => foreignEc("secp384r1"), ["pkcs8", "sec1"]],
    ["EC on P-521", () => ec("secp521r1"), () => foreignEc("secp521r1"), ["pkcs8", "sec1"]],
  ];
  test.each(kinds)("%s: ends with halves of one pair, and not with halves of two", (_, make, foreign, formats) => {
    const [one, two] = [make(), foreign()];
    for (const type of formats) {
      const half = fileOf(one.privateKey.export({ type, format: "pem" }).toString());
      expect(waitFor([half, fileOf(publicPem(one.publicKey))])).toEqual({ ended: true, said: "" });
      const other = fileOf(publicPem(two));
      const said = `waiting for ${half} and ${other}: halves of two keypairs\n`;
      expect(waitFor([half, other])).toEqual({ ended: false, said });
    }
  });

  it("compares a certificate too, of a chain the first", async () => {
    const [one, two] = [await certifiedKey(1), await certifiedKey(1)];
    const half = fileOf(one.private);
    expect(waitFor([half, fileOf(one.certificate + two.certificate)]).ended).toBe(true);
    expect(waitFor([half, fileOf(two.certificate + one.certificate)]).ended).toBe(false);
  });

  it("takes Windows' line ends", () => {
    const { privateKey, publicKey } = ec("prime256v1");
    const crlf = (text: string): string => fileOf(text.replaceAll("\n", "\r\n"));
    const half = crlf(privateKey.export({ type: "pkcs8", format: "pem" }).toString());
    expect(waitFor([half, crlf(publicPem(publicKey))]).ended).toBe(true);
  });

  it.each(["", "no PEM", "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n"])("waits for %j", (text) => {
    const half = fileOf(ec("prime256v1").privateKey.export({ type: "pkcs8", format: "pem" }).toString());
    expect(waitFor([half, fileOf(text)]).ended).toBe(false);
    expect(waitFor([fileOf(text), half]).ended).toBe(false);
  });

  it("leaves to Aidbox a curve's key without its public half", () => {
    const { privateKey, publicKey } = ec("prime256v1");
    const { d } = privateKey.export({ format: "jwk" });
    // RFC 5915 without its optional public key: SEQUENCE { INTEGER 1, OCTET STRING d, [0] prime256v1 }
    const der = Buffer.concat([
      Buffer.from("30310201010420", "hex"),
      Buffer.from(d!, "base64url"),
      Buffer.from("a00a06082a8648ce3d030107", "hex"),
    ]);
    const bare = `-----BEGIN EC PRIVATE KEY-----\n${der.toString("base64")}\n-----END EC PRIVATE KEY-----\n`;
    expect(createPrivateKey(bare).asymmetricKeyType).toBe("ec");
    expect(waitFor([fileOf(bare), fileOf(publicPem(publicKey))]).ended).toBe(true);
  });

  it("waits for each pair of several", () => {
    const [one, two] = [ec("prime256v1"), ec("prime256v1")];
    const half = (pair: Pair): string => fileOf(pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString());
    const right = [half(one), fileOf(publicPem(one.publicKey))] as const;
    const wrong = [half(two), fileOf(publicPem(one.publicKey))] as const;
    expect(waitFor(right, right).ended).toBe(true);
    expect(waitFor(right, wrong).said).toBe(`waiting for ${wrong[0]} and ${wrong[1]}: halves of two keypairs\n`);
  });
});

test("the halves of a table's keypairs are the private key and what belongs to it", () => {
  const table = new SecretTable({
    secrets: [
      { name: "client-secret", path: "aidbox/client" },
      { name: "auth-keys", path: "aidbox/auth-keys", keypair: "rsa" },
      {
        name: "idp",
        path: "aidbox/idp",
        keypair: "certificate",
        scope: { resourceType: "IdentityProvider", id: "okta" },
      },
    ],
  });
  expect(keypairFiles(table)).toEqual([
    ["/run/vault-secrets/auth-keys-private", "/run/vault-secrets/auth-keys-public"],
    ["/run/vault-secrets/idp-private", "/run/vault-secrets/idp-certificate"],
  ]);
});
