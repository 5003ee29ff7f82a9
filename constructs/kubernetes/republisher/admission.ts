import { ApiObject, JsonPatch } from "cdk8s";
import type { Construct } from "constructs";
import { clusterWideName } from "../names";
import { environmentAnnotation, republishAnnotation, rollPendingAnnotation } from "./annotations";

/**
 * Refuses a ServiceAccount every change but that of its annotations: RBAC alone cannot say which field of an object may
 * be changed.
 *
 * @returns the policy and its binding
 */
export function refuseOtherChanges(
  scope: Construct,
  serviceAccount: { readonly name: string; readonly namespace: string },
  rolls: boolean,
): ApiObject[] {
  const { name, namespace } = serviceAccount;
  const clusterWide = { name: clusterWideName(namespace, name) };
  const policy = new ApiObject(scope, "admission-policy", {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingAdmissionPolicy",
    metadata: clusterWide,
    spec: {
      failurePolicy: "Fail",
      matchConstraints: {
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
        resourceRules: [
          { apiGroups: [""], apiVersions: ["v1"], operations: ["UPDATE"], resources: ["pods", "pods/status"] },
          ...(rolls
            ? [{ apiGroups: ["apps"], apiVersions: ["v1"], operations: ["UPDATE"], resources: ["deployments"] }]
            : []),
        ],
      },
      matchConditions: [
        {
          name: "by-the-republisher",
          expression: `request.userInfo.username == "system:serviceaccount:${namespace}:${name}"`,
        },
      ],
      validations: [
        {
          expression: [
            "object.metadata.?labels == oldObject.metadata.?labels",
            "object.metadata.?finalizers == oldObject.metadata.?finalizers",
            "object.metadata.?ownerReferences == oldObject.metadata.?ownerReferences",
            ...sameAnnotationsBut(
              "metadata",
              rolls ? [republishAnnotation, environmentAnnotation, rollPendingAnnotation] : [republishAnnotation],
            ),
          ].join(" && "),
          message: "may change its own annotations alone",
        },
        {
          expression: `object.kind != "Pod" || (object.spec == oldObject.spec && object.status == oldObject.status)`,
          message: "may change no spec and no status of a pod",
        },
        ...(rolls
          ? [{ expression: deploymentKept(), message: "may roll a Deployment, and change nothing else of it" }]
          : []),
      ],
    },
  });
  const binding = new ApiObject(scope, "admission-policy-binding", {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingAdmissionPolicyBinding",
    metadata: clusterWide,
    spec: { policyName: clusterWide.name, validationActions: ["Deny"] },
  });
  // cdk8s gives every object the namespace of its chart, and these have none.
  for (const each of [policy, binding]) each.addJsonPatch(JsonPatch.remove("/metadata/namespace"));
  return [policy, binding];
}

/** CEL: all annotations are as before, but for some. */
function sameAnnotationsBut(metadata: string, changeable: readonly string[]): string[] {
  const [before, after] = [
    `oldObject.${metadata}.?annotations.orValue({})`,
    `object.${metadata}.?annotations.orValue({})`,
  ];
  const own = `key in ${JSON.stringify(changeable).replaceAll(",", ", ")}`;
  return [
    `${before}.all(key, ${own} || key in ${after})`,
    `${after}.all(key, ${own} || (key in ${before} && ${before}[key] == ${after}[key]))`,
  ];
}

function deploymentKept(): string {
  const kept = [
    "replicas",
    "selector",
    "strategy",
    "paused",
    "minReadySeconds",
    "revisionHistoryLimit",
    "progressDeadlineSeconds",
    "template.spec",
    "template.metadata.?labels",
    "template.metadata.?finalizers",
  ].map((field) => {
    const path = field.includes(".") ? field : `?${field}`;
    return `object.spec.${path} == oldObject.spec.${path}`;
  });
  return `object.kind != "Deployment" || (${[...kept, ...sameAnnotationsBut("spec.template.metadata", [environmentAnnotation])].join(" && ")})`;
}
