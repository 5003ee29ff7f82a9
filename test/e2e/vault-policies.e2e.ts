import { spawnSync } from "node:child_process";
import * as fc from "fast-check";
import { Acl } from "../../infra/operate/stores/vault/access/acl";
import { policyRules } from "../../infra/operate/stores/vault/access/policy-rules";
import { policyCases } from "../infra/operate/stores/vault/access/policy-cases";
import { DevVault } from "./dev-vault";

// A real Vault is asked what a token with some policies may do. It needs no cluster.
const hasVault = spawnSync("vault", ["version"]).status === 0;
const describeWithVault = hasVault ? describe : describe.skip;

describeWithVault("what Vault's policies allow", () => {
  let vault: DevVault;
  beforeAll(async () => {
    vault = await DevVault.start();
  });
  afterAll(() => {
    vault.stop();
  });

  const asked = async (policies: readonly string[], paths: readonly string[]): Promise<Record<string, string[]>> => {
    const names = policies.map((_, index) => `of-the-test-${index}`);
    for (const [index, policy] of policies.entries()) {
      await vault.root.request("PUT", `sys/policies/acl/${names[index]!}`, { body: { policy } });
    }
    const made = await vault.root.request("POST", "auth/token/create", {
      body: { policies: names, no_default_policy: true },
    });
    const { client_token: token } = (made as { auth: { client_token: string } }).auth;
    const answer = (await vault.root.request("POST", "sys/capabilities", { body: { token, paths } })) as Record<
      string,
      string[]
    >;
    return Object.fromEntries(paths.map((path) => [path, [...answer[path]!].sort()]));
  };

  const evaluated = (policies: readonly string[], paths: readonly string[]): Record<string, string[]> => {
    const acl = new Acl(policies.map((text, index) => ({ name: `of-the-test-${index}`, rules: policyRules(text) })));
    return Object.fromEntries(
      paths.map((path) => {
        const { capabilities } = acl.at(path);
        return [path, capabilities.length === 0 ? ["deny"] : [...capabilities].sort()];
      }),
    );
  };

  test.each(policyCases)("$what", async ({ policies, path, capabilities }) => {
    const expected = { [path]: capabilities.length === 0 ? ["deny"] : [...capabilities].sort() };
    expect(await asked(policies, [path])).toEqual(expected);
  });

  const segment = fc.constantFrom("a", "b", "ab", "a-b");
  const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join("/"));
  const pattern = fc
    .tuple(
      fc.array(fc.constantFrom("a", "b", "ab", "+", "+", "a+"), { minLength: 1, maxLength: 4 }),
      fc.constantFrom("", "", "*", "/*", "/"),
    )
    .map(([segments, end]) => `${segments.join("/")}${end}`)
    .filter((each) => !each.includes("+*"));
  const rule = fc.record({
    path: fc.oneof(pattern, fc.constant("*")),
    capabilities: fc.oneof(
      { weight: 5, arbitrary: fc.subarray(["create", "read", "update", "patch", "delete", "list"], { minLength: 1 }) },
      { weight: 1, arbitrary: fc.constant(["deny"]) },
    ),
  });
  const policy = fc
    .uniqueArray(rule, { minLength: 1, maxLength: 5, selector: (each) => each.path })
    .map((rules) =>
      rules.map((each) => `path "${each.path}" { capabilities = ${JSON.stringify(each.capabilities)} }`).join("\n"),
    );

  test("is what this program says they allow", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(policy, { minLength: 1, maxLength: 3 }),
        fc.uniqueArray(path, { minLength: 4, maxLength: 12 }),
        async (policies, paths) => {
          expect(evaluated(policies, paths)).toEqual(await asked(policies, paths));
        },
      ),
      { numRuns: Number(process.env.POLICY_RUNS ?? 300) },
    );
  });
});
