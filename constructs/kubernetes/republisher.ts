import { ApiObject, Duration, JsonPatch, Size } from "cdk8s";
import {
  Capability,
  Cpu,
  Deployment,
  EnvValue,
  ImagePullPolicy,
  LabelSelector,
  Probe,
  SeccompProfileType,
  ServiceAccount,
  Volume,
} from "cdk8s-plus-28";
import { Construct } from "constructs";

/** Annotation whose change makes kubelet sync a pod at once, and so publish its volumes again. */
export const republishAnnotation = "aidbox-secrets/republish";

export interface RepublisherProps {
  readonly name: string;
  /** Namespace of the pods and of the Republisher itself. */
  readonly namespace: string;
  /** Labels of the pods whose volumes are published again. */
  readonly podLabels: Readonly<Record<string, string>>;
  /** Time between two publications, in whole seconds. */
  readonly intervalSeconds: number;
  /**
   * Image with `sh` and `curl`.
   * @default "docker.io/curlimages/curl:8.17.0", that of the curl project
   */
  readonly image?: string;
}

// The list's table form has each name in the first cell, which needs no JSON parser. The token is read anew since it
// expires, and stays out of the arguments.
const script = `
account=/var/run/secrets/kubernetes.io/serviceaccount
api=https://kubernetes.default.svc/api/v1/namespaces/$NAMESPACE/pods
call() { curl --silent --show-error --fail --max-time 10 --cacert $account/ca.crt --header @/tmp/authorization "$@"; }
umask 077
while :; do
  printf 'Authorization: Bearer %s' "$(cat $account/token)" > /tmp/authorization
  if table=$(call --get --header 'Accept: application/json;as=Table;v=v1;g=meta.k8s.io' --data-urlencode "labelSelector=$SELECTOR" --data includeObject=None --data pretty=false $api); then
    body="{\\"metadata\\":{\\"annotations\\":{\\"$ANNOTATION\\":\\"$(date -u +%Y-%m-%dT%H:%M:%SZ)\\"}}}"
    for pod in $(printf %s "$table" | grep -o '"cells":\\["[^"]*"' | cut -d '"' -f 4); do
      call --output /dev/null --request PATCH --header 'Content-Type: application/merge-patch+json' --data "$body" $api/$pod/status || echo "$pod was not published again"
    done
    date +%s > /tmp/last
  fi
  sleep $INTERVAL
done
`.trim();

/**
 * Has kubelet publish the volumes of some pods again and again, so that a change in Vault reaches their files within the
 * interval and some 3 s; by itself kubelet does so every 60 to 90 s, whatever the driver's `rotationPollInterval`.
 *
 * It may list the namespace's pods and change this one annotation of theirs: its RBAC right ends at the pods' status, and
 * an admission policy refuses it any other change.
 */
export class Republisher extends Construct {
  public readonly deployment: Deployment;

