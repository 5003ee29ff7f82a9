import * as pulumi from "@pulumi/pulumi";
import { VaultCsiProvider, type VaultCsiProviderArgs } from "../../../../constructs/platform";
import { releaseMarkName } from "../../../../constructs/platform/names";
import { repairKey } from "../../../../constructs/platform/release-mark";
import { vaultCaCertPath } from "../../../../constructs/stores/vault";
import { csiProviderName, csiProviderReleaseName } from "../../../../constructs/stores/vault/names";
import { Engine, type JsonObject, type Registration, unknown } from "../../../mocks";

const types = {
  "aidbox-secrets:platform:VaultCsiProvider": {},
  "kubernetes:core/v1:ConfigMap": {},
  "kubernetes:helm.sh/v3:Release": { status: { status: "deployed" } },
};

const required: VaultCsiProviderArgs = { address: "https://vault.vault:8200", namespace: "vault-csi-provider" };
const every: Required<VaultCsiProviderArgs> = {
  address: pulumi.output("https://vault.example:8200"),
  chart: { repository: "https://charts.example", name: "vault-mirror", version: "1.2.3" },
  releaseName: "store-node",
  namespace: "nodes",
  caCerts: "the CA",
  clientCertificateSecret: "vault-client",
  values: { csi: { debug: true } },
  site: { images: { registry: "registry.example.com/mirror", pullSecrets: ["regcred"] }, assignsUsers: true },
  priorityClass: "secrets-first",
  repair: "2026-02-03T04:05:06.789Z",
};

let engine: Engine;
beforeEach(async () => {
  engine = await Engine.start({ types });
});
afterEach(async () => {
  await engine.finished();
});

async function make(args: VaultCsiProviderArgs): Promise<VaultCsiProvider> {
  const provider = new VaultCsiProvider("provider", args);
  await engine.finished();
  return provider;
}

const release = (): Registration => engine.resourceOf("kubernetes:helm.sh/v3:Release");

async function valuesOf(args: VaultCsiProviderArgs): Promise<JsonObject> {
  await make(args);
  return release().inputs.values as JsonObject;
}

test.each([
  ["with only the required props", required],
  ["with every prop", every],
])("the release %s", async (_, args) => {
  await make(args);
  expect(release().inputs).toMatchSnapshot();
});

test("is the chart's CSI provider alone, pointed at Vault, with no account that may check tokens", async () => {
  expect(await valuesOf(required)).toMatchObject({
    global: { externalVaultAddr: "https://vault.vault:8200" },
    injector: { enabled: false },
    server: { enabled: false, serviceAccount: { create: false }, authDelegator: { enabled: false } },
    csi: { enabled: true, agent: { enabled: false } },
  });
});

test("runs on every Linux node, whatever its taints, as the driver does", async () => {
  expect(await valuesOf(required)).toMatchObject({
    csi: { pod: { tolerations: [{ operator: "Exists" }], nodeSelector: { "kubernetes.io/os": "linux" } } },
  });
});

test("is privileged where the platform assigns users, and says nothing that contradicts it", async () => {
  const values = await valuesOf({ ...required, site: { assignsUsers: true } });
  expect(values).toMatchObject({
    global: { openshift: true, externalVaultAddr: "https://vault.vault:8200" },
    csi: { daemonSet: { securityContext: { container: { privileged: true } } } },
  });
  expect(JSON.stringify(values)).not.toContain("allowPrivilegeEscalation");
});

test("names are those by which others find it", async () => {
  const provider = await make(required);
  expect(csiProviderReleaseName("vault")).toBe("vault-node");
  expect(release().inputs).toMatchObject({
    name: "vault-node",
    namespace: "vault-csi-provider",
    values: { fullnameOverride: "vault-node" },
  });
  expect(provider.daemonSet).toEqual({ namespace: "vault-csi-provider", name: csiProviderName("vault-node") });
});

