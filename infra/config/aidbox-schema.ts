import { isIP } from "node:net";
import * as z from "zod";
import { labelKey, labelKeyFix } from "../../constructs/kubernetes/syntax";
import { affinity, annotations, labels, objectName, toleration } from "./kubernetes-schema";
import { peer, target } from "./network-schema";
import { dnsLabel, duration, flag, lasting, matching, once, port, text, whole } from "./primitives";

const percentage = whole.min(1, "write a percentage of 1 or more");

const hostFix = "write a host name alone, as aidbox.example.com";

/** Neither Ingress nor HTTPRoute takes an address. */
const host = matching(
  /^(?=.{1,253}$)(\*\.)?[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/,
  hostFix,
).refine((name) => isIP(name) === 0, hostFix);

const path = matching(/^\/\S*$/, "write a path with its leading slash and without spaces, as /fhir")
  .optional()
  .describe("Paths that begin with this one are served, by default all");

const countFix = "write a number of pods, or a share, as 50%";
const podCount = z.union([z.int(countFix).min(0, countFix), z.templateLiteral([z.int().min(0), "%"])], countFix);

const pods = {
  imagePullPolicy: z
    .enum(["IfNotPresent", "Always", "Never"], "write IfNotPresent, Always or Never")
    .optional()
    .describe("When nodes pull the image, by default `IfNotPresent`"),
  imagePullSecrets: z
    .array(objectName)
    .refine(once, "names a Secret twice, which Kubernetes refuses: name each once")
    .optional()
    .describe("Kubernetes Secrets with the registry's credentials"),
  environmentFrom: z
    .strictObject({
      configMaps: z.array(objectName).optional().describe("ConfigMaps whose keys all become variables"),
      secrets: z.array(objectName).optional().describe("Kubernetes Secrets whose keys all become variables"),
    })
    .optional(),
  startupTimeout: lasting("the time to start").optional().describe("Time that Aidbox may take to start, by default 5m"),
  terminationGracePeriod: duration("the time to stop")
    .optional()
    .describe("Time that Aidbox may take to finish its requests, by default 30s"),
  podAnnotations: annotations.optional().describe("Further annotations of the pods"),
  podLabels: labels.optional().describe("Further labels of the pods"),
  serviceAccountAnnotations: annotations
    .optional()
    .describe("Annotations of the ServiceAccount, as eks.amazonaws.com/role-arn or azure.workload.identity/client-id"),
  serviceAccountLabels: labels.optional().describe("Labels of the ServiceAccount"),
  syncedSecret: z
    .strictObject({
      type: matching(
        /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9./-]*[A-Za-z0-9])?$/,
        "write a type, as Opaque or example.com/settings",
      )
        .refine(
          (type) => !/^(bootstrap\.)?kubernetes\.io\//.test(type),
          "wants keys of its own, and those here are called as variables: write Opaque, or a type of your own",
        )
        .optional()
        .describe("Its type, by default `Opaque`; one that is there keeps its own until it is deleted"),
      labels: labels.optional().describe("Its labels beside the driver's"),
      annotations: annotations.optional().describe("Its annotations"),
    })
    .optional()
    .describe("Kubernetes Secret with the values of rows with `environment`"),
};

const secretNames = z.union([text, z.array(text)], "write the name of a row of `secrets`, or a list of names");

const initBundle = {
  initBundle: z
    .strictObject(
      {
        type: z
          .enum(["transaction", "batch"], "write transaction or batch")
          .optional()
          .describe(
            "What an entry that fails does: a `transaction`, the default, keeps Aidbox from starting; a `batch` warns",
          ),
        resources: z
          .array(
            z.union(
              [
                z.strictObject({
                  resource: z.record(text, z.unknown()),
                  secrets: z.record(text, secretNames).optional(),
                }),
                z.strictObject({ file: text, secrets: z.record(text, secretNames).optional() }),
              ],
              "write { resource } with a FHIR resource, or { file } with the path of one, and { secrets }, names of secrets by field",
            ),
            "write a list of { resource, secrets } or { file, secrets }",
          )
          .min(1, "name at least one resource, or leave initBundle out")
          .describe(
            "Each `{ resource, secrets }`, or `{ file, secrets }` with JSON or YAML beside Pulumi.yaml; `secrets` names rows by field",
          ),
      },
      "write { resources }",
    )
    .optional()
    .describe("What Aidbox makes at each start, as a Client that uses a secret of the table"),
};

const placement = {
  nodeSelector: labels.optional().describe("Labels of the nodes that may run the pods"),
  tolerations: z.array(toleration).optional().describe("Taints of nodes that the pods tolerate, as in a pod's spec"),
  affinity: affinity.optional().describe("Affinity of the pods, as in a pod's spec"),
  topologySpread: z
    .array(
      z.strictObject({
        topologyKey: matching(labelKey, labelKeyFix).describe("Label of the nodes, as topology.kubernetes.io/zone"),
        maxSkew: whole.min(1, "write 1 or more").optional().describe("Pods by which two may differ, by default 1"),
        whenUnsatisfiable: z
          .enum(["ScheduleAnyway", "DoNotSchedule"], "write ScheduleAnyway or DoNotSchedule")
          .optional()
          .describe("What becomes of a pod that would lie worse, by default `ScheduleAnyway`"),
      }),
    )
    .refine(
      (all) =>
        new Set(all.map(({ topologyKey, whenUnsatisfiable }) => `${topologyKey} ${whenUnsatisfiable ?? ""}`)).size ===
        all.length,
      {
        error: "names a topologyKey twice with one whenUnsatisfiable, which Kubernetes refuses: name each once",
      },
    )
    .optional()
    .describe("Over what the pods are spread; by default several pods over nodes and zones, as far as possible"),
  priorityClassName: objectName.optional().describe("PriorityClass of the pods"),
};

