import { HttpIngressPathType, Ingress, IngressBackend, Secret, type Service } from "cdk8s-plus-28";
import type { Construct } from "constructs";
import { pathBelow, refuseProps, text, texts } from "../../check-props";
import type { Problem } from "../../secrets";
import { assertMayAdd } from "../additions";
import { type AnyVersion, asOwnVersion, type Used } from "../any-version";
import { construct } from "../plus-checks";
import type { Identity } from "./identity";
import { ingressChecks } from "./option-checks";
import { hostProblems } from "./rules/hosts";

/** How the world reaches Aidbox through an ingress controller. */
export interface IngressOptions {
  /**
   * Name of the IngressClass.
   * @default - the cluster's default class
   */
  readonly className?: string;
  /** Host names, as `aidbox.example.com` or `*.example.com`. */
  readonly hosts: readonly string[];
  /**
   * Whether the controller ends TLS for the hosts; health data should not travel without. False where something before it
   * does, as a cloud's load balancer.
   * @default true
   */
  readonly tls?: boolean;
  /**
   * Kubernetes Secret with the certificate of all hosts, as cert-manager writes it.
   * @default - the name with "-tls"
   */
  readonly tlsSecretName?: string;
  /**
   * Paths that begin with this one are served.
   * @default "/"
   */
  readonly path?: string;
  /** @default "Prefix" */
  readonly pathType?: AnyVersion<HttpIngressPathType>;
  /**
   * Annotations, as `cert-manager.io/cluster-issuer`.
   * @default - none
   */
  readonly annotations?: Record<string, string>;
}

/** Where the Ingress comes from, and where it leads. */
export interface AidboxIngressProps extends IngressOptions, Pick<Identity, "name" | "labels"> {
  /** Aidbox's Service, whose first port takes the requests. */
  readonly service: Used<Service, "name" | "port" | "ports">;
}

const checks = {
  ...ingressChecks,
  name: text,
  labels: texts,
  service: construct(["name", "port", "ports"], "give a Service of cdk8s-plus"),
};

/** An Ingress to Aidbox's Service, with TLS unless told otherwise. */
export class AidboxIngress extends Ingress {
  private readonly hosts: string[];
  private readonly addRuleFor: (host: string) => void;

  /** @throws Error that lists all that is wrong with the props */
  public constructor(scope: Construct, id: string, props: AidboxIngressProps) {
    refuseProps(pathBelow(scope, id), props, checks);
    const { name, labels, annotations, className, hosts, path, service } = props;
    const pathType = asOwnVersion<HttpIngressPathType>(props.pathType ?? HttpIngressPathType.PREFIX);
    const addedHosts = [...hosts];
    const backend = IngressBackend.fromService(service as unknown as Service);
    super(scope, id, {
      metadata: { name, labels, annotations },
      className,
      rules: hosts.map((host) => ({ host, path: path ?? "/", pathType, backend })),
    });
    this.hosts = addedHosts;
    this.addRuleFor = (host) => {
      this.addHostRule(host, path ?? "/", backend, pathType);
    };
    if (props.tls === false) return;
    const secret = Secret.fromSecretName(this, "tls", props.tlsSecretName ?? `${name}-tls`);
    this.addTls([{ hosts: this.hosts, secret }]); // which is read when the object is rendered
  }

  /**
   * Serves a further host, with TLS as the others. Aidbox's `BOX_WEB_BASE_URL` stays that of the props.
   *
   * @throws Error with the construct's path where it is there already, is no host name, or comes too late
   */
  public addHost(host: string): void {
    const further = (): Problem[] => hostProblems("host", [host], () => "host");
    assertMayAdd(this, { what: "host", value: host, check: text, present: this.hosts, further });
    this.addRuleFor(host);
    this.hosts.push(host);
  }
}