test("a pod waits until no other provider is on its node, of whatever namespace: they share one socket", async () => {
  expect(await valuesOf(required)).toMatchObject({
    csi: {
      pod: {
        affinity: {
          podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              {
                labelSelector: { matchLabels: { "app.kubernetes.io/name": "vault-csi-provider" } },
                namespaceSelector: {},
                topologyKey: "kubernetes.io/hostname",
              },
            ],
          },
        },
      },
    },
  });
});

test("the container has no right but that of its user, and no root file system to write to", async () => {
  expect(await valuesOf(required)).toMatchObject({
    csi: {
      daemonSet: {
        securityContext: {
          container: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] }, readOnlyRootFilesystem: true },
        },
      },
    },
  });
});

test("it has its share of the node, and an end to it", async () => {
  expect(await valuesOf(required)).toMatchObject({
    csi: { resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "256Mi" } } },
  });
});

test("the address can be one that is not known yet", async () => {
  const address = pulumi.output(pulumi.unknown as unknown as string);
  expect((await valuesOf({ ...required, address })).global).toEqual({ externalVaultAddr: unknown });
});

test("the CA is mounted where a SecretProviderClass looks for it, from a ConfigMap of its own namespace", async () => {
  const { csi } = (await valuesOf({ ...required, caCerts: "the CA" })) as { csi: JsonObject };
  expect(engine.resource("provider-ca").inputs).toMatchObject({
    metadata: { name: "vault-node-ca", namespace: "vault-csi-provider" },
    data: { "ca.crt": "the CA" },
  });
  expect(csi).toMatchObject({
    volumes: [{ name: "ca", configMap: { name: "vault-node-ca" } }],
    volumeMounts: [{ name: "ca", mountPath: "/vault/ca", readOnly: true }],
  });
  expect(vaultCaCertPath).toBe("/vault/ca/ca.crt");
});

test("a client's certificate is mounted from a Secret, beside the CA; nothing of it is in the values", async () => {
  const { csi } = (await valuesOf({ ...required, caCerts: "the CA", clientCertificateSecret: "vault-client" })) as {
    csi: JsonObject;
  };
  expect(csi).toMatchObject({
    volumes: [
      { name: "ca", configMap: { name: "vault-node-ca" } },
      { name: "client", secret: { secretName: "vault-client" } },
    ],
    volumeMounts: [
      { name: "ca", mountPath: "/vault/ca", readOnly: true },
      { name: "client", mountPath: "/vault/client", readOnly: true },
    ],
  });
});

test("the CAs are those of its image where none is given", async () => {
  const { csi } = (await valuesOf(required)) as { csi: JsonObject };
  expect(csi).not.toHaveProperty("volumes");
  expect(engine.names).toEqual(["provider", "provider", "provider-mark"]);
});

test("Helm does not wait, and installs over what a killed run left behind, which the mark tells", async () => {
  await make(required);
  expect(release().inputs).toMatchObject({ skipAwait: true, replace: true });
  const { inputs, dependsOn } = engine.resource("provider-mark");
  expect(inputs.metadata).toEqual({ name: releaseMarkName("vault-node"), namespace: "vault-csi-provider" });
  expect(inputs).not.toHaveProperty("data");
  expect(dependsOn).toEqual(["provider"]);
});

test("a repair shows in the release and in its mark", async () => {
  await make({ ...required, repair: "2026-02-03T04:05:06.789Z" });
  expect(release().inputs.description).toBe("2026-02-03T04:05:06.789Z");
  expect(engine.resource("provider-mark").inputs.data).toEqual({ [repairKey]: "2026-02-03T04:05:06.789Z" });
});

test("further values win, key by key, and keep the rest", async () => {
  expect(await valuesOf({ ...required, values: { csi: { debug: true } } })).toMatchObject({
    csi: { enabled: true, debug: true, agent: { enabled: false } },
  });
});
