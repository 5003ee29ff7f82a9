import type { JsonWebKey } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { App } from "cdk8s";
import { AidboxChart, republishAnnotation } from "../../constructs/kubernetes";
import { AzureCsiProvider } from "../../constructs/platform";
import { makeTokenKeys, partsOf, SecretTable } from "../../constructs/secrets";
import {
  KeyVaultClient,
  type KeyVaultIdentity,
  KeyVaultStore,
  objectName,
  seed,
} from "../../constructs/stores/azure-key-vault";
import { type KeyVault, roles } from "../azure/key-vault";
import { AzureStandIn } from "../azure/stand-in";
import { aidboxPodNames, aidboxPods, kubectl, listEverything, story, succeed, waitUntil } from "./harness";

const keyVault = "aidbox-test";
const tenantId = "11111111-1111-1111-1111-111111111111";
const foreignTenantId = "44444444-4444-4444-4444-444444444444";
const clientId = "22222222-2222-2222-2222-222222222222";
const operatorId = "66666666-6666-6666-6666-666666666666";
const password = "of-the-app";
const boundSeconds = 30;

/** Where the provider of the test's cluster looks for the stand-in, and for its CA, once it starts. */
const standInPort = 8181;
const caFile = join("/var/run/secrets-store-csi-providers", "stand-in-ca.crt");
const charts = process.env.CHARTS_DIR ?? "/usr/local/share/charts";
const providerNamespace = "azure-csi-provider";

const table = new SecretTable({
  mountPath: "/run/azure-secrets",
  secrets: [
    { name: "client-secret", path: "aidbox/client", scope: { resourceType: "Client", id: "basic" }, source: "seeded" },
    { name: "auth-keys", path: "aidbox/auth-keys", keypair: "ec", source: "seeded" },
  ],
});
const file = `${table.mountPath}/client-secret`;

