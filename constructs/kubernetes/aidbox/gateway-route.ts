import { ApiObject, type Duration } from "cdk8s";
import type { Service } from "cdk8s-plus-28";
import type { Construct } from "constructs";
import { pathBelow, refuseProps, text, texts } from "../../check-props";
import type { Problem } from "../../secrets";
import { assertMayAdd, whenRendered } from "../additions";
import type { Used } from "../any-version";
import { construct } from "../plus-checks";
import type { Identity } from "./identity";
import { gatewayReference, gatewayRouteChecks } from "./option-checks";
import { hostProblems } from "./rules/hosts";

/** A Gateway that serves the route, or one of its listeners. */
export interface GatewayReference {
  /** Name of the Gateway, which is there already. */
  readonly name: string;
  /** @default - Aidbox's own namespace */
  readonly namespace?: string;
  /**
   * Name of the Gateway's listener.
   * @default - every listener that admits the route
   */
  readonly sectionName?: string;
}

/** How the world reaches Aidbox through a Gateway, which ends TLS. */
export interface GatewayRouteOptions {
  /** The Gateways that serve the route; at least one. */
  readonly parentRefs: readonly GatewayReference[];
  /** Host names, as `aidbox.example.com` or `*.example.com`. */
  readonly hostnames: readonly string[];
  /**
   * Paths that begin with this one are served.
   * @default "/"
   */
  readonly path?: string;
  /** @default - none */
  readonly annotations?: Record<string, string>;
  /**
   * Time for a request as a whole.
   * @default - the Gateway's own
   */
  readonly timeout?: Duration;
}

/** Where the route comes from, and where it leads. */
export interface AidboxGatewayRouteProps extends GatewayRouteOptions, Pick<Identity, "name" | "labels"> {
  /** Aidbox's Service, whose first port takes the requests. */
  readonly service: Used<Service, "name" | "port">;
}

const checks = {
  ...gatewayRouteChecks,
  name: text,
  labels: texts,
  service: construct(["name", "port"], "give a Service of cdk8s-plus"),
};

/** Gateway API's HTTPRoute to Aidbox's Service; filters and further rules can be added by `addJsonPatch()`. */
export class AidboxGatewayRoute extends ApiObject {
  private readonly parents: GatewayReference[];
  private readonly hostnames: string[];

  /** @throws Error that lists all that is wrong with the props */
  public constructor(scope: Construct, id: string, props: AidboxGatewayRouteProps) {
    refuseProps(pathBelow(scope, id), props, checks);
    const { name, labels, annotations, service, timeout } = props;
    const [parents, hostnames] = [[...props.parentRefs], [...props.hostnames]];
    super(scope, id, {
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "HTTPRoute",
      metadata: { name, labels, annotations },
      spec: {
        parentRefs: whenRendered(() => parents),
        hostnames: whenRendered(() => hostnames),
        rules: [
          {
            matches: [{ path: { type: "PathPrefix", value: props.path ?? "/" } }],
            backendRefs: [{ name: service.name, port: service.port }],
            ...(timeout === undefined ? {} : { timeouts: { request: `${timeout.toSeconds()}s` } }),
          },
        ],
      },
    });
    this.parents = parents;
    this.hostnames = hostnames;
  }

  /**
   * Has a further Gateway, or listener, serve the route.
   *
   * @throws Error with the construct's path where it is there already, names no Gateway, or comes too late
   */
  public addParent(parent: GatewayReference): void {
    assertMayAdd(this, { what: "parent", value: parent, check: gatewayReference, present: this.parents });
    this.parents.push(parent);
  }

  /**
   * Serves a further host. Aidbox's `BOX_WEB_BASE_URL` stays that of the props.
   *
   * @throws Error with the construct's path where it is there already, is no host name, or comes too late
   */
  public addHostname(hostname: string): void {
    const further = (): Problem[] => hostProblems("hostname", [hostname], () => "hostname");
    assertMayAdd(this, { what: "hostname", value: hostname, check: text, present: this.hostnames, further });
    this.hostnames.push(hostname);
  }
}
