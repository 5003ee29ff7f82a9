import type { PlannedResource } from "./record";

type Inputs = PlannedResource["inputs"];

/** A resource in the terms of the field: what it is, what it is called there, and the values of it that matter. */
export interface Description {
  /** As `Helm release` or `Vault policy`; of Kubernetes' own objects their kind. */
  readonly kind: string;
  /** Its name where it will be, not Pulumi's. */
  readonly name: string;
  /** Never a secret's value. */
  readonly summary?: string;
}

/** How to read a type's inputs. None of the paths below holds a secret's value. */
interface Reading {
  /** @default the last word of the type */
  readonly kind?: string;
  /** @default the object's namespace and name, else Pulumi's name */
  readonly name?: (inputs: Inputs) => string;
  /** @default none */
  readonly summary?: (inputs: Inputs) => string;
}

const containerImage = ["spec", "template", "spec", "containers", "0", "image"];

/** By type. */
const readings: Readonly<Record<string, Reading>> = {
  "cdk8s-pulumi:index:DeployedChart": { kind: "cdk8s chart" },
  "pulumi:providers:kubernetes": {
    kind: "Pulumi provider",
    summary: (inputs) => `context ${text(inputs, "context")}`,
  },
  "pulumi:providers:vault": { kind: "Pulumi provider" },
  "kubernetes:helm.sh/v3:Release": {
    kind: "Helm release",
    name: (inputs) => `${text(inputs, "namespace")}/${text(inputs, "name")}`,
    summary: (inputs) => `chart ${text(inputs, "chart")} ${text(inputs, "version")}`.trim(),
  },
  "kubernetes:core/v1:Namespace": {
    summary: (inputs) =>
      `Pod Security ${text(inputs, "metadata", "labels", "pod-security.kubernetes.io/enforce") || "of the cluster"}`,
  },
  "kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass": {
    summary: (inputs) => {
      const of = (name: string): string => text(inputs, "spec", "parameters", name);
      if (of("keyvaultName") !== "") return `key vault ${of("keyvaultName")}`;
      if (of("roleName") === "") return `provider ${text(inputs, "spec", "provider")}`;
      return `role ${of("roleName")} at ${of("vaultAddress") || "Vault's address"}`;
    },
  },
  "kubernetes:apps/v1:Deployment": {
    summary: (inputs) => `${text(inputs, "spec", "replicas") || "autoscaled"} × ${text(inputs, ...containerImage)}`,
  },
  "kubernetes:apps/v1:StatefulSet": {
    summary: (inputs) => `${text(inputs, "spec", "replicas")} × ${text(inputs, ...containerImage)}`,
  },
  "kubernetes:core/v1:PersistentVolumeClaim": {
    summary: (inputs) => text(inputs, "spec", "resources", "requests", "storage"),
  },
  "kubernetes:autoscaling/v2:HorizontalPodAutoscaler": {
    summary: (inputs) => `${text(inputs, "spec", "minReplicas")} to ${text(inputs, "spec", "maxReplicas")} pods`,
  },
  "kubernetes:networking.k8s.io/v1:Ingress": { summary: (inputs) => text(inputs, "spec", "rules", "0", "host") },
  "kubernetes:core/v1:Service": { summary: (inputs) => `port ${text(inputs, "spec", "ports", "0", "port")}` },
  "vault:index/policy:Policy": {
    kind: "Vault policy",
    name: (inputs) => text(inputs, "name"),
    summary: (inputs) =>
      `reads ${firstOf([...text(inputs, "policy").matchAll(/path "([^"]+)"/g)].map((match) => match[1]!))}`,
  },
  "vault:index/authBackend:AuthBackend": { kind: "Vault auth mount", name: authPath, summary: authType },
  "vault:jwt/authBackend:AuthBackend": { kind: "Vault auth mount", name: authPath, summary: authType },
  "vault:kubernetes/authBackendConfig:AuthBackendConfig": {
    kind: "Vault auth config",
    name: (inputs) => `auth/${text(inputs, "backend")}`,
    summary: (inputs) => `API server ${text(inputs, "kubernetesHost")}`,
  },
  "vault:kubernetes/authBackendRole:AuthBackendRole": {
    kind: "Vault role",
    name: (inputs) => text(inputs, "roleName"),
    summary: (inputs) =>
      `ServiceAccount ${text(inputs, "boundServiceAccountNamespaces", "0")}/${text(inputs, "boundServiceAccountNames", "0")}, ` +
      `audience ${text(inputs, "audience")}, ${text(inputs, "tokenTtl")} s`,
  },
  "vault:jwt/authBackendRole:AuthBackendRole": {
    kind: "Vault role",
    name: (inputs) => text(inputs, "roleName"),
    summary: (inputs) =>
      `${text(inputs, "boundSubject")}, audience ${text(inputs, "boundAudiences", "0")}, ${text(inputs, "tokenTtl")} s`,
  },
  "vault:index/mount:Mount": {
    kind: "Vault KV mount",
    name: (inputs) => text(inputs, "path"),
    summary: () => "version 2",
  },
  // Its metadata, by which the stack owns a secret whose value it never holds.
  "vault:generic/endpoint:Endpoint": {
    kind: "Vault secret",
    name: (inputs) => text(inputs, "path").replace("/metadata/", "/"),
    summary: () => "seeded",
  },
  "vault:kv/secretV2:SecretV2": {
    kind: "Vault secret",
    name: (inputs) => `${text(inputs, "mount")}/${text(inputs, "name")}`,
    summary: () => "managed",
  },
};

/** What a resource is. Never a secret's value. */
export function describe({ type, name, inputs }: PlannedResource): Description {
  const reading = readings[type] ?? {};
  const summary = reading.summary?.(inputs) ?? "";
  return {
    kind: reading.kind ?? (type.startsWith("aidbox-secrets:") ? "Component" : (type.split(":").at(-1) ?? type)),
    name: reading.name?.(inputs) || objectName(inputs) || name,
    ...(summary === "" ? {} : { summary }),
  };
}

/** The same in one line. */
export function describeInLine(resource: PlannedResource): string {
  const { kind, name, summary } = describe(resource);
  return summary === undefined ? `${kind} ${name}` : `${kind} ${name}: ${summary}`;
}

/** Some of many, so that a line stays one. */
function firstOf(texts: readonly string[]): string {
  return texts.length <= 3 ? texts.join(", ") : `${texts.slice(0, 2).join(", ")} and ${texts.length - 2} more`;
}

/** A Kubernetes object's own name, after its namespace where it has one. */
function objectName(inputs: Inputs): string {
  return [text(inputs, "metadata", "namespace"), text(inputs, "metadata", "name")].filter(Boolean).join("/");
}

function authPath(inputs: Inputs): string {
  return `auth/${text(inputs, "path")}`;
}

function authType(inputs: Inputs): string {
  return `method ${text(inputs, "type")}`;
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
