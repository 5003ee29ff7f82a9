import type { ApiObject } from "cdk8s";
import {
  Deployment,
  type DeploymentStrategy,
  type Ingress,
  LabelSelector,
  type Service,
  type ServiceAccount,
} from "cdk8s-plus-28";
import { Construct } from "constructs";
import { asOwnVersion } from "../any-version";
import { AidboxAutoscaler } from "./autoscaler";
import { AidboxContainers } from "./containers";
import { runsSeveralPods } from "./defaults";
import { AidboxDisruptionBudget } from "./disruption-budget";
import { AidboxGatewayRoute } from "./gateway-route";
import { type Identity, identityOf } from "./identity";
import { AidboxIngress } from "./ingress";
import { AidboxMetricsService } from "./metrics-service";
import { AidboxNetworkPolicy } from "./network-policy";
import { placementOf } from "./placement";
import { setPodFields } from "./pod-fields";
import type { AidboxProps } from "./props";
import { refuseProblems } from "./refusal";
import { rollFields } from "./roll-fields";
import { securityContexts } from "./security";
import { AidboxService } from "./service";
import { AidboxServiceMonitor } from "./service-monitor";
import { namePublishSecret } from "../secret-provider-class";
import { gracePeriodOf } from "./stop";

/**
 * Aidbox as a Deployment and a Service, its secrets as files of a read-only CSI volume, with what leads to it, scales it
 * and guards it. The pod passes the `restricted` Pod Security level.
 *
 * @throws Error that lists all props that contradict themselves or each other, each with the values and the fix
 */
export class Aidbox extends Construct {
  /** Runs the pods; whatever else they need first, let it depend on that. */
  public readonly deployment: Deployment;
  /** Leads to Aidbox's port from inside the cluster. */
  public readonly service: Service;
  /** The way in through an ingress controller, where there is one. */
  public readonly ingress: Ingress | undefined;
  /** The way in through a Gateway, where there is one. */
  public readonly gatewayRoute: ApiObject | undefined;

  public constructor(scope: Construct, id: string, props: AidboxProps) {
    super(scope, id);
    const identity = identityOf(props);
    refuseProblems(this, props, identity);
    this.deployment = this.addDeployment(props, identity);
    const { name, labels, webPort } = identity;
    this.service = new AidboxService(this, "service", { ...props.service, name, labels, webPort });
    const { ingress, gatewayRoute } = props;
    const leading = { name, labels, service: this.service };
    this.ingress = ingress && new AidboxIngress(this, "ingress", { ...ingress, ...leading });
    this.gatewayRoute = gatewayRoute && new AidboxGatewayRoute(this, "gateway-route", { ...gatewayRoute, ...leading });
    this.addScale(props, identity);
    this.addMetrics(props, identity);
    this.addNetworkPolicy(props, identity);
  }

  private addDeployment(props: AidboxProps, identity: Identity): Deployment {
    const { name, labels } = identity;
    const { pod } = props;
    const security = securityContexts(props.security);
    const gracePeriod = gracePeriodOf(props);
    const deployment = new Deployment(this, "deployment", {
      metadata: { name, labels, annotations: props.annotations },
      podMetadata: {
        labels: { ...pod?.labels, ...props.secrets.identity?.podLabels, ...labels },
        annotations: {
          "kubectl.kubernetes.io/default-container": name,
          ...pod?.annotations,
          "checksum/vault-config": props.vaultConfig.checksum,
          ...(props.initBundle === undefined ? {} : { "checksum/init-bundle": props.initBundle.checksum }),
        },
      },
      select: false,
      replicas: props.autoscaling === undefined ? (props.replicas ?? 1) : undefined,
      ...(props.strategy === undefined
        ? rollFields(props, gracePeriod)
        : { strategy: asOwnVersion<DeploymentStrategy>(props.strategy) }),
      serviceAccount: props.serviceAccount as ServiceAccount,
      automountServiceAccountToken: false,
      securityContext: security.pod,
      terminationGracePeriod: gracePeriod,
    });
    deployment.select(LabelSelector.of({ labels }));
    setPodFields(deployment, {
      ...placementOf(props.placement ?? {}, labels, runsSeveralPods(props)),
      imagePullSecrets: props.imagePull?.secrets?.map((secret) => ({ name: secret })),
    });
    new AidboxContainers(this, "containers", {
      deployment,
      aidbox: props,
      identity,
      securityContext: security.container,
    });
    namePublishSecret(deployment, props.secrets);
    return deployment;
  }

  private addScale(props: AidboxProps, { name, labels }: Identity): void {
    const { autoscaling, disruptionBudget } = props;
    const { deployment } = this;
    if (autoscaling !== undefined) {
      new AidboxAutoscaler(this, "autoscaler", {
        ...autoscaling,
        name,
        labels,
        deployment,
        containerName: name,
      });
    }
    const { enabled = runsSeveralPods(props), ...budget } = disruptionBudget ?? {};
    if (enabled) new AidboxDisruptionBudget(this, "disruption-budget", { ...budget, name, labels });
  }

  private addMetrics({ serviceMonitor }: AidboxProps, { name, labels, metricsPort }: Identity): void {
    if (metricsPort === undefined) return;
    new AidboxMetricsService(this, "metrics-service", { name, labels, metricsPort });
    if (serviceMonitor === undefined) return;
    new AidboxServiceMonitor(this, "service-monitor", { ...serviceMonitor, name, serviceLabels: labels });
  }

  private addNetworkPolicy({ networkPolicy }: AidboxProps, identity: Identity): void {
    if (networkPolicy === undefined) return;
    const policy = new AidboxNetworkPolicy(this, "network-policy", { ...networkPolicy, ...identity });
    this.deployment.node.addDependency(policy); // no pod runs without it, not even for a moment
  }
}
