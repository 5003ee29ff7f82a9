import * as pulumi from "@pulumi/pulumi";
import { Size } from "cdk8s";
import { Vault, type VaultArgs } from "../../../../constructs/platform";
import { releaseMarkName } from "../../../../constructs/platform/names";
import { repairKey } from "../../../../constructs/platform/release-mark";
import { Engine, type JsonObject, promiseOf, type Registration, secret } from "../../../mocks";

const types = {
  "aidbox-secrets:platform:Vault": {},
  "kubernetes:core/v1:ConfigMap": {},
  "kubernetes:core/v1:Secret": {},
  "kubernetes:helm.sh/v3:Release": { status: { status: "deployed" } },
};

const dev: VaultArgs = { server: { mode: "dev" }, namespace: "vault" };
const standalone: VaultArgs = {
  server: {
    mode: "standalone",
    storage: { size: Size.gibibytes(5) },
    tls: { secretName: "vault-tls", caConfigMapName: "vault-ca" },
  },
  namespace: "vault",
};
const ha: VaultArgs = {
  server: {
    mode: "ha",
    replicas: 3,
    storage: { size: Size.gibibytes(5) },
    tls: { secretName: "vault-tls", caConfigMapName: "vault-ca" },
  },
  namespace: "vault",
};
const every: Required<VaultArgs> = {
  server: {
    mode: "standalone",
    storage: { size: Size.gibibytes(5) },
    tls: { secretName: "vault-tls", caConfigMapName: "vault-ca" },
    auditLog: { place: { size: Size.gibibytes(8), storageClass: "slow" }, rotateAt: Size.mebibytes(100), keep: 20 },
  },
  chart: { repository: "https://charts.example", name: "vault-mirror", version: "1.2.3" },
  releaseName: "store",
  namespace: "secrets",
  image: "registry.example:5000/vault:2.0.5",
  values: { global: { imagePullSecrets: [{ name: "registry" }] } },
  site: { images: { registry: "registry.example.com/mirror", pullSecrets: ["regcred"] }, assignsUsers: true },
  priorityClass: "secrets-first",
  logFormat: "json",
  repair: "2026-02-03T04:05:06.789Z",
  devRootToken: "root",
  protectsServers: true,
};

const anything = expect.anything() as object;

let engine: Engine;
beforeEach(async () => {
  engine = await Engine.start({ types });
});
afterEach(async () => {
  await engine.finished();
});

async function make(args: VaultArgs): Promise<Vault> {
  const vault = new Vault("vault", args);
  await engine.finished();
  return vault;
}

const release = (): Registration => engine.resourceOf("kubernetes:helm.sh/v3:Release");
const tokenSecret = (): Registration => engine.resourceOf("kubernetes:core/v1:Secret");

async function valuesOf(args: VaultArgs): Promise<JsonObject> {
  await make(args);
  return release().inputs.values as JsonObject;
}

test.each([
  ["in dev mode, with only the required props", dev],
  ["in standalone mode, with only the required props", standalone],
  ["in ha mode, with only the required props", ha],
  ["with every prop", every],
])("the release of a Vault %s", async (_, args) => {
  await make(args);
  expect(release().inputs).toMatchSnapshot();
});

