import { setTimeout } from "node:timers/promises";
import { VersionConflictError } from "../../../constructs/secrets";
import { makeTokenKeys } from "../../../constructs/secrets/keypair-values";
import { rotateDue } from "../../../infra/operate/due";
import { UnreachableError } from "../../../infra/operate/errors";
import { explain } from "../../../infra/operate/explain";
import type { LinkReport } from "../../../infra/operate/link";
import { operatorRights, type OperatorRole } from "../../../infra/operate/rights";
import { remake, rollBack, rotate, rotateKeypair } from "../../../infra/operate/rotate";
import { readStatus } from "../../../infra/operate/status";
import { verify } from "../../../infra/operate/verify";
import { writeFirst } from "../../../infra/operate/write";
import { clientId, foreignTenantId, issuer, strangerId } from "../../azure/fixtures";
import { type DataAction, roles } from "../../azure/key-vault";
import { hurryTimers } from "../../hurry-timers";
import { errorOf } from "../../mocks";
import { checkKeyVaultEnvironment } from "../key-vault-environment";
import { keyVaultConfig, KeyVaultSite } from "./key-vault-site";

hurryTimers();

let site: KeyVaultSite;
/** All that was returned, thrown or told in a test. */
let said: unknown[];
let pair: Awaited<ReturnType<typeof makeTokenKeys>>;
beforeAll(async () => {
  pair = await makeTokenKeys("ec");
});
async function start(changes: Record<string, unknown> = {}): Promise<void> {
  const keys = Object.entries(pair).map(([part, value]) => [`aidbox-auth-keys-${part}`, value] as const);
  const values = {
    "aidbox-client": "client's hunter2",
    "aidbox-admin": "admin's hunter2",
    ...Object.fromEntries(keys),
  };
  site = await KeyVaultSite.start(values, changes);
  process.env.KUBECONFIG = site.cluster.kubeconfig;
}
beforeEach(async () => {
  said = [];
  await start();
});
afterEach(async () => {
  for (const each of said) {
    const text = each instanceof Error ? `${each.message} ${JSON.stringify(each)}` : JSON.stringify(each);
    expect(text).not.toMatch(/hunter2|PRIVATE KEY|eyJ/);
  }
  await site.stop();
});

async function noting<T>(result: Promise<T>): Promise<T> {
  try {
    const value = await result;
    said.push(value);
    return value;
  } catch (error) {
    said.push(error);
    throw error;
  }
}

const rotated = (name: string, value = "new hunter2") =>
  noting(rotate(site.environment, name, () => Promise.resolve(value), { onProgress: (text) => said.push(text) }));

describe("rotate", () => {
  test("writes the value, and waits until every pod serves it", async () => {
    const before = site.vault.current("aidbox-client")!;
    const rotation = await rotated("client-secret");
    const now = site.vault.current("aidbox-client")!;
    expect(now).toMatchObject({ value: "new hunter2", versions: 2 });
    expect(rotation).toEqual({
      secret: "client-secret",
      path: "aidbox-test/aidbox-client",
      version: now.version,
      previousVersion: before.version,
      pods: ["aidbox-a", "aidbox-b"].map((pod) => ({ pod, seconds: expect.any(Number) as number })),
      notes: [
        "Key Vault has no check-and-set: nobody else's write was seen at the same time, but one could not have been kept out.",
      ],
    });
  });

  test("follows what is environment to the Kubernetes Secret, and names what takes it", async () => {
    const { synced } = await rotated("admin-password");
    expect(synced).toMatchObject({ name: "aidbox-environment", consumers: [{ kind: "Deployment", name: "aidbox" }] });
  });

  test("writes a new keypair, part by part, and waits until the pods have all of it", async () => {
    const rotation = await noting(rotateKeypair(site.environment, "auth-keys"));
    expect(rotation.pods).toHaveLength(2);
    const now = site.vault.current("aidbox-auth-keys-private")!;
    expect(now.value).not.toBe(pair.private);
    expect(rotation.version).toBe(now.version);
  });

  test("writes nothing over what somebody else wrote since it looked", async () => {
    const theirs = () => {
      site.vault.set("aidbox-client", "their hunter2");
      return Promise.resolve("our hunter2");
    };
    const error = await errorOf(noting(rotate(site.environment, "client-secret", theirs)));
    expect(error).toBeInstanceOf(VersionConflictError);
    expect(site.vault.current("aidbox-client")).toMatchObject({ value: "their hunter2", versions: 2 });
  });

  test("goes back to an earlier version", async () => {
    const { previousVersion } = await rotated("client-secret");
    await noting(rollBack(site.environment, "client-secret", previousVersion!));
    expect(site.vault.current("aidbox-client")).toMatchObject({ value: "client's hunter2", versions: 3 });
  });

  test("names the versions that there are, where it cannot go back to one", async () => {
    const { version } = site.vault.current("aidbox-client")!;
    const error = await errorOf(rollBack(site.environment, "client-secret", "0".repeat(32)));
    expect(error.message).toBe(`version ${"0".repeat(32)} of client-secret holds no value: choose one of ${version}`);
  });

  test("says that a key vault makes no values", async () => {
    const error = await errorOf(remake(site.environment, "client-secret"));
    expect(error.message).toBe("client-secret is not of source database, so Azure Key Vault does not make its value");
  });

  test("needs the cluster's rights before it writes", async () => {
    site.cluster.roles = [];
    const error = await errorOf(rotated("client-secret"));
    expect(error.message).toMatch(/^Missing permission: "list" on pods in namespace aidbox; /);
    expect(site.vault.current("aidbox-client")?.versions).toBe(1);
  });
});

