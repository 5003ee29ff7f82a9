import { tmpdir } from "node:os";
import * as pulumi from "@pulumi/pulumi";
import {
  AzureKeyVault,
  type AzureKeyVaultArgs,
  type AzureNative,
  MissingAzureNativeError,
} from "../../../../constructs/platform";
import { loadAzureNative } from "../../../../constructs/platform/azure/azure-native";
import { Engine } from "../../../mocks";

/** A resource as the provider's package makes it; the package itself is too large for a test. */
function made(type: string) {
  return class extends pulumi.CustomResource {
    declare public readonly clientId: pulumi.Output<string>;
    declare public readonly principalId: pulumi.Output<string>;
    public constructor(name: string, args: Record<string, unknown>, opts?: pulumi.CustomResourceOptions) {
      super(type, name, { clientId: undefined, principalId: undefined, ...args }, opts);
    }
  };
}

const azure: AzureNative = {
  keyvault: { Vault: made("azure-native:keyvault:Vault") },
  managedidentity: {
    UserAssignedIdentity: made("azure-native:managedidentity:UserAssignedIdentity"),
    FederatedIdentityCredential: made("azure-native:managedidentity:FederatedIdentityCredential"),
  },
  authorization: { RoleAssignment: made("azure-native:authorization:RoleAssignment") },
};

const types = {
  "aidbox-secrets:platform:AzureKeyVault": {},
  "azure-native:keyvault:Vault": {},
  "azure-native:managedidentity:UserAssignedIdentity": { clientId: "the client", principalId: "the principal" },
  "azure-native:managedidentity:FederatedIdentityCredential": {},
  "azure-native:authorization:RoleAssignment": {},
};

const required: AzureKeyVaultArgs = {
  keyVault: "aidbox-test",
  tenantId: "11111111-1111-1111-1111-111111111111",
  resourceGroup: "aidbox-rg",
  issuer: "https://issuer.example.com/",
  serviceAccounts: [{ namespace: "aidbox", name: "aidbox" }],
  azure,
};
const every: Required<AzureKeyVaultArgs> = {
  ...required,
  location: "westeurope",
  serviceAccounts: [...required.serviceAccounts, { namespace: "north", name: "aidbox" }],
  purgeProtection: false,
  keepsValues: false,
  azure,
};

let engine: Engine;
beforeEach(async () => {
  engine = await Engine.start({ types });
});
afterEach(async () => {
  await engine.finished();
});

test.each([
  ["with only the required props", required],
  ["with every prop", every],
])("the resources %s", async (_, args) => {
  new AzureKeyVault("azure", args);
  await engine.finished();
  const made = engine.names.filter((name) => name !== "azure").map((name) => [name, engine.resource(name).inputs]);
  expect(Object.fromEntries(made)).toMatchSnapshot();
});

test("the identity reads values of this vault and no other, by tokens of the named ServiceAccounts alone", async () => {
  const { clientId } = new AzureKeyVault("azure", every);
  await engine.finished();
  expect(await new Promise((resolve) => clientId.apply(resolve))).toBe("the client");
  expect(engine.resource("azure-reader").inputs).toMatchObject({
    principalId: "the principal",
    roleDefinitionId: expect.stringMatching(/4633458b-17de-408a-b874-0445c86b69e6$/) as string,
  });
  expect(engine.resource("azure-north-aidbox").inputs).toMatchObject({
    subject: "system:serviceaccount:north:aidbox",
    audiences: ["api://AzureADTokenExchange"],
  });
  expect(engine.resource("azure-north-aidbox").dependsOn).toContain("azure-aidbox-aidbox");
});

test("roles alone give access, and what is deleted can be recovered", async () => {
  new AzureKeyVault("azure", required);
  await engine.finished();
  expect(engine.resource("azure-vault").inputs.properties).toMatchObject({
    enableRbacAuthorization: true,
    enableSoftDelete: true,
    enablePurgeProtection: true,
  });
});

test("more ServiceAccounts than one identity takes are refused", async () => {
  const serviceAccounts = Array.from({ length: 21 }, (_, index) => ({ namespace: `n${index}`, name: "aidbox" }));
  expect(() => new AzureKeyVault("azure", { ...required, serviceAccounts })).toThrow(
    "serviceAccounts: are 21, and a managed identity takes 20: make another AzureKeyVault",
  );
  await engine.finished();
});

test("without Pulumi's provider of Azure, the command that brings it is named", () => {
  const load = (): unknown => loadAzureNative([tmpdir()]);
  expect(load).toThrow(MissingAzureNativeError);
  expect(load).toThrow(
    "A key vault of the stack's own needs @pulumi/azure-native, which is not installed: run `npm install @pulumi/azure-native@3`",
  );
});
