import { type SecretSpec, SecretTable } from "../../../constructs/secrets";
import { findSecretProblems } from "../../../constructs/secrets/rules";

const client: SecretSpec = { name: "client-secret", path: "aidbox/client" };
const keys: SecretSpec = { name: "auth-keys", path: "aidbox/auth-keys", keypair: "rsa", source: "seeded" };
const okta: SecretSpec = {
  name: "okta",
  path: "aidbox/okta",
  keypair: "certificate",
  scope: { resourceType: "IdentityProvider", id: "okta" },
};

it("is one row, and a secret for each part at one path", () => {
  const { secrets, keypairs, paths, synced } = new SecretTable({ secrets: [client, keys, okta] });
  const part = (name: string, environment: string) => ({
    name: `auth-keys-${name}`,
    path: "aidbox/auth-keys",
    key: name,
    file: `auth-keys-${name}`,
    source: "seeded",
    pair: "auth-keys",
    environment,
  });
  const tokenKeys = [
    part("private", "BOX_SECURITY_AUTH_KEYS_PRIVATE"),
    part("public", "BOX_SECURITY_AUTH_KEYS_PUBLIC"),
    part("secret", "BOX_SECURITY_AUTH_KEYS_SECRET"),
  ];
  const certificate = ["private", "certificate"].map((name) => ({
    name: `okta-${name}`,
    path: "aidbox/okta",
    key: name,
    file: `okta-${name}`,
    source: "external",
    pair: "okta",
    scope: okta.scope,
  }));
  expect(secrets.slice(1)).toEqual([...tokenKeys, ...certificate]);
  expect(synced.map(({ name }) => name)).toEqual(tokenKeys.map(({ name }) => name));
  expect(keypairs).toEqual([
    { name: "auth-keys", kind: "rsa", path: "aidbox/auth-keys", source: "seeded", secrets: tokenKeys },
    { name: "okta", kind: "certificate", path: "aidbox/okta", source: "external", secrets: certificate },
  ]);
  expect(paths.map(({ path, keypair }) => [path, keypair?.name])).toEqual([
    ["aidbox/client", undefined],
    ["aidbox/auth-keys", "auth-keys"],
    ["aidbox/okta", "okta"],
  ]);
});

it.each<{ why: string; rows: SecretSpec[]; problems: string[] }>([
  {
    why: "keys, files or variables of its own",
    rows: [{ ...keys, key: "k", file: "f", environment: "V" }],
    problems: ["key", "file", "environment"].map(
      (field, index) =>
        `secrets[0].${field}: "${"kfV"[index]!}": a keypair has keys, files and variables of its own, ` +
        "one for each of private, public, secret: leave it out",
    ),
  },
  {
    why: "a scope, though no resource signs tokens",
    rows: [{ ...keys, scope: { resourceType: "Client" } }],
    problems: ['secrets[0].scope: "Client": Aidbox itself signs with this pair, and no resource: leave it out'],
  },
  {
    why: "a source by which it would come into Pulumi's state",
    rows: [{ ...keys, source: "managed" }],
    problems: ['secrets[0].source: "managed": one that reads the state could sign tokens: write seeded, or external'],
  },
  {
    why: "a certificate that is made here, for nobody",
    rows: [{ name: "okta", path: "aidbox/okta", keypair: "certificate", source: "seeded" }],
    problems: [
      "secrets[0].scope: is missing: write scope: { resourceType: IdentityProvider, id: ID } of the one that uses it",
      'secrets[0].source: "seeded": others must know a certificate, so an operator writes it: write external',
    ],
  },
  {
    why: "a second pair for Aidbox, and a part's name that is taken",
    rows: [keys, { ...keys, name: "other", path: "aidbox/other" }, { ...client, name: "auth-keys-public" }],
    problems: [
      'secrets[2].name: "auth-keys-public": is that of secrets[0] too: give each its own',
      ...["PRIVATE", "PUBLIC", "SECRET"].map(
        (part) =>
          `secrets[1].environment: "BOX_SECURITY_AUTH_KEYS_${part}": is that of secrets[0] too: give each its own`,
      ),
    ],
  },
])("cannot have $why", ({ rows, problems }) => {
  expect(findSecretProblems(rows).map(({ key, message }) => `${key}: ${message}`)).toEqual(problems);
});