test("rotate --due rotates what is made at random, and names what others make and what ends sessions", async () => {
  await site.stop();
  await start({ secrets: keyVaultConfig.secrets.map((row) => ({ ...row, maxAge: "1s" })) });
  await setTimeout(2500); // Key Vault tells times by the second
  const { rotated: done, waiting, failure } = await noting(rotateDue(site.environment));
  expect(failure).toBeUndefined();
  expect(done.map(({ secret }) => secret)).toEqual(["client-secret"]);
  expect(waiting.map(({ secret, path, why }) => [secret, path, why])).toEqual([
    ["admin-password", "aidbox-test/aidbox-admin", "others make its value"],
    ["auth-keys", "aidbox-test/aidbox-auth-keys-private", "a new pair ends all sessions"],
  ]);
  expect(site.vault.current("aidbox-client")?.versions).toBe(2);
  expect(site.vault.current("aidbox-admin")?.versions).toBe(1);
});

test("pods without what they log in with are told of by each command, and nobody's stack trace", async () => {
  site.cluster.delete("ServiceAccount", "aidbox");
  const error = await errorOf(noting(readStatus(site.environment)));
  expect(error).toBeInstanceOf(UnreachableError);
  expect(error.message).toBe(
    "Aidbox's pods cannot read key vault aidbox-test (ServiceAccount aidbox/aidbox is gone); see npm run verify -- --env azure",
  );
});

test("a cluster that gives no token of the pods is told as such, and not as Entra ID", async () => {
  const viewer = operatorRights(site.environment, "viewer", "operators").kubernetes;
  site.cluster.roles = JSON.parse(JSON.stringify(viewer).replace('"serviceaccounts/token"', '"nothing"')) as object[];
  const { links } = await verify(site.environment);
  expect(faults(links)).toMatchObject({ access: expect.stringMatching(/^not permitted: .*serviceaccounts/) as string });
});

test("a service principal whose Secret is not there is a broken link", async () => {
  const identity = { type: "service-principal", secretName: "azure-app" };
  const environment = checkKeyVaultEnvironment({
    ...keyVaultConfig,
    azureKeyVault: { ...keyVaultConfig.azureKeyVault, identity },
  });
  const { access } = faults((await verify(environment)).links);
  expect(access).toBe(
    "Secret azure-app has not both clientid and clientsecret → kubectl --context somewhere -n aidbox describe secret azure-app",
  );
});

