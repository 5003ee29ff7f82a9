// A Vault that is there already, from a Pulumi program: its policy, auth mount, role and first values, then Aidbox.
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as vault from "@pulumi/vault";
import { AidboxChart } from "aidbox-secrets/kubernetes";
import { VaultAccess } from "aidbox-secrets/platform";
import { SecretTable } from "aidbox-secrets/secrets";
import { VaultStore } from "aidbox-secrets/vault";
import { Duration } from "cdk8s";
import { DeployedChart } from "cdk8s-pulumi";

const config = new pulumi.Config();
const address = config.require("vaultAddress");
const token = config.requireSecret("vaultToken");
// In a pod, as the Pulumi operator's, the cluster is the pod's own unless a context says else.
const context = "KUBERNETES_SERVICE_HOST" in process.env ? config.get("context") : config.require("context");
const table = new SecretTable({
  secrets: [
    { name: "client-secret", path: "aidbox/client", scope: { resourceType: "Client" }, source: "seeded" },
    { name: "admin-password", path: "aidbox/admin", environment: "BOX_ADMIN_PASSWORD", source: "seeded" },
  ],
});
const store = new VaultStore({ address, role: "aidbox" });

const access = new VaultAccess(
  "access",
  {
    table,
    connection: token.apply((known) => ({ address, token: known })),
    // Vault checks the pods' tokens by the cluster's own keys, so it needs no way to the API server.
    login: { method: "jwt", keys: { publicKeys: [config.require("clusterKey")] } },
    role: {
      name: "aidbox",
      namespace: "aidbox",
      serviceAccount: "aidbox",
      audience: store.audience,
      ttl: Duration.hours(1),
    },
  },
  { provider: new vault.Provider("vault", { address, token, skipChildToken: true }) }, // external-vault.hcl is its policy
);
const aidbox = new DeployedChart(
  "aidbox",
  ({ app, waitFor }) => {
    const image = "healthsamurai/aidboxone:2605";
    const chart = new AidboxChart(app, "aidbox", { namespace: "aidbox", table, store, aidbox: { image } });
    waitFor(chart.aidbox.deployment, access.ready);
    return chart;
  },
  {
    provider: new kubernetes.Provider("cluster", { context, enableConfigMapMutable: true }),
  },
);
export const policy = access.policy;
export const deployment = aidbox.chart.aidbox.deployment.name;
