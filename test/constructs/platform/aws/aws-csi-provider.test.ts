import { AwsCsiProvider, type AwsCsiProviderArgs } from "../../../../constructs/platform";
import { releaseMarkName } from "../../../../constructs/platform/names";
import { repairKey } from "../../../../constructs/platform/release-mark";
import { Engine, type Registration } from "../../../mocks";

const types = {
  "aidbox-secrets:platform:AwsCsiProvider": {},
  "kubernetes:core/v1:ConfigMap": {},
  "kubernetes:helm.sh/v3:Release": { status: { status: "deployed" } },
};

const required: AwsCsiProviderArgs = { namespace: "aws-csi-provider" };
const every: Required<AwsCsiProviderArgs> = {
  chart: { path: "/charts/secrets-store-csi-driver-provider-aws" },
  releaseName: "store-node",
  namespace: "nodes",
  values: { priorityClassName: "system-node-critical" },
  repair: "2026-02-03T04:05:06.789Z",
};

let engine: Engine;
beforeEach(async () => {
  engine = await Engine.start({ types });
});
afterEach(async () => {
  await engine.finished();
});

async function make(args: AwsCsiProviderArgs): Promise<AwsCsiProvider> {
  const provider = new AwsCsiProvider("provider", args);
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
    chart: "secrets-store-csi-driver-provider-aws",
    version: "3.2.0",
    values: { "secrets-store-csi-driver": { install: false }, driverWritesSecrets: true },
  });
});

test("the DaemonSet is called as the release, so that others find it", async () => {
  const { daemonSet } = await make(required);
  expect(daemonSet).toEqual({ namespace: "aws-csi-provider", name: "aws-node" });
  expect(release().inputs).toMatchObject({ name: "aws-node", values: { fullnameOverride: "aws-node" } });
});

test("further values win, key by key, and keep the rest", async () => {
  await make({ ...required, values: { resources: { limits: { cpu: "2" } } } });
  expect(release().inputs.values).toMatchObject({
    "secrets-store-csi-driver": { install: false },
    driverWritesSecrets: true,
    resources: { requests: { cpu: "50m" }, limits: { cpu: "2", memory: "256Mi" } },
  });
});

test("a repair shows in the release and in its mark", async () => {
  await make({ ...required, repair: every.repair });
  expect(release().inputs.description).toBe(every.repair);
  const { inputs } = engine.resource("provider-mark");
  expect(inputs.metadata).toEqual({ name: releaseMarkName("aws-node"), namespace: "aws-csi-provider" });
  expect(inputs.data).toEqual({ [repairKey]: every.repair });
});
