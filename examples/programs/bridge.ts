// The bridge alone: a chart of anybody's, with a value that comes late and a secret one, and what the cluster says of it.
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Chart, type ChartProps } from "cdk8s";
import { Deployment, EnvValue, Secret, ServiceType } from "cdk8s-plus-28";
import type { Construct } from "constructs";
import { DeployedChart } from "cdk8s-pulumi";

interface WebProps extends ChartProps {
  readonly database: string;
  readonly password: string;
  readonly checksum: string;
}

/** It knows no Pulumi: its props are plain strings. */
class WebChart extends Chart {
  public readonly service;

  public constructor(scope: Construct, id: string, { database, password, checksum, ...props }: WebProps) {
    super(scope, id, props);
    const secret = new Secret(this, "secret", { stringData: { password } });
    const web = new Deployment(this, "web", { podMetadata: { annotations: { "checksum/password": checksum } } });
    web.addContainer({
      image: "nginx:1.29",
      portNumber: 8080,
      envVariables: {
        DATABASE: EnvValue.fromValue(`jdbc:postgresql://${database}/web`),
        PASSWORD: EnvValue.fromSecretValue({ secret, key: "password" }),
      },
    });
    this.service = web.exposeViaService({ serviceType: ServiceType.LOAD_BALANCER });
  }
}

const database = new pulumi.StackReference("database");
const password = new pulumi.Config().requireSecret("password");
const deployed = new DeployedChart(
  "web",
  ({ app, outputs }) =>
    new WebChart(app, "web", {
      namespace: "web",
      database: outputs.string(database.requireOutput("host") as pulumi.Output<string>),
      password: outputs.string(password),
      checksum: outputs.checksum(password), // another password rolls the pods
    }),
  { provider: new kubernetes.Provider("cluster", {}) },
);
type Status = kubernetes.types.output.core.v1.ServiceStatus;
export const address = deployed
  .statusOf<Status>(deployed.chart.service)
  .apply((status) => status?.loadBalancer.ingress[0]?.ip);
