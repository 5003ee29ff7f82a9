// The bridge alone: a chart of anybody's, with a value that comes late and a secret one, and what the cluster says of it.
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Chart, type ChartProps, Size } from "cdk8s";
import { Cpu, Deployment, EnvValue, ImagePullPolicy, Secret, ServiceType } from "cdk8s-plus-28";
import { DeployedChart } from "cdk8s-pulumi";
import type { Construct } from "constructs";

interface WebProps extends ChartProps {
  readonly image: string;
  readonly database: string;
  readonly password: string;
  readonly checksum: string;
}

/** It knows no Pulumi: its props are plain strings. */
class WebChart extends Chart {
  public readonly service;

  public constructor(scope: Construct, id: string, { image, database, password, checksum, ...props }: WebProps) {
    super(scope, id, props);
    const secret = new Secret(this, "secret", { stringData: { password } });
    const web = new Deployment(this, "web", { podMetadata: { annotations: { "checksum/password": checksum } } });
    web.addContainer({
      image,
      imagePullPolicy: ImagePullPolicy.IF_NOT_PRESENT,
      securityContext: { user: 1000 },
      resources: {
        cpu: { request: Cpu.millis(100) },
        memory: { request: Size.mebibytes(64), limit: Size.mebibytes(256) },
      },
      portNumber: 8080,
      envVariables: {
        DATABASE: EnvValue.fromValue(`jdbc:postgresql://${database}/web`),
        PASSWORD: EnvValue.fromSecretValue({ secret, key: "password" }),
      },
    });
    this.service = web.exposeViaService({ serviceType: ServiceType.LOAD_BALANCER });
  }
}

const config = new pulumi.Config();
const database = new pulumi.StackReference(config.require("databaseStack")); // it has the output host
const password = config.requireSecret("password");
const deployed = new DeployedChart(
  "web",
  ({ app, outputs }) =>
    new WebChart(app, "web", {
      namespace: "web",
      image: config.require("image"), // of a web server at 8080 that needs no root and writes nothing
      database: outputs.string(database.requireOutput("host") as pulumi.Output<string>),
      password: outputs.string(password),
      checksum: outputs.checksum(password), // another password rolls the pods
    }),
  { provider: new kubernetes.Provider("cluster", { context: config.require("context") }) },
);
type Status = kubernetes.types.output.core.v1.ServiceStatus;
export const address = deployed
  .statusOf<Status>(deployed.chart.service)
  .apply((status) => status?.loadBalancer.ingress[0]?.ip);
