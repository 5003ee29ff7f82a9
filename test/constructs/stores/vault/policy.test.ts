import { SecretTable } from "../../../../constructs/secrets";
import { policyText, readPolicy, VaultPaths } from "../../../../constructs/stores/vault";

/** The paths of a policy, with what it allows there. */
function rulesOf(policy: string): Record<string, string> {
  const rules = policy.matchAll(/^path "([^"]*)" \{\n {2}capabilities = (\[.*\])\n\}$/gm);
  return Object.fromEntries([...rules].map(([, path, capabilities]) => [path!, capabilities!]));
}

test("a policy is HCL with one rule for each path", () => {
  const table = new SecretTable({
    secrets: [
      { name: "client-secret", path: "aidbox/client" },
      { name: "db-password", path: "aidbox/db" },
    ],
  });
  expect(readPolicy(table, new VaultPaths())).toBe(
    [
      'path "secret/data/aidbox/client" {',
      '  capabilities = ["read"]',
      "}",
      "",
      'path "secret/data/aidbox/db" {',
      '  capabilities = ["read"]',
      "}",
      "",
    ].join("\n"),
  );
});

test("it allows reading exactly the table's paths, each once, below the table's mount", () => {
  const table = new SecretTable({
    secrets: [
      { name: "user", path: "db", key: "user" },
      { name: "password", path: "db", key: "password" },
      { name: "license", path: "license", source: "seeded" },
      { name: "token", path: "deep/below/token", source: "managed" },
    ],
  });
  expect(rulesOf(readPolicy(table, new VaultPaths({ kvMount: "teams/aidbox" })))).toEqual({
    "teams/aidbox/data/db": '["read"]',
    "teams/aidbox/data/license": '["read"]',
    "teams/aidbox/data/deep/below/token": '["read"]',
  });
});

test("it has no wildcard and no right but to read", () => {
  const table = new SecretTable({ secrets: [{ name: "client-secret", path: "aidbox/client" }] });
  const policy = readPolicy(table, new VaultPaths());
  expect(policy).not.toMatch(/[*+]/);
  expect(policy).not.toMatch(/list|create|update|patch|delete|sudo|metadata/);
  expect(policy).toContain("read");
});

describe("a policy's text", () => {
  test("says what a write may hold", () => {
    const parameters = { policies: [["aidbox"]], local: [false], options: [{}], ttl: [], type: ["jwt", "oidc"] };
    expect(policyText([{ path: "auth/x/role/y", capabilities: ["update"], parameters }])).toBe(
      [
        'path "auth/x/role/y" {',
        '  capabilities = ["update"]',
        "  allowed_parameters = {",
        '    "policies" = [["aidbox"]]',
        '    "local" = [false]',
        '    "options" = [{}]',
        '    "ttl" = []',
        '    "type" = ["jwt", "oidc"]',
        "  }",
        "}",
        "",
      ].join("\n"),
    );
  });

  test("lets no path and no value out of its quotes", () => {
    const hostile = 'a" {\n}\npath "*\\${b}';
    const text = policyText([{ path: hostile, capabilities: ["update"], parameters: { [hostile]: [`${hostile}.`] } }]);
    const quoted = String.raw`a\" {\n}\npath \"*\\\u0024{b}`;
    expect(text).toBe(
      [
        `path "${quoted}" {`,
        '  capabilities = ["update"]',
        "  allowed_parameters = {",
        `    "${quoted}" = ["${quoted}."]`,
        "  }",
        "}",
        "",
      ].join("\n"),
    );
  });

  test.each(["*", "vault*", "*.example.com"])("refuses the value %s, which Vault takes for many", (value) => {
    const rule = { path: "auth/x/role/y", capabilities: ["update"], parameters: { audience: [value] } };
    expect(() => policyText([rule])).toThrow(
      `auth/x/role/y: the value "${value}" of audience would allow other values too`,
    );
  });
});
