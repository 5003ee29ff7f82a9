// YAML for Argo CD, which applies it in waves: what the pods mount is there before they start. No Pulumi at run time.
import { AidboxChart } from "aidbox-secrets/kubernetes";
import { SecretTable } from "aidbox-secrets/secrets";
import { VaultStore } from "aidbox-secrets/vault";
import { ApiObject, App, Duration } from "cdk8s";

const app = new App();
const chart = new AidboxChart(app, "aidbox", {
  namespace: "aidbox",
  table: new SecretTable({
    secrets: [
      { name: "client-secret", path: "aidbox/client", scope: { resourceType: "Client", id: "basic" } },
      { name: "admin-password", path: "aidbox/admin", environment: "BOX_ADMIN_PASSWORD" },
    ],
  }),
  store: new VaultStore({ address: process.env.VAULT_ADDR ?? "https://vault.example.com:8200", role: "aidbox" }),
  aidbox: { image: "healthsamurai/aidboxone:2605" },
  republisher: { interval: Duration.seconds(30) },
});
for (const object of chart.node.findAll().filter((each) => ApiObject.isApiObject(each))) {
  const wave = object.kind === "Deployment" ? "1" : "0";
  object.metadata.addAnnotation("argocd.argoproj.io/sync-wave", wave);
}
app.synth();
