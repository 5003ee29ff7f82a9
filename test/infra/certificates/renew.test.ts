import { X509Certificate } from "node:crypto";
import { vaultServerNames } from "../../../constructs/platform";
import { issueCa, issueServer, type KeyPair, lifeDays } from "../../../infra/certificates/issue";
import { renewalDays, renewCertificates, type VaultCertificates } from "../../../infra/certificates/renew";

const names = vaultServerNames("vault", "secrets");

let present: VaultCertificates;
let otherCa: KeyPair;
let strangers: KeyPair;
beforeAll(async () => {
  const ca = await issueCa("vault.secrets CA");
  otherCa = await issueCa("vault.secrets CA"); // of the same name, so that the signature alone tells
  present = { ca, server: await issueServer(ca, names), former: "", trusted: `${ca.cert}\n` };
  strangers = await issueServer(otherCa, names);
});

const inDays = (days: number): Date => new Date(Date.now() + days * 24 * 3600 * 1000);
const parse = ({ cert }: KeyPair): X509Certificate => new X509Certificate(cert);

const renew = (there: Partial<VaultCertificates>, now?: Date): Promise<VaultCertificates> =>
  renewCertificates("vault.secrets", names, there, now);

describe("what is there and good", () => {
  test("stays, to the letter", async () => {
    const renewed = await renew(present);
    expect(renewed.ca).toBe(present.ca);
    expect(renewed.server).toBe(present.server);
  });

  test("stays until shortly before the renewal is due", async () => {
    const renewed = await renew(present, inDays(lifeDays.server - renewalDays - 1));
    expect(renewed).toEqual(present);
  });

  test("stays where it has further names", async () => {
    const server = await issueServer(present.ca, { dns: [...names.dns, "more.example"], ip: [...names.ip, "::1"] });
    const renewed = await renew({ ...present, server });
    expect(renewed.server).toBe(server);
  });

  test("stays where it is for IPv6", async () => {
    const ofSix = { dns: ["vault"], ip: ["::1", "127.0.0.1"] };
    const server = await issueServer(present.ca, ofSix);
    const renewed = await renewCertificates("vault.secrets", ofSix, { ...present, server });
    expect(renewed.server).toBe(server);
  });
});

interface Case {
  readonly what: string;
  readonly there: () => Partial<VaultCertificates> | Promise<Partial<VaultCertificates>>;
  readonly now?: Date;
  /** Whether the CA stays. */
  readonly keepsCa: boolean;
}

describe.each<Case>([
  { what: "nothing is there", there: () => ({}), keepsCa: false },
  { what: "the CA is missing", there: () => ({ server: present.server }), keepsCa: false },
  { what: "the server's is missing", there: () => ({ ca: present.ca }), keepsCa: true },
  {
    what: "the server's is near its end",
    there: () => present,
    now: inDays(lifeDays.server - renewalDays + 1),
    keepsCa: true,
  },
  { what: "the server's is over", there: () => present, now: inDays(lifeDays.server + 1), keepsCa: true },
  {
    what: "the CA is near its end",
    there: () => present,
    now: inDays(lifeDays.ca - renewalDays + 1),
    keepsCa: false,
  },
  {
    what: "a name is missing",
    there: async () => ({
      ca: present.ca,
      server: await issueServer(present.ca, { ...names, dns: names.dns.slice(1) }),
    }),
    keepsCa: true,
  },
  {
    what: "an address is missing",
    there: async () => ({ ca: present.ca, server: await issueServer(present.ca, { ...names, ip: [] }) }),
    keepsCa: true,
  },
  {
    what: "a name is there as part of another alone",
    there: async () => ({
      ca: present.ca,
      server: await issueServer(present.ca, { ...names, dns: names.dns.map((each) => `${each}.example`) }),
    }),
    keepsCa: true,
  },
  { what: "another CA has signed the server's", there: () => ({ ca: present.ca, server: strangers }), keepsCa: true },
])("where $what", ({ there, now, keepsCa }) => {
  let before: Partial<VaultCertificates>;
  let renewed: VaultCertificates;
  beforeAll(async () => {
    before = await there();
    renewed = await renew(before, now);
  });

  test(keepsCa ? "the CA stays" : "there is a new CA", () => {
    if (keepsCa) expect(renewed.ca).toBe(before.ca);
    else expect(renewed.ca.cert).not.toBe(before.ca?.cert);
    expect(parse(renewed.ca)).toMatchObject({ ca: true, subject: "CN=vault.secrets CA" });
  });

  test("there is a new certificate of the server's, with a new key, for all names, signed by that CA", () => {
    expect(renewed.server.cert).not.toBe(before.server?.cert);
    expect(renewed.server.key).not.toBe(before.server?.key);
    const parsed = parse(renewed.server);
    expect(parsed.verify(parse(renewed.ca).publicKey)).toBe(true);
    for (const each of names.dns) expect(parsed.subjectAltName?.split(", ")).toContain(`DNS:${each}`);
    for (const each of names.ip) expect(parsed.checkIP(each)).toBe(each);
  });

  test("another run would change nothing", async () => {
    const again = await renew(renewed);
    expect(again.ca).toBe(renewed.ca);
    expect(again.server).toBe(renewed.server);
  });
});

