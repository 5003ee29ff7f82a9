import * as z from "zod";
import { labelKey, labelKeyFix, labelValue, labelValueFix } from "../../constructs/kubernetes/syntax";
import { dnsLabel, flag, matching, text, whole } from "./primitives";
import { isSize, mebibytes, millicores } from "./quantity";

// What Kubernetes' API takes. The objects that are handed through whole are held to its types by kubernetes-schema.test.ts.

const key = matching(labelKey, labelKeyFix);

export const labels = z.record(key, matching(labelValue, labelValueFix));

/** Bytes of all annotations of an object. */
const mostAnnotated = 256 * 1024;

export const annotations = z
  .record(key, text)
  .refine((all) => Buffer.byteLength(Object.entries(all).flat().join("")) <= mostAnnotated, {
    error: "Kubernetes takes 256 KiB of annotations: write less",
  });

/** Name of most objects: a DNS subdomain. */
export const objectName = matching(
  /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/,
  "write a Kubernetes name: lower-case letters, digits, dots and dashes",
);

/** Name of a Service, which begins with a letter. @param most characters that leave room for what is called after it */
export const serviceName = (most: number) =>
  matching(
    new RegExp(`^(?=.{1,${most}}$)[a-z]([a-z0-9-]*[a-z0-9])?$`),
    `write a letter first, and up to ${most} lower-case letters, digits and dashes: a Service is called so`,
  );

const ofKubernetes = /^(default|kube-.*)$/;

/** A namespace that may be a given one, as `default`, of which the config says so elsewhere. */
export const givenOrOwnNamespace = dnsLabel.refine(
  (name) => !name.startsWith("kube-"),
  "is Kubernetes' own: write a namespace that the stack may make",
);

/** A namespace that the stack makes, and so gives rules of its own. */
export const ownNamespace = dnsLabel.refine(
  (name) => !ofKubernetes.test(name),
  "is Kubernetes' own: write a namespace that the stack may make",
);

const podSecurityLevel = z.enum(["restricted", "baseline", "privileged"], "write restricted, baseline or privileged");

const ownedLabel = /^(pod-security\.kubernetes\.io|aidbox-secrets)\//;

/** Whether the stack makes a namespace, and how. @param least level that its pods need; others are refused where it is privileged */
export const namespaceOptions = (least: "restricted" | "privileged") =>
  z
    .strictObject({
      create: flag
        .default(true)
        .describe("Whether the stack makes the namespace; false where somebody gives it: then it is left as it is"),
      labels: labels
        .refine((given) => !Object.keys(given).some((name) => ownedLabel.test(name)), {
          error: "has a label that the stack sets: leave out pod-security.kubernetes.io/ and aidbox-secrets/",
        })
        .optional()
        .describe("Labels of the namespace beside those of the stack"),
      level: (least === "restricted"
        ? podSecurityLevel
        : z.literal("privileged", "the CSI provider's host paths need privileged: leave level out")
      )
        .optional()
        .describe(`Its Pod Security level, by default \`${least}\``),
    })
    .superRefine(({ create, ...ours }, context) => {
      if (create) return;
      for (const [key, input] of Object.entries(ours)) {
        const message = "is its owner's to set, since create is false: leave it out";
        context.addIssue({ code: "custom", path: [key], input, message });
      }
    })
    .prefault({});

const component = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const label = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?";
const portOfHost = ":(?:\\d{1,4}|[1-5]\\d{4}|6[0-4]\\d{3}|65[0-4]\\d{2}|655[0-2]\\d|6553[0-5])";
// What has neither dot nor port is no host but a folder of Docker Hub's, whose names are in lower case.
const host = `(?:${label}(?:\\.${label})+(?:${portOfHost})?|${label}${portOfHost}|localhost)`;
const reference = new RegExp(
  `^(?:${host}/)?${component}(?:/${component})*(?::\\w[\\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$`,
);

/** A registry, and a path in it. */
export const registry = matching(
  new RegExp(`^${label}(?:\\.${label})*(?:${portOfHost})?(?:/${component})*$`),
  "write the registry without https:// and slash at its end, as registry.example.com/mirror",
).refine(
  (text) => /[.:]|^localhost/.test(text.split("/")[0]!),
  "begin with the registry's host, as registry.example.com",
);

/** Whether a text is a reference to an image, by the grammar of github.com/distribution/reference. */
export function isImage(text: string): boolean {
  return reference.test(text);
}

/** An image that says which: with a tag or a digest. @param example of one */
export const taggedImage = (example: string) => {
  const fix = `write the image with its tag, and without https://, as ${example}`;
  const moves = "moves from one version to the next: write a version, as ";
  return z
    .string(fix)
    .refine((text) => isImage(text) && /:\w[\w.-]*$/.test(text), { error: fix })
    .refine((text) => !/:latest$/.test(text), { error: `the tag latest ${moves}${example}` });
};

const sizeFix = "write a size of 1Mi or more, as 2Gi";

