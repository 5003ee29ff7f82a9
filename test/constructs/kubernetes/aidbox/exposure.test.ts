import { EnvFieldPaths, EnvValue, HttpIngressPathType } from "cdk8s-plus-28";
import type { AidboxProps } from "../../../../constructs/kubernetes";
import { SecretTable } from "../../../../constructs/secrets";
import { containerOf, environmentOf, fullTable, manifestOf, manifestsOf } from "../fixtures";
import { chartWith, chartWithEveryProp, mountOf, refusalOf } from "./fixtures";

const parentRefs = [{ name: "public" }];

describe("the Ingress", () => {
  it("leads every path of a host to the Service, with TLS", () => {
    const chart = chartWith({ ingress: { hosts: ["aidbox.example.com"] } });
    expect(manifestOf(chart, "Ingress").spec).toEqual({
      rules: [
        {
          host: "aidbox.example.com",
          http: {
            paths: [
              { path: "/", pathType: "Prefix", backend: { service: { name: "aidbox", port: { number: 8080 } } } },
            ],
          },
        },
      ],
      tls: [{ hosts: ["aidbox.example.com"], secretName: "aidbox-tls" }],
    });
  });

  it("takes a class, several hosts, a certificate, a path and annotations", () => {
    const backend = { service: { name: "prod", port: { number: 80 } } };
    const http = { paths: [{ path: "/fhir", pathType: "Exact", backend }] };
    expect(manifestOf(chartWithEveryProp(), "Ingress")).toMatchObject({
      metadata: { name: "prod", annotations: { "cert-manager.io/cluster-issuer": "letsencrypt" } },
      spec: {
        ingressClassName: "nginx",
        rules: [
          { host: "aidbox.example.com", http },
          { host: "*.aidbox.example.com", http },
        ],
        tls: [{ hosts: ["aidbox.example.com", "*.aidbox.example.com"], secretName: "wildcard" }],
      },
    });
  });

  it("has no TLS only where told so", () => {
    const chart = chartWith({ ingress: { hosts: ["aidbox.example.com"], tls: false } });
    expect(manifestOf(chart, "Ingress").spec).not.toHaveProperty("tls");
  });

  it("takes hosts that are put in later", () => {
    const host = "${output:0123456789abcdef:0}";
    expect(manifestOf(chartWith({ ingress: { hosts: [host] } }), "Ingress").spec!.rules![0]!.host).toBe(host);
  });
});

describe("the HTTPRoute", () => {
  it("leads every path of a host from its Gateway to the Service", () => {
    const chart = chartWith({ gatewayRoute: { parentRefs, hostnames: ["aidbox.example.com"] } });
    expect(manifestOf(chart, "HTTPRoute")).toMatchObject({ apiVersion: "gateway.networking.k8s.io/v1" });
    expect(manifestOf(chart, "HTTPRoute").spec).toEqual({
      parentRefs: [{ name: "public" }],
      hostnames: ["aidbox.example.com"],
      rules: [
        {
          matches: [{ path: { type: "PathPrefix", value: "/" } }],
          backendRefs: [{ name: "aidbox", port: 8080 }],
        },
      ],
    });
  });

  it("takes a Gateway's listener, a path, a time and annotations", () => {
    expect(manifestOf(chartWithEveryProp(), "HTTPRoute")).toMatchObject({
      metadata: { name: "prod", annotations: { "example.com/owner": "health" } },
      spec: {
        parentRefs: [{ name: "public", namespace: "gateways", sectionName: "https" }],
        hostnames: ["fhir.example.com"],
        rules: [
          {
            matches: [{ path: { type: "PathPrefix", value: "/fhir" } }],
            backendRefs: [{ name: "prod", port: 80 }],
            timeouts: { request: "60s" },
          },
        ],
      },
    });
  });
});