describe("status", () => {
  test("tells Key Vault's own versions, in the vault and in each pod", async () => {
    const stale = site.vault.current("aidbox-client")!.version;
    const now = site.vault.set("aidbox-client", "new hunter2");
    site.publish("aidbox-b");
    const status = await noting(readStatus(site.environment));
    expect(status.store).toBe("key vault aidbox-test");
    expect(status.secrets[0]).toEqual({
      secret: "client-secret",
      path: "aidbox-test/aidbox-client",
      version: now,
      rotatedAt: expect.any(Date) as Date,
      pods: [
        { pod: "aidbox-a", version: stale, isCurrent: false },
        { pod: "aidbox-b", version: now, isCurrent: true },
      ],
    });
    expect(status.warnings).toEqual([`client-secret: pod aidbox-a has version ${stale}, Azure Key Vault has ${now}`]);
  });

  test("says of a deleted secret that the pods keep their value", async () => {
    site.vault.delete("aidbox-client");
    const { warnings } = await noting(readStatus(site.environment));
    expect(warnings).toContain(
      "client-secret: aidbox-test/aidbox-client has no live value; the pods keep the value that they have",
    );
  });
});

/** What links say that are not in order. */
function faults(links: readonly LinkReport[]): Record<string, string> {
  return Object.fromEntries(
    links.flatMap((report): [string, string][] => {
      if (report.state === "broken") return [[report.name, `${report.cause} → ${report.fix}`]];
      return report.state === "not permitted" ? [[report.name, `not permitted: ${report.right}`]] : [];
    }),
  );
}

describe("verify", () => {
  test("finds every link in order", async () => {
    const { links, ok } = await noting(verify(site.environment));
    expect(faults(links)).toEqual({});
    expect(links.map(({ name }) => name)).toEqual([
      "cluster",
      "driver",
      "provider",
      "releases",
      "clocks",
      "key vault",
      "secret client-secret",
      "secret admin-password",
      "secret auth-keys-private",
      "secret auth-keys-public",
      "secret auth-keys-secret",
      "access",
      "keypair auth-keys",
      "class",
      "vault-config",
      "deployment",
      "files",
      "health",
      "synced secret",
      "republisher",
    ]);
    expect(ok).toBe(true);
  });

  const breaks: readonly [what: string, plant: () => void, expected: Record<string, RegExp>][] = [
    [
      "a secret is deleted",
      () => {
        site.vault.delete("aidbox-client");
      },
      { "secret client-secret": /^aidbox-client is deleted, and can be recovered → az keyvault secret recover / },
    ],
    [
      "a secret is disabled",
      () => { site.vault.enable("aidbox-client", false); },
      { "secret client-secret": /^aidbox-client is disabled → az keyvault secret set-attributes .* --enabled true$/ },
    ],
    [
      "the pods' identity has no role",
      () => { site.vault.revoke(clientId); },
      { access: /^Key Vault refuses aidbox-client, .* \(403\): it has no role there → az role assignment create / },
    ],
    [
      "the provider is on no node",
      () => {
        site.cluster.change("DaemonSet", "azure-node", { status: { desiredNumberScheduled: 0, numberReady: 0 } });
      },
      { provider: /^DaemonSet azure-csi-provider\/azure-node is wanted on no node: / },
    ],
    [
      "the provider is gone",
      () => { site.cluster.delete("DaemonSet", "azure-node"); },
      { provider: /^DaemonSet azure-csi-provider\/azure-node is gone → npm run up -- --refresh --env azure$/ },
    ],
    [
      "the driver hands out no token for Entra ID",
      () => { site.cluster.change("CSIDriver", "secrets-store.csi.k8s.io", { spec: { tokenRequests: [] } }); },
      { driver: /hands out tokens for nobody, not for api:\/\/AzureADTokenExchange/ },
    ],
    [
      "the ServiceAccount is gone",
      () => {
        site.cluster.delete("ServiceAccount", "aidbox");
      },
      { access: /^ServiceAccount aidbox\/aidbox is gone → npm run up -- --refresh --env azure$/ },
    ],
    [
      "a pod has another value",
      () => {
        site.cluster.files.get("aidbox-a")!.set("/run/azure-secrets/client-secret", "former hunter2");
      },
      {},
    ],
  ]; // prettier-ignore

  test.each(breaks)("names the one link that is at fault where %s", async (_, plant, expected) => {
    plant();
    const { links } = await noting(verify(site.environment));
    const found = faults(links);
    expect(Object.keys(found)).toEqual(Object.keys(expected));
    for (const [name, words] of Object.entries(expected)) expect(found[name]).toMatch(words);
  });

  test("names the tenant, where that is another", async () => {
    site.azure.addIdentity({
      clientId,
      tenantId: foreignTenantId,
      federated: [{ issuer, subject: "system:serviceaccount:aidbox:aidbox" }],
    });
    const azureKeyVault = { ...keyVaultConfig.azureKeyVault, tenantId: foreignTenantId };
    const { links } = await verify(checkKeyVaultEnvironment({ ...keyVaultConfig, azureKeyVault }));
    expect(faults(links)).toEqual({
      access: expect.stringMatching(/tenant/) as string,
      class: expect.stringMatching(/differs from the table in parameters\.tenantID/) as string,
    });
  });
});

