import type { JsonWebKey } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Rotation } from "../../infra/operate/follow-change";
import type { Status } from "../../infra/operate/status";
import type { Verification } from "../../infra/operate/verify";
import { type KeyVault, roles } from "../azure/key-vault";
import { AzureStandIn } from "../azure/stand-in";
import {
  aidboxPodNames,
  aidboxPods,
  expectExit,
  expectSuccess,
  expectUnchanged,
  kubectl,
  listEverything,
  overrides,
  printFromAidbox,
  type Ran,
  run,
  story,
  TestStack,
  waitUntil,
} from "./harness";

const keyVault = "aidbox-test";
const tenantId = "11111111-1111-1111-1111-111111111111";
const foreignTenantId = "44444444-4444-4444-4444-444444444444";
/** Of Aidbox's pods. */
const clientId = "22222222-2222-2222-2222-222222222222";
/** Of whoever runs the commands. */
const operatorId = "66666666-6666-6666-6666-666666666666";
const password = "of-the-app";

const rounds = Number(process.env.ROTATION_ROUNDS ?? 10);
const boundSeconds = 30;
const folder = "/run/azure-secrets";

const secrets = [
  { name: "client-secret", path: "aidbox/client", scope: { resourceType: "Client", id: "basic" }, source: "seeded" },
  { name: "auth-keys", path: "aidbox/auth-keys", keypair: "ec", source: "seeded" },
  { name: "admin-password", path: "aidbox/admin", environment: "BOX_ADMIN_PASSWORD", source: "seeded" },
];

/** Where the provider of the test's cluster looks for the stand-in, and for its CA, once it starts. */
const standInPort = 8181;
const providersFolder = "/var/run/secrets-store-csi-providers";

