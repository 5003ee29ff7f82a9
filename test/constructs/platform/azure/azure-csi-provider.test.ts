import { AzureCsiProvider, type AzureCsiProviderArgs } from "../../../../constructs/platform";
import { releaseMarkName } from "../../../../constructs/platform/names";
import { repairKey } from "../../../../constructs/platform/release-mark";
import { Engine, type Registration } from "../../../mocks";

const types = {
  "aidbox-secrets:platform:AzureCsiProvider": {},
  "kubernetes:core/v1:ConfigMap": {},
  "kubernetes:helm.sh/v3:Release": { status: { status: "deployed" } },
};

const required: AzureCsiProviderArgs = { namespace: "azure-csi-provider" };
const every: Required<AzureCsiProviderArgs> = {
  chart: { path: "/charts/csi-secrets-store-provider-azure" },
  releaseName: "store-node",
  namespace: "nodes",
  values: { linux: { priorityClassName: "system-node-critical" } },
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

async function make(args: AzureCsiProviderArgs): Promise<AzureCsiProvider> {
  const provider = new AzureCsiProvider("provider", args);
  await engine.finished();
  return provider;
}

const release = (): Registration => engine.resourceOf("kubernetes:helm.sh/v3:Release");

test.each([
  ["with only the required props", required],
  ["with every prop", every],
])("the release %s", async (_, args) => {
  await make(args);
  expect(release().inputs).toMatchSnapshot();
});

test("is the chart's provider at a pinned version, without the driver that the chart brings", async () => {
  await make(required);
  expect(release().inputs).toMatchObject({
    chart: "csi-secrets-store-provider-azure",
    version: "1.8.2",
    values: { "secrets-store-csi-driver": { install: false } },
  });
});

test("the DaemonSet is called as the release, so that others find it", async () => {
  const { daemonSet } = await make(required);
  expect(daemonSet).toEqual({ namespace: "azure-csi-provider", name: "azure-node" });
  expect(release().inputs).toMatchObject({ name: "azure-node", values: { fullnameOverride: "azure-node" } });
});

test("further values win, key by key, and keep the rest", async () => {
  await make({ ...required, values: { linux: { resources: { limits: { cpu: "2" } } } } });
  expect(release().inputs.values).toMatchObject({
    "secrets-store-csi-driver": { install: false },
    linux: { resources: { requests: { cpu: "50m" }, limits: { cpu: "2", memory: "256Mi" } } },
  });
});

test("a repair shows in the release and in its mark", async () => {
  await make({ ...required, repair: every.repair });
  expect(release().inputs.description).toBe(every.repair);
  const { inputs } = engine.resource("provider-mark");
  expect(inputs.metadata).toEqual({ name: releaseMarkName("azure-node"), namespace: "azure-csi-provider" });
  expect(inputs.data).toEqual({ [repairKey]: every.repair });
});