describe.each([
  ["dev", dev],
  ["standalone", standalone],
  ["ha", ha],
])("in %s mode", (_, args) => {
  test("the injector is off", async () => {
    expect((await valuesOf(args)).injector).toEqual({ enabled: false });
  });

  test("the CSI provider is not among the servers, whose namespace is to admit no host paths", async () => {
    expect((await valuesOf(args)).csi).toEqual({ enabled: false });
  });

  test("names follow the release's", async () => {
    await make({ ...args, releaseName: "store", namespace: "secrets" });
    expect(release().inputs).toMatchObject({
      name: "store",
      namespace: "secrets",
      values: { fullnameOverride: "store" },
    });
  });

  test("Helm does not wait for the servers", async () => {
    await make(args);
    expect(release().inputs.skipAwait).toBe(true);
  });

  test("a release that a killed run left behind is installed over, which the mark tells from one in order", async () => {
    await make({ ...args, releaseName: "store" });
    expect(release().inputs.replace).toBe(true);
    const { inputs, dependsOn } = engine.resource("vault-mark");
    expect(inputs.metadata).toEqual({ name: releaseMarkName("store"), namespace: "vault" });
    expect(dependsOn).toEqual(["vault"]);
  });

  test("a release that needs no repair has neither a description nor a time in its mark", async () => {
    await make(args);
    expect(release().inputs).not.toHaveProperty("description");
    expect(engine.resource("vault-mark").inputs).not.toHaveProperty("data");
  });

  test("a release that is repaired has another description, which Helm acts on, and the mark keeps it", async () => {
    await make({ ...args, repair: "2026-02-03T04:05:06.789Z" });
    expect(release().inputs.description).toBe("2026-02-03T04:05:06.789Z");
    expect(engine.resource("vault-mark").inputs.data).toEqual({ [repairKey]: "2026-02-03T04:05:06.789Z" });
  });

  test("the chart comes from HashiCorp's repository", async () => {
    await make(args);
    expect(release().inputs).toMatchObject({
      chart: "vault",
      version: "0.34.1",
      repositoryOpts: { repo: "https://helm.releases.hashicorp.com" },
    });
  });

  test("the chart can come from a folder or an archive", async () => {
    await make({ ...args, chart: { path: "/charts/vault" } });
    expect(release().inputs.chart).toBe("/charts/vault");
    expect(release().inputs).not.toHaveProperty("version");
    expect(release().inputs).not.toHaveProperty("repositoryOpts");
  });

  test("further values win, key by key, and keep the rest", async () => {
    const values = await valuesOf({
      ...args,
      values: { injector: { enabled: true, replicas: 2 }, server: { logLevel: "debug" }, ui: { enabled: true } },
    });
    expect(values).toMatchObject({
      injector: { enabled: true, replicas: 2 },
      server: { logLevel: "debug", readinessProbe: { periodSeconds: 2 } },
      ui: { enabled: true },
    });
  });
});

test("further values replace a list of the server's, and merge into what is deep", async () => {
  const extraSecretEnvironmentVars = [{ envName: "OTHER", secretName: "other", secretKey: "key" }];
  const values = await valuesOf({
    ...dev,
    values: {
      server: { extraSecretEnvironmentVars, readinessProbe: { periodSeconds: 9 }, dataStorage: { size: "1Gi" } },
    },
  });
  expect(values.server).toMatchObject({
    dev: { enabled: true, devRootToken: "replaced-by-the-secret" },
    extraSecretEnvironmentVars,
    readinessProbe: { initialDelaySeconds: 1, periodSeconds: 9 },
    preStopSleepSeconds: 0,
    dataStorage: { size: "1Gi" },
  });
});

test.each([
  ["by default the chart's own", undefined, { repository: "hashicorp/vault", tag: "2.0.4" }],
  [
    "from another registry",
    "registry.example:5000/vault:2.0.5",
    { repository: "registry.example:5000/vault", tag: "2.0.5" },
  ],
  ["by its digest", "hashicorp/vault@sha256:0a1b", { repository: "hashicorp/vault@sha256", tag: "0a1b" }],
])("the image is %s", async (_, image, expected) => {
  expect(await valuesOf({ ...dev, image })).toMatchObject({ server: { image: expected } });
});

test("no container has more than the restricted level admits, or a root file system to write to", async () => {
  const security = {
    securityContext: {
      container: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] }, readOnlyRootFilesystem: true },
    },
  };
  for (const args of [dev, standalone, ha]) {
    engine = await Engine.start({ types });
    expect(await valuesOf(args)).toMatchObject({ server: { statefulSet: security } });
  }
});

test("servers have their share of the node, and an end to it", async () => {
  for (const args of [dev, standalone, ha]) {
    engine = await Engine.start({ types });
    expect(await valuesOf(args)).toMatchObject({
      server: { resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { memory: "2Gi" } } },
    });
  }
});

