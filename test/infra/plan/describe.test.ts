import { describeInLine } from "../../../infra/plan/describe";

const metadata = { namespace: "health", name: "fhir" };
const podTemplate = { spec: { containers: [{ image: "healthsamurai/aidboxone:2605" }] } };

it.each([
  {
    type: "kubernetes:apps/v1:Deployment",
    spec: { replicas: 2, template: podTemplate },
    said: "Deployment health/fhir: 2 × healthsamurai/aidboxone:2605",
  },
  {
    type: "kubernetes:apps/v1:Deployment",
    spec: { template: podTemplate },
    said: "Deployment health/fhir: autoscaled × healthsamurai/aidboxone:2605",
  },
  {
    type: "kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
    spec: { minReplicas: 2, maxReplicas: 9 },
    said: "HorizontalPodAutoscaler health/fhir: 2 to 9 pods",
  },
  {
    type: "kubernetes:networking.k8s.io/v1:Ingress",
    spec: { rules: [{ host: "aidbox.example.com" }] },
    said: "Ingress health/fhir: aidbox.example.com",
  },
])("$said", ({ type, spec, said }) => {
  const resource = {
    urn: "urn",
    type,
    name: "aidbox/deployment/Resource",
    parent: undefined,
    inputs: { metadata, spec },
    dependencies: [],
  };
  expect(describeInLine(resource)).toBe(said);
});

it.each([
  {
    type: "kubernetes:helm.sh/v3:Release",
    inputs: { chart: "vault", version: "0.34.1", name: "vault-node", namespace: "vault-csi-provider" },
    said: "Helm release vault-csi-provider/vault-node: chart vault 0.34.1",
  },
  {
    type: "vault:index/authBackend:AuthBackend",
    inputs: { type: "kubernetes", path: "kubernetes" },
    said: "Vault auth mount auth/kubernetes: method kubernetes",
  },
  {
    type: "vault:jwt/authBackend:AuthBackend",
    inputs: { type: "jwt", path: "cluster-one" },
    said: "Vault auth mount auth/cluster-one: method jwt",
  },
  {
    type: "vault:kubernetes/authBackendConfig:AuthBackendConfig",
    inputs: { backend: "kubernetes", kubernetesHost: "https://10.0.0.1" },
    said: "Vault auth config auth/kubernetes: API server https://10.0.0.1",
  },
  {
    type: "vault:kubernetes/authBackendRole:AuthBackendRole",
    inputs: {
      roleName: "aidbox",
      boundServiceAccountNames: ["fhir"],
      boundServiceAccountNamespaces: ["health"],
      audience: "vault",
      tokenTtl: 3600,
    },
    said: "Vault role aidbox: ServiceAccount health/fhir, audience vault, 3600 s",
  },
  {
    type: "vault:jwt/authBackendRole:AuthBackendRole",
    inputs: {
      roleName: "aidbox",
      boundSubject: "system:serviceaccount:health:fhir",
      boundAudiences: ["vault"],
      tokenTtl: 60,
    },
    said: "Vault role aidbox: system:serviceaccount:health:fhir, audience vault, 60 s",
  },
  {
    type: "vault:index/policy:Policy",
    inputs: { name: "aidbox", policy: 'path "secret/data/a" {}\npath "secret/data/b" {}\npath "secret/data/c" {}' },
    said: "Vault policy aidbox: reads secret/data/a, secret/data/b, secret/data/c",
  },
  {
    type: "vault:index/policy:Policy",
    inputs: { name: "aidbox", policy: ["a", "b", "c", "d"].map((name) => `path "${name}" {}`).join("\n") },
    said: "Vault policy aidbox: reads a, b and 2 more",
  },
  {
    type: "vault:index/mount:Mount",
    inputs: { type: "kv-v2", path: "teams" },
    said: "Vault KV mount teams: version 2",
  },
  {
    type: "vault:generic/endpoint:Endpoint",
    inputs: { path: "teams/metadata/aidbox/client" },
    said: "Vault secret teams/aidbox/client: seeded",
  },
  {
    type: "vault:kv/secretV2:SecretV2",
    inputs: { mount: "teams", name: "aidbox/db" },
    said: "Vault secret teams/aidbox/db: managed",
  },
  {
    type: "pulumi:providers:kubernetes",
    inputs: { context: "production" },
    said: "Pulumi provider its-name: context production",
  },
  { type: "kubernetes:core/v1:Secret", inputs: { metadata }, said: "Secret health/fhir" },
  { type: "some:module:Unheard", inputs: {}, said: "Unheard its-name" },
])("$said", ({ type, inputs, said }) => {
  expect(describeInLine({ urn: "urn", type, name: "its-name", parent: undefined, inputs, dependencies: [] })).toBe(
    said,
  );
});
