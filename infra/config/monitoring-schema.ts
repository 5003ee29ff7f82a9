import * as z from "zod";
import { labels } from "./kubernetes-schema";
import { peers } from "./network-schema";
import { lasting } from "./primitives";

/** How Prometheus' operator and Grafana watch the stack. */
export const monitoring = z
  .strictObject({
    from: peers
      .min(1, "name your Prometheus' pods, as { namespaceLabels: { kubernetes.io/metadata.name: monitoring } }")
      .describe(
        "Who may reach the metrics of the stack's own Vault: the pods of your Prometheus, as `{ namespaceLabels, podLabels }`",
      ),
    labels: labels
      .default({})
      .describe("Labels by which your Prometheus finds monitors and rules, as `{ release: prometheus }`"),
    interval: lasting("the interval").default("30s").describe("Time from one look at the metrics to the next"),
    dashboard: z
      .strictObject({
        labels: labels
          .default({ grafana_dashboard: "1" })
          .describe("Labels by which Grafana finds the ConfigMap, as its Helm chart's sidecar does"),
      })
      .optional()
      .describe("Whether to make a Grafana dashboard in a ConfigMap, as `{}`; by default none"),
  })
  .optional()
  .describe("Monitors, alert rules and a dashboard, for clusters with the Prometheus operator; by default none");
