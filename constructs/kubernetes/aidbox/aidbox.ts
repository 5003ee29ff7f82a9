import { Deployment, type DeploymentStrategy, LabelSelector, type Service, type ServiceAccount } from "cdk8s-plus-28";
import { Construct } from "constructs";
import type { Check } from "../../check-props";
import { assertMayAdd, whenRendered } from "../additions";
import { asOwnVersion } from "../any-version";
import type { InitBundleConfig } from "../init-bundle-config";
import { containerProps, volumeMount } from "../plus-checks";
import { namePublishSecret } from "../secret-provider-class";
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
import type { PodOptions } from "./pod";
import { setPodFields } from "./pod-fields";
import type { AidboxProps } from "./props";
import { ownPodOf, refuseProblems } from "./refusal";
import { rollFields } from "./roll-fields";
import { findPodProblems, type OwnPod } from "./rules";
import { securityContexts } from "./security";
import { AidboxService } from "./service";
import { AidboxServiceMonitor } from "./service-monitor";
import { gracePeriodOf } from "./stop";

type PodMount = NonNullable<PodOptions["mounts"]>[number];
type PodContainer = NonNullable<PodOptions["sidecars"]>[number];

/** When it is rendered: resources can be added until then. */
function checksumOf(initBundle: InitBundleConfig): string {
  return whenRendered(() => initBundle.checksum);
}

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
  public readonly ingress: AidboxIngress | undefined;
  /** The way in through a Gateway, where there is one. */
  public readonly gatewayRoute: AidboxGatewayRoute | undefined;
  /** With whom the pods may speak, where that was said. */
  public readonly networkPolicy: AidboxNetworkPolicy | undefined;
  private readonly containers: AidboxContainers;
  /** What was said of the pods, and added since. */
  private readonly pod: { mounts: PodMount[]; initContainers: PodContainer[]; sidecars: PodContainer[] };
  private readonly ownPod: OwnPod;

  public constructor(scope: Construct, id: string, props: AidboxProps) {
    super(scope, id);
    const identity = identityOf(props);
    refuseProblems(this, props, identity);
    const { mounts = [], initContainers = [], sidecars = [] } = props.pod ?? {};
    this.pod = { mounts: [...mounts], initContainers: [...initContainers], sidecars: [...sidecars] };
    this.ownPod = ownPodOf(props, identity);
    const { deployment, containers } = this.addDeployment(props, identity);
    this.deployment = deployment;
    this.containers = containers;
    const { name, labels, webPort } = identity;
    this.service = new AidboxService(this, "service", { ...props.service, name, labels, webPort });
    const { ingress, gatewayRoute } = props;
    const leading = { name, labels, service: this.service };
    this.ingress = ingress && new AidboxIngress(this, "ingress", { ...ingress, ...leading });
    this.gatewayRoute = gatewayRoute && new AidboxGatewayRoute(this, "gateway-route", { ...gatewayRoute, ...leading });
    this.addScale(props, identity);
    this.addMetrics(props, identity);
    this.networkPolicy = this.addNetworkPolicy(props, identity);
  }

  /**
   * Mounts a further volume in Aidbox's container; the volume comes into the pod with it.
   *
   * @throws Error with the construct's path where its path is taken, or lies in a folder that is read-only, or it comes too late
   */
  public addMount(mount: PodMount): void {
    this.addToPod("mounts", mount, volumeMount);
    this.containers.addMount(mount);
  }

  /**
   * Adds a container that runs to its end before Aidbox starts, after those that are there. What its security context leaves open
   * is as the `restricted` level wants it. It sees no secrets.
   *
   * @throws Error with the construct's path where another container has its name, or it comes too late
   */
  public addInitContainer(container: PodContainer): void {
    this.addToPod("initContainers", container, containerProps);
    this.containers.addInitContainer(container);
  }

  /**
   * Adds a container beside Aidbox, as restricted as one before it. It sees no secrets.
   *
   * @throws Error with the construct's path where another container has its name, or it comes too late
   */
  public addSidecar(container: PodContainer): void {
    this.addToPod("sidecars", container, containerProps);
    this.containers.addSidecar(container);
  }

  /** Notes what is added to one of the pod's lists, where all that is in them then is in order. */
  private addToPod<List extends keyof Aidbox["pod"]>(
    list: List,
    value: Aidbox["pod"][List][number],
    check: Check,
  ): void {
    const added = { ...this.pod, [list]: [...this.pod[list], value] };
    const key = `pod.${list}[${this.pod[list].length}]`;
    assertMayAdd(this, { what: key, value, check, further: () => findPodProblems(added, this.ownPod) });
    Object.assign(this.pod, added);
  }

  private addDeployment(
    props: AidboxProps,
    identity: Identity,
  ): { readonly deployment: Deployment; readonly containers: AidboxContainers } {
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
          ...(props.initBundle && { "checksum/init-bundle": checksumOf(props.initBundle) }),
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
    const containers = new AidboxContainers(this, "containers", {
      deployment,
      aidbox: props,
      identity,
      securityContext: security.container,
    });
    namePublishSecret(deployment, props.secrets);
    return { deployment, containers };
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

  private addNetworkPolicy({ networkPolicy }: AidboxProps, identity: Identity): AidboxNetworkPolicy | undefined {
    if (networkPolicy === undefined) return undefined;
    const policy = new AidboxNetworkPolicy(this, "network-policy", { ...networkPolicy, ...identity });
    this.deployment.node.addDependency(policy); // no pod runs without it, not even for a moment
    return policy;
  }
}