/** A size in any form that Kubernetes takes, a number being bytes. */
export const size = z
  .union([z.number(), z.string()], sizeFix)
  .refine((given) => isSize(String(given)), sizeFix)
  .refine((given) => (mebibytes(String(given)) ?? 0) <= 1024 ** 4, "is more than Kubernetes can count: write up to 1Ei")
  .transform(String);

const cpuFix = "write cores above 0 and up to 256, or millicores, as 2 or 500m";

/** A CPU quantity in any form that Kubernetes takes, as millicores. */
export const cpu = z
  .union([z.number(), z.string()], cpuFix)
  .refine((given) => (millicores(String(given)) ?? Infinity) <= 256_000, cpuFix) // 500 is meant as 500m
  .transform((given) => `${millicores(String(given))!}m`);

const words = z.array(text);

const labelValues = z.array(matching(labelValue, labelValueFix));

const operators = <const T extends readonly string[]>(...names: T) => z.enum(names, `write one of ${names.join(", ")}`);

/** `In` and `NotIn` need values, `Exists` and `DoesNotExist` take none, `Gt` and `Lt` one. */
function valuesFit({
  operator,
  values = [],
}: {
  readonly operator: string;
  readonly values?: readonly string[] | undefined;
}) {
  if (/^(Gt|Lt)$/.test(operator)) return values.length === 1 && /^-?\d+$/.test(values[0]!);
  return /Exist/.test(operator) ? values.length === 0 : values.length > 0;
}
const valuesFix =
  "operator and values do not fit: In and NotIn need values, Exists and DoesNotExist none, Gt and Lt one number";

const selector = z.strictObject({
  matchLabels: labels.optional(),
  matchExpressions: z
    .array(
      z
        .strictObject({
          key,
          operator: operators("In", "NotIn", "Exists", "DoesNotExist"),
          values: labelValues.optional(),
        })
        .refine(valuesFit, valuesFix),
    )
    .optional(),
});

const podTerm = z.strictObject({
  topologyKey: key,
  labelSelector: selector.optional(),
  namespaces: z.array(dnsLabel).optional(),
  namespaceSelector: selector.optional(),
  matchLabelKeys: words.optional(),
  mismatchLabelKeys: words.optional(),
});

const weight = whole.min(1, "write a weight from 1 to 100").max(100, "write a weight from 1 to 100");

const podAffinity = z.strictObject({
  requiredDuringSchedulingIgnoredDuringExecution: z.array(podTerm).optional(),
  preferredDuringSchedulingIgnoredDuringExecution: z
    .array(z.strictObject({ weight, podAffinityTerm: podTerm }))
    .optional(),
});

const nodeRequirement = z
  .strictObject({
    key,
    operator: operators("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"),
    values: labelValues.optional(),
  })
  .refine(valuesFit, valuesFix);

const nodeFieldFix =
  "Kubernetes selects nodes by their name alone: write { key: metadata.name, operator: In, values: [NODE] }";

const nodeField = z
  .strictObject({
    key: z.literal("metadata.name", nodeFieldFix),
    operator: operators("In", "NotIn"),
    values: z.array(text),
  })
  .refine(({ values }) => values.length === 1, nodeFieldFix);

const nodeTerm = z.strictObject({
  matchExpressions: z.array(nodeRequirement).optional(),
  matchFields: z.array(nodeField).optional(),
});

/** The affinity of a pod's spec. */
export const affinity = z
  .strictObject(
    {
      nodeAffinity: z
        .strictObject({
          requiredDuringSchedulingIgnoredDuringExecution: z
            .strictObject({ nodeSelectorTerms: z.array(nodeTerm).min(1, "write at least one term") })
            .optional(),
          preferredDuringSchedulingIgnoredDuringExecution: z
            .array(z.strictObject({ weight, preference: nodeTerm }))
            .optional(),
        })
        .optional(),
      podAffinity: podAffinity.optional(),
      podAntiAffinity: podAffinity.optional(),
    },
    "write an object, as in a pod's spec",
  )
  .meta({ opaque: true });

/** One toleration of a pod's spec. */
export const toleration = z
  .strictObject({
    key: key.optional().describe("Key of the taint, by default any"),
    operator: z
      .enum(["Exists", "Equal"], "write Exists or Equal")
      .optional()
      .describe("How the value counts, by default `Equal`"),
    value: matching(labelValue, labelValueFix).optional().describe("Value of the taint"),
    effect: z
      .enum(["NoSchedule", "PreferNoSchedule", "NoExecute"], "write NoSchedule, PreferNoSchedule or NoExecute")
      .optional()
      .describe("Effect of the taint, by default any"),
    tolerationSeconds: whole.optional().describe("Time until the pods are evicted, by default never"),
  })
  .refine(({ key: taint, operator }) => taint !== undefined || operator === "Exists", {
    error: "without key it tolerates every taint: write operator: Exists, or the key",
  })
  .refine(({ operator, value }) => operator !== "Exists" || value === undefined, {
    error: "operator Exists takes no value: remove one of them",
  })
  .refine(({ effect, tolerationSeconds }) => tolerationSeconds === undefined || effect === "NoExecute", {
    error: "tolerationSeconds needs effect: NoExecute",
  });
