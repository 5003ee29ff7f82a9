import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { jobInJsonLines } from "../../../constructs/json-lines";
import type { DaemonSetReference } from "../../../constructs/platform/index";
import { snapshotScript } from "../../../constructs/stores/vault/snapshot-script";
import type { DeploymentReference } from "../../../infra/cluster/served-secrets";
import type { ReachableVault, VaultCluster } from "../../../infra/cluster/vault-cluster";
import type { StackValues } from "../../../infra/config/managed-values";
import type { StackOutputs } from "../../../infra/stack/outputs";
import { deployStack, kubernetesProvider } from "../../../infra/stack/stack";
import type { VaultStackArgs } from "../../../infra/stack/stack-args";
import { compareWithState } from "../../../infra/state/compare";
import { plannedHolders, resourceKey } from "../../../infra/state/planned";
import type { StateResource } from "../../../infra/state/stack-state";
import { holderTypes, valueHolders } from "../../../infra/state/value-holders";
import {
  Engine,
  type EngineOptions,
  failuresOf,
  FakeVault,
  Gate,
  promiseOf,
  type Registration,
  secret,
  settled,
  unknown,
  until,
} from "../../mocks";
import { publicKeyPem } from "../../pems";
import { checkVaultEnvironment } from "../vault-environment";

const deployment = "kubernetes:apps/v1:Deployment";
const aidboxDeployment = "aidbox/aidbox/deployment/Resource";
const republisherDeployment = "aidbox/republisher/deployment/Resource";
const release = "kubernetes:helm.sh/v3:Release";
const vaultProvider = "pulumi:providers:vault";

const types = {
  "pulumi:providers:kubernetes": {},
  [vaultProvider]: {},
  "cdk8s-pulumi:index:DeployedChart": {},
  "aidbox-secrets:platform:CsiDriver": {},
  "aidbox-secrets:platform:Vault": {},
  "aidbox-secrets:platform:VaultCsiProvider": {},
  "aidbox-secrets:vault:VaultAccess": {},
  "aidbox-secrets:vault:VaultSnapshotAccess": {},
  [release]: { status: { status: "deployed" } },
  [deployment]: {},
  "kubernetes:apps/v1:StatefulSet": {},
  "kubernetes:batch/v1:CronJob": {},
  "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy": {},
  "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicyBinding": {},
  "kubernetes:core/v1:ConfigMap": {},
  "kubernetes:core/v1:Namespace": {},
  "kubernetes:core/v1:PersistentVolumeClaim": {},
  "kubernetes:core/v1:Secret": {},
  "kubernetes:core/v1:Service": {},
  "kubernetes:core/v1:ServiceAccount": {},
  "kubernetes:rbac.authorization.k8s.io/v1:Role": {},
  "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding": {},
  "kubernetes:networking.k8s.io/v1:Ingress": {},
  "kubernetes:networking.k8s.io/v1:NetworkPolicy": {},
  "kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass": {},
  "kubernetes:monitoring.coreos.com/v1:PodMonitor": {},
  "kubernetes:monitoring.coreos.com/v1:PrometheusRule": {},
  "vault:index/policy:Policy": {},
  "vault:index/authBackend:AuthBackend": {},
  "vault:index/mount:Mount": {},
  "vault:kubernetes/authBackendConfig:AuthBackendConfig": {},
  "vault:kubernetes/authBackendRole:AuthBackendRole": {},
  "vault:jwt/authBackend:AuthBackend": {},
  "vault:jwt/authBackendRole:AuthBackendRole": {},
  "vault:kv/secretV2:SecretV2": {},
  "vault:generic/endpoint:Endpoint": {},
};

const clientSecret = {
  name: "client-secret",
  path: "aidbox/client",
  scope: { resourceType: "Client", id: "basic" },
  source: "seeded",
};
const dev = {
  development: true,
  kubeContext: "kind-aidbox",
  secrets: [clientSecret],
  vault: { mode: "dev" },
  aidbox: { image: "healthsamurai/aidboxone:2605" },
};
const external = {
  kubeContext: "production",
  secrets: [
    { name: "license", path: "aidbox/license", environment: "BOX_LICENSE" },
    { name: "db-password", path: "aidbox/db", source: "managed" },
  ],
  namespaces: { aidbox: "health", vault: "vault-csi" },
  rotationBound: "90s",
  vault: {
    mode: "external",
    address: "https://vault.example:8200",
    vaultNamespace: "admin",
    kvMount: { path: "secret", owned: true },
    login: { method: "jwt", mount: "cluster-one", keys: { publicKeys: [publicKeyPem] } },
  },
  aidbox: { image: "healthsamurai/aidboxone:2605", name: "fhir" },
};

/** A cluster that notes what is asked of it. */
class FakeCluster implements VaultCluster {
  public readonly asked: string[] = [];
  /** Deployments whose secrets were waited for. */
  public readonly served: string[] = [];
  public readonly gates = new Map<string, Gate>();
  public repairs: VaultCluster["repairs"] = {};
  public movesCsiProvider = false;
  public hasAuditVolume = true;
  public readonly certificates = undefined;
  public readonly vaultCa = undefined;
  public readonly sealToken = undefined;

  public async reachVault(): Promise<ReachableVault> {
    await this.answer("Vault");
    return {
      address: vault.address,
      initialized: true,
      sealed: false,
      standby: false,
      version: "2.0.4",
      clusterId: "1b4f0e98",
    };
  }

  public async prepareCsiProvider(): Promise<void> {
    await this.gates.get("the CSI provider's namespace")?.opened;
  }

  public daemonSetReady({ namespace, name }: DaemonSetReference): Promise<void> {
    return this.answer(`${namespace}/${name}`);
  }

  public secretsServed({ namespace, name }: DeploymentReference): Promise<void> {
    this.served.push(`${namespace}/${name}`);
    return this.gates.get("secrets")?.opened ?? Promise.resolve();
  }

  /** Lets the answer to a question wait. */
  public hold(what: string): Gate {
    const gate = new Gate();
    this.gates.set(what, gate);
    return gate;
  }

  private async answer(what: string): Promise<void> {
    this.asked.push(what);
    await this.gates.get(what)?.opened;
  }
}

let vault: FakeVault;
let cluster: FakeCluster;
let engine: Engine;
beforeEach(async () => {
  vault = await FakeVault.start();
  cluster = new FakeCluster();
});
afterEach(async () => {
  await vault.stop();
});

async function start(
  config: Record<string, unknown>,
  options: Partial<VaultStackArgs & EngineOptions> = {},
): Promise<StackOutputs> {
  engine = await Engine.start({ types, run: options.run ?? "up", slow: options.slow ?? {} });
  const environment = checkVaultEnvironment("test", config);
  return deployStack({
    environment,
    kubernetes: kubernetesProvider(environment),
    cluster,
    owner: "aidbox-secrets.test",
    managedValues: pulumi.secret<StackValues>({ "db-password": "hunter2" }),
    externalVaultToken: pulumi.secret("hvs.external"),
    sealToken: pulumi.secret(""),
    vaultCommand: "vault",
    ...options,
  });
}

