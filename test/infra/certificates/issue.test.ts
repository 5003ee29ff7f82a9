import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { vaultServerNames } from "../../../constructs/platform";
import { issueCa, issueServer, type KeyPair, lifeDays } from "../../../infra/certificates/issue";

const names = vaultServerNames("vault", "secrets");
const day = 24 * 3600 * 1000;

let ca: KeyPair;
let server: KeyPair;
beforeAll(async () => {
  ca = await issueCa("vault.secrets CA");
  server = await issueServer(ca, names);
});

const parse = ({ cert }: KeyPair): X509Certificate => new X509Certificate(cert);

/** How many days a certificate is good for from now on. */
function daysLeft(pair: KeyPair): number {
  return (new Date(parse(pair).validTo).getTime() - Date.now()) / day;
}

/** Fails where a key is not of the curve P-256, or not that of its certificate. */
function expectKeyOf(pair: KeyPair): void {
  expect(pair.key).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
  const key = createPrivateKey(pair.key);
  expect(key.asymmetricKeyType).toBe("ec");
  expect(key.asymmetricKeyDetails).toEqual({ namedCurve: "prime256v1" });
  const spki = { type: "spki", format: "pem" } as const;
  expect(createPublicKey(pair.key).export(spki)).toEqual(parse(pair).publicKey.export(spki));
  expect(parse(pair).checkPrivateKey(key)).toBe(true);
}

describe("a CA", () => {
  test("is one, by its own word and signature", () => {
    const parsed = parse(ca);
    expect(ca.cert).toMatch(/^-----BEGIN CERTIFICATE-----\n/);
    expect(parsed.ca).toBe(true);
    expect([parsed.subject, parsed.issuer]).toEqual(["CN=vault.secrets CA", "CN=vault.secrets CA"]);
    expect(parsed.verify(parsed.publicKey)).toBe(true);
    expect(parsed.checkIssued(parsed)).toBe(true);
  });

  test("has a key of its own", () => {
    expectKeyOf(ca);
  });

  test("signs servers and nothing between, and is critical about it", () => {
    const der = parse(ca).raw.toString("hex");
    // basicConstraints, critical: CA, path length 0
    expect(der).toContain("0603551d130101ff040830060101ff020100");
    // keyUsage, critical: certificates and their revocation alone
    expect(der).toContain("0603551d0f0101ff040403020106");
  });

  test("lives ten years, and has begun for clocks that are a little behind", () => {
    expect(daysLeft(ca)).toBeCloseTo(lifeDays.ca, 1);
    expect(new Date(parse(ca).validFrom).getTime()).toBeLessThanOrEqual(Date.now() - 59_000);
    expect(new Date(parse(ca).validFrom).getTime()).toBeGreaterThan(Date.now() - 5 * 60_000);
  });

  test("is another one each time", async () => {
    const other = await issueCa("vault.secrets CA");
    expect(other.key).not.toBe(ca.key);
    expect(parse(other).serialNumber).not.toBe(parse(ca).serialNumber);
    expect(parse(server).verify(parse(other).publicKey)).toBe(false);
  });
});

describe("a server's certificate", () => {
  test("is signed by the CA, and names it", () => {
    const parsed = parse(server);
    expect(parsed.verify(parse(ca).publicKey)).toBe(true);
    expect(parsed.checkIssued(parse(ca))).toBe(true);
    expect(parsed.issuer).toBe("CN=vault.secrets CA");
  });

  test("is no CA", () => {
    expect(parse(server).ca).toBe(false);
  });

  test("has a key of its own", () => {
    expectKeyOf(server);
    expect(server.key).not.toBe(ca.key);
  });

  test("is for all names and addresses, and for no other", () => {
    const { dns, ip } = names;
    expect(parse(server).subjectAltName?.split(", ").sort()).toEqual(
      [...dns.map((each) => `DNS:${each}`), ...ip.map((each) => `IP Address:${each}`)].sort(),
    );
  });

  // By vault-0.vault-internal servers reach each other too: Go takes *.vault-internal for it, OpenSSL and so Node do not.
  test.each([
    ["pods", "vault.secrets"],
    ["pods, by the whole name", "vault.secrets.svc"],
    ["each other, by their whole names", "vault-2.vault-internal.secrets.svc"],
    ["who is on the machine", "localhost"],
  ])("is good for %s", (_, host) => {
    expect(parse(server).checkHost(host)).toBeDefined();
  });

  test("is good for a port-forward", () => {
    expect(parse(server).checkIP("127.0.0.1")).toBe("127.0.0.1");
  });

  test.each(["vault.other", "other.secrets", "a.b.vault-internal"])("is not good for %s", (host) => {
    expect(parse(server).checkHost(host)).toBeUndefined();
  });

  test("serves, and is a client of other servers too", () => {
    expect(parse(server).keyUsage).toEqual(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
  });

  test("lives a year, and has begun for clocks that are a little behind", () => {
    expect(daysLeft(server)).toBeCloseTo(lifeDays.server, 1);
    expect(new Date(parse(server).validFrom).getTime()).toBeLessThanOrEqual(Date.now() - 59_000);
  });

  test("has a serial number of its own each time", async () => {
    const numbers = await Promise.all(
      [1, 2, 3].map(async () => parse(await issueServer(ca, { dns: ["one"], ip: [] })).serialNumber),
    );
    expect(new Set(numbers).size).toBe(3);
  });

  test("can be for an address alone, also one of IPv6", async () => {
    const alone = parse(await issueServer(ca, { dns: [], ip: ["::1"] }));
    expect(alone.subjectAltName).toBe("IP Address:0:0:0:0:0:0:0:1");
    expect(alone.checkIP("::1")).toBeDefined();
  });
});
