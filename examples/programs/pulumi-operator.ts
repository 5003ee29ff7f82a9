// YAML for the Pulumi operator 2, which runs external-vault.ts from Git in the cluster: by Argo CD or by kubectl. The namespaces
// are there already, and so are two Secrets: the state's passphrase and keys, and Vault's token.
import { ApiObject, App, Chart } from "cdk8s";

const {
  GIT_URL: projectRepo = "https://git.example.com/platform/infrastructure.git",
  STATE_URL: backend = "s3://pulumi-state?region=eu-central-1",
  VAULT_ADDR: vaultAddress = "https://vault.example.com:8200",
  CLUSTER_KEY: clusterKey = "-----BEGIN PUBLIC KEY-----\nof your cluster\n-----END PUBLIC KEY-----",
} = process.env;
const secret = (name: string, key: string) => ({ type: "Secret", secret: { name, key } });

const app = new App();
const chart = new Chart(app, "pulumi-operator", { namespace: "pulumi" });
const rights = new Chart(app, "rights");
chart.addDependency(rights); // so that they are applied first
const account = { kind: "ServiceAccount", name: "aidbox-stack" };
const subjects = [{ ...account, namespace: chart.namespace }];
const group = "rbac.authorization.k8s.io";
new ApiObject(chart, "account", { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: account.name } });
// What the operator asks of who runs a program: its agent asks the API server who calls it.
new ApiObject(rights, "authenticates", {
  apiVersion: `${group}/v1`,
  kind: "ClusterRoleBinding",
  metadata: { name: `${account.name}-authenticates` },
  roleRef: { apiGroup: group, kind: "ClusterRole", name: "system:auth-delegator" },
  subjects,
});
// What the program makes in Aidbox's namespace, and what Pulumi watches until it is ready. Widen it with your program.
const metadata = { name: account.name, namespace: "aidbox" };
const made = ["get", "list", "watch", "create", "patch", "delete"];
const watched = ["get", "list", "watch"];
new ApiObject(rights, "role", {
  apiVersion: `${group}/v1`,
  kind: "Role",
  metadata,
  rules: [
    { apiGroups: [""], resources: ["configmaps", "serviceaccounts", "services"], verbs: made },
    { apiGroups: ["apps"], resources: ["deployments"], verbs: made },
    { apiGroups: ["secrets-store.csi.x-k8s.io"], resources: ["secretproviderclasses"], verbs: made },
    { apiGroups: [""], resources: ["pods", "endpoints", "persistentvolumeclaims"], verbs: watched },
    { apiGroups: ["apps"], resources: ["replicasets"], verbs: watched },
    { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: watched },
  ],
});
new ApiObject(rights, "deploys", {
  apiVersion: `${group}/v1`,
  kind: "RoleBinding",
  metadata,
  roleRef: { apiGroup: group, kind: "Role", name: account.name },
  subjects,
});
new ApiObject(chart, "stack", {
  apiVersion: "pulumi.com/v1",
  kind: "Stack",
  metadata: { name: "aidbox" },
  spec: {
    serviceAccountName: account.name,
    workspaceTemplate: { spec: { image: "pulumi/pulumi:3.256.0-nonroot" } },
    workspaceReclaimPolicy: "Delete", // the pod with the passphrase and the token goes when it is done
    stack: "production",
    projectRepo,
    repoDir: "aidbox",
    branch: "main",
    resyncFrequencySeconds: 300,
    backend,
    secretsProvider: "passphrase",
    envRefs: {
      PULUMI_CONFIG_PASSPHRASE: secret("pulumi-state", "passphrase"),
      AWS_ACCESS_KEY_ID: secret("pulumi-state", "accessKey"), // not where the cloud gives the ServiceAccount a role
      AWS_SECRET_ACCESS_KEY: secret("pulumi-state", "secretKey"),
    },
    config: { "aidbox:vaultAddress": vaultAddress, "aidbox:clusterKey": clusterKey },
    secretsRef: { "aidbox:vaultToken": secret("vault-token", "token") },
    destroyOnFinalize: false, // who deletes the Stack keeps Aidbox
  },
});
app.synth();