/** Gives whoever asks just the documented rights, in the cluster and in the key vault. */
function restrictTo(role: OperatorRole): void {
  const { kubernetes, store } = operatorRights(site.environment, role, "operators");
  const { DataActions: actions } = JSON.parse(store) as { DataActions: string[] };
  site.cluster.roles = kubernetes;
  site.vault.revoke(strangerId);
  site.vault.grant(
    strangerId,
    actions.map((action) => /vaults\/(secrets\/\w+)\/action$/.exec(action)![1] as DataAction),
  );
}

describe("the documented rights are enough", () => {
  test("of a viewer, who looks and reads no value with a login of their own", async () => {
    restrictTo("viewer");
    expect(faults((await verify(site.environment)).links)).toEqual({});
    expect((await readStatus(site.environment)).warnings).toEqual([]);
    expect((await errorOf(rotated("client-secret"))).message).toMatch(/^(Missing|A right|A permission)/);
    expect(site.vault.current("aidbox-client")?.versions).toBe(1);
  });

  test("of a rotator, who writes and reads none", async () => {
    restrictTo("rotator");
    expect((await rotated("client-secret")).pods).toHaveLength(2);
    expect((await rotated("admin-password")).synced).toBeDefined();
    await noting(rotateKeypair(site.environment, "auth-keys"));
  });

  test("of a writer, who brings first values", async () => {
    await site.stop();
    site = await KeyVaultSite.start({});
    process.env.KUBECONFIG = site.cluster.kubeconfig;
    restrictTo("writer");
    await noting(writeFirst(site.environment, "admin-password", () => Promise.resolve("first hunter2")));
    expect(site.vault.current("aidbox-admin")?.value).toBe("first hunter2");
  });

  test("of a scheduler, who rotates what is due", async () => {
    await site.stop();
    await start({ secrets: keyVaultConfig.secrets.map((row) => ({ ...row, maxAge: "1s" })) });
    restrictTo("scheduler");
    await setTimeout(2500);
    const { rotated: done, failure } = await noting(rotateDue(site.environment));
    expect({ failure, done: done.map(({ secret }) => secret) }).toEqual({
      failure: undefined,
      done: ["client-secret"],
    });
  });
});

test("write brings a first value of an external secret, and refuses a second", async () => {
  await site.stop();
  site = await KeyVaultSite.start({});
  process.env.KUBECONFIG = site.cluster.kubeconfig;
  const write = () => noting(writeFirst(site.environment, "admin-password", () => Promise.resolve("first hunter2")));
  expect(await write()).toEqual({ path: "aidbox-test/aidbox-admin" });
  expect(site.vault.current("aidbox-admin")?.value).toBe("first hunter2");
  expect((await errorOf(write())).message).toMatch(/^admin-password has a value: /);
  expect((await errorOf(writeFirst(site.environment, "client-secret", write as never))).message).toBe(
    "client-secret is of source seeded: an operator writes those of external alone",
  );
});

test.each([
  ["workload", { type: "workload", clientId }],
  ["node", { type: "node", clientId }],
  ["service-principal", { type: "service-principal", secretName: "azure-app" }],
])("explain draws the way from the key vault, by %s", (_, identity) => {
  const azureKeyVault = { ...keyVaultConfig.azureKeyVault, identity };
  const { stations } = explain(checkKeyVaultEnvironment({ ...keyVaultConfig, azureKeyVault }), "client-secret");
  expect(stations.slice(0, 4)).toMatchSnapshot();
});

