import { Acl, mayMatch } from "../../../../../../infra/operate/stores/vault/access/acl";
import { policyRules } from "../../../../../../infra/operate/stores/vault/access/policy-rules";
import { policyCases } from "./policy-cases";

const named = (policies: readonly string[]) =>
  policies.map((text, index) => ({ name: `policy-${index}`, rules: policyRules(text) }));

test.each(policyCases)("$what", ({ policies, path, capabilities }) => {
  expect([...new Acl(named(policies)).at(path).capabilities].sort()).toEqual([...capabilities].sort());
});

test("the policy that allows it is named, and what it asks for beside", () => {
  const wrapped = 'path "a/b" {\n capabilities = ["read"]\n max_wrapping_ttl = "60s"\n allowed_parameters = {}\n}';
  const { by, conditions } = new Acl(named(['path "a/b" { capabilities = ["list"] }', wrapped])).at("a/b");
  expect([...by]).toEqual([
    ["list", ["policy-0"]],
    ["read", ["policy-1"]],
  ]);
  expect(conditions).toEqual(["only wrapped"]);
});

test("root may do everything", () => {
  expect(new Acl([{ name: "root", rules: [] }]).at("a/b").capabilities).toEqual(["root"]);
});

describe("a rule that depends on who asks", () => {
  const policies = named(['path "secret/data/{{identity.entity.name}}/+" { capabilities = ["read"] }']);

  test("gives nothing for certain", () => {
    expect(new Acl(policies).at("secret/data/aidbox/client").capabilities).toEqual([]);
  });

  test.each([
    ["secret/data/aidbox/client", "read", ["policy-0"]],
    ["secret/data/team/aidbox/client", "read", ["policy-0"]],
    ["secret/data/aidbox/client", "update", []],
    ["kv/data/aidbox/client", "read", []],
  ])("may match %s for %s", (path, capability, expected) => {
    expect(mayMatch(policies, path, capability)).toEqual(expected);
  });
});

test.each([
  ["path 'a/b' {}", /line 1/],
  ['path "a/b" { capabilities = ["read"]', /end is missing/],
  ['path "a/b" {} }', /in the place of a key/],
  ['path "${a}" {}', /expression/],
  ['path "\\x41" {}', /escape/],
  ['path "a" { capabilities = "read" }', /capabilities of a/],
  ['path "a" { capabilities = ["read"]\ncapabilities = ["list"] }', /twice/],
  ['path "a" { policy = "own" }', /policy of a/],
  ['rule "a" {}', /key rule/],
  ['path "a" = "read"', /without rules/],
  ['path "a" { capabilities = <<EOF\nread\nEOF\n}', /line 1/],
])("%s is not guessed at", (text, why) => {
  expect(() => policyRules(text)).toThrow(why);
});
