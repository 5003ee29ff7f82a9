import { parse } from "yaml";
import { type SecretSpec, SecretTable } from "../../../../constructs/secrets";
import { type VaultObjects, VaultStore } from "../../../../constructs/stores/vault";
import { findVaultObjectProblems } from "../../../../constructs/stores/vault/object";

const rows: SecretSpec[] = [
  { name: "keystore", path: "aidbox/keystore" },
  { name: "made", path: "aidbox/made", source: "seeded" },
  { name: "auth-keys", path: "aidbox/auth-keys", keypair: "rsa" },
];

test("bytes and modes are said as the CSI provider takes them: a mode is a number", () => {
  const objects: VaultObjects = {
    keystore: { encoding: "base64", permission: "0444" },
    "auth-keys": { permission: "0555" },
  };
  const store = new VaultStore({ address: "https://vault.example.com", role: "aidbox", objects });
  const table = new SecretTable({ secrets: rows });
  expect(store.validate(rows)).toEqual([]);
  const mounted = parse(store.parameters(table).objects!) as { objectName: string }[];
  expect(mounted).toMatchObject([
    { objectName: "keystore", encoding: "base64", filePermission: 0o444 },
    { objectName: "made" },
    { objectName: "auth-keys-private", filePermission: 0o555 },
    { objectName: "auth-keys-public", filePermission: 0o555 },
    { objectName: "auth-keys-secret", filePermission: 0o555 },
  ]);
  expect(Object.keys(mounted[1]!)).toEqual(["objectName", "secretPath", "secretKey"]);
});

const readable = "files belong to root, and Aidbox is another user: write an octal mode that all may read, as 0444";

test.each<[objects: VaultObjects, problem: string]>([
  [{ none: {} }, "vault.objects.none: there is no such secret: write one of keystore, made, auth-keys"],
  [{ keystore: { permission: "0400" } }, `vault.objects.keystore.permission: "0400": ${readable}`],
  [{ keystore: { permission: "0440" } }, `vault.objects.keystore.permission: "0440": ${readable}`],
  [
    { made: { encoding: "hex" } },
    'vault.objects.made.encoding: "hex": this stack writes text as it is, and the row is seeded: make it external',
  ],
  [
    { "auth-keys": { encoding: "base64" } },
    'vault.objects.auth-keys.encoding: "base64": this stack writes text as it is, and the row is a keypair: make it external',
  ],
])("%j is refused", (objects, problem) => {
  const found = findVaultObjectProblems("vault.objects", objects, rows);
  expect(found.map(({ key, message }) => `${key}: ${message}`)).toEqual([problem]);
});
