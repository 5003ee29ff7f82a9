import { ApiObject, type Duration } from "cdk8s";
import type { Construct } from "constructs";
import {
  anyText,
  duration,
  each,
  label,
  optional,
  pathBelow,
  refuseProps,
  shape,
  text,
  texts,
  valuesOf,
} from "../../check-props";
import { durationText } from "../../quantities";

/** Which pods' metrics Prometheus' operator has looked at, and how. */
export interface PodMonitorProps {
  /** Name of the PodMonitor. */
  readonly name: string;
  /** That of the pods: a monitor's references to ConfigMaps are to its own. */
  readonly namespace: string;
  /** Labels by which a Prometheus finds the monitor. */
  readonly labels: Readonly<Record<string, string>>;
  /** Labels of the pods that it is for. */
  readonly podLabels: Readonly<Record<string, string>>;
  /** Name of the container's port. */
  readonly port: string;
  /** Time from one look at the metrics to the next. */
  readonly interval: Duration;
  /** @default "/metrics" */
  readonly path?: string;
  /** @default - none */
  readonly params?: Readonly<Record<string, readonly string[]>>;
  /** By TLS: the CA in a ConfigMap's `ca.crt`, and a name in the certificate. @default - plain HTTP */
  readonly tls?: {
    /** Name of the ConfigMap, in the pods' namespace. */
    readonly caConfigMap: string;
    /** The name that the certificate must have. */
    readonly serverName: string;
  };
}

const checks = {
  name: text,
  namespace: label,
  labels: texts,
  podLabels: texts,
  port: text,
  interval: duration,
  path: optional(text),
  params: optional(valuesOf(each(anyText))),
  tls: optional(shape<NonNullable<PodMonitorProps["tls"]>>({ caConfigMap: text, serverName: text })),
};

/** A PodMonitor. Its CRD is the Prometheus operator's. */
export class PodMonitor extends ApiObject {
  /** @throws Error that lists all that is wrong with the props */
  public constructor(scope: Construct, id: string, props: PodMonitorProps) {
    refuseProps(pathBelow(scope, id), props, checks);
    const { name, namespace, labels, podLabels, port, interval, path = "/metrics", params, tls } = props;
    super(scope, id, {
      apiVersion: "monitoring.coreos.com/v1",
      kind: "PodMonitor",
      metadata: { name, namespace, labels: { ...labels } },
      spec: {
        selector: { matchLabels: podLabels },
        podMetricsEndpoints: [
          {
            port,
            path,
            interval: durationText(interval),
            ...(params === undefined ? {} : { params }),
            ...(tls === undefined
              ? {}
              : {
                  scheme: "https",
                  tlsConfig: {
                    ca: { configMap: { name: tls.caConfigMap, key: "ca.crt" } },
                    serverName: tls.serverName,
                  },
                }),
          },
        ],
      },
    });
  }
}
