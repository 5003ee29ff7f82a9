// YAML for the Pulumi operator, which runs a Pulumi program from Git in the cluster: by Argo CD or by kubectl. It needs the
// operator 2, and two Secrets that are there already: the state's passphrase, and Vault's token.
import { ApiObject, App, Chart } from "cdk8s";

const app = new App();
const chart = new Chart(app, "pulumi-operator", { namespace: "pulumi" });
const rights = new Chart(app, "rights"); // of the whole cluster
const account = { kind: "ServiceAccount", name: "aidbox-stack" };
new ApiObject(chart, "account", { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: account.name } });
// What the program may do, and what the operator asks of who runs it. Narrow the first to what your program makes.
for (const [id, role] of Object.entries({ deploys: "cluster-admin", authenticates: "system:auth-delegator" })) {
  new ApiObject(rights, id, {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: `${account.name}-${id}` },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
    subjects: [{ ...account, namespace: chart.namespace }],
  });
}
new ApiObject(chart, "stack", {
  apiVersion: "pulumi.com/v1",
  kind: "Stack",
  metadata: { name: "aidbox" },
  spec: {
    serviceAccountName: account.name,
    stack: "production",
    projectRepo: "https://git.example.com/infrastructure.git",
    repoDir: "aidbox", // with external-vault.ts as its program
    branch: "main",
    resyncFrequencySeconds: 300,
    backend: "s3://pulumi-state",
    secretsProvider: "passphrase",
    envRefs: { PULUMI_CONFIG_PASSPHRASE: { type: "Secret", secret: { name: "pulumi-state", key: "passphrase" } } },
    config: { "aidbox:vaultAddress": "https://vault.example.com:8200" },
    secretsRef: { "aidbox:vaultToken": { type: "Secret", secret: { name: "vault-token", key: "token" } } },
    destroyOnFinalize: false, // who deletes the Stack keeps Aidbox
  },
});
app.synth();
