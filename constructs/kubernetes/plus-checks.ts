import {
  type ContainerPort,
  type ContainerProps,
  type ContainerResources,
  type ContainerSecurityContextProps,
  HttpIngressPathType,
  ImagePullPolicy,
  type k8s,
  MountPropagation,
  type ProbeOptions,
  Protocol,
  ServiceType,
  type VolumeMount,
} from "cdk8s-plus-28";
import {
  anyText,
  type Check,
  duration,
  each,
  flag,
  like,
  object,
  oneOf,
  optional,
  port,
  quantity,
  shape,
  size,
  text,
  valuesOf,
  wholeNumber,
} from "../check-props";
import type { AnyVersion } from "./any-version";

// What props take of cdk8s-plus, of any of its versions, and of Kubernetes' own. cdk8s-plus drops a key that it does not know.

export const imagePullPolicy = oneOf(...Object.values(ImagePullPolicy));
/** A name of another host leads to no pods. */
export const serviceType = oneOf(...Object.values(ServiceType).filter((type) => type !== ServiceType.EXTERNAL_NAME));
export const httpPathType = oneOf(...Object.values(HttpIngressPathType));

/** A construct, of which these members are used. */
export function construct(members: readonly string[], fix: string): Check {
  return like(["node", ...members], fix);
}

const cpuFix = "write a Cpu of cdk8s-plus, as Cpu.millis(500)";
const cpu: Check = (value) =>
  like(["amount"], cpuFix)(value) ?? quantity(String((value as { amount: unknown }).amount), cpuFix);
const sizes = shape<{ request: unknown; limit: unknown }>({ request: optional(size), limit: optional(size) });

export const containerResources = shape<AnyVersion<ContainerResources>>({
  cpu: optional(shape<{ request: unknown; limit: unknown }>({ request: optional(cpu), limit: optional(cpu) })),
  memory: optional(sizes),
  ephemeralStorage: optional(sizes),
});

export const deploymentStrategy = like(
  ["_toKube"],
  "write a DeploymentStrategy of cdk8s-plus, as DeploymentStrategy.recreate()",
);

export const probeOptions = shape<ProbeOptions>({
  failureThreshold: optional(wholeNumber),
  initialDelaySeconds: optional(duration),
  periodSeconds: optional(duration),
  successThreshold: optional(wholeNumber),
  timeoutSeconds: optional(duration),
});

/** Variables by name. No message shows a value, which could be a secret. */
export const variables = valuesOf((value) => {
  const isRead = object(value) === undefined && ["value", "valueFrom"].some((key) => key in (value as object));
  if (typeof value === "string" || isRead) return undefined;
  return `is no text: write one, as "5", or an EnvValue of cdk8s-plus`;
});
const envValues = valuesOf(like(["value", "valueFrom"], "write an EnvValue of cdk8s-plus, as EnvValue.fromValue(…)"));

export const volumeMount = shape<AnyVersion<VolumeMount>>({
  path: text,
  volume: construct(["asVolume"], "give a Volume of cdk8s-plus, as Volume.fromEmptyDir(…)"),
  propagation: optional(oneOf(...Object.values(MountPropagation))),
  readOnly: optional(flag),
  subPath: optional(text),
  subPathExpr: optional(text),
});

const probe = like(["_toKube"], "write a Probe of cdk8s-plus, as Probe.fromHttpGet(…)");
const handler = like(["_toKube"], "write a Handler of cdk8s-plus, as Handler.fromCommand(…)");

export const containerProps = shape<AnyVersion<ContainerProps>>({
  name: optional(text),
  image: text,
  imagePullPolicy: optional(imagePullPolicy),
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- as long as cdk8s-plus takes it
  port: optional(port),
  portNumber: optional(port),
  ports: optional(
    each(
      shape<AnyVersion<ContainerPort>>({
        number: port,
        hostIp: optional(text),
        hostPort: optional(port),
        name: optional(text),
        protocol: optional(oneOf(...Object.values(Protocol))),
      }),
    ),
  ),
  command: optional(each(anyText)),
  args: optional(each(anyText)),
  workingDir: optional(text),
  envVariables: optional(envValues),
  envFrom: optional(each(like(["_toKube"], "write an EnvFrom of cdk8s-plus, as Env.fromConfigMap(…)"))),
  volumeMounts: optional(each(volumeMount)),
  readiness: optional(probe),
  liveness: optional(probe),
  startup: optional(probe),
  lifecycle: optional(
    shape<NonNullable<AnyVersion<ContainerProps>["lifecycle"]>>({
      postStart: optional(handler),
      preStop: optional(handler),
    }),
  ),
  resources: optional(containerResources),
  securityContext: optional(
    shape<AnyVersion<ContainerSecurityContextProps>>({
      user: optional(wholeNumber),
      group: optional(wholeNumber),
      ensureNonRoot: optional(flag),
      privileged: optional(flag),
      readOnlyRootFilesystem: optional(flag),
      allowPrivilegeEscalation: optional(flag),
      capabilities: optional(
        shape<NonNullable<AnyVersion<ContainerSecurityContextProps>["capabilities"]>>({
          add: optional(each(text)),
          drop: optional(each(text)),
        }),
      ),
      seccompProfile: optional(
        shape<NonNullable<AnyVersion<ContainerSecurityContextProps>["seccompProfile"]>>({
          type: text,
          localhostProfile: optional(text),
        }),
      ),
    }),
  ),
  restartPolicy: optional(text),
});

export const tolerations = each(
  shape<k8s.Toleration>({
    effect: optional(oneOf("NoSchedule", "PreferNoSchedule", "NoExecute")),
    key: optional(text),
    operator: optional(text),
    tolerationSeconds: optional(wholeNumber),
    value: optional(anyText),
  }),
);

/** What is in each the API server checks, by its schema. */
export const affinity = shape<k8s.Affinity>({
  nodeAffinity: optional(object),
  podAffinity: optional(object),
  podAntiAffinity: optional(object),
});

const scalingRules = shape<k8s.HpaScalingRulesV2>({
  policies: optional(
    each(
      shape<k8s.HpaScalingPolicyV2>({ periodSeconds: wholeNumber, type: oneOf("Pods", "Percent"), value: wholeNumber }),
    ),
  ),
  selectPolicy: optional(oneOf("Max", "Min", "Disabled")),
  stabilizationWindowSeconds: optional(wholeNumber),
});

export const scalingBehavior = shape<k8s.HorizontalPodAutoscalerBehaviorV2>({
  scaleDown: optional(scalingRules),
  scaleUp: optional(scalingRules),
});
