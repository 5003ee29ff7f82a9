import { createPublicKey, generateKeyPairSync } from "node:crypto";
import type { KeypairKind } from "../../../constructs/secrets";
import {
  certificateEnd,
  findKeypairProblems,
  keypairFrom,
  type KeypairValues,
  makeTokenKeys,
} from "../../../constructs/secrets/keypair-values";
import { certifiedKey, endOf } from "./certificates";

const openSsh = `-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW
-----END OPENSSH PRIVATE KEY-----
`;

let ec: KeypairValues;
let rsa: KeypairValues;
beforeAll(async () => {
  [ec, rsa] = await Promise.all([makeTokenKeys("ec"), makeTokenKeys("rsa")]);
});

describe("a pair that is made", () => {
  it.each(["rsa", "ec"] as const)("of %s is one that Aidbox takes, and another each time", async (kind) => {
    const [one, other] = [await makeTokenKeys(kind), await makeTokenKeys(kind)];
    for (const each of [one, other]) expect(findKeypairProblems(kind, each)).toEqual([]);
    for (const part of ["private", "public", "secret"] as const) expect(one[part]).not.toBe(other[part]);
    expect(createPublicKey(one.public).asymmetricKeyType).toBe(kind);
    expect(Buffer.byteLength(one.secret)).toBeGreaterThan(32);
  });

  it("is completed from a private key alone, of each format that Aidbox takes", () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const { privateKey: curve } = generateKeyPairSync("ec", { namedCurve: "P-384" });
    for (const pem of [
      privateKey.export({ type: "pkcs1", format: "pem" }),
      privateKey.export({ type: "pkcs8", format: "pem" }),
      curve.export({ type: "sec1", format: "pem" }),
    ]) {
      expect(findKeypairProblems("rsa", keypairFrom("rsa", pem.toString()))).toEqual([]);
    }
  });

  it("with a certificate is read from one text", async () => {
    const pair = await certifiedKey(90);
    const read = keypairFrom("certificate", `${pair.certificate}\n${pair.private}`);
    expect(findKeypairProblems("certificate", read)).toEqual([]);
    expect(certificateEnd(read.certificate!)!.toISOString()).toBe(endOf(pair.certificate));
  });
});

describe("a pair that Aidbox could not use", () => {
  const pem = "is no PEM: write it whole, with its BEGIN and END lines";
  const cases: [why: string, kind: KeypairKind, values: () => KeypairValues, problems: string[]][] = [
    [
      "has halves of two",
      "ec",
      () => ({ ...ec, private: rsa.private! }),
      ["public does not belong to private: write both halves of one pair"],
    ],
    ["lacks its public half", "ec", () => ({ ...ec, public: "" }), ["it has no public: all parts are written at once"]],
    ["lacks all", "rsa", () => ({}), ["it has no private and no public and no secret: all parts are written at once"]],
    [
      "is an OpenSSH key",
      "rsa",
      () => ({ ...rsa, private: openSsh }),
      ["private is an OpenSSH key, which Aidbox does not take: convert it by `ssh-keygen -p -m PEM -f FILE`"],
    ],
    [
      "is no PEM",
      "rsa",
      () => ({ private: "hunter2", public: "hunter2", secret: rsa.secret! }),
      [`private ${pem}`, `public ${pem}`],
    ],
    [
      "is cut off",
      "rsa",
      () => ({ ...rsa, private: rsa.private!.replace(/\n.*\n.*\n/, "\n") }),
      ["private is no private key that can be read: it may be cut off"],
    ],
    [
      "has the private half as public",
      "ec",
      () => ({ ...ec, public: ec.private! }),
      ["public is no public key: write what `openssl pkey -pubout` prints"],
    ],
    [
      "has a short secret",
      "ec",
      () => ({ ...ec, secret: "hunter2" }),
      ["secret has 7 bytes: Aidbox asks for more than 32"],
    ],
    [
      "is short",
      "rsa",
      () => {
        const keys = generateKeyPairSync("rsa", { modulusLength: 1024 });
        return {
          private: keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
          public: keys.publicKey.export({ type: "spki", format: "pem" }).toString(),
          secret: rsa.secret!,
        };
      },
      ["private has 1024 bits: write 2048 or more", "public has 1024 bits: write 2048 or more"],
    ],
    [
      "has a passphrase",
      "ec",
      () => {
        const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
        const encrypted = privateKey.export({
          type: "pkcs8",
          format: "pem",
          cipher: "aes-256-cbc",
          passphrase: "hunter2",
        });
        return { ...ec, private: encrypted.toString() };
      },
      ["private is ENCRYPTED PRIVATE KEY, and no private key without a passphrase"],
    ],
  ];

  it.each(cases)("%s", (_, kind, values, problems) => {
    const given = values();
    const found = findKeypairProblems(kind, given);
    expect(found).toEqual(problems);
    for (const value of Object.values(given)) if (value !== "") expect(found.join("\n")).not.toContain(value);
  });

  it("says nothing of the next pair, which is a good one", () => {
    expect(findKeypairProblems("ec", { ...ec, private: rsa.private! })).not.toEqual([]);
    expect(findKeypairProblems("ec", ec)).toEqual([]);
  });

  it("has a private key that cannot be read, from which the other parts would be made", () => {
    expect(findKeypairProblems("rsa", { private: openSsh })).toEqual([
      "private is an OpenSSH key, which Aidbox does not take: convert it by `ssh-keygen -p -m PEM -f FILE`",
    ]);
    expect(findKeypairProblems("certificate", { private: openSsh })).toEqual([
      "private is an OpenSSH key, which Aidbox does not take: convert it by `ssh-keygen -p -m PEM -f FILE`",
      "it has no certificate: all parts are written at once",
    ]);
  });

  it("has a certificate that ended, or one of another key", async () => {
    const [ended, other] = [await certifiedKey(-1), await certifiedKey(90)];
    expect(findKeypairProblems("certificate", ended)).toEqual([
      `certificate ended at ${endOf(ended.certificate)}: write a new one`,
    ]);
    expect(findKeypairProblems("certificate", { ...other, private: ended.private })).toEqual([
      "certificate does not belong to private: write both halves of one pair",
    ]);
    expect(findKeypairProblems("certificate", { ...other, certificate: "hunter2" })).toEqual([
      "certificate is no certificate: write it as PEM",
    ]);
  });
});