  public constructor(scope: Construct, id: string, props: RepublisherProps) {
    super(scope, id);
    const { name, namespace, intervalSeconds } = props;
    const labels = { "app.kubernetes.io/name": "aidbox-republisher", "app.kubernetes.io/instance": name.slice(0, 63) };
    const serviceAccount = new ServiceAccount(this, "service-account", { metadata: { name }, automountToken: false });
    const rights = [...this.allowPods(name, namespace), ...this.refuseOtherChanges(name, namespace)];

    this.deployment = new Deployment(this, "deployment", {
      metadata: { name, labels },
      podMetadata: { labels },
      select: false,
      replicas: 1,
      serviceAccount,
      automountServiceAccountToken: true,
      securityContext: { ensureNonRoot: true, user: userId, group: userId, fsGroup: userId },
      terminationGracePeriod: Duration.seconds(0), // the shell leaves SIGTERM alone, and there is nothing to finish
    });
    this.deployment.select(LabelSelector.of({ labels }));
    this.deployment.node.addDependency(serviceAccount, ...rights);
    const isAtWork = (intervals: number): string[] => [
      "sh",
      "-c",
      `[ $(($(date +%s) - $(cat /tmp/last))) -le ${intervals * intervalSeconds + 10} ]`,
    ];
    const container = this.deployment.addContainer({
      name: "republisher",
      image: props.image ?? "docker.io/curlimages/curl:8.17.0",
      imagePullPolicy: ImagePullPolicy.IF_NOT_PRESENT,
      command: ["sh", "-c", script],
      envVariables: {
        NAMESPACE: EnvValue.fromValue(namespace),
        SELECTOR: EnvValue.fromValue(
          Object.entries(props.podLabels)
            .map(([label, value]) => `${label}=${value}`)
            .join(","),
        ),
        ANNOTATION: EnvValue.fromValue(republishAnnotation),
        INTERVAL: EnvValue.fromValue(String(intervalSeconds)),
      },
      resources: {
        cpu: { request: Cpu.millis(10) },
        memory: { request: Size.mebibytes(16), limit: Size.mebibytes(64) },
      },
      securityContext: {
        ensureNonRoot: true,
        user: userId,
        group: userId,
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { drop: [Capability.ALL] },
        seccompProfile: { type: SeccompProfileType.RUNTIME_DEFAULT },
      },
      readiness: Probe.fromCommand(isAtWork(1), { periodSeconds: Duration.seconds(2) }),
      liveness: Probe.fromCommand(isAtWork(4), {
        initialDelaySeconds: Duration.seconds(30),
        periodSeconds: Duration.seconds(30),
      }),
    });
    container.mount("/tmp", Volume.fromEmptyDir(this, "tmp", "tmp"));
  }

  private allowPods(name: string, namespace: string): ApiObject[] {
    const role = new ApiObject(this, "role", {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "Role",
      metadata: { name },
      rules: [
        { apiGroups: [""], resources: ["pods"], verbs: ["list"] },
        { apiGroups: [""], resources: ["pods/status"], verbs: ["patch"] },
      ],
    });
    const binding = new ApiObject(this, "role-binding", {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata: { name },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name },
      subjects: [{ kind: "ServiceAccount", name, namespace }],
    });
    return [role, binding];
  }

  private refuseOtherChanges(name: string, namespace: string): ApiObject[] {
    const clusterWide = { name: `${namespace}-${name}` };
    const policy = new ApiObject(this, "admission-policy", {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingAdmissionPolicy",
      metadata: clusterWide,
      spec: {
        failurePolicy: "Fail",
        matchConstraints: {
          namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
          resourceRules: [
            { apiGroups: [""], apiVersions: ["v1"], operations: ["UPDATE"], resources: ["pods", "pods/status"] },
          ],
        },
        matchConditions: [
          {
            name: "by-the-republisher",
            expression: `request.userInfo.username == "system:serviceaccount:${namespace}:${name}"`,
          },
        ],
        variables: [
          { name: "before", expression: "oldObject.metadata.?annotations.orValue({})" },
          { name: "after", expression: "object.metadata.?annotations.orValue({})" },
        ],
        validations: [
          {
            expression: [
              "object.spec == oldObject.spec",
              "object.status == oldObject.status",
              "object.metadata.?labels == oldObject.metadata.?labels",
              "object.metadata.?finalizers == oldObject.metadata.?finalizers",
              "variables.before.all(key, key in variables.after)",
              `variables.after.all(key, key == "${republishAnnotation}" || ` +
                "(key in variables.before && variables.before[key] == variables.after[key]))",
            ].join(" && "),
            message: `may change the annotation ${republishAnnotation} alone`,
          },
        ],
      },
    });
    const binding = new ApiObject(this, "admission-policy-binding", {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingAdmissionPolicyBinding",
      metadata: clusterWide,
      spec: { policyName: clusterWide.name, validationActions: ["Deny"] },
    });
    // cdk8s gives every object the namespace of its chart, and these have none.
    for (const each of [policy, binding]) each.addJsonPatch(JsonPatch.remove("/metadata/namespace"));
    return [policy, binding];
  }
}

const userId = 1000;
