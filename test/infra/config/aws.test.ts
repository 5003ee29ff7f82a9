import { checkEnvironment } from "../../../infra/config/check-environment";
import { ConfigError } from "../../../infra/config/config-error";

const irsa = { type: "irsa", roleArn: "arn:aws:iam::111122223333:role/aidbox" };
const awsSecrets = { region: "eu-central-1", identity: irsa };
const config = {
  kubeContext: "production",
  secrets: [
    { name: "client-secret", path: "aidbox/client" },
    { name: "license", path: "aidbox/license", environment: "BOX_LICENSE" },
  ],
  awsSecrets,
  aidbox: { image: "healthsamurai/aidboxone:2605" },
};

function problemsOf(changed: object): string[] {
  try {
    checkEnvironment("aws", { ...config, ...changed });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ key, message }) => `${key}: ${message}`);
  }
}

const ofAws = (changed: object): object => ({ awsSecrets: { ...awsSecrets, ...changed } });

test("has a folder of files and a namespace of its own", () => {
  const { table, namespaces, awsSecrets: found, vault, azureKeyVault } = checkEnvironment("aws", config);
  expect(table.mountPath).toBe("/run/aws-secrets");
  expect(namespaces.csiProvider).toBe("aws-csi-provider");
  expect(found).toEqual({ ...awsSecrets, objects: {}, csiProvider: "install" });
  expect([vault, azureKeyVault]).toEqual([undefined, undefined]);
});

const wrong: readonly [what: string, changed: object, problems: string[]][] = [
  [
    "two others beside it",
    {
      vault: { mode: "external", address: "https://vault.example", login: { method: "kubernetes" } },
      azureKeyVault: { name: "aidbox", tenantId: "11111111-1111-1111-1111-111111111111", identity: { type: "node" } },
    },
    [
      "azureKeyVault: stands beside vault, and an environment has one store: remove one of them",
      "awsSecrets: stands beside vault, and an environment has one store: remove one of them",
    ],
  ],
  [
    "nothing in it",
    { awsSecrets: {} },
    [
      "awsSecrets.region: is missing: write text",
      "awsSecrets.identity: is missing: write type: irsa (an IAM role that trusts the ServiceAccount) or pod-identity (an association of EKS)",
    ],
  ],
  [
    "all at once that the provider would refuse",
    {
      ...ofAws({
        region: "Frankfurt",
        failoverRegion: "Frankfurt",
        identity: { type: "irsa", roleArn: "aidbox" },
        objects: { license: { service: "ssmparameter", permission: "rw" }, licence: {} },
      }),
      namespaces: { vault: "store" },
    },
    [
      'awsSecrets.objects.license.permission: "rw": files belong to root, and Aidbox is another user: write an octal mode ' +
        "that all may read, as 0444",
      "awsSecrets.objects.licence: there is no such secret: write one of client-secret, license",
      "namespaces.vault: is that of Vault's servers, and the store is AWS: remove it",
      'awsSecrets.region: "Frankfurt": write a region of AWS, as eu-central-1',
      'awsSecrets.failoverRegion: "Frankfurt": write a region of AWS, as eu-central-1',
      'awsSecrets.failoverRegion: "Frankfurt": is region too, which the CSI provider refuses: write another, or leave it out',
      'awsSecrets.identity.roleArn: "aidbox": write the role\'s ARN, as arn:aws:iam::111122223333:role/aidbox',
    ],
  ],
  [
    "tenants",
    { tenants: [{ name: "north", secrets: [{ name: "client-secret", path: "north/client" }] }] },
    [
      "tenants: would read AWS by the one identity of awsSecrets, and so each other's secrets: write an environment of its " +
        "own for each",
    ],
  ],
  [
    "values that others than an operator would write",
    {
      secrets: [
        { name: "seeded", path: "aidbox/seeded", source: "seeded" },
        { name: "managed", path: "aidbox/managed", source: "managed" },
        { name: "role", path: "aidbox", source: "database" },
      ],
    },
    [
      'secrets[0].source: "seeded": AWS has none: write external',
      'secrets[1].source: "managed": AWS has none: write external',
      'secrets[2].source: "database": AWS has none: write external',
    ],
  ],
];

test.each(wrong)("%s: each is named, with its fix", (_, changed, problems) => {
  expect(problemsOf(changed)).toEqual(problems);
});

test("where there is no store, each is offered", () => {
  const problems = problemsOf({ awsSecrets: undefined });
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(/^vault: is missing: .* write azureKeyVault for Azure Key Vault or awsSecrets for AWS$/);
});
