// Another app than Aidbox: Keycloak, with its administrator's and its database's password from Vault.
import { AppSecrets } from "aidbox-secrets/kubernetes";
import { SecretTable } from "aidbox-secrets/secrets";
import { VaultStore } from "aidbox-secrets/vault";
import { App, Chart, Duration, Size } from "cdk8s";
import { Cpu, Deployment, EnvValue, ImagePullPolicy, Probe, ServiceAccount } from "cdk8s-plus-28";

const app = new App();
const chart = new Chart(app, "keycloak", { namespace: "keycloak" });
const metadata = { name: "keycloak" };
const serviceAccount = new ServiceAccount(chart, "account", { metadata }); // Vault's role is bound to it
const keycloak = new Deployment(chart, "keycloak", { metadata, serviceAccount, replicas: 1 });
const variables = {
  KC_DB: "postgres",
  KC_DB_URL_HOST: process.env.DATABASE_HOST ?? "postgres.example.com",
  KC_DB_USERNAME: "keycloak",
  KC_HOSTNAME: process.env.KEYCLOAK_URL ?? "https://login.example.com",
  KC_HTTP_ENABLED: "true", // TLS ends at the ingress
  KC_PROXY_HEADERS: "xforwarded",
};
keycloak.addContainer({
  image: process.env.KEYCLOAK_IMAGE ?? "quay.io/keycloak/keycloak:26.4",
  imagePullPolicy: ImagePullPolicy.IF_NOT_PRESENT,
  args: ["start"],
  portNumber: 8080,
  startup: Probe.fromTcpSocket({ port: 8080, failureThreshold: 30 }), // the first start takes a minute or more
  securityContext: { user: 1000, readOnlyRootFilesystem: false }, // its first start writes what it was configured for
  resources: {
    cpu: { request: Cpu.millis(500) },
    memory: { request: Size.mebibytes(750), limit: Size.gibibytes(2) },
  },
  envVariables: Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, EnvValue.fromValue(value)])),
});
new AppSecrets(chart, "secrets", {
  workload: keycloak,
  table: new SecretTable({
    secrets: [
      { name: "admin", path: "keycloak/admin", environment: "KC_BOOTSTRAP_ADMIN_PASSWORD" },
      { name: "database", path: "keycloak/database", environment: "KC_DB_PASSWORD" },
    ],
  }),
  store: new VaultStore({ address: process.env.VAULT_ADDR ?? "https://vault.example.com:8200", role: "keycloak" }),
  republishEvery: Duration.seconds(30),
});
app.synth();
