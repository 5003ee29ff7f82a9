// Two Aidboxes on one cluster and one Vault, each with a namespace, a role and paths of its own.
import { AidboxChart, PodSecurityNamespace } from "aidbox-secrets/kubernetes";
import { SecretTable } from "aidbox-secrets/secrets";
import { VaultStore } from "aidbox-secrets/vault";
import { App, Chart } from "cdk8s";

const { VAULT_ADDR: address = "https://vault.example.com:8200", DATABASE_HOST: host = "postgres.example.com" } =
  process.env;
const app = new App();
const namespaces = new Chart(app, "namespaces");
for (const tenant of ["north", "south"]) {
  const name = `aidbox-${tenant}`;
  new PodSecurityNamespace(namespaces, tenant, { name, level: "restricted" });
  const chart = new AidboxChart(app, name, {
    namespace: name,
    table: new SecretTable({
      secrets: [
        { name: "client-secret", path: `${name}/client`, scope: { resourceType: "Client" } },
        { name: "database-password", path: `${name}/database`, environment: "BOX_DB_PASSWORD" },
      ],
    }),
    // The role is bound to the ServiceAccount of this namespace, and its policy reads this tenant's paths alone.
    store: new VaultStore({ address, role: name }),
    aidbox: {
      image: "healthsamurai/aidboxone:2605",
      database: { host, name: tenant, user: tenant, tls: { mode: "require" } },
      networkPolicy: { database: { peer: { cidr: process.env.DATABASE_CIDR ?? "10.20.0.0/24" } } },
    },
  });
  chart.addDependency(namespaces); // kubectl goes by the files' names
}
app.synth();
