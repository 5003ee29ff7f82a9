const { Provider, apps } = require("@pulumi/kubernetes");
const { Config } = require("@pulumi/pulumi");

const config = new Config();
const labels = { app: "web" };
const env = [{ name: "API_KEY", value: config.require("password") }];
const containers = [{ name: "web", image: config.require("image"), env }];
new apps.v1.Deployment(
  "web",
  {
    metadata: { name: "web", namespace: "web" },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
  },
  { provider: new Provider("yaml", { renderYamlToDirectory: "rendered" }) },
);
