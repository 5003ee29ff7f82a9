import type { SecretSpec } from "../../../../constructs/secrets";
import type { KeyVaultObject } from "../../../../constructs/stores/azure-key-vault";
import {
  findObjectProblems,
  findRowProblems,
  keyVaultNameProblem,
} from "../../../../constructs/stores/azure-key-vault/rules";

const row = (path: string, change: Partial<SecretSpec> = {}): SecretSpec => ({
  name: path.replaceAll(/\W/g, "-"),
  path,
  ...change,
});

test.each<[string, SecretSpec[]]>([
  ["a path of its own for each row", [row("aidbox/client", { key: "client-secret" }), row("aidbox/license")]],
  ["a keypair, whose parts are secrets of their own", [row("aidbox/auth-keys", { keypair: "rsa", source: "seeded" })]],
  ["127 characters", [row("a".repeat(127))]],
])("Key Vault takes %s", (_, secrets) => {
  expect(findRowProblems(secrets)).toEqual([]);
});

test.each<[string, SecretSpec[], [string, string][]]>([
  [
    "two rows on one path",
    [row("aidbox/client", { name: "one", key: "id" }), row("aidbox/client", { name: "two", key: "secret" })],
    [
      [
        "secrets[1].path",
        '"aidbox/client": is "aidbox-client" in Key Vault, as that of secrets[0] is: it holds one value at a name, without ' +
          "keys: give each row a path of its own",
      ],
    ],
  ],
  [
    "paths that come to one name",
    [row("aidbox/client"), row("Aidbox-Client")],
    [
      [
        "secrets[1].path",
        '"Aidbox-Client": is "Aidbox-Client" in Key Vault, as that of secrets[0] is: it holds one value at a name, without ' +
          "keys: give each row a path of its own",
      ],
    ],
  ],
  [
    "a row that comes to the name of a keypair's part",
    [row("aidbox/keys", { keypair: "rsa", source: "seeded" }), row("aidbox/keys-private")],
    [
      [
        "secrets[1].path",
        '"aidbox/keys-private": is "aidbox-keys-private" in Key Vault, as that of secrets[0] is: it holds one value at a ' +
          "name, without keys: give each row a path of its own",
      ],
    ],
  ],
  [
    "characters that Key Vault refuses, and too many of them",
    [row("aidbox/db_password"), row("a".repeat(128))],
    [
      [
        "secrets[0].path",
        '"aidbox/db_password": would be "aidbox-db_password" in Key Vault, which refuses that: write a path of letters, ' +
          "digits, '-' and '/', which make up to 127 characters",
      ],
      [
        "secrets[1].path",
        `"${"a".repeat(128)}": would be "${"a".repeat(128)}" in Key Vault, which refuses that: write a path of letters, ` +
          "digits, '-' and '/', which make up to 127 characters",
      ],
    ],
  ],
  [
    "a static role",
    [row("aidbox", { source: "database" })],
    [
      [
        "secrets[0].source",
        `"database": is Vault's, and Key Vault has no database engine: write external, and have Key Vault's secret follow the ` +
          "database's password",
      ],
    ],
  ],
  [
    "a file that the provider refuses",
    [row("aidbox/client", { file: "a..b" })],
    [["secrets[0].file", `"a..b": the CSI provider refuses '..': leave it out`]],
  ],
])("Key Vault does not take %s", (_, secrets, problems) => {
  expect(findRowProblems(secrets).map(({ key, message }) => [key, message])).toEqual(problems);
});

const version = "0123456789abcdef0123456789abcdef";

test.each<[string, KeyVaultObject, Partial<SecretSpec>]>([
  ["an external certificate", { type: "certificate" }, {}],
  ["a pinned version of an external row", { version }, {}],
  ["bytes as base64", { encoding: "base64", permission: "0444" }, {}],
  ["text of a row that the stack writes", { encoding: "utf-8" }, { source: "seeded" }],
])("an object may be %s", (_, object, change) => {
  expect(findObjectProblems("azure.objects", { tls: object }, [row("aidbox/tls", { name: "tls", ...change })])).toEqual(
    [],
  );
});

test.each<[string, KeyVaultObject, Partial<SecretSpec>, [string, string][]]>([
  [
    "a key that the stack would write, with a format and an encoding",
    { type: "key", format: "pfx", encoding: "hex" },
    { source: "managed" },
    [
      ["type", '"key": this stack writes secrets alone, and the row is managed: make it external'],
      ["format", '"pfx": is for secrets, and this is a key: leave it out'],
      ["encoding", '"hex": is for secrets, and this is a key: leave it out'],
    ],
  ],
  [
    "a keypair as a certificate",
    { type: "certificate" },
    { keypair: "rsa", source: "seeded" },
    [["type", `"certificate": a keypair's parts are secrets of their own: leave it out`]],
  ],
  [
    "encoded bytes of a row that the stack writes",
    { encoding: "base64" },
    { source: "seeded" },
    [["encoding", '"base64": this stack writes text as it is, and the row is seeded: make it external']],
  ],
  [
    "a version that is none",
    { version: "3" },
    {},
    [["version", '"3": write the 32 hexadecimal digits of a version, or leave it out']],
  ],
  [
    "a pinned version of a row that the stack writes",
    { version },
    { source: "managed" },
    [["version", `"${version}": nothing new would reach the pods, and this stack writes the row: leave it out`]],
  ],
  [
    "a file that Aidbox could not read",
    { permission: "0400" },
    {},
    [
      [
        "permission",
        '"0400": files belong to root, and Aidbox is another user: write an octal mode that all may read, as 0444',
      ],
    ],
  ],
])("an object cannot be %s", (_, object, change, problems) => {
  const found = findObjectProblems("azure.objects", { tls: object }, [row("aidbox/tls", { name: "tls", ...change })]);
  expect(found.map(({ key, message }) => [key, message])).toEqual(
    problems.map(([field, message]) => [`azure.objects.tls.${field}`, message]),
  );
});

test("an object of a secret that is not there is refused", () => {
  const secrets = [row("aidbox/tls", { name: "tls" }), row("aidbox/client", { name: "client" })];
  expect(findObjectProblems("azure.objects", { tsl: {} }, secrets)).toEqual([
    { key: "azure.objects.tsl", message: "there is no such secret: write one of tls, client" },
  ]);
});

test.each(["aidbox-prod", "abc", "A23456789012345678901234"])("%s is the name of a key vault", (name) => {
  expect(keyVaultNameProblem(name)).toBeUndefined();
});

test.each(["ab", "1aidbox", "aidbox-", "aidbox--prod", "a".repeat(25), "aidbox.vault.azure.net", "https://aidbox"])(
  "%s is none",
  (name) => {
    expect(keyVaultNameProblem(name)).toBe(
      "write the name of the key vault alone, as aidbox-prod: 3 to 24 letters, digits and single '-', a letter first",
    );
  },
);