describe("Azure Key Vault, from an empty cluster and back", () => {
  const step = story();
  const files = mkdtempSync(join(tmpdir(), "azure-e2e-"));
  let azure: AzureStandIn;
  let vault: KeyVault;
  let stack: TestStack;
  let env: NodeJS.ProcessEnv;
  let before: string[];

  const aidbox = {
    image: "healthsamurai/aidboxone:2605",
    replicas: 3,
    resources: { cpuRequest: "50m", memoryRequest: "64Mi" },
  };
  const workload = { type: "workload", clientId };
  const command = async (
    name: string,
    args: string[] = [],
    identity: object = workload,
    config: object = {},
  ): Promise<Ran> => {
    const azureKeyVault = { name: keyVault, tenantId, identity, ...config };
    const options = await overrides({ secrets, aidbox, azureKeyVault });
    return stack.commandAs({ env }, name, "--env", "azure", ...args, ...options);
  };
  const stored = (): string => vault.current("aidbox-client")!.value;
  const served = async (): Promise<string[]> =>
    Promise.all(
      (await aidboxPodNames()).map((pod) =>
        kubectl("-n", "aidbox", "exec", pod, "--", "cat", `${folder}/client-secret`),
      ),
    );
  const servesAll = async (value: string): Promise<boolean> => (await served()).every((each) => each === value);
  const rotate = async (): Promise<Rotation> => {
    const ran = await command("rotate", ["client-secret", "--generate", "32", "--json"]);
    expectSuccess(ran);
    return JSON.parse(ran.stdout) as Rotation;
  };
  const verify = async (): Promise<Verification> =>
    JSON.parse((await command("verify", ["--json"])).stdout) as Verification;

  beforeAll(async () => {
    before = await listEverything();
    azure = await AzureStandIn.start(standInPort);
    mkdirSync(providersFolder, { recursive: true });
    writeFileSync(join(providersFolder, "stand-in-ca.crt"), azure.ca);
    const caFile = join(files, "ca.crt");
    writeFileSync(caFile, azure.ca);
    const { issuer } = JSON.parse(await kubectl("get", "--raw", "/.well-known/openid-configuration")) as {
      issuer: string;
    };
    const { keys } = JSON.parse(await kubectl("get", "--raw", "/openid/v1/jwks")) as { keys: JsonWebKey[] };
    const federated = [{ issuer, subject: "system:serviceaccount:aidbox:aidbox", keys }];
    vault = azure.addVault(keyVault, tenantId);
    azure.addIdentity({ clientId, tenantId, federated, onNode: true, clientSecret: password });
    azure.addIdentity({ clientId, tenantId: foreignTenantId, federated });
    azure.addIdentity({ clientId: operatorId, tenantId, clientSecret: password });
    vault.grant(clientId, roles.secretsUser);
    vault.grant(operatorId, roles.secretsOfficer);
    const server = await kubectl("config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}");
    // The SDK's own variables of an app; nothing but Azure's hosts goes by the proxy.
    const { HTTPS_PROXY, NODE_EXTRA_CA_CERTS } = azure.variables(caFile);
    env = {
      HTTPS_PROXY,
      NODE_EXTRA_CA_CERTS,
      NO_PROXY: `127.0.0.1,localhost,${new URL(server).hostname}`,
      AZURE_TENANT_ID: tenantId,
      AZURE_CLIENT_ID: operatorId,
      AZURE_CLIENT_SECRET: password,
    };
    stack = await TestStack.create("azure");
  });
  afterAll(async () => {
    await stack.dispose(env);
    await azure.stop();
    rmSync(join(providersFolder, "stand-in-ca.crt"), { force: true });
    rmSync(files, { recursive: true });
  });

  step("one up brings the secrets to the pods as files, and seeds what Key Vault has not", async () => {
    expectSuccess(await command("up", ["--yes"]));
    expect(stored()).toMatch(/^[\w-]{32}$/);
    expect(await printFromAidbox(["cat", `${folder}/client-secret`])).toBe(stored());
    expect(await printFromAidbox(["ls", folder])).toContain("auth-keys-private\n");
    expect(vault.current("aidbox-auth-keys-private")?.value).toMatch(/PRIVATE KEY/);
  });

  step("a second up changes nothing, and writes nothing to Key Vault", async () => {
    const writes = (): number =>
      azure.calls.filter(({ method, host }) => method === "PUT" && host.startsWith(keyVault)).length;
    const known = writes();
    expectUnchanged(await command("up", ["--yes"]));
    expect(writes()).toBe(known);
  });

  step("every link of the chain is in order", async () => {
    const { links, ok } = await verify();
    expect(links.filter(({ state }) => state !== "ok")).toEqual([]);
    expect(ok).toBe(true);
  });

  step(`${rounds} rotations are in all three pods within 5 s, without a restart`, async () => {
    const podsBefore = await aidboxPods();
    const seconds: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      const { pods } = await rotate();
      expect(pods).toHaveLength(3);
      seconds.push(Math.max(...pods.map((pod) => pod.seconds)));
    }
    console.info(`rotations in Key Vault took ${seconds.map((each) => each.toFixed(1)).join(", ")} s`);
    expect(Math.max(...seconds)).toBeLessThan(5);
    expect(await servesAll(stored())).toBe(true);
    expect(await aidboxPods()).toBe(podsBefore);
  });

  step("a change by somebody else is in all pods within the bound and 5 s, hands-free", async () => {
    const podsBefore = await aidboxPods();
    vault.set("aidbox-client", "by-hand");
    const seconds = await waitUntil(() => servesAll("by-hand"), boundSeconds + 5);
    console.info(`a change in Key Vault took ${seconds.toFixed(0)} s`);
    expect(await aidboxPods()).toBe(podsBefore);
  });

  step("status names Key Vault's own version of each pod's file", async () => {
    const ran = await command("status", ["--json"]);
    expectSuccess(ran);
    const { secrets: rows } = JSON.parse(ran.stdout) as Status;
    const row = rows.find(({ secret }) => secret === "client-secret")!;
    expect(row.version).toBe(vault.current("aidbox-client")!.version);
    expect(row.pods.map(({ isCurrent }) => isCurrent)).toEqual([true, true, true]);
  });

  const breaks: readonly [what: string, cause: RegExp, doIt: () => unknown, undo: () => unknown][] = [
    [
      "secret deleted",
      /aidbox-client is deleted/,
      () => {
        vault.delete("aidbox-client");
      },
      () => command("up", ["--yes"]),
    ],
    [
      "secret disabled",
      /aidbox-client is disabled/,
      () => {
        vault.enable("aidbox-client", false);
      },
      () => {
        vault.enable("aidbox-client", true);
      },
    ],
    [
      "identity without the role",
      /403/,
      () => {
        vault.revoke(clientId);
      },
      () => {
        vault.grant(clientId, roles.secretsUser);
      },
    ],
    ["provider gone", /is wanted on no node|is gone/, () => scaleProvider("true"), () => scaleProvider(null)],
  ];

  /** Has the provider's DaemonSet look for a node that is not there, or for any again. */
  const scaleProvider = async (nowhere: string | null): Promise<void> => {
    const patch = JSON.stringify({ spec: { template: { spec: { nodeSelector: { nowhere } } } } });
    await kubectl("-n", "azure-csi-provider", "patch", "daemonset", "azure-node", "--type", "merge", "-p", patch);
    await waitUntil(async () => {
      const pods = await kubectl("-n", "azure-csi-provider", "get", "pods", "-o", "name");
      return (pods === "") === (nowhere !== null);
    }, 60);
  };

  step("verify names each of five breaks, which take no file away, and is green again after each", async () => {
    const before = stored();
    for (const [what, cause, doIt, undo] of breaks) {
      await doIt();
      const { links, ok } = await verify();
      expect({ what, keepsFiles: await servesAll(before) }).toEqual({ what, keepsFiles: true });
      const broken = links.flatMap((link) => (link.state === "broken" ? [`${link.cause} (fix: ${link.fix})`] : []));
      expect({ what, ok, broken }).toEqual({ what, ok: false, broken: [expect.stringMatching(cause) as string] });
      await undo();
      await waitUntil(async () => (await verify()).ok, 60);
    }
    const wrongTenant = await command("verify", ["--json"], workload, { tenantId: foreignTenantId });
    expectExit(wrongTenant, 5);
    expect(wrongTenant.stdout).toMatch(/tenant/);
  });

  const identities: readonly [string, object][] = [
    ["the node's identity", { type: "node", clientId }],
    ["a service principal", { type: "service-principal", secretName: "azure-app" }],
  ];

  step("each other identity brings a new value to the pods too, and up says who else has it", async () => {
    const data = { clientid: clientId, clientsecret: password };
    const literals = Object.entries(data).map(([key, value]) => `--from-literal=${key}=${value}`);
    await kubectl("-n", "aidbox", "create", "secret", "generic", "azure-app", ...literals);
    await kubectl("-n", "aidbox", "label", "secret", "azure-app", "secrets-store.csi.k8s.io/used=true");
    for (const [what, identity] of identities) {
      const ran = await command("up", ["--yes"], identity);
      expectSuccess(ran);
      expect({ what, said: ran.stdout + ran.stderr }).toEqual({
        what,
        said: expect.stringContaining("UNSAFE: Aidbox reads Key Vault by") as string,
      });
      vault.set("aidbox-client", `by ${what}`);
      await waitUntil(() => servesAll(`by ${what}`), boundSeconds + 5);
    }
    await kubectl("-n", "aidbox", "delete", "secret", "azure-app");
    expectSuccess(await command("up", ["--yes"]));
  });

  step("destroy leaves nothing in the cluster, keeps the values, and names them", async () => {
    const ran = await command("destroy", ["--yes"]);
    expectSuccess(ran);
    expect(ran.stdout + ran.stderr).toContain("aidbox-client");
    expect(stored()).toBe("by a service principal");
    const left = (await listEverything()).filter((each) => !before.includes(each));
    expect(left.filter((each) => !each.includes("secrets-store.csi.x-k8s.io"))).toEqual([]);
    expect(await run("kubectl", ["get", "namespace", "azure-csi-provider"])).toMatchObject({ code: 1 });
  });
});
