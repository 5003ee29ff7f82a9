import { makeTokenKeys } from "../../../constructs/secrets/keypair-values";
import { InvalidRequestError, readStatus, rollBack, rotate, rotateKeypair, verify } from "../../../infra/operate";
import { certifiedKey, endOf } from "../../constructs/secrets/certificates";
import { errorOf } from "../../mocks";
import { config, rootToken, Site } from "./site";

const rows = [
  ...config.secrets,
  { name: "auth-keys", path: "aidbox/auth-keys", keypair: "ec", source: "seeded" },
  {
    name: "okta",
    path: "aidbox/okta",
    keypair: "certificate",
    scope: { resourceType: "IdentityProvider", id: "okta" },
  },
];

type Pair = Readonly<Record<string, string>>;
let site: Site;
let tokens: Pair;
beforeAll(async () => {
  tokens = { ...(await makeTokenKeys("ec")) };
});
afterEach(() => site.stop());

async function start(pairs: { readonly tokens?: Pair; readonly okta?: Pair } = {}): Promise<void> {
  site = await Site.start(
    { secrets: rows },
    { "auth-keys": pairs.tokens ?? tokens, okta: pairs.okta ?? (await certifiedKey(90)) },
  );
  process.env.KUBECONFIG = site.cluster.kubeconfig;
}
const options = { vaultToken: rootToken, timeoutSeconds: 5 };

async function links(): Promise<Record<string, unknown>> {
  const verification = await verify(site.environment, { vaultToken: rootToken });
  return Object.fromEntries(verification.links.map((link) => [link.name, link]));
}

test("all parts are written as one version, and every pod serves them", async () => {
  await start();
  const rotation = await rotateKeypair(site.environment, "auth-keys", undefined, { ...options, restart: true });
  expect(rotation).toMatchObject({
    secret: "auth-keys",
    path: "secret/aidbox/auth-keys",
    version: 2,
    previousVersion: 1,
  });
  expect(rotation.pods).toHaveLength(2);
  const written = site.vault.data("aidbox/auth-keys");
  for (const part of ["private", "public", "secret"]) expect(written[part]).not.toBe(tokens[part]);
  expect(site.vault.writes.filter((each) => each.includes("secret/data/"))).toEqual([
    "PATCH secret/data/aidbox/auth-keys",
  ]);
  expect(await links()).toMatchObject({ "keypair auth-keys": { state: "ok", seen: "all parts match" } });
});

test("going back takes all parts back", async () => {
  await start();
  await rotateKeypair(site.environment, "auth-keys", undefined, options);
  expect(await rollBack(site.environment, "auth-keys", 1, options)).toMatchObject({ version: 3 });
  expect(site.vault.data("aidbox/auth-keys")).toEqual(tokens);
});

test("going back to halves of two is refused, and nothing is written", async () => {
  const [one, other] = [await certifiedKey(90), await certifiedKey(90)];
  await start({ okta: { private: one.private, certificate: other.certificate } });
  const text = other.private + other.certificate;
  await rotateKeypair(site.environment, "okta", () => Promise.resolve(text), options);
  const error = await errorOf(rollBack(site.environment, "okta", 1, options));
  expect(error).toBeInstanceOf(InvalidRequestError);
  expect(error.message).toContain("certificate does not belong to private: write both halves of one pair");
  expect(site.vault.data("aidbox/okta")).toEqual(other);
});

test("an operator's private key is completed, and a certificate comes with its key", async () => {
  await start();
  const { private: key } = await makeTokenKeys("ec");
  await rotateKeypair(site.environment, "auth-keys", () => Promise.resolve(key), options);
  expect(site.vault.data("aidbox/auth-keys").private).toBe(key);
  const pair = await certifiedKey(60);
  await rotateKeypair(site.environment, "okta", () => Promise.resolve(pair.private + pair.certificate), options);
  expect(site.vault.data("aidbox/okta")).toEqual(pair);
});

test("what Aidbox could not use is refused, and nothing is written", async () => {
  await start();
  const ended = await certifiedKey(-1);
  const text = `${ended.private}${ended.certificate}`;
  for (const [asked, problem] of [
    [
      () => rotateKeypair(site.environment, "okta", () => Promise.resolve(text), options),
      `that is no keypair for okta:\n  certificate ended at ${endOf(ended.certificate)}: write a new one`,
    ],
    [
      () => rotateKeypair(site.environment, "okta", undefined, options),
      "the certificate of okta is made by others: give it and its private key by --stdin",
    ],
    [
      () => rotate(site.environment, "auth-keys-private", () => Promise.resolve("hunter2"), options),
      "auth-keys-private is a part of the keypair auth-keys, which changes as one: npm run rotate -- auth-keys --env test",
    ],
  ] as const) {
    const error = await errorOf(asked());
    expect(error).toBeInstanceOf(InvalidRequestError);
    expect(error.message).toBe(problem);
  }
  expect(site.vault.writes.filter((each) => each.includes("secret/data/"))).toEqual([]);
});

test.each<[what: string, row: string, text: () => Promise<string>, reason: string]>([
  [
    "an OpenSSH key",
    "auth-keys",
    () =>
      Promise.resolve("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END OPENSSH PRIVATE KEY-----\n"),
    "private is an OpenSSH key, which Aidbox does not take: convert it by `ssh-keygen -p -m PEM -f FILE`",
  ],
  [
    "half a pair",
    "okta",
    async () => (await certifiedKey(90)).private,
    "it has no certificate: all parts are written at once",
  ],
  [
    "halves of two",
    "okta",
    async () => (await certifiedKey(90)).private + (await certifiedKey(90)).certificate,
    "certificate does not belong to private: write both halves of one pair",
  ],
])("a rotation to %s is refused with row and reason, and nothing is written", async (_, row, text, reason) => {
  await start();
  const given = await text();
  const error = await errorOf(rotateKeypair(site.environment, row, () => Promise.resolve(given), options));
  expect(error).toBeInstanceOf(InvalidRequestError);
  expect(error.message).toContain(reason);
  expect(error.message).toContain(row);
  expect(error.message).not.toContain(given.split("\n")[1]);
  expect(site.vault.writes.filter((each) => each.includes("secret/data/"))).toEqual([]);
});

test("verify names a pair whose halves do not match, and one that ends soon", async () => {
  const soon = await certifiedKey(10);
  const { private: other } = await makeTokenKeys("ec");
  await start({ tokens: { ...tokens, private: other }, okta: soon });
  const end = endOf(soon.certificate);
  expect(await links()).toMatchObject({
    "keypair auth-keys": {
      state: "broken",
      cause: "public does not belong to private: write both halves of one pair",
      fix: "npm run rotate -- auth-keys --env test",
    },
    "keypair okta": {
      state: "broken",
      cause: `the certificate ends at ${end}, in 10 days`,
      fix: expect.stringContaining(
        "jq -n --rawfile private private.pem --rawfile certificate certificate.pem",
      ) as string,
    },
  });
  expect((await readStatus(site.environment, { vaultToken: rootToken })).warnings).toContain(
    `okta: its certificate ends at ${end}, in 10 days`,
  );
});
