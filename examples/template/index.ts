import * as pulumi from "@pulumi/pulumi";
import { checkEnvironment } from "aidbox-secrets-stack/operate";
import { deployEnvironment } from "aidbox-secrets-stack/stack";

const config = new pulumi.Config();

const environment = {
  development: true,
  kubeContext: config.require("kubeContext"),
  secrets: [{ name: "client-secret", path: "aidbox/client", source: "seeded", scope: { resourceType: "Client" } }],
  vault: { mode: "dev" },
  aidbox: { image: config.require("image") },
};

export = async () => deployEnvironment(checkEnvironment(pulumi.getStack(), environment, process.env.CHARTS_DIR));
