import { App } from "cdk8s";
import { ConfigError } from "../../../infra/config/config-error";
import { operatorRights } from "../../../infra/operate/rights";
import { operatedStore } from "../../../infra/operate/stores";
import { aidboxChart } from "../../../infra/stack/charts";
import { checkVaultEnvironment } from "../vault-environment";

const vault = { mode: "external", address: "https://bao.example:8200", login: { method: "kubernetes" } };

function environmentOf(changed: object) {
  return checkVaultEnvironment("bao", {
    kubeContext: "somewhere",
    secrets: [{ name: "client-secret", path: "aidbox/client" }],
    vault: { ...vault, ...changed },
    aidbox: { image: "healthsamurai/aidboxone:2605" },
  });
}

type Manifest = { kind: string; metadata: { name: string }; spec: { provider: string; parameters: object } };

function providerClassOf(changed: object): Manifest {
  const objects = aidboxChart(new App(), environmentOf(changed)).toJson() as Manifest[];
  return objects.find(({ kind }) => kind === "SecretProviderClass")!;
}

test("OpenBao's provider takes Vault's parameters", () => {
  const [bao, usual] = [{ provider: "openbao", csiProvider: false }, {}].map(providerClassOf) as [Manifest, Manifest];
  expect(bao.spec.provider).toBe("openbao");
  expect(usual.spec.provider).toBe("vault");
  expect(bao.spec.parameters).toEqual(usual.spec.parameters);
});

test("the operator's commands look for OpenBao's provider, and for the class of its name", () => {
  const environment = environmentOf({ provider: "openbao", csiProvider: false });
  expect(operatedStore(environment).csiProvider(environment)).toEqual({
    title: "the OpenBao provider",
    label: "app.kubernetes.io/name=openbao-csi-provider",
  });
  expect(JSON.stringify(operatorRights(environment, "viewer", "operators").kubernetes)).toContain(
    '"resourceNames":["aidbox-openbao-secrets"]',
  );
});

test("the stack installs Vault's provider alone, which the driver does not know as openbao", () => {
  const check = (): unknown => environmentOf({ provider: "openbao" });
  expect(check).toThrow(ConfigError);
  expect(check).toThrow(
    `vault.provider: "openbao": the stack installs Vault's CSI provider, which the driver knows as vault: install OpenBao's ` +
      "and write vault.csiProvider: false",
  );
});
