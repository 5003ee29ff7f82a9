import * as pulumi from "@pulumi/pulumi";
import { Duration } from "cdk8s";
import { CsiDriver, type CsiDriverArgs } from "../../../constructs/platform";
import { csiDriverName, releaseMarkName } from "../../../constructs/platform/names";
import { repairKey } from "../../../constructs/platform/release-mark";
import { Engine, type JsonObject } from "../../mocks";

const types = {
  "aidbox-secrets:platform:CsiDriver": {},
  "kubernetes:core/v1:ConfigMap": {},
  "kubernetes:helm.sh/v3:Release": { status: { status: "deployed" } },
};

const required: CsiDriverArgs = { tokenAudiences: ["vault"] };
const every: Required<CsiDriverArgs> = {
  chart: { repository: "https://charts.example", name: "driver", version: "1.2.3" },
  releaseName: "secrets-driver",
  namespace: "storage",
  tokenAudiences: ["vault", pulumi.output("azure")],
  syncSecrets: true,
  rotationPollInterval: Duration.seconds(30),
  labels: { team: "platform" },
  priorityClass: "system-node-critical",
  logFormat: "json",
  values: { linux: { daemonsetAnnotations: { team: "platform" } } },
  site: { images: { registry: "registry.example.com/mirror", pullSecrets: ["regcred"] }, assignsUsers: true },
  repair: "2026-02-03T04:05:06.789Z",
};

let engine: Engine;
beforeEach(async () => {
  engine = await Engine.start({ types });
});
afterEach(async () => {
  await engine.finished();
});

/** The inputs of the Helm release of a driver. */
async function releaseOf(args: CsiDriverArgs): Promise<JsonObject> {
  new CsiDriver("csi-driver", args);
  await engine.finished();
  return engine.resourceOf("kubernetes:helm.sh/v3:Release").inputs;
}

async function valuesOf(args: CsiDriverArgs): Promise<JsonObject> {
  return (await releaseOf(args)).values as JsonObject;
}

test.each([
  ["only the required props", required],
  ["every prop", every],
])("a driver with %s", async (_, args) => {
  expect(await releaseOf(args)).toMatchSnapshot();
});

test("the release and its mark are children of the component", async () => {
  new CsiDriver("csi-driver", required);
  await engine.finished();
  expect(engine.registrations.map(({ type, name, parent }) => ({ type, name, parent }))).toEqual([
    { type: "aidbox-secrets:platform:CsiDriver", name: "csi-driver", parent: "" },
    { type: "kubernetes:helm.sh/v3:Release", name: "csi-driver", parent: "csi-driver" },
    { type: "kubernetes:core/v1:ConfigMap", name: "csi-driver-mark", parent: "csi-driver" },
  ]);
});

test("a release that a killed run left behind is installed over, which the mark tells from one in order", async () => {
  expect(await releaseOf(every)).toMatchObject({ replace: true });
  const { inputs, dependsOn } = engine.resource("csi-driver-mark");
  expect(inputs.metadata).toEqual({ name: releaseMarkName("secrets-driver"), namespace: "storage" });
  expect(dependsOn).toEqual(["csi-driver"]);
});

test("a release that needs no repair has neither a description nor a time in its mark", async () => {
  expect(await releaseOf(required)).not.toHaveProperty("description");
  expect(engine.resource("csi-driver-mark").inputs).not.toHaveProperty("data");
});

test("a release that is repaired has another description, which Helm acts on, and the mark keeps it", async () => {
  expect(await releaseOf(every)).toMatchObject({ description: "2026-02-03T04:05:06.789Z" });
  expect(repairKey).toBe("repaired-at");
  expect(engine.resource("csi-driver-mark").inputs.data).toEqual({ "repaired-at": "2026-02-03T04:05:06.789Z" });
});

test("rotation is on, at the shortest interval", async () => {
  expect(await valuesOf(required)).toMatchObject({ enableSecretRotation: true, rotationPollInterval: "1s" });
});

