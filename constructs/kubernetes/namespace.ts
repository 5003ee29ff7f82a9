import { Namespace } from "cdk8s-plus-28";
import { Construct } from "constructs";
import { oneOf, optional, refuseProps, text, texts } from "../check-props";
import { isPlaceholder } from "../placeholder";
import { dnsLabel, textProblems } from "../secrets/problem";

/** Level of the Pod Security Standards. */
export type PodSecurityLevel = "privileged" | "baseline" | "restricted";

/** A namespace and its level. */
export interface PodSecurityNamespaceProps {
  /** A DNS label. */
  readonly name: string;
  /** Level that the API server enforces, and warns of, for every pod of the namespace. */
  readonly level: PodSecurityLevel;
  /** @default - none but those of the level */
  readonly labels?: Record<string, string>;
}

const checks = {
  name: text,
  level: oneOf("privileged", "baseline", "restricted"),
  labels: optional(texts),
};

/** A namespace that says which Pod Security level it enforces. Put it into a chart that has no namespace of its own. */
export class PodSecurityNamespace extends Construct {
  /** @throws Error that lists all that is wrong with the props */
  public constructor(scope: Construct, id: string, props: PodSecurityNamespaceProps) {
    super(scope, id);
    refuseProps(this.node.path, props, checks, () =>
      isPlaceholder(props.name) ? [] : textProblems("name", props.name, dnsLabel),
    );
    new Namespace(this, "namespace", {
      metadata: {
        name: props.name,
        labels: {
          ...props.labels,
          "pod-security.kubernetes.io/enforce": props.level,
          "pod-security.kubernetes.io/warn": props.level,
        },
      },
    });
  }
}
