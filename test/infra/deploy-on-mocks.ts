import * as pulumi from "@pulumi/pulumi";
import type { VaultCluster } from "../../infra/cluster/vault-cluster";
import type { Environment } from "../../infra/config/environment";
import type { StackValues } from "../../infra/config/managed-values";
import { configuredCa, isStored } from "../../infra/config/stores/vault/server";
import { deployStack, kubernetesProvider } from "../../infra/stack/stack";
import type { VaultStackArgs } from "../../infra/stack/stack-args";
import { Engine, FakeVault } from "../mocks";
import { ofVault } from "./vault-environment";

const release = "kubernetes:helm.sh/v3:Release";

const types = Object.fromEntries(
  [
    "pulumi:providers:kubernetes",
    "pulumi:providers:vault",
    "cdk8s-pulumi:index:DeployedChart",
    "aidbox-secrets:platform:CsiDriver",
    "aidbox-secrets:platform:Vault",
    "aidbox-secrets:platform:VaultCsiProvider",
    "aidbox-secrets:platform:VaultTls",
    "aidbox-secrets:vault:VaultAccess",
    "kubernetes:apps/v1:Deployment",
    "kubernetes:apps/v1:StatefulSet",
    "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy",
    "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicyBinding",
    "kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
    "kubernetes:core/v1:ConfigMap",
    "kubernetes:core/v1:Namespace",
    "kubernetes:core/v1:PersistentVolumeClaim",
    "kubernetes:core/v1:Secret",
    "kubernetes:core/v1:Service",
    "kubernetes:core/v1:ServiceAccount",
    "kubernetes:policy/v1:PodDisruptionBudget",
    "kubernetes:networking.k8s.io/v1:Ingress",
    "kubernetes:networking.k8s.io/v1:NetworkPolicy",
    "kubernetes:rbac.authorization.k8s.io/v1:Role",
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
    "kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass",
    "vault:index/policy:Policy",
    "vault:index/authBackend:AuthBackend",
    "vault:index/mount:Mount",
    "vault:jwt/authBackend:AuthBackend",
    "vault:jwt/authBackendRole:AuthBackendRole",
    "vault:kubernetes/authBackendConfig:AuthBackendConfig",
    "vault:kubernetes/authBackendRole:AuthBackendRole",
    "vault:kv/secretV2:SecretV2",
    "vault:generic/endpoint:Endpoint",
  ].map((type) => [type, {}]),
);

export interface DeployedOnMocks {
  readonly engine: Engine;
  /** Address by which the program reaches Vault, as by a port-forward. */
  readonly vaultAddress: string;
}

/** Deploys an environment on mocks, whose Vault has the client's secret of the repository's environments. */
export async function deployOnMocks(checked: Environment, managed: StackValues = {}): Promise<DeployedOnMocks> {
  const environment = ofVault(checked);
  const vault = await FakeVault.start();
  const vaultAddress = vault.address;
  vault.secrets.set("aidbox/client", { version: 1, data: { "client-secret": "hunter2" } });
  const certificates: VaultCluster["certificates"] = isStored(environment.vault)
    ? {
        ca: { cert: "the CA", key: "the CA's key" },
        server: { cert: "the certificate", key: "its key" },
        former: "",
        trusted: "the CA",
      }
    : undefined;
  const engine = await Engine.start({ types: { ...types, [release]: { status: { status: "deployed" } } } });
  const reachable = { initialized: true, sealed: false, standby: false, version: "2.0.4", clusterId: "1b4f0e98" };
  const args: VaultStackArgs = {
    environment,
    kubernetes: kubernetesProvider(environment),
    cluster: {
      reachVault: () => Promise.resolve({ address: vaultAddress, ...reachable }),
      daemonSetReady: () => Promise.resolve(),
      secretsServed: () => Promise.resolve(),
      repairs: {},
      movesCsiProvider: false,
      hasAuditVolume: true,
      prepareCsiProvider: () => Promise.resolve(),
      certificates,
      // None, where the stack's CA would be: the Vault of this test has no TLS.
      vaultCa: configuredCa(environment),
      sealToken: undefined,
    },
    owner: `aidbox-secrets.${environment.name}`,
    managedValues: pulumi.secret<StackValues>(managed),
    externalVaultToken: pulumi.secret("hvs.stack"),
    sealToken: pulumi.secret(""),
    vaultCommand: "vault",
  };
  deployStack(args);
  await engine.finished();
  await vault.stop();
  return { engine, vaultAddress };
}
