import { Testing } from "cdk8s";
import { checkEnvironment } from "../../../infra/config/check-environment";
import { ConfigError } from "../../../infra/config/config-error";
import { withoutSecrets } from "../../../infra/config/optional";
import { aidboxChart } from "../../../infra/stack/charts";
import { checkVaultEnvironment } from "../vault-environment";

const first = { name: "client-secret", path: "aidbox/client", scope: { resourceType: "Client", id: "basic" } };
const optional = { name: "partner-key", path: "aidbox/partner", environment: "BOX_PARTNER", optional: true };
const base = {
  development: true,
  kubeContext: "kind-aidbox",
  secrets: [first, optional],
  vault: { mode: "dev", objects: { "partner-key": { permission: "0444" } } },
  aidbox: { image: "healthsamurai/aidboxone:2605" },
};

const tenantId = "11111111-1111-1111-1111-111111111111";

function problemsOf(changes: Record<string, unknown>): string[] {
  const all: Record<string, unknown> = { ...base, ...changes };
  try {
    checkEnvironment("dev", Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null)));
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ key, message }) => `${key}: ${message}`);
  }
}

test("without an optional secret nothing speaks of it: class, files, variables and vault-config.json", () => {
  const environment = checkVaultEnvironment("dev", base);
  const drawn = (names: readonly string[]): string =>
    JSON.stringify(Testing.synth(aidboxChart(Testing.app(), withoutSecrets(environment, names))));
  expect(drawn([])).toContain("partner");
  expect(drawn(["partner-key"])).not.toMatch(/partner/i);
  expect(withoutSecrets(environment, [])).toBe(environment);
});

test.each([
  [{ source: "seeded" }, "of source seeded the stack makes sure of"],
  [{ source: "managed" }, "of source managed the stack makes sure of"],
  [{ environment: undefined, keypair: "rsa" }, "a keypair's parts are all there"],
])("a value that the stack makes sure of is not optional: %j", (row, why) => {
  expect(problemsOf({ secrets: [first, { ...optional, ...row }], vault: { mode: "dev" } })).toContain(
    `secrets[1].optional: true: ${why}: leave it out`,
  );
});

test("one row at least is required", () => {
  expect(problemsOf({ secrets: [optional] })).toEqual([
    "secrets: are all optional, and pods mount one at least: make one of them required",
  ]);
});

test.each([
  [
    "Azure Key Vault",
    { azureKeyVault: { name: "kv-aidbox", tenantId, identity: { type: "workload", clientId: tenantId } } },
  ],
  ["AWS", { awsSecrets: { region: "eu-central-1", identity: { type: "pod-identity" } } }],
])("a store that up does not ask takes none: %s", (title, store) => {
  expect(problemsOf({ ...store, vault: null })).toContain(
    `secrets[1].optional: true: \`up\` looks for such values in Vault alone, not in ${title}: leave the row out until its value is there`,
  );
});

test.each([
  [
    "a secret of a key vault is one value, without keys",
    { azureKeyVault: { name: "kv-aidbox", tenantId, identity: { type: "workload", clientId: tenantId } } },
  ],
  [
    "`up` looks up the keys of Vault alone",
    { awsSecrets: { region: "eu-central-1", identity: { type: "pod-identity" } } },
  ],
])("a store without keys takes no row that has them: %s", (why, store) => {
  const partner = { name: "partner", path: "apps-partner" };
  for (const keys of ["all", ["user"]]) {
    expect(problemsOf({ ...store, vault: null, secrets: [first, { ...partner, keys }] })).toContain(
      `secrets[1].keys: ${why}: write a row for each value`,
    );
  }
});

test("an Init Bundle refers to no optional secret", () => {
  const resource = { resourceType: "Client", id: "partner" };
  const initBundle = { resources: [{ resource, secrets: { secret: "partner-key" } }] };
  const scoped = { ...optional, scope: { resourceType: "Client", id: "partner" } };
  const problems = problemsOf({ secrets: [first, scoped], aidbox: { ...base.aidbox, initBundle } });
  expect(problems).toEqual([expect.stringMatching(/^aidbox\.initBundle: .*refer to no optional secret/)]);
});
