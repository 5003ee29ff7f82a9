import { type Chart, Duration, Testing, Yaml } from "cdk8s";
import type { k8s } from "cdk8s-plus-28";
import { parse } from "yaml";
import { withSecrets } from "../../../constructs/fhir";
import { type SecretSpec, SecretTable } from "../../../constructs/secrets";
import { VaultPaths, type VaultStoreProps } from "../../../constructs/stores/vault";
import type { SecretProviderClassProps } from "../../../imports/secrets-store.csi.x-k8s.io";

const everyField: Required<Omit<SecretSpec, "keypair" | "keys">> = {
  name: "db-password",
  path: "aidbox/db",
  key: "password",
  file: "db/password",
  scope: { resourceType: "AidboxSubscriptionBroker", id: "main" },
  environment: "BOX_DB_PASSWORD",
  source: "managed",
  maxAge: Duration.days(1),
  mayBeEmpty: true,
  optional: false,
};

/** A row of each kind: with every field, scoped to a type, unscoped, and environment only. */
export const fullTable = new SecretTable({
  mountPath: "/mnt/secrets",
  secrets: [
    everyField,
    { name: "client-secret", path: "aidbox/client", scope: { resourceType: "Client" } },
    { name: "license", path: "aidbox/box", key: "license-key", environment: "BOX_LICENSE" },
    { name: "tls-key", path: "aidbox/tls", file: "tls/key.pem" },
  ],
});

/** A Vault with every prop. */
export const everyVault: Required<VaultStoreProps> = {
  address: "https://vault.example.com",
  role: "aidbox-prod",
  audience: "vault-prod",
  authMount: "clusters/prod",
  vaultNamespace: "health",
  tlsServerName: "vault.internal",
  clientCertificate: { certPath: "/vault/client/tls.crt", keyPath: "/vault/client/tls.key" },
  objects: {},
  caCertPath: "/vault/tls/ca.crt",
  paths: new VaultPaths({ kvMount: "teams/kv", databaseMount: "teams/database" }),
  provider: "vault",
};

/** A Client that uses a secret of that table. */
export const basicClient = withSecrets(
  fullTable,
  { resourceType: "Client", id: "basic", grant_types: ["basic"] },
  { secret: "client-secret" },
);

/** One secret, with nothing but what a row must say. */
export const minimalTable = new SecretTable({ secrets: [{ name: "client-secret", path: "aidbox/client" }] });

/** A custom resource, whose CRD has no types here. */
interface CustomResource {
  readonly spec: unknown;
}

interface Manifests {
  readonly HorizontalPodAutoscaler: k8s.KubeHorizontalPodAutoscalerV2Props;
  readonly HTTPRoute: CustomResource;
  readonly Ingress: k8s.KubeIngressProps;
  readonly NetworkPolicy: k8s.KubeNetworkPolicyProps;
  readonly PodDisruptionBudget: k8s.KubePodDisruptionBudgetProps;
  readonly ServiceMonitor: CustomResource;
  readonly ConfigMap: k8s.KubeConfigMapProps;
  readonly Deployment: k8s.KubeDeploymentProps;
  readonly Namespace: k8s.KubeNamespaceProps;
  readonly PersistentVolumeClaim: k8s.KubePersistentVolumeClaimProps;
  readonly Role: k8s.KubeRoleProps;
  readonly RoleBinding: k8s.KubeRoleBindingProps;
  readonly SecretProviderClass: SecretProviderClassProps;
  readonly Service: k8s.KubeServiceProps;
  readonly ServiceAccount: k8s.KubeServiceAccountProps;
  readonly StatefulSet: k8s.KubeStatefulSetProps;
  // cdk8s-plus-28 has no types of v1, which has the fields of v1beta1.
  readonly ValidatingAdmissionPolicy: k8s.KubeValidatingAdmissionPolicyV1Beta1Props;
  readonly ValidatingAdmissionPolicyBinding: k8s.KubeValidatingAdmissionPolicyBindingV1Beta1Props;
}

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: k8s.ObjectMeta;
}

export function manifestsOf(chart: Chart): Manifest[] {
  return Testing.synth(chart) as Manifest[];
}

/** The one object of a kind in a chart, or of a kind and a name. */
export function manifestOf<K extends keyof Manifests>(chart: Chart, kind: K, name?: string): Manifests[K] & Manifest {
  const found = manifestsOf(chart).filter(
    (manifest) => manifest.kind === kind && (name === undefined || manifest.metadata.name === name),
  );
  if (found.length !== 1) {
    throw new Error(`the chart has ${found.length} objects of kind ${kind} (${name ?? "of any name"}), not one`);
  }
  return found[0] as Manifests[K] & Manifest;
}

export function yamlOf(chart: Chart): string {
  return Yaml.stringify(...manifestsOf(chart));
}

/** The pod of the one Deployment, or of that of a name. */
export function podOf(chart: Chart, deployment?: string): k8s.PodSpec {
  return manifestOf(chart, "Deployment", deployment).spec!.template.spec!;
}

/** The pod's one container that is no init container. */
export function containerOf(chart: Chart, deployment?: string): k8s.Container {
  return podOf(chart, deployment).containers[0]!;
}

export function allContainersOf(chart: Chart): k8s.Container[] {
  const { initContainers, containers } = podOf(chart);
  return [...initContainers!, ...containers];
}

/** That container's variables by name. */
export function environmentOf(chart: Chart, deployment?: string): Record<string, Omit<k8s.EnvVar, "name">> {
  return Object.fromEntries(containerOf(chart, deployment).env!.map(({ name, ...source }) => [name, source]));
}

/** The SecretProviderClass' objects, as the Vault provider parses them. */
export function providerObjectsOf(chart: Chart): unknown {
  const { objects } = manifestOf(chart, "SecretProviderClass").spec!.parameters!;
  return parse(objects!);
}
