import type { PlannedResource } from "./record";

type Inputs = PlannedResource["inputs"];

/** The values that matter of a resource, in a few words; by type. */
const summaries: Record<string, (inputs: Inputs) => string> = {
  "kubernetes:helm.sh/v3:Release": (inputs) =>
    `${text(inputs, "chart")} ${text(inputs, "version")}`.trim() +
    ` as ${text(inputs, "name")} in ${text(inputs, "namespace")}`,
  "kubernetes:core/v1:Namespace": (inputs) =>
    `${text(inputs, "metadata", "name")}, Pod Security ${text(inputs, "metadata", "labels", "pod-security.kubernetes.io/enforce")}`,
  "kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass": (inputs) =>
    text(inputs, "spec", "parameters", "keyvaultName") !== ""
      ? `key vault ${text(inputs, "spec", "parameters", "keyvaultName")}`
      : `role ${text(inputs, "spec", "parameters", "roleName")} at ${text(inputs, "spec", "parameters", "vaultAddress") || "Vault's address"}`,
  "kubernetes:apps/v1:Deployment": (inputs) =>
    `${text(inputs, "spec", "replicas") || "autoscaled"} × ${text(inputs, "spec", "template", "spec", "containers", "0", "image")}`,
  "kubernetes:apps/v1:StatefulSet": (inputs) =>
    `${text(inputs, "spec", "replicas")} × ${text(inputs, "spec", "template", "spec", "containers", "0", "image")}`,
  "kubernetes:core/v1:PersistentVolumeClaim": (inputs) => text(inputs, "spec", "resources", "requests", "storage"),
  "kubernetes:autoscaling/v2:HorizontalPodAutoscaler": (inputs) =>
    `${text(inputs, "spec", "minReplicas")} to ${text(inputs, "spec", "maxReplicas")} pods`,
  "kubernetes:networking.k8s.io/v1:Ingress": (inputs) => text(inputs, "spec", "rules", "0", "host"),
  "kubernetes:core/v1:Service": (inputs) => `port ${text(inputs, "spec", "ports", "0", "port")}`,
  "vault:index/policy:Policy": (inputs) =>
    `reads ${[...text(inputs, "policy").matchAll(/path "([^"]+)"/g)].map((match) => match[1]).join(", ")}`,
  "vault:kubernetes/authBackendRole:AuthBackendRole": (inputs) =>
    `ServiceAccount ${text(inputs, "boundServiceAccountNamespaces", "0")}/${text(inputs, "boundServiceAccountNames", "0")}, ` +
    `audience ${text(inputs, "audience")}, ${text(inputs, "tokenTtl")} s`,
  "vault:jwt/authBackendRole:AuthBackendRole": (inputs) =>
    `${text(inputs, "boundSubject")}, audience ${text(inputs, "boundAudiences", "0")}, ${text(inputs, "tokenTtl")} s`,
  "vault:generic/endpoint:Endpoint": (inputs) => `${text(inputs, "path")}, seeded`,
  "vault:kv/secretV2:SecretV2": (inputs) => `${text(inputs, "mount")}/${text(inputs, "name")}, managed`,
  "vault:index/mount:Mount": (inputs) => `KV v2 at ${text(inputs, "path")}`,
};

/** What a resource is, and the values of it that matter. Never a secret's value: none of the paths above holds one. */
export function describe({ type, name, inputs }: PlannedResource): string {
  const kind = type.split(":").at(-1) ?? type;
  const summary = summaries[type]?.(inputs);
  // cdk8s-plus calls the object inside each of its constructs so
  const shortName = name.replace(/\/Resource$/, "");
  return summary === undefined ? `${kind} ${shortName}` : `${kind} ${shortName}: ${summary}`;
}

/** The text at a path of the inputs; empty where there is none, as for an Output that is not known yet. */
function text(inputs: Inputs, ...path: readonly string[]): string {
  const value = path.reduce<unknown>(
    (object, key) =>
      typeof object === "object" && object !== null ? (object as Record<string, unknown>)[key] : undefined,
    inputs,
  );
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}
