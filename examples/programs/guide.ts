// Aidbox as the vendor's guide makes it: a secret of Vault as a file, and a Client that logs in with it.
import { withSecrets } from "aidbox-secrets/fhir";
import { AidboxChart } from "aidbox-secrets/kubernetes";
import { SecretTable } from "aidbox-secrets/secrets";
import { VaultStore } from "aidbox-secrets/vault";
import { App } from "cdk8s";

const { VAULT_ADDR: address = "https://vault.example.com:8200", DATABASE_HOST: host = "postgres.example.com" } =
  process.env;
const table = new SecretTable({
  secrets: [
    { name: "client-secret", path: "aidbox/client", scope: { resourceType: "Client", id: "basic" } },
    { name: "admin-password", path: "aidbox/admin", environment: "BOX_ADMIN_PASSWORD" },
    { name: "root-secret", path: "aidbox/root", environment: "BOX_ROOT_CLIENT_SECRET" },
    { name: "license", path: "aidbox/license", environment: "BOX_LICENSE" },
    { name: "database-password", path: "aidbox/database", environment: "BOX_DB_PASSWORD" },
  ],
});
const client = { resourceType: "Client", id: "basic", grant_types: ["basic"] } as const;

const app = new App();
new AidboxChart(app, "aidbox", {
  namespace: "aidbox",
  table,
  store: new VaultStore({ address, role: "aidbox" }),
  aidbox: {
    image: "healthsamurai/aidboxone:2605",
    database: { host, name: "aidbox", user: "aidbox", tls: { mode: "require" } },
  },
  initBundle: { resources: [withSecrets(table, client, { secret: "client-secret" })] },
});
app.synth();
