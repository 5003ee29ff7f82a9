// The whole stack in a program of your own, beside its other resources: it does what `up` does, with a Vault in the cluster.
import { core } from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { checkEnvironment } from "aidbox-secrets-stack/operate";
import { deployEnvironment } from "aidbox-secrets-stack/stack";

export = async () => {
  const shop = new core.v1.Namespace("shop", { metadata: { name: "shop" } });
  const config = {
    development: true,
    kubeContext: new pulumi.Config().require("kubeContext"),
    secrets: [
      { name: "client-secret", path: "aidbox/client", source: "seeded", scope: { resourceType: "Client" } },
      { name: "admin-password", path: "aidbox/admin", source: "seeded", environment: "BOX_ADMIN_PASSWORD" },
    ],
    vault: { mode: "dev" },
    aidbox: { image: "healthsamurai/aidboxone:2605" },
  };
  const environment = checkEnvironment(pulumi.getStack(), config, process.env.CHARTS_DIR);
  const { verifyCommand } = await deployEnvironment(environment);
  return { shop: shop.metadata.name, verifyCommand };
};