const scale = {
  autoscaling: z
    .strictObject({
      minReplicas: whole.min(1, "write 1 or more").optional().describe("Pods at the least, by default 2"),
      maxReplicas: whole.min(1, "write 1 or more").describe("Pods at the most"),
      cpuUtilization: percentage
        .optional()
        .describe("CPU to use, in percent of the request; by default 80, where memory does not count"),
      memoryUtilization: percentage.optional().describe("Memory to use, in percent of the request"),
    })
    .optional()
    .describe("An autoscaler in place of `replicas`"),
  maxInstances: whole
    .min(1, "write 1 or more")
    .optional()
    .describe(
      "Pods that run at most, those that start or stop in a roll counted, as a licence's `max-instances`; by default no bound",
    ),
  disruptionBudget: z
    .strictObject({
      enabled: flag.optional().describe("Whether a node's drain minds the pods; by default where there are several"),
      minAvailable: podCount.optional().describe("Pods that stay: a number or a share, as `50%`"),
      maxUnavailable: podCount.optional().describe("Pods that may go at once, by default 1"),
    })
    .optional()
    .describe("What a node's drain leaves running"),
};

const waysIn = {
  serviceType: z
    .enum(["ClusterIP", "NodePort", "LoadBalancer"], "write ClusterIP, NodePort or LoadBalancer")
    .optional()
    .describe("Type of the Service, by default `ClusterIP`"),
  servicePort: port.optional().describe("Port of the Service, by default 8080"),
  serviceAnnotations: annotations.optional().describe("Annotations of the Service"),
  ingress: z
    .strictObject({
      className: objectName.optional().describe("IngressClass, by default the cluster's"),
      hosts: z.array(host).describe("Host names, as aidbox.example.com; the first becomes BOX_WEB_BASE_URL"),
      tls: flag.optional().describe("Whether the ingress controller ends TLS, by default true"),
      tlsSecretName: objectName.optional().describe("Kubernetes Secret of the certificate, by default NAME-tls"),
      path,
      annotations: annotations.optional().describe("Annotations of the Ingress, as cert-manager.io/cluster-issuer"),
    })
    .optional()
    .describe("An Ingress, as `{ hosts: [aidbox.example.com] }`"),
  gatewayRoute: z
    .strictObject({
      parentRefs: z
        .array(
          z.strictObject({
            name: objectName.describe("Name of the Gateway"),
            namespace: dnsLabel.optional().describe("Namespace of the Gateway, by default Aidbox's"),
            sectionName: objectName
              .optional()
              .describe("Listener of the Gateway, by default each that admits the route"),
          }),
          "write the Gateways, a list of { name, namespace, sectionName }",
        )
        .max(32, "Gateway API takes 32 Gateways: name fewer")
        .refine(
          (all) => once(all.map(({ name, namespace, sectionName }) => [namespace, name, sectionName].join("/"))),
          "names a Gateway's listener twice, which Gateway API refuses: name each once",
        )
        .describe("Gateways that serve the route"),
      hostnames: z
        .array(host)
        .max(16, "Gateway API takes 16 host names: write fewer")
        .describe("Host names, as aidbox.example.com; the first becomes BOX_WEB_BASE_URL"),
      path,
      timeout: lasting("the time of a request")
        .refine(
          (text) => /^0*\d{1,5}[smh]$/.test(text),
          "Gateway API takes up to five digits: write a greater unit, as 2h",
        )
        .optional()
        .describe("Time for a request as a whole"),
      annotations: annotations.optional().describe("Annotations of the HTTPRoute"),
    })
    .optional()
    .describe("An HTTPRoute of Gateway API, whose CRDs must be there"),
};

const watch = {
  metricsPort: port
    .optional()
    .describe("Port of the metrics; by default 8765 where there is a serviceMonitor, else there are none"),
  serviceMonitor: z
    .strictObject({
      interval: lasting("the interval").optional().describe("Time between two looks at the metrics, by default 10s"),
      labels: labels.optional().describe("Labels by which a Prometheus finds the monitor, as release: prometheus"),
    })
    .optional()
    .describe("A ServiceMonitor, `{}` at the least; the CRD of Prometheus' operator must be there"),
};

const guard = {
  networkPolicy: z
    .strictObject({
      from: z.array(peer).optional().describe("Who may reach Aidbox: `{ podLabels, namespaceLabels }` or `{ cidr }`"),
      monitors: z.array(peer).optional().describe("Who may reach the metrics"),
      database: z
        .strictObject(
          { peer: peer.describe("PostgreSQL"), port: port.optional().describe("Port of PostgreSQL, by default 5432") },
          "write { peer, port } of PostgreSQL",
        )
        .describe("PostgreSQL"),
      dns: peer.optional().describe("The cluster's DNS, by default the pods k8s-app: kube-dns of kube-system"),
      to: z.array(target).optional().describe("Whom else Aidbox may reach, as an identity provider"),
    })
    .optional()
    .describe("Denies the pods all traffic but what is named"),
};

/** The keys below `aidbox` with which it is run: scaled, placed, reached, watched and guarded. Each may be left out. */
export const aidboxOperation = { ...initBundle, ...pods, ...placement, ...scale, ...waysIn, ...watch, ...guard };