describe("neither", () => {
  it("is there by default", () => {
    const kinds = manifestsOf(chartWith()).map(({ kind }) => kind);
    expect(kinds).not.toContain("Ingress");
    expect(kinds).not.toContain("HTTPRoute");
  });

  const ingress = (change: object): Partial<AidboxProps> => ({ ingress: { hosts: ["a.example.com"], ...change } });
  const gatewayRoute = (change: object): Partial<AidboxProps> => ({
    gatewayRoute: { parentRefs, hostnames: ["a.example.com"], ...change },
  });

  it.each([
    {
      what: "no host",
      props: ingress({ hosts: [] }),
      problem: "ingress.hosts: []: would take the requests for every host: name at least one, as aidbox.example.com",
    },
    {
      what: "no host name",
      props: gatewayRoute({ hostnames: [] }),
      problem:
        "gatewayRoute.hostnames: []: would take the requests for every host: name at least one, as aidbox.example.com",
    },
    {
      what: "a URL for a host",
      props: ingress({ hosts: ["https://a.example.com"] }),
      problem: 'ingress.hosts[0]: "https://a.example.com": write a host name alone, as aidbox.example.com',
    },
    {
      what: "a port with the host",
      props: gatewayRoute({ hostnames: ["a.example.com:443"] }),
      problem: 'gatewayRoute.hostnames[0]: "a.example.com:443": write a host name alone, as aidbox.example.com',
    },
    {
      what: "an empty host",
      props: ingress({ hosts: [""] }),
      problem: 'ingress.hosts[0]: "": write a host name alone, as aidbox.example.com',
    },
    {
      what: "a host twice",
      props: ingress({ hosts: ["a.example.com", "b.example.com", "a.example.com"] }),
      problem: 'ingress.hosts[2]: "a.example.com": is named twice: remove one of them',
    },
    {
      what: "a certificate without TLS",
      props: ingress({ tls: false, tlsSecretName: "wildcard" }),
      problem: 'ingress: tls false stands beside tlsSecretName "wildcard": remove one of them',
    },
    {
      what: "a path without its slash",
      props: ingress({ path: "fhir" }),
      problem: 'ingress.path: "fhir": write a path with its leading slash, as "/fhir"',
    },
    {
      what: "a route's path without its slash",
      props: gatewayRoute({ path: "fhir" }),
      problem: 'gatewayRoute.path: "fhir": write a path with its leading slash, as "/fhir"',
    },
    {
      what: "a pattern for a path",
      props: ingress({ path: "/fhir(/|$)(.*)" }),
      problem:
        "ingress.path: \"/fhir(/|$)(.*)\": write a path alone, without '//', '/..', '?', '#' and patterns, as /fhir",
    },
    {
      what: "no Gateway",
      props: gatewayRoute({ parentRefs: [] }),
      problem:
        "gatewayRoute.parentRefs: []: no Gateway serves the route: name one, as { name: public, namespace: gateways }",
    },
  ])("is made with $what", ({ props, problem }) => {
    expect(refusalOf(props)).toEqual([problem]);
  });
});

it("takes a pattern for a path where the ingress' controller alone knows how paths are matched", () => {
  const props = { path: "/fhir(/|$)(.*)", pathType: HttpIngressPathType.IMPLEMENTATION_SPECIFIC };
  const { spec } = manifestOf(chartWith({ ingress: { hosts: ["aidbox.example.com"], ...props } }), "Ingress");
  expect(spec).toMatchObject({ rules: [{ http: { paths: [props] } }] });
});

describe("what Aidbox calls itself", () => {
  const baseUrlOf = (props: Partial<AidboxProps>) => environmentOf(chartWith(props)).BOX_WEB_BASE_URL?.value;

  it.each([
    { what: "nothing by default", props: {}, url: undefined },
    {
      what: "the ingress' first host that is a single one",
      props: { ingress: { hosts: ["*.example.com", "a.example.com", "b.example.com"] } },
      url: "https://a.example.com",
    },
    {
      what: "the ingress' host, without TLS",
      props: { ingress: { hosts: ["a.example.com"], tls: false } },
      url: "http://a.example.com",
    },
    {
      what: "the route's host",
      props: { gatewayRoute: { parentRefs, hostnames: ["a.example.com"] } },
      url: "https://a.example.com",
    },
    {
      what: "what the settings say",
      props: { ingress: { hosts: ["a.example.com"] }, environment: { BOX_WEB_BASE_URL: "https://b.example.com" } },
      url: "https://b.example.com",
    },
    { what: "nothing for every host", props: { ingress: { hosts: ["*.example.com"] } }, url: undefined },
  ])("is $what", ({ props, url }) => {
    expect(baseUrlOf(props)).toBe(url);
  });

  it("is what the table says, where it is a secret", () => {
    const table = new SecretTable({
      secrets: [{ name: "base-url", path: "aidbox/box", environment: "BOX_WEB_BASE_URL" }],
    });
    const chart = chartWith({ secrets: mountOf(table), ingress: { hosts: ["a.example.com"] } });
    expect(environmentOf(chart).BOX_WEB_BASE_URL).toEqual({
      valueFrom: { secretKeyRef: { name: "aidbox-environment", key: "BOX_WEB_BASE_URL" } },
    });
  });
});

describe("further variables", () => {
  it("come whole from ConfigMaps and Secrets", () => {
    expect(containerOf(chartWithEveryProp()).envFrom).toEqual([
      { configMapRef: { name: "settings" } },
      { secretRef: { name: "postgres" } },
    ]);
  });

  it("come from where an EnvValue says, and never instead of the table's", () => {
    const value = EnvValue.fromValue("plain");
    const elsewhere = EnvValue.fromFieldRef(EnvFieldPaths.POD_NAME);
    const environment = environmentOf(
      chartWith({ secrets: mountOf(fullTable), environment: { BOX_NODE: value, BOX_LICENSE: elsewhere } }),
    );
    expect(environment.BOX_NODE).toEqual({ value: "plain" });
    expect(environment.BOX_LICENSE).toHaveProperty("valueFrom.secretKeyRef");
  });

  it.each([["text", "hunter2"] as const, ["an EnvValue", EnvValue.fromValue("hunter2")] as const])(
    "are refused where they are a secret in plain text, as %s, which the error does not show",
    (_, value) => {
      expect(() => chartWith({ environment: { BOX_LICENSE: value } })).toThrow(
        /environment\.BOX_LICENSE: would be in plain text: leave it out, and give it a row of secrets, as (?!.*hunter2)/,
      );
    },
  );
});
