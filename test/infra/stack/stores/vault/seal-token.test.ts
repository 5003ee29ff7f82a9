import * as pulumi from "@pulumi/pulumi";
import type { VaultEnvironment } from "../../../../../infra/config/environment";
import { chooseSealToken } from "../../../../../infra/stack/stores/vault/seal-token";
import { promiseOf } from "../../../../mocks";
import { checkVaultEnvironment } from "../../../vault-environment";

function environment(vault: object): VaultEnvironment {
  return checkVaultEnvironment("prod", {
    kubeContext: "kind-aidbox",
    secrets: [{ name: "client-secret", path: "aidbox/client" }],
    vault,
    aidbox: { image: "healthsamurai/aidboxone:2605" },
  });
}

const transit = environment({
  mode: "ha",
  seal: { type: "transit", address: "https://keys.example:8200", keyName: "unseal" },
});
const shares = environment({ mode: "standalone" });

test.each([
  ["the config's", pulumi.secret("from config"), "from the variable", "from the cluster", "from config"],
  ["that of the variable", undefined, "from the variable", "from the cluster", "from the variable"],
  ["the one that the cluster has", undefined, undefined, "from the cluster", "from the cluster"],
  ["the one that the cluster has, where the variable is empty", undefined, "", "from the cluster", "from the cluster"],
])("the token is %s, and secret", async (_, configured, variable, present, expected) => {
  const token = chooseSealToken(transit, configured, variable, present);
  expect(await promiseOf(token)).toBe(expected);
  expect(await pulumi.isSecret(token)).toBe(true);
});

test.each([[undefined], [""]])("no token is refused: the one that Vault has would be lost", (variable) => {
  expect(() => chooseSealToken(transit, undefined, variable, undefined)).toThrow(
    "No token for https://keys.example:8200, which holds the key of Vault's seal: set VAULT_SEAL_TOKEN, or " +
      "`pulumi config set --secret aidbox-secrets:sealToken`",
  );
});

test("a Vault that needs none goes without", async () => {
  expect(await promiseOf(chooseSealToken(shares, undefined, undefined, undefined))).toBe("");
});