test("the rotation's interval can be said", async () => {
  expect(await valuesOf({ ...required, rotationPollInterval: Duration.minutes(2) })).toMatchObject({
    enableSecretRotation: true,
    rotationPollInterval: "2m",
  });
});

test("the jobs that install the CRDs have their share of the node", async () => {
  expect(await valuesOf(required)).toMatchObject({
    linux: { crds: { resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "256Mi" } } } },
  });
});

test("the providers get a token for each audience", async () => {
  expect((await valuesOf(every)).tokenRequests).toEqual([{ audience: "vault" }, { audience: "azure" }]);
});

test.each([
  [undefined, false],
  [false, false],
  [true, true],
])("with syncSecrets %s the right to write Secrets is granted: %s", async (syncSecrets, enabled) => {
  expect((await valuesOf({ ...required, ...(syncSecrets === undefined ? {} : { syncSecrets }) })).syncSecret).toEqual({
    enabled,
  });
});

test("Helm does not wait: the DaemonSet is waited for by name", async () => {
  const driver = new CsiDriver("csi-driver", required);
  await engine.finished();
  const { inputs } = engine.resourceOf("kubernetes:helm.sh/v3:Release");
  expect(inputs).toMatchObject({ skipAwait: true, namespace: "kube-system" });
  expect(driver.daemonSet).toEqual({ namespace: "kube-system", name: "csi-secrets-store-csi-driver" });
  expect(inputs.values).toMatchObject({ fullnameOverride: driver.daemonSet.name });
});

test("the DaemonSet to wait for follows the release's name and namespace", async () => {
  const driver = new CsiDriver("csi-driver", every);
  await engine.finished();
  expect(driver.daemonSet).toEqual({ namespace: "storage", name: "secrets-driver-secrets-store-csi-driver" });
  expect(csiDriverName("secrets-driver")).toBe(driver.daemonSet.name);
});

test("the chart comes from the driver's repository", async () => {
  expect(await releaseOf(required)).toMatchObject({
    chart: "secrets-store-csi-driver",
    version: "1.6.1",
    repositoryOpts: { repo: "https://kubernetes-sigs.github.io/secrets-store-csi-driver/charts" },
  });
});

test("the chart can come from a folder or an archive", async () => {
  const release = await releaseOf({ ...required, chart: { path: "/charts/driver.tgz" } });
  expect(release.chart).toBe("/charts/driver.tgz");
  expect(release).not.toHaveProperty("version");
  expect(release).not.toHaveProperty("repositoryOpts");
});

test("further values win, key by key, and keep the rest", async () => {
  const values = await valuesOf({
    ...required,
    values: { syncSecret: { extra: "kept" }, rotationPollInterval: "5s", linux: { enabled: true } },
  });
  expect(values).toMatchObject({
    syncSecret: { enabled: false, extra: "kept" },
    rotationPollInterval: "5s",
    enableSecretRotation: true,
    linux: { enabled: true },
  });
});

test("further values take the place of lists, of which none is added to", async () => {
  const values = await valuesOf({
    ...required,
    values: { tokenRequests: [{ audience: "azure", expirationSeconds: 600 }], linux: { tolerations: [] } },
  });
  expect(values.tokenRequests).toEqual([{ audience: "azure", expirationSeconds: 600 }]);
  expect(values.linux).toMatchObject({ tolerations: [] });
});

test("further values can empty a list", async () => {
  expect((await valuesOf({ ...required, values: { tokenRequests: [] } })).tokenRequests).toEqual([]);
});

test("further values leave the caller's own objects as they are", async () => {
  const values = { syncSecret: { extra: "kept" } };
  await valuesOf({ ...required, values });
  expect(values).toEqual({ syncSecret: { extra: "kept" } });
});

test("labels are those of all of the driver's objects", async () => {
  expect((await valuesOf(every)).commonLabels).toEqual({ team: "platform" });
});

test("without labels the chart's own stay", async () => {
  expect(await valuesOf(required)).not.toHaveProperty("commonLabels");
});
