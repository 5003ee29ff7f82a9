import { checkEnvironment } from "../../../infra/config/check-environment";
import { ConfigError } from "../../../infra/config/config-error";

const id = "11111111-1111-1111-1111-111111111111";
const workload = { type: "workload", clientId: id };
const azureKeyVault = { name: "aidbox-prod", tenantId: id, identity: workload };
const config = {
  kubeContext: "production",
  secrets: [
    { name: "client-secret", path: "aidbox/client" },
    { name: "auth-keys", path: "aidbox/auth-keys", keypair: "rsa", source: "seeded" },
  ],
  azureKeyVault,
  aidbox: { image: "healthsamurai/aidboxone:2605" },
};

function problemsOf(changed: object): string[] {
  try {
    checkEnvironment("azure", { ...config, ...changed });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ key, message }) => `${key}: ${message}`);
  }
}

const ofKeyVault = (changed: object): object => ({ azureKeyVault: { ...azureKeyVault, ...changed } });

test("has the vendor's folder of files, and a namespace of its own for Azure's provider", () => {
  const { table, namespaces, azureKeyVault: found, vault } = checkEnvironment("azure", config);
  expect(table.mountPath).toBe("/run/azure-secrets");
  expect(namespaces.csiProvider).toBe("azure-csi-provider");
  expect(found).toEqual({ ...azureKeyVault, cloud: "public", objects: {}, csiProvider: "install" });
  expect(vault).toBeUndefined();
});

const identityFix =
  "write type: workload (Aidbox's own), or, UNSAFE, node (every pod of the node has it too) or service-principal " +
  "(a password in a Secret)";
const guidFix = (what: string): string => `write the id of ${what}, as ${id}`;

const wrong: readonly [what: string, changed: object, problems: string[]][] = [
  [
    "a Vault beside it",
    { vault: { mode: "external", address: "https://vault.example", login: { method: "kubernetes" } } },
    ["azureKeyVault: stands beside vault, and an environment has one store: remove one of them"],
  ],
  [
    "nothing in it",
    { azureKeyVault: {} },
    [
      "azureKeyVault.name: is missing: write text",
      `azureKeyVault.tenantId: is missing: ${guidFix("the tenant")}`,
      `azureKeyVault.identity: is missing: ${identityFix}`,
    ],
  ],
  [
    "the URL for its name",
    ofKeyVault({ name: "https://aidbox.vault.azure.net" }),
    [
      'azureKeyVault.name: "https://aidbox.vault.azure.net": write the name of the key vault alone, as aidbox-prod: 3 to 24 ' +
        "letters, digits and single '-', a letter first",
    ],
  ],
  [
    "a tenant by its domain",
    ofKeyVault({ tenantId: "clinic.onmicrosoft.com" }),
    [`azureKeyVault.tenantId: "clinic.onmicrosoft.com": ${guidFix("the tenant")}`],
  ],
  [
    "another identity",
    ofKeyVault({ identity: { type: "managed" } }),
    [`azureKeyVault.identity.type: "managed": ${identityFix}`],
  ],
  [
    "workload identity without a client",
    ofKeyVault({ identity: { type: "workload" } }),
    [`azureKeyVault.identity.clientId: is missing: ${guidFix("the managed identity's client")}`],
  ],
  [
    "a key of another identity",
    ofKeyVault({ identity: { ...workload, secretName: "azure-app" } }),
    ["azureKeyVault.identity.secretName: is a key of type service-principal, and this is workload: remove it"],
  ],
  [
    "a cloud that there is not",
    ofKeyVault({ cloud: "AzurePublicCloud" }),
    ['azureKeyVault.cloud: "AzurePublicCloud": write public, us-government or china'],
  ],
  [
    "another word for the provider",
    ofKeyVault({ csiProvider: false }),
    ["azureKeyVault.csiProvider: false: write install, or there where the cluster has it, as by AKS's add-on"],
  ],
  [
    "objects of a secret that there is not, and of no such kind",
    ofKeyVault({ objects: { clientsecret: {}, "client-secret": { type: "secrets" } } }),
    ['azureKeyVault.objects.client-secret.type: "secrets": write secret, key or certificate: did you mean secret?'],
  ],
  [
    "an object of a secret that there is not",
    ofKeyVault({ objects: { clientsecret: {} } }),
    ["azureKeyVault.objects.clientsecret: there is no such secret: write one of client-secret, auth-keys"],
  ],
  [
    "rows on one path, which has no keys",
    { secrets: [...config.secrets, { name: "other", path: "aidbox-client", key: "other" }] },
    [
      'secrets[2].path: "aidbox-client": is "aidbox-client" in Key Vault, as that of secrets[0] is: it holds one value at a ' +
        "name, without keys: give each row a path of its own",
    ],
  ],
  [
    "a static role",
    { secrets: [{ name: "database-password", path: "box", source: "database" }] },
    [
      "secrets[0].source: \"database\": is Vault's, and Key Vault has no database engine: write external, and have Key Vault's " +
        "secret follow the database's password",
    ],
  ],
  [
    "a tenant, which would have the same identity",
    { tenants: [{ name: "north", secrets: [{ name: "client-secret", path: "north/client" }] }] },
    [
      "tenants: would read Azure Key Vault by the one identity of azureKeyVault, and so each other's secrets: write an environment " +
        "of its own for each",
    ],
  ],
  [
    "a namespace of Vault's servers",
    { namespaces: { vault: "vault" } },
    ["namespaces.vault: is that of Vault's servers, and the store is Azure Key Vault: remove it"],
  ],
  [
    "a namespace of the provider that is Aidbox's",
    { namespaces: { csiProvider: "aidbox" } },
    [
      'namespaces.aidbox: "aidbox": is the Namespace of Azure\'s CSI provider too (namespaces.csiProvider): give each its own',
    ],
  ],
  [
    "more calls than Key Vault serves",
    { rotationBound: "10s", aidbox: { ...config.aidbox, autoscaling: { maxReplicas: 600 } } },
    [
      'rotationBound: "10s": publishes every 5s: 2,400 secrets of all pods × 2 publications in 10 s = 4,800 GETs, and Key Vault ' +
        "serves 4,000 in 10 s: write a longer bound, fewer replicas or fewer secrets",
    ],
  ],
];

test.each(wrong)("refuses %s", (_, changed, problems) => {
  expect(problemsOf(changed)).toEqual(problems);
});

test("tells all that is wrong at once", () => {
  expect(
    problemsOf({
      ...ofKeyVault({ name: "a", objects: { nobody: {} } }),
      secrets: [{ name: "client-secret", path: "aidbox.client" }],
      namespaces: { vault: "vault" },
    }).map((problem) => problem.split(":")[0]),
  ).toEqual(["azureKeyVault.name", "secrets[0].path", "azureKeyVault.objects.nobody", "namespaces.vault"]);
});
