import { VaultClient } from "../../../../../constructs/stores/vault";
import type { VaultEnvironment } from "../../../../../infra/config/environment";
import { policyMark } from "../../../../../infra/config/names";
import { operatorRights } from "../../../../../infra/operate/rights";
import { takenRoles } from "../../../../../infra/operate/stores/vault/own-names";
import { stackPolicy } from "../../../../../infra/operate/stores/vault/stack-policy";
import { compareWithState } from "../../../../../infra/state/compare";
import { FakeVault, type JsonObject, type VaultAnswer } from "../../../../mocks";
import { deployOnMocks } from "../../../deploy-on-mocks";
import { resource } from "../../../state/fixtures";
import { checkVaultEnvironment } from "../../../vault-environment";

// An external Vault whose auth mount is another team's: role and policy alone are this stack's.
function environmentWith(login: Record<string, unknown> = {}): VaultEnvironment {
  return checkVaultEnvironment("prod", {
    kubeContext: "kind-aidbox",
    secrets: [{ name: "client-secret", path: "aidbox/client" }],
    vault: {
      mode: "external",
      address: "https://vault.example.com",
      login: { method: "kubernetes", mount: "k8s", owned: false, ...login },
    },
    aidbox: { image: "healthsamurai/aidboxone:2605" },
  });
}

test("the stack makes policy and role in Vault, and no mount", async () => {
  const { engine } = await deployOnMocks(environmentWith());
  const inVault = engine.registrations.filter(({ type }) => type.startsWith("vault:"));
  expect(inVault.map(({ type }) => type).sort()).toEqual([
    "vault:index/policy:Policy",
    "vault:kubernetes/authBackendRole:AuthBackendRole",
  ]);
  expect(inVault.find(({ type }) => type.includes("Role"))!.inputs).toMatchObject({
    backend: "k8s",
    roleName: "aidbox",
  });
});

test("the stack's token is asked for no right on the mount, and none of sudo", () => {
  const policy = stackPolicy(environmentWith());
  expect(policy).not.toContain("sudo");
  expect(policy).not.toContain("sys/auth");
  expect(policy).not.toContain("auth/k8s/config");
  expect(policy).toContain('path "auth/k8s/role/aidbox"');
  expect(stackPolicy(environmentWith({ owned: true }))).toContain('path "sys/auth/k8s"');
});

test("a viewer reads the role, and not the mount's config", () => {
  const { store: vaultPolicy } = operatorRights(environmentWith(), "viewer", "operators");
  expect(vaultPolicy).toContain("auth/k8s/role/aidbox");
  expect(vaultPolicy).not.toContain("auth/k8s/config");
});

test("a mount that the stack made, and that others may use by now, stays", () => {
  const deleted = { retainOnDelete: false };
  const state = [
    resource("vault:index/authBackend:AuthBackend", "vault-access-auth", { path: "k8s" }, deleted),
    resource("vault:kubernetes/authBackendConfig:AuthBackendConfig", "vault-access-auth-config", {}, deleted),
  ];
  const { notices, unprotected } = compareWithState(environmentWith(), state);
  expect(unprotected).toEqual(state);
  expect(notices).toEqual(["auth/k8s stays with all that it holds, and is no longer this stack's."]);
  expect(compareWithState(environmentWith({ owned: true }), state).unprotected).toEqual([]);
});

describe("a role of the same name", () => {
  let fake: FakeVault;
  let entries: Record<string, JsonObject>;
  beforeEach(async () => {
    entries = {};
    fake = await FakeVault.start();
    fake.intercept = ({ path }): VaultAnswer => {
      const data = entries[path];
      return data === undefined ? { status: 404, body: { errors: [] } } : { status: 200, body: { data } };
    };
  });
  afterEach(() => fake.stop());
  const taken = (): Promise<string[]> =>
    takenRoles(new VaultClient({ address: fake.address, token: "t" }), environmentWith());

  test("that has not this stack's policy is somebody else's, and left alone", async () => {
    entries["auth/k8s/role/aidbox"] = { token_policies: ["theirs"] };
    expect(await taken()).toEqual(["role aidbox of auth/k8s is somebody else's: write another vault.role"]);
  });

  test("is this stack's where its policy is", async () => {
    expect(await taken()).toEqual([]);
    entries["auth/k8s/role/aidbox"] = { token_policies: ["aidbox"] };
    entries["sys/policies/acl/aidbox"] = { policy: `# ${policyMark(environmentWith())}\n` };
    expect(await taken()).toEqual([]);
  });
});