test("explain offers no rotation of what these commands do not write", () => {
  const azureKeyVault = { ...keyVaultConfig.azureKeyVault, objects: { "admin-password": { version: "0".repeat(32) } } };
  const { stations } = explain(checkKeyVaultEnvironment({ ...keyVaultConfig, azureKeyVault }), "admin-password");
  expect(JSON.stringify(stations)).not.toContain("npm run rotate");
});

test("rights are a role of Azure's, and in the cluster those of the way to the pods", () => {
  for (const role of ["viewer", "rotator", "writer", "scheduler", "stack"] as const) {
    expect(operatorRights(site.environment, role, "operators").store).toMatchSnapshot(role);
  }
  const named = operatorRights(site.environment, "viewer", "operators").kubernetes.flatMap(
    ({ rules = [] }: { rules?: { resources: string[]; resourceNames?: string[] }[] }) =>
      rules.flatMap(({ resources, resourceNames = ["*"] }) => resourceNames.map((name) => `${resources[0]!} ${name}`)),
  );
  expect(named).toEqual(
    expect.arrayContaining(["secretproviderclasses aidbox-azure-secrets", "daemonsets azure-node"]),
  );
  expect(named).not.toContain("pods/portforward *");
  const azureKeyVault = {
    ...keyVaultConfig.azureKeyVault,
    identity: { type: "service-principal", secretName: "azure-app" },
  };
  const byPassword = operatorRights(
    checkKeyVaultEnvironment({ ...keyVaultConfig, azureKeyVault }),
    "viewer",
    "operators",
  );
  expect(JSON.stringify(byPassword.kubernetes)).toContain('"resourceNames":["azure-app"]');
  const byNode = checkKeyVaultEnvironment({
    ...keyVaultConfig,
    azureKeyVault: { ...keyVaultConfig.azureKeyVault, identity: { type: "node" } },
  });
  expect(operatorRights(byNode, "viewer", "operators").store).toContain("secrets/getSecret/action");
  expect(roles.secretsUser).toContain("secrets/getSecret");
});

test("driver and provider of AKS's add-on are found, beside those that it has for Windows", async () => {
  await site.stop();
  await start({
    csiDriver: { install: false },
    rotationBound: "150s",
    azureKeyVault: { ...keyVaultConfig.azureKeyVault, csiProvider: "there" },
  });
  const { cluster } = site;
  const addOn = (former: string, name: string, app: string, args: readonly string[]): void => {
    const object = cluster.object("DaemonSet", former) as unknown as DaemonSetFixture;
    object.metadata = { namespace: "kube-system", name, labels: { app, "kubernetes.azure.com/managedby": "aks" } };
    object.spec.template.spec.containers = [{ name: "secrets-store", args }];
    const windows = structuredClone(object);
    cluster.add({
      ...windows,
      metadata: { ...windows.metadata, name: `${name}-windows` },
      status: { desiredNumberScheduled: 0, numberReady: 0 },
    } as unknown as Parameters<typeof cluster.add>[0]);
  };
  const rotation = ["--enable-secret-rotation=true", "--rotation-poll-interval=2m"];
  addOn("csi-secrets-store-csi-driver", "aks-secrets-store-csi-driver", "secrets-store-csi-driver", rotation);
  addOn("azure-node", "aks-secrets-store-provider-azure", "secrets-store-provider-azure", []);
  cluster.change("CSIDriver", "secrets-store.csi.k8s.io", { spec: { requiresRepublish: false } });
  const { links } = await noting(verify(site.environment, {}));
  const told = Object.fromEntries(links.map((link) => [link.name, "seen" in link ? link.seen : link.state]));
  expect(told.driver).toMatch(
    /^DaemonSet kube-system\/aks-secrets-store-csi-driver ready on 1 of 1 nodes; rotation on every 120 s, /,
  );
  expect(told.provider).toMatch(/^DaemonSet kube-system\/aks-secrets-store-provider-azure ready on 1 of 1 nodes; /);
});

/** A DaemonSet of the cluster, as far as a test changes it. */
interface DaemonSetFixture {
  metadata: { namespace: string; name: string; labels: Record<string, string> };
  readonly spec: { readonly template: { readonly spec: { containers: object[] } } };
}