/** Deploys to the end of all registrations. */
async function deploy(...args: Parameters<typeof start>): Promise<StackOutputs> {
  const outputs = await start(...args);
  await engine.finished();
  return outputs;
}

/** Types and names of all that is registered, in an order that does not depend on timing. */
function registered(): string[] {
  return engine.registrations.map(({ type, name }) => `${type} ${name}`).sort();
}

function driverRelease(): Registration {
  return engine.registrations.find(({ type, parent }) => type === release && parent === "csi-driver")!;
}

function isDeployed(): boolean {
  return engine.names.includes(aidboxDeployment);
}

function isRegistered(wanted: string): boolean {
  return engine.registrations.some(({ type }) => type === wanted);
}

describe("a development environment", () => {
  test("is made of exactly these resources", async () => {
    await deploy(dev);
    expect(registered()).toMatchSnapshot();
  });

  test("ends with what people and programs need to know", async () => {
    const { vaultUrl, verifyCommand, ...outputs } = await deploy(dev);
    expect(outputs).toEqual({
      aidboxUrl: "http://aidbox.aidbox:8080",
      secretFiles: { "client-secret": "/run/vault-secrets/client-secret" },
      readablePaths: ["secret/data/aidbox/client"],
      rotationBound: "30s",
      tenants: {},
    });
    expect(await promiseOf(vaultUrl)).toBe("http://vault.vault:8200");
    expect(await promiseOf(verifyCommand)).toBe(
      "kubectl --context kind-aidbox -n aidbox exec deploy/aidbox -- test -s /run/vault-secrets/client-secret",
    );
  });

  test("touches its own context alone, and Vault through the cluster", async () => {
    await deploy(dev);
    expect(engine.resourceOf("pulumi:providers:kubernetes").inputs).toMatchObject({ context: "kind-aidbox" });
    expect(engine.resourceOf(vaultProvider).inputs).toMatchObject({ address: vault.address, skipChildToken: "true" });
    const providerOf = (prefix: string): string[] => [
      ...new Set(engine.registrations.filter(({ type }) => type.startsWith(prefix)).map(({ provider }) => provider)),
    ];
    expect(providerOf("kubernetes:")).toEqual(["kubernetes"]);
    expect(providerOf("vault:")).toEqual(["vault"]);
  });

  test("reaches Vault with the dev root token, which is secret", async () => {
    await deploy(dev);
    const { data } = engine.resourceOf("kubernetes:core/v1:Secret").inputs as { data: { secret: { token: string } } };
    const token = Buffer.from(data.secret.token, "base64").toString();
    expect(engine.resourceOf(vaultProvider).inputs.token).toEqual(secret(token));
    await until(() => vault.writes.length > 0);
    expect(vault.writes[0]!.headers).toMatchObject({ "x-vault-token": token });
    const elsewhere = engine.registrations.filter(({ type }) => type !== vaultProvider);
    expect(JSON.stringify(elsewhere)).not.toContain(token);
  });

  test("loses what is in Vault with the release of Vault, and makes it anew for another Vault", async () => {
    await deploy(dev);
    const inVault = engine.registrations.filter(({ type }) => type.startsWith("vault:"));
    expect(inVault.map(({ name }) => name).sort()).toEqual([
      "vault-access-auth",
      "vault-access-auth-config",
      "vault-access-policy",
      "vault-access-role",
      "vault-access/aidbox/client",
    ]);
    for (const each of inVault) expect(each).toMatchObject({ deletedWith: "vault", replacementTrigger: "1b4f0e98" });
  });

  test("takes no value with it that the state would have kept: the state goes by these names", async () => {
    const managed = { name: "db-password", path: "aidbox/db", source: "managed" };
    const tenants = [{ name: "north", secrets: [{ ...clientSecret, path: "north/client" }] }];
    const config = { ...dev, secrets: [clientSecret, managed], tenants, vault: { mode: "standalone" } };
    await deploy(config);
    const { keys } = plannedHolders(checkVaultEnvironment("test", config));
    const holders = engine.registrations.filter(({ type }) =>
      [holderTypes.seeded, holderTypes.managed, holderTypes.mount].some((each) => each === type),
    );
    expect(holders.map(({ type, name }) => resourceKey(type, name)).sort()).toEqual([...keys].sort());
    expect(holders.filter(({ retainOnDelete }) => !retainOnDelete)).toEqual([]);
    const state = engine.registrations.map(({ type, name, inputs, retainOnDelete, protect }): StateResource => ({
      urn: `urn:pulumi:test::aidbox-secrets::${type}::${name}`,
      type,
      inputs,
      retainOnDelete,
      protect,
    }));
    expect(compareWithState(checkVaultEnvironment("test", config), state)).toEqual({
      notices: [],
      refusals: [],
      unprotected: [],
      leavingNamespaces: [],
    });
    const kinds = valueHolders(state).map(({ held: { kind } }) => kind);
    expect([...new Set(kinds)].sort()).toEqual(["mount", "namespace", "secret", "servers"]);
  });

  test("lets the values go with the stack in a Vault of others", async () => {
    await deploy({ ...dev, vault: external.vault });
    const retained = engine.registrations.filter(({ retainOnDelete }) => retainOnDelete);
    expect(retained.map(({ name }) => name)).toEqual([]);
  });

  test("keeps the volume of its PostgreSQL until the namespace goes", async () => {
    const database = { mode: "development" };
    const password = { name: "db", path: "aidbox/db", environment: "BOX_DB_PASSWORD", source: "seeded" };
    const config = { ...dev, secrets: [clientSecret, password], database };
    await deploy(config);
    const claim = engine.resourceOf(holderTypes.volume);
    // Pulumi would replace one that is to be larger.
    expect(claim).toMatchObject({
      retainOnDelete: true,
      ignoreChanges: ["spec"],
      inputs: { metadata: { namespace: "aidbox" } },
    });
    const { name, namespace } = claim.inputs.metadata as { name: string; namespace: string };
    expect(plannedHolders(checkVaultEnvironment("test", config)).places).toContain(`volume ${namespace}/${name}`);
  });

  test("declares once more what the config no longer has, as the state has it, and has it kept", async () => {
    const urn = "urn:pulumi:test::aidbox-secrets::vault:kv/secretV2:SecretV2::vault-access/aidbox/old";
    const inputs = { __defaults: [], mount: "secret", name: "aidbox/old", dataJson: { ciphertext: "…" } };
    await deploy(dev, {
      unprotected: [{ urn, type: holderTypes.managed, inputs, retainOnDelete: false, protect: false }],
    });
    expect(engine.resource("kept/vault-access/aidbox/old")).toMatchObject({
      type: holderTypes.managed,
      inputs: {},
      aliases: [urn],
      ignoreChanges: ["mount", "name", "dataJson"],
      retainOnDelete: true,
      provider: "vault",
      deletedWith: "vault",
    });
  });

  // Kubernetes refuses another list of volumes, and Helm's upgrade would fail with it.
  test("leaves the volumes of Vault's servers as they are where these were made without one for the audit log", async () => {
    const config = { ...dev, vault: { mode: "standalone" } };
    const values = (): object => {
      const release = engine.registrations.find(({ type, name }) => type.endsWith(":Release") && name === "vault");
      return (release!.inputs as { values: { server: object } }).values.server;
    };
    await deploy(config);
    expect(values()).toMatchObject({ auditStorage: { enabled: true, size: "10Gi" } });
    cluster.hasAuditVolume = false;
    await deploy(config);
    expect(values()).not.toHaveProperty("auditStorage");
    expect(JSON.stringify(values())).toContain("log=/vault/data/audit.log");
  });

  test.each(["up", "later preview"] as const)(
    "has the servers' StatefulSet make way for larger volumes late: %s",
    async (run) => {
      const isServers = ({ type, name }: Registration): boolean => type.endsWith(":Release") && name === "vault";
      const seen: string[][] = [];
      await deploy(
        { ...dev, vault: { mode: "standalone" } },
        {
          run,
          makeWayForVolumes: () => {
            seen.push(engine.registrations.map((each) => (isServers(each) ? "servers" : each.type)));
            return Promise.resolve();
          },
        },
      );
      expect(engine.registrations.filter(isServers)).toHaveLength(1);
      expect(seen).toHaveLength(run === "up" ? 1 : 0);
      for (const each of seen) {
        expect(each).toContain("kubernetes:core/v1:Namespace");
        expect(each).not.toContain("servers");
      }
    },
  );

  test("has namespaces that say whose they are, by a mark that later runs leave alone", async () => {
    await deploy(dev);
    const namespaces = engine.registrations.filter(({ type }) => type === "kubernetes:core/v1:Namespace");
    expect(namespaces.map(({ inputs }) => inputs.metadata)).toMatchObject([
      { name: "vault", labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
      { name: "vault-csi-provider", labels: { "pod-security.kubernetes.io/enforce": "privileged" } },
      { name: "aidbox", labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
    ]);
    for (const { inputs, ignoreChanges } of namespaces) {
      expect(inputs.metadata).toMatchObject({
        labels: {
          "aidbox-secrets/stack": "aidbox-secrets.test",
          "aidbox-secrets/state-mark": expect.stringMatching(/^[0-9a-f]{16}$/) as string,
        },
      });
      expect(ignoreChanges).toContain('metadata.labels["aidbox-secrets/state-mark"]');
    }
  });

  test("has Aidbox read where the policy allows, as the ServiceAccount of the role", async () => {
    await deploy(dev);
    const role = engine.resource("vault-access-role").inputs;
    const { metadata, spec } = engine.resource(aidboxDeployment).inputs as {
      metadata: { namespace: string };
      spec: { template: { spec: { serviceAccountName: string } } };
    };
    expect(role.boundServiceAccountNames).toEqual([spec.template.spec.serviceAccountName]);
    expect(role.boundServiceAccountNamespaces).toEqual([metadata.namespace]);
    const provider = engine.resourceOf("kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass").inputs;
    expect(provider.spec).toMatchObject({
      parameters: {
        vaultAddress: "http://vault.vault:8200",
        roleName: role.roleName,
        audience: role.audience,
        vaultAuthMountPath: role.backend,
      },
    });
    expect(JSON.stringify(provider)).toContain("secret/data/aidbox/client");
    expect(engine.resource("vault-access-policy").inputs.policy).toContain('path "secret/data/aidbox/client"');
  });

  test("takes the driver and Vault away after Aidbox, whose pods would hang without the driver", async () => {
    await deploy(dev);
    expect(engine.resource(aidboxDeployment).dependsOn).toEqual(
      expect.arrayContaining(["csi-driver", "vault", "vault-access-role", "vault-access-policy"]),
    );
  });

  test("has the driver label its objects as the stack's, and write no Secrets", async () => {
    await deploy(dev);
    expect(driverRelease().inputs.values).toMatchObject({
      commonLabels: { "aidbox-secrets/stack": "aidbox-secrets.test" },
      syncSecret: { enabled: false },
      tokenRequests: [{ audience: "vault" }],
    });
  });

  test("has nothing to repair where the cluster has all that was installed", async () => {
    await deploy(dev);
    const releases = engine.registrations.filter(({ type }) => type === release);
    expect(releases).toHaveLength(3);
    for (const { inputs } of releases) expect(inputs).not.toHaveProperty("description");
    for (const name of ["csi-driver-mark", "vault-mark", "vault-csi-provider-mark"])
      expect(engine.resource(name).inputs).not.toHaveProperty("data");
  });

  test("has each release repaired for itself where the cluster has lost what it installed", async () => {
    const csiProvider = "2026-04-05T06:07:08.901Z";
    cluster.repairs = { csiDriver: "2026-02-03T04:05:06.789Z", vault: "2026-03-04T05:06:07.890Z", csiProvider };
    await deploy(dev);
    const vaultRelease = engine.registrations.find(({ type, parent }) => type === release && parent === "vault")!;
    expect(driverRelease().inputs.description).toBe("2026-02-03T04:05:06.789Z");
    expect(engine.resource("csi-driver-mark").inputs.data).toEqual({ "repaired-at": "2026-02-03T04:05:06.789Z" });
    expect(vaultRelease.inputs.description).toBe("2026-03-04T05:06:07.890Z");
    expect(engine.resource("vault-mark").inputs.data).toEqual({ "repaired-at": "2026-03-04T05:06:07.890Z" });
    expect(engine.resource("vault-csi-provider-mark").inputs.data).toEqual({ "repaired-at": csiProvider });
  });

  test("lets the driver write Secrets where a secret must be environment", async () => {
    await deploy({ ...dev, secrets: [{ ...clientSecret, environment: "BOX_ROOT_CLIENT_SECRET" }] });
    expect(driverRelease().inputs.values).toMatchObject({ syncSecret: { enabled: true } });
  });

  test("leaves a driver alone that the cluster has", async () => {
    await deploy({ ...dev, csiDriver: { install: false } });
    expect(engine.registrations.map(({ type }) => type)).not.toContain("aidbox-secrets:platform:CsiDriver");
    expect(cluster.asked.sort()).toEqual(["Vault", "vault-csi-provider/vault-node-csi-provider"]);
    expect(isDeployed()).toBe(true);
  });

  test("leaves a CSI provider alone that the cluster has", async () => {
    await deploy({
      ...dev,
      vault: { mode: "dev", csiProvider: false, allowFrom: [{ podLabels: { app: "provider" } }] },
    });
    expect(cluster.asked.sort()).toEqual(["Vault", "kube-system/csi-secrets-store-csi-driver"]);
    expect(isDeployed()).toBe(true);
  });
});

describe("the CSI provider", () => {
  beforeEach(() => {
    vault.secrets.set("aidbox/license", { version: 1, data: { license: "the license" } });
  });

  const provider = (): Registration =>
    engine.registrations.find(({ type, parent }) => type === release && parent === "vault-csi-provider")!;

  test("reads from the stack's own Vault, or from the one that is there already", async () => {
    await deploy(dev);
    expect(provider().inputs.values).toMatchObject({ global: { externalVaultAddr: "http://vault.vault:8200" } });
    await deploy(external);
    expect(provider().inputs.values).toMatchObject({ global: { externalVaultAddr: "https://vault.example:8200" } });
  });

  test("is installed once its namespace is prepared, and guarded", async () => {
    const gate = cluster.hold("the CSI provider's namespace");
    await start(dev);
    await until(() => cluster.asked.includes("Vault"));
    await settled();
    expect(provider()).toBeUndefined();
    gate.open();
    await engine.finished();
    expect(engine.resource("guards/csi-provider-tokens/policy").inputs.spec).toMatchObject({ failurePolicy: "Fail" });
    const component = engine.registrations.find(({ type }) => type === "aidbox-secrets:platform:VaultCsiProvider")!;
    expect(component.dependsOn).toEqual(
      expect.arrayContaining([
        "guards/csi-provider-tokens/policy",
        "guards/csi-provider-tokens/binding",
        "guards/vault/provider",
      ]),
    );
  });

  test("is there before the servers' release lets go of the one beside them", async () => {
    const servers = (): Registration =>
      engine.registrations.find(({ type }) => type === "aidbox-secrets:platform:Vault")!;
    await deploy(dev);
    expect(servers().dependsOn).not.toContain("vault-csi-provider");
    cluster.movesCsiProvider = true;
    await deploy(dev);
    expect(servers().dependsOn).toContain("vault-csi-provider");
  });

  test("is not waited for where the one beside an external Vault goes with the end of the run", async () => {
    await deploy(external);
    expect(cluster.asked).toContain("vault-csi-provider/vault-node-csi-provider");
    cluster.asked.length = 0;
    cluster.movesCsiProvider = true;
    await deploy(external);
    expect(cluster.asked).not.toContain("vault-csi-provider/vault-node-csi-provider");
  });
});

describe("the Republisher", () => {
  test("is made of these resources, in Aidbox's namespace, for a bound that kubelet does not keep by itself", async () => {
    await deploy(dev);
    expect(registered().filter((each) => each.includes(" aidbox/republisher/"))).toEqual([
      "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy aidbox/republisher/admission-policy",
      "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicyBinding aidbox/republisher/admission-policy-binding",
      `${deployment} ${republisherDeployment}`,
      "kubernetes:core/v1:ServiceAccount aidbox/republisher/service-account/Resource",
      "kubernetes:networking.k8s.io/v1:NetworkPolicy aidbox/republisher/network-guard",
      "kubernetes:rbac.authorization.k8s.io/v1:Role aidbox/republisher/role",
      "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding aidbox/republisher/role-binding",
    ]);
    expect(engine.resource(republisherDeployment).inputs).toMatchObject({
      metadata: { name: "aidbox-republisher", namespace: "aidbox" },
      spec: {
        template: {
          spec: {
            containers: [
              {
                image: "docker.io/curlimages/curl:8.17.0",
                env: expect.arrayContaining([
                  { name: "NAMESPACE", value: "aidbox" },
                  { name: "INTERVAL", value: "25" },
                ]) as object[],
              },
            ],
          },
        },
      },
    });
  });

  test("is cluster-wide where its kind is", async () => {
    await deploy(dev);
    for (const name of ["admission-policy", "admission-policy-binding"]) {
      expect(engine.resource(`aidbox/republisher/${name}`).inputs.metadata).toEqual({
        name: "aidbox.aidbox-republisher",
      });
    }
  });

  test("has its rights, and their bounds, before it starts", async () => {
    await deploy(dev);
    expect([...engine.resource(republisherDeployment).dependsOn].sort()).toEqual(
      expect.arrayContaining([
        "aidbox/republisher/admission-policy",
        "aidbox/republisher/admission-policy-binding",
        "aidbox/republisher/role",
        "aidbox/republisher/role-binding",
        "aidbox/republisher/service-account/Resource",
      ]),
    );
  });

  test("waits neither for Vault nor for Aidbox, which does not wait for it", async () => {
    const gate = cluster.hold("Vault");
    await start(dev);
    await until(() => engine.names.includes(republisherDeployment));
    expect(isDeployed()).toBe(false);
    gate.open();
    await engine.finished();
    expect(engine.resource(aidboxDeployment).dependsOn.join("\n")).not.toContain("republisher");
  });

  test("is left out for a bound that kubelet keeps by itself", async () => {
    await deploy({ ...dev, rotationBound: "90s" });
    expect(registered().join("\n")).not.toContain("republisher");
    expect(isDeployed()).toBe(true);
  });
});

describe("Aidbox", () => {
  /** Lets the write of the seeded secret into Vault wait. */
  function holdSeeding(): Gate {
    const gate = new Gate();
    vault.intercept = async ({ method }) => {
      if (method !== "GET") await gate.opened;
      return undefined;
    };
    return gate;
  }

  const seedingBegun = (): boolean => vault.writes.length > 0;
  const seeded = (): boolean => vault.secrets.has("aidbox/client");

  test.each<[what: string, hold: () => Gate, allElseDone: () => boolean]>([
    ["Vault can be used", () => cluster.hold("Vault"), () => cluster.asked.includes("Vault")],
    ["the driver's DaemonSet is ready", () => cluster.hold("kube-system/csi-secrets-store-csi-driver"), seeded],
    ["the CSI provider's DaemonSet is ready", () => cluster.hold("vault-csi-provider/vault-node-csi-provider"), seeded],
    ["its secrets are in Vault", holdSeeding, seedingBegun],
  ])("is deployed once %s, and what it needs before", async (_, hold, allElseDone) => {
    const gate = hold();
    await start(dev);
    await until(allElseDone);
    await settled();
    expect(isDeployed()).toBe(false);
    expect(isRegistered("kubernetes:core/v1:Service")).toBe(false);
    expect(isRegistered("kubernetes:core/v1:ConfigMap")).toBe(true);
    expect(isRegistered("kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass")).toBe(true);

    gate.open();
    await engine.finished();
    expect(isDeployed()).toBe(true);
    expect(vault.secrets.get("aidbox/client")?.version).toBe(1);
    expect(cluster.asked.sort()).toEqual([
      "Vault",
      "kube-system/csi-secrets-store-csi-driver",
      "vault-csi-provider/vault-node-csi-provider",
    ]);
  });

  test.each<[before: string, after: readonly string[]]>([
    ["kubernetes:core/v1:Namespace", [release, "kubernetes:core/v1:Secret", "kubernetes:core/v1:ServiceAccount"]],
    [release, ["kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass", vaultProvider, deployment]],
    ["vault:kubernetes/authBackendRole:AuthBackendRole", [deployment]],
    ["kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass", [deployment]],
  ])("and what leads to it waits for every %s", async (before, after) => {
    const gate = new Gate();
    await start(dev, { slow: { [before]: gate.opened } });
    await until(() => isRegistered(before));
    await settled();
    const free = ["csi-driver", ...(before === "kubernetes:core/v1:Namespace" ? [] : [republisherDeployment])];
    const early = engine.registrations.filter(({ type, name }) => after.includes(type) && !free.includes(name));
    expect(early).toEqual([]);

    gate.open();
    await engine.finished();
    for (const type of after) expect(isRegistered(type)).toBe(true);
  });

  test("comes after its ServiceAccount, SecretProviderClass and vault-config", async () => {
    await deploy(dev);
    expect(engine.resource(aidboxDeployment).dependsOn).toEqual(
      expect.arrayContaining([
        "aidbox/service-account/Resource",
        "aidbox/secret-provider-class/class",
        "aidbox/vault-config/config/Resource",
      ]),
    );
  });

  test("is not deployed where Vault cannot be used, and nothing is made in Vault", async () => {
    cluster.reachVault = () => Promise.reject(new Error("Vault is sealed"));
    // What needs the provider of Vault waits for it for ever; Pulumi ends the program at the error.
    const failures = await failuresOf(() => start(dev));
    expect(failures).toEqual(['error serializing property "address": Vault is sealed']);
    expect(isDeployed()).toBe(false);
    expect(engine.registrations.filter(({ type }) => type.startsWith("vault:"))).toEqual([]);
  });

  describe("in development, without a licence", () => {
    const waitFor = { metadata: { annotations: { "pulumi.com/waitFor": "jsonpath={.metadata.uid}" } } };

    test("is waited for until it has its secrets, and up ends after that", async () => {
      const gate = cluster.hold("secrets");
      const { verifyCommand } = await deploy(dev);
      expect(engine.resource(aidboxDeployment).inputs).toMatchObject(waitFor);
      expect(cluster.served).toEqual(["aidbox/aidbox"]);
      let isOver = false;
      const over = promiseOf(verifyCommand).then(() => (isOver = true));
      await new Promise(setImmediate);
      expect(isOver).toBe(false);
      gate.open();
      await over;
    });

    test("fails the up where they do not arrive", async () => {
      cluster.secretsServed = () => Promise.reject(new Error("did not get its secrets"));
      expect(await failuresOf(() => deploy(dev))).toContain("did not get its secrets");
    });

    test("is not looked at in a preview", async () => {
      await deploy(dev, { run: "first preview" });
      expect(cluster.served).toEqual([]);
    });
  });

  test.each<[what: string, config: object]>([
    [
      "with a licence",
      { ...dev, secrets: [{ name: "license", path: "aidbox/license", environment: "BOX_LICENSE", source: "seeded" }] },
    ],
    ["with variables from elsewhere", { ...dev, aidbox: { ...dev.aidbox, environmentFrom: { secrets: ["theirs"] } } }],
  ])("%s, it is Pulumi that waits until it is ready", async (_, config) => {
    await deploy({ ...config });
    expect(JSON.stringify(engine.resource(aidboxDeployment).inputs)).not.toContain("pulumi.com/waitFor");
    expect(cluster.served).toEqual([]);
  });

  test("is not deployed where a DaemonSet does not get ready", async () => {
    cluster.daemonSetReady = ({ name }) => Promise.reject(new Error(`${name} did not get ready`));
    const failures = await failuresOf(() => deploy(dev));
    expect(failures).toContain("csi-secrets-store-csi-driver did not get ready");
    expect(isDeployed()).toBe(false);
  });
});

test("an Aidbox with metrics and an Ingress is deployed without a wait for what Services and Ingresses show", async () => {
  const aidbox = { ...dev.aidbox, metricsPort: 8765, ingress: { hosts: ["aidbox.example.com"] } };
  await deploy({ ...dev, aidbox });
  const waited = engine.registrations.filter(({ type }) => /:(Service|Ingress)$/.test(type));
  expect(waited.map(({ name }) => name).sort()).toEqual([
    "aidbox/aidbox/ingress/Resource",
    "aidbox/aidbox/metrics-service/Resource",
    "aidbox/aidbox/service/Resource",
  ]);
  for (const { inputs } of waited) {
    expect(inputs).toMatchObject({ metadata: { annotations: { "pulumi.com/skipAwait": "true" } } });
  }
});

describe("an environment with a Vault of its own", () => {
  beforeEach(() => {
    vault.secrets.set("aidbox/license", { version: 1, data: { license: "the license" } });
  });

  test("is made of exactly these resources", async () => {
    await deploy(external);
    expect(registered()).toMatchSnapshot();
    expect(isRegistered("kubernetes:core/v1:Secret")).toBe(false);
  });

  test.each<[vault: object, kept: string[]]>([
    [external.vault, ["vault-access-kv", "vault-access/aidbox/db"]],
    [{ mode: "standalone" }, ["namespaces/vault/namespace/Resource", "vault-access-kv", "vault-access/aidbox/db"]],
    [{ mode: "standalone", storage: { retain: false } }, ["vault-access-kv", "vault-access/aidbox/db"]],
    [
      { mode: "standalone", storage: { retain: false }, snapshots: {} },
      [
        "namespaces/vault/namespace/Resource",
        "vault-access-kv",
        "vault-access/aidbox/db",
        "vault-snapshots/vault/claim",
      ],
    ],
  ])("keeps what holds values where it goes, and the namespace of Vault's volumes: %j", async (vault, kept) => {
    await deploy({ ...external, vault });
    const retained = engine.registrations.filter(({ retainOnDelete }) => retainOnDelete);
    expect(retained.map(({ name }) => name).sort()).toEqual(kept);
  });

  test("takes snapshots of a Vault of its own once their login is there, which may do nothing else", async () => {
    const snapshots = { schedule: "5 * * * *", keep: 3 };
    await deploy({ ...external, vault: { mode: "ha", logFormat: "json", snapshots } });
    expect(engine.resource("vault-snapshots-policy").inputs).toMatchObject({
      name: "aidbox-snapshots",
      policy:
        "# aidbox-secrets: stack test, logins at auth/kubernetes\n" +
        'path "sys/storage/raft/snapshot" {\n  capabilities = ["read"]\n}\n',
    });
    expect(engine.resource("vault-snapshots-role").inputs).toMatchObject({
      roleName: "aidbox-snapshots",
      boundServiceAccountNames: ["vault-snapshots"],
      boundServiceAccountNamespaces: ["vault-csi"],
      tokenPolicies: ["aidbox-snapshots"],
      tokenNoDefaultPolicy: true,
      tokenTtl: 900,
    });
    const cronJob = engine.resource("vault-snapshots/vault/cron-job");
    expect(cronJob.inputs).toMatchObject({
      metadata: { name: "vault-snapshots", namespace: "vault-csi" },
      spec: { schedule: "5 * * * *", timeZone: "Etc/UTC", concurrencyPolicy: "Forbid" },
    });
    const inCronJob = JSON.stringify(cronJob.inputs.spec);
    expect(inCronJob).toContain(JSON.stringify(jobInJsonLines(snapshotScript)));
    expect(cronJob.dependsOn).toEqual(expect.arrayContaining(["vault-snapshots-role", "vault-snapshots/vault/claim"]));
    expect(engine.resource("guards/vault/servers").inputs.spec).toMatchObject({
      ingress: expect.arrayContaining([
        {
          from: expect.arrayContaining([
            {
              podSelector: {
                matchLabels: { "app.kubernetes.io/name": "vault-snapshots", "app.kubernetes.io/instance": "vault" },
              },
            },
          ]) as unknown,
          ports: [{ protocol: "TCP", port: 8200 }],
        },
      ]) as unknown,
    });
  });

  test("is watched where the config asks for it", async () => {
    await deploy({ ...external, vault: { mode: "ha" }, monitoring: { from: [{ podLabels: { app: "prometheus" } }] } });
    const made = engine.registrations.filter(({ name }) => name.startsWith("monitoring/")).map(({ type }) => type);
    expect(made.sort()).toEqual([
      "kubernetes:monitoring.coreos.com/v1:PodMonitor",
      "kubernetes:monitoring.coreos.com/v1:PodMonitor",
      "kubernetes:monitoring.coreos.com/v1:PrometheusRule",
    ]);
  });

  test("is watched by nobody else", async () => {
    await deploy({ ...external, vault: { mode: "ha" } });
    expect(engine.registrations.filter(({ name }) => name.startsWith("monitoring"))).toEqual([]);
  });

  test("ends with that Vault's address as pods see it", async () => {
    const { vaultUrl, verifyCommand, ...outputs } = await deploy(external);
    expect(outputs).toEqual({
      aidboxUrl: "http://fhir.health:8080",
      secretFiles: { license: "/run/vault-secrets/license", "db-password": "/run/vault-secrets/db-password" },
      readablePaths: ["secret/data/aidbox/license", "secret/data/aidbox/db"],
      rotationBound: "90s",
      tenants: {},
    });
    expect(await promiseOf(vaultUrl)).toBe("https://vault.example:8200");
    expect(await promiseOf(verifyCommand)).toBe(
      "kubectl --context production -n health exec deploy/fhir -- test -s /run/vault-secrets/license",
    );
  });

  test("reaches Vault as it answers from here, in its namespace, with the operator's token", async () => {
    await deploy(external);
    expect(engine.resourceOf(vaultProvider).inputs).toMatchObject({
      address: vault.address,
      namespace: "admin",
      token: secret("hvs.external"),
    });
    await until(() => vault.requests.length > 0);
    expect(vault.requests[0]!.headers).toMatchObject({
      "x-vault-token": "hvs.external",
      "x-vault-namespace": "admin",
    });
  });

  test("has pods log in by the method, the mount and the namespace of the config", async () => {
    await deploy(external);
    expect(engine.resource("vault-access-auth").inputs).toMatchObject({
      type: "jwt",
      path: "cluster-one",
      jwtValidationPubkeys: [publicKeyPem],
    });
    expect(engine.resource("vault-access-role").inputs.boundSubject).toBe("system:serviceaccount:health:fhir");
    const provider = engine.resourceOf("kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass").inputs;
    expect(provider.spec).toMatchObject({
      parameters: {
        vaultAddress: "https://vault.example:8200",
        vaultAuthMountPath: "cluster-one",
        vaultNamespace: "admin",
      },
    });
  });

  test("removes what it made in Vault, which stays, by itself", async () => {
    await deploy(external);
    const inVault = engine.registrations.filter(({ type }) => type.startsWith("vault:"));
    expect(inVault.length).toBeGreaterThan(0);
    for (const each of inVault) expect(each).toMatchObject({ deletedWith: "", replacementTrigger: undefined });
  });

  test("writes managed values, and shows them nowhere but there", async () => {
    await deploy(external);
    expect(engine.resource("vault-access/aidbox/db").inputs.dataJson).toEqual(secret('{"db-password":"hunter2"}'));
    const elsewhere = engine.registrations.filter(({ name }) => name !== "vault-access/aidbox/db");
    expect(JSON.stringify(elsewhere)).not.toContain("hunter2");
  });

  test("waits for an external secret that lacks, with how to write it, and tells the command that runs it", async () => {
    vault.secrets.clear();
    const folder = mkdtempSync(join(tmpdir(), "stack-test-"));
    const resultFile = join(folder, "result.json");
    process.env.AIDBOX_SECRETS_RESULT_FILE = resultFile;
    try {
      const failures = await failuresOf(() =>
        deploy(external, { vaultCommand: "VAULT_ADDR=https://vault.example vault" }),
      );
      expect(failures).toEqual([
        "Aidbox waits for secrets that an operator writes (source: external). Each command reads the value from its\n" +
          "standard input. Run them, then `up` again:\n" +
          "  npm run write -- license --env test",
      ]);
      expect(JSON.parse(readFileSync(resultFile, "utf8"))).toEqual({ reason: "secrets-missing" });
    } finally {
      delete process.env.AIDBOX_SECRETS_RESULT_FILE;
      rmSync(folder, { recursive: true });
    }
    expect(isDeployed()).toBe(false);
    expect(engine.names).toContain("vault-access-role");
  });
});

describe("an environment with tenants", () => {
  const providerClass = "kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass";
  const tenants = [
    { name: "north", secrets: [{ ...clientSecret, path: "north/client" }] },
    {
      name: "south",
      namespace: "southern",
      secrets: [{ ...clientSecret, path: "south/client" }],
      aidbox: { name: "box" },
    },
  ];
  const clinics = { ...dev, tenants };

  /** Names of the resources of a type, in an order that does not depend on timing. */
  const namesOf = (type: string): string[] =>
    engine.registrations
      .filter((each) => each.type === type)
      .map(({ name }) => name)
      .sort();

  test("is made of what the first Aidbox is made of, and of exactly these resources", async () => {
    await deploy(dev);
    const alone = registered();
    await deploy(clinics);
    const all = registered();
    expect(all).toEqual(expect.arrayContaining(alone));
    expect(all.filter((each) => !alone.includes(each))).toMatchSnapshot();
  });

  test("ends with each tenant's URL, files and paths beside those of the first Aidbox", async () => {
    const { vaultUrl, verifyCommand, ...outputs } = await deploy(clinics);
    expect(await promiseOf(vaultUrl)).toBe("http://vault.vault:8200");
    expect(await promiseOf(verifyCommand)).toBe(
      "kubectl --context kind-aidbox -n aidbox exec deploy/aidbox -- test -s /run/vault-secrets/client-secret",
    );
    expect(outputs).toEqual({
      aidboxUrl: "http://aidbox.aidbox:8080",
      secretFiles: { "client-secret": "/run/vault-secrets/client-secret" },
      readablePaths: ["secret/data/aidbox/client"],
      rotationBound: "30s",
      tenants: {
        north: {
          aidboxUrl: "http://aidbox.aidbox-north:8080",
          secretFiles: { "client-secret": "/run/vault-secrets/client-secret" },
          readablePaths: ["secret/data/north/client"],
        },
        south: {
          aidboxUrl: "http://box.southern:8080",
          secretFiles: { "client-secret": "/run/vault-secrets/client-secret" },
          readablePaths: ["secret/data/south/client"],
        },
      },
    });
  });

  test("has one driver, one Vault and one provider of it, by which all in it is made", async () => {
    await deploy(clinics);
    expect(namesOf(release)).toEqual(["csi-driver", "vault", "vault-csi-provider"]);
    expect(namesOf(vaultProvider)).toEqual(["vault"]);
    const inVault = engine.registrations.filter(({ type }) => type.startsWith("vault:"));
    for (const each of inVault) {
      expect(each).toMatchObject({ provider: "vault", deletedWith: "vault", replacementTrigger: "1b4f0e98" });
    }
    expect(cluster.asked.sort()).toEqual([
      "Vault",
      "kube-system/csi-secrets-store-csi-driver",
      "vault-csi-provider/vault-node-csi-provider",
    ]);
  });

  test("has one auth mount, on which each tenant has a role for its own ServiceAccount", async () => {
    await deploy(clinics);
    expect(namesOf("vault:index/authBackend:AuthBackend")).toEqual(["vault-access-auth"]);
    expect(namesOf("vault:kubernetes/authBackendConfig:AuthBackendConfig")).toEqual(["vault-access-auth-config"]);
    const roles = [
      { access: "vault-access", role: "aidbox", namespace: "aidbox", serviceAccount: "aidbox" },
      { access: "vault-access-north", role: "aidbox-north", namespace: "aidbox-north", serviceAccount: "aidbox" },
      { access: "vault-access-south", role: "aidbox-south", namespace: "southern", serviceAccount: "box" },
    ];
    expect(namesOf("vault:kubernetes/authBackendRole:AuthBackendRole")).toEqual(
      roles.map(({ access }) => `${access}-role`).sort(),
    );
    for (const { access, role, namespace, serviceAccount } of roles) {
      expect(engine.resource(`${access}-role`)).toMatchObject({
        parent: access,
        inputs: {
          backend: "kubernetes",
          roleName: role,
          tokenPolicies: [role],
          boundServiceAccountNames: [serviceAccount],
          boundServiceAccountNamespaces: [namespace],
          audience: "vault",
        },
        dependsOn: expect.arrayContaining(["vault-access-auth", `${access}-policy`]) as string[],
      });
    }
  });

  test("has policies that read the own path of each, and no other's", async () => {
    await deploy(clinics);
    const policies = engine.registrations.filter(({ type }) => type === "vault:index/policy:Policy");
    const mark = "# aidbox-secrets: stack test, logins at auth/kubernetes\n";
    const reads = (path: string): string => `${mark}path "secret/data/${path}" {\n  capabilities = ["read"]\n}\n`;
    expect(Object.fromEntries(policies.map(({ inputs }) => [inputs.name, inputs.policy]))).toEqual({
      aidbox: reads("aidbox/client"),
      "aidbox-north": reads("north/client"),
      "aidbox-south": reads("south/client"),
    });
  });

  test("has each Aidbox log in by its own role and the one mount", async () => {
    await deploy(clinics);
    const classes = engine.registrations.filter(({ type }) => type === providerClass);
    expect(classes).toHaveLength(3);
    for (const { name, inputs } of classes) {
      const access = name.startsWith("aidbox/") ? "vault-access" : `vault-access-${name.split("/")[0]!.slice(7)}`;
      const role = engine.resource(`${access}-role`).inputs;
      expect(inputs).toMatchObject({
        metadata: { namespace: (role.boundServiceAccountNamespaces as string[])[0] },
        spec: {
          parameters: {
            vaultAddress: "http://vault.vault:8200",
            roleName: role.roleName,
            vaultAuthMountPath: role.backend,
            audience: role.audience,
          },
        },
      });
    }
  });

  test("has a marked namespace for each, restricted but for the CSI provider's,, made by the one chart of namespaces", async () => {
    await deploy(clinics);
    const namespaces = engine.registrations.filter(({ type }) => type === "kubernetes:core/v1:Namespace");
    expect(namespaces.map(({ parent }) => parent)).toEqual(Array(5).fill("namespaces"));
    const metadata = namespaces.map(
      ({ inputs }) => inputs.metadata as { name: string; labels: Record<string, string> },
    );
    expect(metadata.map(({ name }) => name).sort()).toEqual([
      "aidbox",
      "aidbox-north",
      "southern",
      "vault",
      "vault-csi-provider",
    ]);
    const level = (name: string): string => (name === "vault-csi-provider" ? "privileged" : "restricted");
    for (const { name, labels } of metadata) {
      expect(labels).toMatchObject({
        "aidbox-secrets/stack": "aidbox-secrets.test",
        "aidbox-secrets/state-mark": metadata[0]!.labels["aidbox-secrets/state-mark"],
        "pod-security.kubernetes.io/enforce": level(name),
      });
    }
  });

  test("seeds each tenant's secret, with a value of its own", async () => {
    await deploy(clinics);
    expect([...vault.secrets.keys()].sort()).toEqual(["aidbox/client", "north/client", "south/client"]);
    const values = [...vault.secrets.values()].map(({ data }) => data!["client-secret"]);
    expect(new Set(values).size).toBe(3);
  });

  test("owns the KV mount once, which is there before anything that tenants have in Vault, and goes after it", async () => {
    const gate = new Gate();
    const mount = "vault:index/mount:Mount";
    await start({ ...clinics, vault: external.vault }, { slow: { [mount]: gate.opened } });
    await until(() => isRegistered(mount));
    await settled();
    expect(engine.names.filter((name) => /^vault-access-(north|south)/.test(name))).toEqual([]);
    gate.open();
    await engine.finished();
    expect(namesOf(mount)).toEqual(["vault-access-kv"]);
    for (const name of ["north", "south"]) {
      // What a component comes after, its children come after: the engine removes them first.
      expect(engine.resource(`vault-access-${name}`).dependsOn).toContain("vault-access-kv");
      expect(engine.resource(`vault-access-${name}/${name}/client`).parent).toBe(`vault-access-${name}`);
    }
  });

  test("writes a tenant's managed secrets from values of its own, and shows them nowhere but there", async () => {
    const password = { name: "db-password", path: "north/db", source: "managed" };
    await deploy(
      { ...dev, tenants: [{ name: "north", secrets: [password] }] },
      {
        managedValues: pulumi.secret<StackValues>({
          "db-password": "of the first",
          north: { "db-password": "hunter2" },
        }),
      },
    );
    const written = "vault-access-north/north/db";
    expect(engine.resource(written).inputs.dataJson).toEqual(secret('{"db-password":"hunter2"}'));
    const elsewhere = engine.registrations.filter(({ name }) => name !== written);
    expect(JSON.stringify(elsewhere)).not.toContain("hunter2");
  });

  test("lets the driver write Secrets where a tenant's secret alone must be environment", async () => {
    const license = { ...clientSecret, path: "north/client", environment: "BOX_ROOT_CLIENT_SECRET" };
    await deploy({ ...dev, tenants: [{ name: "north", secrets: [license] }] });
    expect(driverRelease().inputs.values).toMatchObject({ syncSecret: { enabled: true } });
    expect(JSON.stringify(engine.resource(republisherDeployment).inputs)).not.toContain("aidbox-vault-secrets");
    expect(
      JSON.stringify(engine.resource(`aidbox-north/${republisherDeployment.replace("aidbox/", "")}`).inputs),
    ).toContain('{"name":"ROLL_CLASS","value":"aidbox-vault-secrets"}');
  });

  test.each<[before: string, after: readonly string[]]>([
    ["kubernetes:core/v1:Namespace", ["kubernetes:core/v1:ServiceAccount", providerClass]],
    ["vault:index/authBackend:AuthBackend", ["vault:kubernetes/authBackendRole:AuthBackendRole"]],
    ["vault:index/policy:Policy", ["vault:kubernetes/authBackendRole:AuthBackendRole"]],
  ])("has no tenant go ahead of %s", async (before, after) => {
    const gate = new Gate();
    await start(clinics, { slow: { [before]: gate.opened } });
    await until(() => isRegistered(before));
    await settled();
    for (const type of after) expect(namesOf(type)).toEqual([]);
    gate.open();
    await engine.finished();
    for (const type of after) expect(isRegistered(type)).toBe(true);
  });

  const deployments = ["aidbox", "aidbox-north", "aidbox-south"].map((chart) => `${chart}/aidbox/deployment/Resource`);
  const deployedSoFar = (): string[] => deployments.filter((name) => engine.names.includes(name));

  test("deploys each Aidbox once its own secrets are in Vault, and waits for no other's", async () => {
    const gate = new Gate();
    vault.intercept = async ({ method, path }) => {
      if (method !== "GET" && path.includes("north/")) await gate.opened;
      return undefined;
    };
    await start(clinics);
    await until(() => deployedSoFar().length === 2);
    await settled();
    expect(deployedSoFar()).toEqual([deployments[0], deployments[2]]);
    gate.open();
    await engine.finished();
    expect(deployedSoFar()).toEqual(deployments);
  });

  test("deploys none before the driver and the CSI provider are ready", async () => {
    const gate = cluster.hold("kube-system/csi-secrets-store-csi-driver");
    await start(clinics);
    await until(() => vault.secrets.size === 3);
    await settled();
    expect(deployedSoFar()).toEqual([]);
    gate.open();
    await engine.finished();
    expect(deployedSoFar()).toEqual(deployments);
  });

  test("takes the driver and Vault away after each tenant's Aidbox too", async () => {
    await deploy(clinics);
    for (const name of deployments) {
      expect(engine.resource(name).dependsOn).toEqual(expect.arrayContaining(["csi-driver", "vault"]));
    }
  });

  test("waits for an external secret that a tenant lacks, and deploys the others", async () => {
    const license = { name: "license", path: "north/license" };
    const failures = await failuresOf(() =>
      deploy({ ...dev, tenants: [{ name: "north", secrets: [license] }, tenants[1]] }),
    );
    expect(failures).toEqual([
      expect.stringMatching(/\n {2}npm run write -- license --env test --tenant north$/) as string,
    ]);
    expect(deployedSoFar()).toEqual([deployments[0], deployments[2]]);
  });

  test("has tenants log in by the method and the mount of an external Vault, in its namespace", async () => {
    vault.secrets.set("aidbox/license", { version: 1, data: { license: "the license" } });
    await deploy({ ...external, tenants });
    expect(namesOf("vault:jwt/authBackend:AuthBackend")).toEqual(["vault-access-auth"]);
    expect(namesOf("vault:index/mount:Mount")).toEqual(["vault-access-kv"]);
    expect(engine.resource("vault-access-south-role")).toMatchObject({
      type: "vault:jwt/authBackendRole:AuthBackendRole",
      inputs: {
        backend: "cluster-one",
        roleName: "aidbox-south",
        boundSubject: "system:serviceaccount:southern:box",
        tokenPolicies: ["aidbox-south"],
      },
    });
    const { spec } = engine.resource("aidbox-south/secret-provider-class/class").inputs;
    expect(spec).toMatchObject({
      parameters: {
        vaultAddress: "https://vault.example:8200",
        vaultAuthMountPath: "cluster-one",
        vaultNamespace: "admin",
        roleName: "aidbox-south",
      },
    });
    for (const { path, headers } of vault.requests.filter((each) => each.path.includes("south"))) {
      expect({ path, namespace: headers["x-vault-namespace"] }).toEqual({ path, namespace: "admin" });
    }
  });
});

const withTenants = {
  ...dev,
  tenants: [{ name: "north", secrets: [{ ...clientSecret, path: "north/client" }] }],
};

describe.each([
  ["development", dev],
  ["external Vault", external],
  ["tenants", withTenants],
])("a preview of an environment: %s", (_, config) => {
  beforeEach(() => {
    vault.secrets.set("aidbox/license", { version: 1, data: { license: "the license" } });
  });

  test("shows everything before the first deployment, when nothing can be asked yet", async () => {
    await deploy(config, { run: "first preview" });
    const shown = registered();
    expect(cluster.asked).toEqual([]);
    expect(vault.requests).toEqual([]);
    expect(engine.resourceOf(vaultProvider).inputs.address).toBe(unknown);
    await deploy(config);
    expect(shown).toEqual(registered());
  });

  test("asks for Vault after a deployment, waits for no DaemonSet and writes nothing", async () => {
    await deploy(config, { run: "later preview" });
    const shown = registered();
    expect(cluster.asked).toEqual(["Vault"]);
    expect(vault.writes).toEqual([]);
    expect(engine.resourceOf(vaultProvider).inputs.address).toBe(vault.address);
    await deploy(config);
    expect(shown).toEqual(registered());
  });
});
