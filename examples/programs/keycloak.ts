// Another app than Aidbox: Keycloak, with its administrator's and its database's password from Vault.
import { App, Chart, Duration } from "cdk8s";
import { Deployment, EnvValue, ServiceAccount } from "cdk8s-plus-28";
import { AppSecrets } from "aidbox-secrets/kubernetes";
import { SecretTable } from "aidbox-secrets/secrets";
import { VaultStore } from "aidbox-secrets/vault";

const app = new App();
const chart = new Chart(app, "keycloak", { namespace: "keycloak" });
const metadata = { name: "keycloak" };
const serviceAccount = new ServiceAccount(chart, "account", { metadata }); // Vault's role is bound to it
const keycloak = new Deployment(chart, "keycloak", { metadata, serviceAccount, replicas: 2 });
keycloak.addContainer({
  image: "quay.io/keycloak/keycloak:26.4",
  args: ["start"],
  portNumber: 8443,
  envVariables: { KC_DB: EnvValue.fromValue("postgres"), KC_HOSTNAME: EnvValue.fromValue("login.example.com") },
});
new AppSecrets(chart, "secrets", {
  workload: keycloak,
  table: new SecretTable({
    secrets: [
      { name: "admin", path: "keycloak/admin", environment: "KC_BOOTSTRAP_ADMIN_PASSWORD" },
      { name: "database", path: "keycloak/database", environment: "KC_DB_PASSWORD" },
    ],
  }),
  store: new VaultStore({ address: "https://vault.example.com:8200", role: "keycloak" }),
  republishEvery: Duration.seconds(30),
});
app.synth();