describe("trusted is", () => {
  const certs = (bundle: string): number => bundle.match(/BEGIN CERTIFICATE/g)?.length ?? 0;

  test("the CA alone at first", async () => {
    const { ca, trusted } = await renew({});
    expect(trusted.trim()).toBe(ca.cert.trim());
  });

  test("a former CA too, beside the one that takes its place, until its end", async () => {
    const due = inDays(lifeDays.ca - renewalDays + 1);
    const renewed = await renew(present, due);
    expect(renewed.trusted).toContain(renewed.ca.cert.trim());
    expect(renewed.trusted).toContain(present.ca.cert.trim());
    expect(certs(renewed.trusted)).toBe(2);
    expect((await renew(renewed)).trusted).toBe(renewed.trusted);
    const over = await renewCertificates("vault.secrets", names, renewed, inDays(lifeDays.ca + 1));
    expect(over.trusted).not.toContain(present.ca.cert.trim());
  });

  test("a former CA too where its Secret was lost", async () => {
    const { server, trusted } = present;
    const renewed = await renew({ server, trusted });
    expect(renewed.trusted).toContain(present.ca.cert.trim());
    expect(certs(renewed.trusted)).toBe(2);
  });

  test("a CA before the former one too, which the Secret of the CA's key names until its end", async () => {
    const renewed = await renew({ ...present, former: otherCa.cert });
    expect(renewed.former.trim()).toBe(otherCa.cert.trim());
    expect(renewed.trusted).toBe(`${present.ca.cert.trim()}\n${otherCa.cert.trim()}\n`);
    const over = await renew({ ...present, former: otherCa.cert }, inDays(lifeDays.ca + 1));
    expect(over.trusted).not.toContain(otherCa.cert.trim());
  });

  test("no CA that somebody wrote into the ConfigMap, where the Secrets do not prove it to be ours", async () => {
    const renewed = await renew({ ...present, trusted: `${present.trusted}${otherCa.cert}\n` });
    expect(renewed.trusted).toBe(present.trusted);
    const due = await renew({ ...present, trusted: otherCa.cert }, inDays(lifeDays.ca - renewalDays + 1));
    expect(due.trusted).not.toContain(otherCa.cert.trim());
    expect(due.former.trim()).toBe(present.ca.cert.trim());
  });

  test("what can be read, in any case with the CA itself", async () => {
    const strange = "-----BEGIN CERTIFICATE-----\nno base64!\n-----END CERTIFICATE-----\n";
    expect((await renew({ ...present, trusted: `noise\n${strange}` })).trusted).toBe(present.trusted);
  });
});

// A Secret that somebody else wrote, or half of one: the run ends with OpenSSL's words, "wrong tag" or "PEM lib".
test("what is no certificate counts as missing", async () => {
  const renewed = await renew({ ...present, server: { cert: "no PEM", key: "no PEM" } });
  expect(renewed.ca).toBe(present.ca);
});

// tls.key of another pair: Vault's servers would not start with it.
test("a certificate whose key is another's is issued anew", async () => {
  const renewed = await renew({ ...present, server: { cert: present.server.cert, key: strangers.key } });
  expect(renewed.server.cert).not.toBe(present.server.cert);
});