describe("the root token of dev mode", () => {
  /** The token, decoded from the Secret's recorded data. */
  function recordedToken(): string {
    const { data } = tokenSecret().inputs as { data: { secret: { token: string } } };
    return Buffer.from(data.secret.token, "base64").toString("utf8");
  }

  test("is made of 32 characters that can be printed", async () => {
    await make(dev);
    expect(recordedToken()).toMatch(/^[\x21-\x7e]{32}$/);
  });

  test("is another one for every Vault", async () => {
    await make(dev);
    const first = recordedToken();
    engine = await Engine.start({ types });
    await make(dev);
    expect(recordedToken()).not.toBe(first);
  });

  test("is that which a killed run left in the cluster: another would be a conflict", async () => {
    await make({ ...dev, devRootToken: "of the killed run" });
    expect(recordedToken()).toBe("of the killed run");
    expect(tokenSecret().inputs.data).toEqual(secret({ token: expect.any(String) as string }));
  });

  test("is secret in the state", async () => {
    const vault = await make(dev);
    expect(tokenSecret().inputs.data).toEqual(secret({ token: expect.any(String) as string }));
    expect(tokenSecret().secretOutputs).toContain("data");
    expect(await pulumi.isSecret(vault.devRootToken!)).toBe(true);
    expect(await promiseOf(vault.devRootToken!)).toBe(recordedToken());
  });

  test("is drawn once: a later run does not change it", async () => {
    await make(dev);
    expect(tokenSecret().ignoreChanges).toEqual(["data"]);
  });

  test("reaches the server from the Secret, and is nowhere in the release", async () => {
    await make(dev);
    expect(tokenSecret().inputs.metadata).toEqual({ name: "vault-dev-root-token", namespace: "vault" });
    expect(release().inputs.values).toMatchObject({
      server: {
        dev: { enabled: true },
        extraSecretEnvironmentVars: [
          { envName: "VAULT_DEV_ROOT_TOKEN_ID", secretName: "vault-dev-root-token", secretKey: "token" },
        ],
      },
    });
    const inputs = JSON.stringify(release().inputs);
    expect(inputs).not.toContain(recordedToken());
    expect(inputs).not.toContain(Buffer.from(recordedToken()).toString("base64"));
  });

  test("is there before the release, both as children of the component", async () => {
    await make(dev);
    expect(engine.registrations.map(({ name, parent }) => ({ name, parent }))).toEqual([
      { name: "vault", parent: "" },
      { name: "vault-dev-root-token", parent: "vault" },
      { name: "vault", parent: "vault" },
      { name: "vault-mark", parent: "vault" },
    ]);
    expect(release().dependsOn).toEqual(["vault-dev-root-token"]);
  });

  test("is known in a preview, of which nothing else is", async () => {
    engine = await Engine.start({ types, run: "first preview" });
    const vault = await make(dev);
    expect(await promiseOf(vault.devRootToken!)).toBe(recordedToken());
    expect(await promiseOf(vault.release.status.apply(() => "known"))).toBeUndefined();
  });
});

test("in dev mode pods reach Vault by its Service", async () => {
  const vault = await make({ ...dev, releaseName: "store", namespace: "secrets" });
  expect(vault.address).toBe("http://store.secrets:8200");
});

describe.each([
  ["standalone", standalone],
  ["ha", ha],
])("a Vault with storage, in %s mode,", (mode, args) => {
  test("is reached by TLS alone", async () => {
    const vault = await make({ ...args, releaseName: "store", namespace: "secrets" });
    expect(vault.address).toBe("https://store.secrets:8200");
    expect(release().inputs.values).toMatchObject({ global: { tlsDisable: false } });
    expect(JSON.stringify(release().inputs)).not.toContain("http:");
  });

  test("is no dev server, and has no token of one", async () => {
    const vault = await make(args);
    const { server } = release().inputs.values as { server: JsonObject };
    expect(server).not.toHaveProperty("dev");
    expect(server).toHaveProperty([mode, "enabled"], true);
    expect(vault.devRootToken).toBeUndefined();
    expect(engine.names).toEqual(["vault", "vault", "vault-mark"]);
  });

  test("keeps its volumes when the release goes", async () => {
    expect(await valuesOf(args)).toMatchObject({
      server: { persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain" } },
    });
  });

  test("can have the name of its certificate's Secret known later", async () => {
    const tls = { secretName: pulumi.output(Promise.resolve("later")), caConfigMapName: "vault-ca" };
    const { server } = await valuesOf({ ...args, server: { ...args.server, tls } as VaultArgs["server"] });
    expect((server as { volumes: object[] }).volumes).toContainEqual({
      name: "tls",
      projected: {
        sources: [expect.objectContaining({ secret: expect.objectContaining({ name: "later" }) as object }), anything],
      },
    });
  });

  test("keeps its configuration under further values", async () => {
    const before = (await valuesOf(args)).server as JsonObject;
    engine = await Engine.start({ types });
    const { server } = await valuesOf({ ...args, values: { server: { extraLabels: { team: "platform" } } } });
    expect(server).toEqual({ ...before, extraLabels: { team: "platform" } });
  });
});

test("its release alone is protected, where that is asked for, so that one command lets all of it go", async () => {
  await make({ ...standalone, protectsServers: true });
  expect(engine.registrations.filter(({ protect }) => protect).map(({ type }) => type)).toEqual([
    "kubernetes:helm.sh/v3:Release",
  ]);
});

test("nothing is protected unasked", async () => {
  await make(standalone);
  expect(engine.registrations.filter(({ protect }) => protect)).toEqual([]);
});