describe("Aidbox from Azure Key Vault, by the library's constructs and Azure's own CSI provider", () => {
  const step = story();
  let azure: AzureStandIn;
  let vault: KeyVault;
  let before: string[];
  /** What was applied last. */
  let yaml = "";

  const workload: KeyVaultIdentity = { type: "workload", clientId };
  const apply = async (identity: KeyVaultIdentity = workload, tenant = tenantId): Promise<void> => {
    const app = new App();
    new AidboxChart(app, "aidbox", {
      namespace: "aidbox",
      table,
      store: new KeyVaultStore({ keyVault, tenantId: tenant, identity }),
      aidbox: { image: "healthsamurai/aidboxone:2602", replicas: 3 },
      republisher: { intervalSeconds: boundSeconds - 5 },
    });
    yaml = app.synthYaml();
    await succeed("kubectl", ["apply", "-f", "-"], { input: yaml });
  };
  /** The app goes before the driver, without which its pods would not end. */
  const removeAll = async (): Promise<void> => {
    // The Republisher's admission policy lies in no namespace.
    if (yaml !== "") await succeed("kubectl", ["delete", "-f", "-", "--ignore-not-found"], { input: yaml });
    await kubectl("delete", "namespace", "aidbox", "--ignore-not-found", "--timeout=120s");
    await succeed("helm", ["uninstall", "azure-node", "-n", providerNamespace, "--ignore-not-found", "--wait"]);
    await succeed("helm", ["uninstall", "csi", "-n", "kube-system", "--ignore-not-found", "--wait"]);
    await kubectl("delete", "namespace", providerNamespace, "--ignore-not-found");
  };
  const rolledOut = (): Promise<string> =>
    kubectl("-n", "aidbox", "rollout", "status", "deployment/aidbox", "--timeout=180s");
  const served = async (): Promise<string[]> =>
    Promise.all((await aidboxPodNames()).map((pod) => kubectl("-n", "aidbox", "exec", pod, "--", "cat", file)));
  const servesAll = async (value: string): Promise<boolean> => (await served()).every((each) => each === value);
  /** Why the provider's last publications failed, as the driver tells it. */
  const complaints = async (): Promise<string> =>
    kubectl("-n", providerNamespace, "logs", "daemonset/azure-node", "--since=30s", "--tail=200");
  const publish = async (): Promise<void> => {
    const annotation = `${republishAnnotation}=${new Date().toISOString()}`;
    const pods = await aidboxPodNames();
    await kubectl("-n", "aidbox", "annotate", "pod", "--overwrite", ...pods, annotation);
  };

  beforeAll(async () => {
    before = await listEverything();
    azure = await AzureStandIn.start(standInPort);
    mkdirSync(join(caFile, ".."), { recursive: true });
    writeFileSync(caFile, azure.ca);
    const discovery = await kubectl("get", "--raw", "/.well-known/openid-configuration");
    const { issuer } = JSON.parse(discovery) as { issuer: string };
    const { keys } = JSON.parse(await kubectl("get", "--raw", "/openid/v1/jwks")) as { keys: JsonWebKey[] };
    const federated = [{ issuer, subject: "system:serviceaccount:aidbox:aidbox", keys }];
    vault = azure.addVault(keyVault, tenantId);
    azure.addIdentity({ clientId, tenantId, federated, onNode: true, clientSecret: password });
    azure.addIdentity({ clientId, tenantId: foreignTenantId, federated });
    azure.addIdentity({ clientId: operatorId, tenantId, clientSecret: password });
    vault.grant(clientId, roles.secretsUser);
    vault.grant(operatorId, roles.secretsOfficer);
    for (const [name, level] of [
      ["aidbox", "restricted"],
      [providerNamespace, "privileged"],
    ] as const) {
      await kubectl("create", "namespace", name);
      await kubectl("label", "namespace", name, `pod-security.kubernetes.io/enforce=${level}`);
    }
    const driver = ["enableSecretRotation=true", "rotationPollInterval=1s"];
    const audiences = ["tokenRequests[0].audience=api://AzureADTokenExchange"];
    const sets = (values: readonly string[]): string[] => values.flatMap((value) => ["--set", value]);
    await succeed("helm", [
      ...["install", "csi", join(charts, "secrets-store-csi-driver"), "-n", "kube-system"],
      ...sets([...driver, ...audiences]),
    ]);
    const { name } = AzureCsiProvider.defaultChart as { name: string };
    await succeed("helm", [
      ...["install", "azure-node", join(charts, name), "-n", providerNamespace],
      ...sets([
        "fullnameOverride=azure-node",
        "secrets-store-csi-driver.install=false",
        "linux.resources.limits.cpu=1",
      ]),
    ]);
  });
  afterAll(async () => {
    await removeAll();
    await azure.stop();
    rmSync(caFile, { force: true });
  });

  step("what is seeded reaches the files of three pods by workload identity", async () => {
    const credential = { type: "password", tenantId, clientId: operatorId, clientSecret: password } as const;
    const client = new KeyVaultClient({ keyVault, credential, transport: { agent: azure.agent() } });
    const tags = { "seeded-by": "azure-store.e2e" };
    await seed(client, ["aidbox-client"], () => Promise.resolve({ "aidbox-client": "first" }), tags);
    const parts = table.secrets.filter(({ pair }) => pair === "auth-keys").map(objectName);
    const make = async (): Promise<Record<string, string>> => {
      const values = await makeTokenKeys("ec");
      return Object.fromEntries(
        partsOf("ec").map((part, index) => [parts[index]!, values[part as keyof typeof values]]),
      );
    };
    await seed(client, parts, make, tags);
    await apply();
    await rolledOut();
    expect(await served()).toEqual(["first", "first", "first"]);
  });

  step("a new value, asked for at once, is in three pods within 5 s, without a restart", async () => {
    const podsBefore = await aidboxPods();
    const seconds: number[] = [];
    for (let round = 1; round <= 5; round++) {
      vault.set("aidbox-client", `round ${round}`);
      const start = Date.now();
      await publish();
      await waitUntil(() => servesAll(`round ${round}`), 20);
      seconds.push((Date.now() - start) / 1000);
    }
    console.info(`rotations in Key Vault took ${seconds.map((each) => each.toFixed(1)).join(", ")} s`);
    expect(Math.max(...seconds)).toBeLessThan(5);
    expect(await aidboxPods()).toBe(podsBefore);
  });

  step("a new value is in three pods within the bound and 5 s, hands-free", async () => {
    vault.set("aidbox-client", "by-hand");
    const seconds = await waitUntil(() => servesAll("by-hand"), boundSeconds + 5);
    console.info(`a change in Key Vault took ${seconds.toFixed(0)} s`);
  });

  step("the status of a mount has Key Vault's own names and versions", async () => {
    const path = "jsonpath={.items[*].status.objects}";
    const objects = await kubectl("-n", "aidbox", "get", "secretproviderclasspodstatuses", "-o", path);
    expect(objects).toContain('"id":"secret/aidbox-client"');
    expect(objects).toContain(`"version":"${vault.current("aidbox-client")!.version}"`);
  });

  const breaks: readonly [string, RegExp, () => void, () => void | Promise<void>][] = [
    [
      "a secret deleted",
      /SecretNotFound/,
      () => {
        vault.delete("aidbox-client");
      },
      () => {
        vault.restore("aidbox-client");
      },
    ],
    [
      "a secret disabled",
      /not allowed on a disabled secret/,
      () => {
        vault.enable("aidbox-client", false);
      },
      () => {
        vault.enable("aidbox-client", true);
      },
    ],
    [
      "no role",
      /ForbiddenByRbac/,
      () => {
        vault.revoke(clientId);
      },
      () => {
        vault.grant(clientId, roles.secretsUser);
      },
    ],
  ];

  step("a break takes no running pod's value away, and the provider says which it is", async () => {
    for (const [what, words, plant, mend] of breaks) {
      plant();
      await publish();
      await waitUntil(async () => words.test(await complaints()), 30);
      expect({ what, served: new Set(await served()) }).toEqual({ what, served: new Set(["by-hand"]) });
      await mend();
    }
  });

  step("the other two identities read too", async () => {
    const data = Object.entries({ clientid: clientId, clientsecret: password });
    const literals = data.map(([key, value]) => `--from-literal=${key}=${value}`);
    await kubectl("-n", "aidbox", "create", "secret", "generic", "azure-app", ...literals);
    await kubectl("-n", "aidbox", "label", "secret", "azure-app", "secrets-store.csi.k8s.io/used=true");
    const identities: readonly KeyVaultIdentity[] = [
      { type: "node", clientId },
      { type: "service-principal", secretName: "azure-app" },
    ];
    for (const identity of identities) {
      await apply(identity);
      await kubectl("-n", "aidbox", "rollout", "restart", "deployment/aidbox");
      await rolledOut();
      vault.set("aidbox-client", `by ${identity.type}`);
      await publish();
      await waitUntil(() => servesAll(`by ${identity.type}`), boundSeconds + 5);
    }
    await apply(workload, foreignTenantId);
    await publish();
    await waitUntil(async () => /AKV10032: Invalid issuer/.test(await complaints()), 60);
  });

  step("nothing is left in the cluster, and the values stay in Key Vault", async () => {
    await removeAll();
    const left = (await listEverything()).filter((each) => !before.includes(each));
    expect(left.filter((each) => !each.includes("secrets-store.csi.x-k8s.io"))).toEqual([]);
    expect(vault.current("aidbox-client")?.value).toBe("by service-principal");
  });
});
