import { checkEnvironment } from "../../../infra/config/check-environment";
import { ConfigError } from "../../../infra/config/config-error";
import type { Environment } from "../../../infra/config/environment";
import { certificatePem } from "../../pems";

// What Kubernetes, Vault or the pods would refuse later, or what could never work.

const image = "healthsamurai/aidboxone:2602";
const development = {
  development: true,
  kubeContext: "kind-aidbox",
  secrets: [{ name: "client-secret", path: "aidbox/client" }],
  vault: { mode: "dev" },
  aidbox: { image },
};

const check = (config: object): Environment => checkEnvironment("dev", { ...development, ...config });

function problemsOf(config: object): string[] {
  try {
    check(config);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ key, message }) => `${key}: ${message}`);
    throw error;
  }
  return [];
}

test.each<{ what: string; config: object; problems: string[] }>([
  {
    what: "a FHIR type, misspelt",
    config: { secrets: [{ name: "client-secret", path: "aidbox/client", scope: { resourceType: "Cleint" } }] },
    problems: ['secrets[0].scope.resourceType: "Cleint": is no type of FHIR\'s: did you mean Client?'],
  },
  {
    what: "a URL of Vault with the path of its UI",
    config: { vault: { mode: "external", address: "https://vault.example.com/ui", login: { method: "kubernetes" } } },
    problems: [
      'vault.address: "https://vault.example.com/ui": write the URL alone, as https://vault.example.com:8200, without path of the API or query at its end',
    ],
  },
  {
    what: "a URL with port 0",
    config: { vault: { mode: "external", address: "https://vault.example.com:0", login: { method: "kubernetes" } } },
    problems: [
      'vault.address: "https://vault.example.com:0": write the URL alone, as https://vault.example.com:8200, without path of the API or query at its end',
    ],
  },
  {
    what: "a URL with a query",
    config: { vault: { mode: "external", address: "https://vault.example.com?x=1", login: { method: "kubernetes" } } },
    problems: [
      'vault.address: "https://vault.example.com?x=1": write the URL alone, as https://vault.example.com:8200, without path of the API or query at its end',
    ],
  },
  {
    what: "a URL with the path of the API",
    config: { vault: { mode: "external", address: "https://vault.example.com/v1", login: { method: "kubernetes" } } },
    problems: [
      'vault.address: "https://vault.example.com/v1": write the URL alone, as https://vault.example.com:8200, without path of the API or query at its end',
    ],
  },
  {
    what: "affinity, misspelt",
    config: { aidbox: { image: image, affinity: { nodeAfinity: {} } } },
    problems: ["aidbox.affinity.nodeAfinity: is not a key that this stack knows: did you mean nodeAffinity?"],
  },
  {
    what: "affinity, a list",
    config: { aidbox: { image: image, affinity: { nodeAffinity: [] } } },
    problems: ["aidbox.affinity.nodeAffinity: []: write an object with keys"],
  },
  {
    what: "affinity, an operator that there is none of",
    config: {
      aidbox: {
        image: image,
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchExpressions: [{ key: "x", operator: "Inn", values: ["a"] }] }],
            },
          },
        },
      },
    },
    problems: [
      'aidbox.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].operator: "Inn": write one of In, NotIn, Exists, DoesNotExist, Gt, Lt: did you mean In?',
    ],
  },
  {
    what: "affinity, In without values",
    config: {
      aidbox: {
        image: image,
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchExpressions: [{ key: "x", operator: "In" }] }],
            },
          },
        },
      },
    },
    problems: [
      'aidbox.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0]: {"key":"x","operator":"In"}: operator and values do not fit: In and NotIn need values, Exists and DoesNotExist none, Gt and Lt one number',
    ],
  },
  {
    what: "affinity, a term without its topology",
    config: {
      aidbox: { image: image, affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{}] } } },
    },
    problems: [
      "aidbox.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: is missing: write a label's key: up to 63 letters, digits, '-', '_' and '.', after a domain and '/' where it has one",
    ],
  },
  {
    what: "affinity, a weight past 100",
    config: {
      aidbox: {
        image: image,
        affinity: {
          podAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 101, podAffinityTerm: { topologyKey: "x" } }],
          },
        },
      },
    },
    problems: [
      "aidbox.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: 101: write a weight from 1 to 100",
    ],
  },
  {
    what: "a CA's file, relative",
    config: {
      vault: {
        mode: "external",
        address: "https://vault.example.com",
        login: { method: "kubernetes" },
        csiProvider: false,
        caCertPath: "relative",
      },
    },
    problems: ['vault.caCertPath: "relative": write the absolute path of a file, as /vault/tls/ca.crt'],
  },
  {
    what: "an issuer's name with a space",
    config: { vault: { mode: "standalone", certManager: { issuer: "My Issuer", ca: certificatePem } } },
    problems: [
      'vault.certManager.issuer: "My Issuer": write a Kubernetes name: lower-case letters, digits, dots and dashes',
    ],
  },
  {
    what: "a chart without a version",
    config: { csiDriver: { chart: { repository: "https://x.example.com", version: "" } } },
    problems: [
      'csiDriver.chart: {"repository":"https://x.example.com","version":""}: write { repository, version } with a version as 1.6.1, or { path } for a local folder or archive',
    ],
  },
  {
    what: "a chart's version that moves",
    config: { csiDriver: { chart: { repository: "https://x.example.com", version: "latest" } } },
    problems: [
      'csiDriver.chart: {"repository":"https://x.example.com","version":"latest"}: write { repository, version } with a version as 1.6.1, or { path } for a local folder or archive',
    ],
  },
  {
    what: "an address past 255",
    config: { vault: { mode: "dev", allowFrom: [{ cidr: "10.0.0.256/32" }] } },
    problems: [
      'vault.allowFrom[0].cidr: "10.0.0.256/32": is no range of addresses: write a range of addresses, as 10.1.2.3/32',
    ],
  },
  {
    what: "a range of 99 bits",
    config: { aidbox: { image: image, networkPolicy: { database: { peer: { cidr: "10.0.0.0/99" } } } } },
    problems: [
      'aidbox.networkPolicy.database.peer.cidr: "10.0.0.0/99": is no range of addresses: write a range of addresses, as 10.1.2.3/32',
    ],
  },
  {
    what: "a range of 200 bits, IPv6",
    config: { vault: { mode: "dev", allowFrom: [{ cidr: "fe80::/200" }] } },
    problems: [
      'vault.allowFrom[0].cidr: "fe80::/200": is no range of addresses: write a range of addresses, as 10.1.2.3/32',
    ],
  },
  {
    what: "no CPU",
    config: { aidbox: { image: image, resources: { cpuRequest: "0m" } } },
    problems: ['aidbox.resources.cpuRequest: "0m": write cores above 0 and up to 256, or millicores, as 2 or 500m'],
  },
  {
    what: "PostgreSQL at localhost",
    config: {
      secrets: [{ name: "db", path: "aidbox/db", environment: "BOX_DB_PASSWORD" }],
      database: { mode: "external", host: "localhost", tls: { mode: "verify-full", caConfigMap: "ca" } },
    },
    problems: ["database.host: \"localhost\": is Aidbox's own pod: write PostgreSQL's host as the pod sees it"],
  },
  {
    what: "the database engine at Vault's sys",
    config: { vault: { mode: "dev", databaseMount: "sys" } },
    problems: ['vault.databaseMount: "sys": is Vault\'s own: write another path'],
  },
  {
    what: "the namespace default",
    config: { namespaces: { aidbox: "default" } },
    problems: [
      'namespaces.aidbox: "default": is Kubernetes\' own: write another, or options.aidbox.create: false, and it is left as it is',
    ],
  },
  {
    what: "a CA that is no PEM",
    config: {
      vault: {
        mode: "external",
        address: "https://vault.example.com",
        login: { method: "jwt", keys: { discoveryUrl: "https://x.example.com", discoveryCa: "no pem" } },
      },
    },
    problems: [
      'vault.login.keys: {"discoveryUrl":"https://x.example.com","discoveryCa":"no pem"}: write { publicKeys: [PEM, …] } or { discoveryUrl, discoveryCa: PEM }; docs/own-vault.md makes PEM of a JWKS',
    ],
  },
  {
    what: "a discovery URL with its well-known path",
    config: {
      vault: {
        mode: "external",
        address: "https://vault.example.com",
        login: { method: "jwt", keys: { discoveryUrl: "https://x.example.com/.well-known/openid-configuration" } },
      },
    },
    problems: [
      'vault.login.keys.discoveryUrl: "https://x.example.com/.well-known/openid-configuration": write it without /.well-known',
    ],
  },
  {
    what: "the driver in Vault's namespace",
    config: { csiDriver: { namespace: "vault" } },
    problems: [
      'csiDriver.namespace: "vault": is at the level restricted, which refuses the driver\'s host paths: write another, as kube-system',
    ],
  },
  {
    what: "the driver in Aidbox's namespace",
    config: { csiDriver: { namespace: "aidbox" } },
    problems: [
      'csiDriver.namespace: "aidbox": is at the level restricted, which refuses the driver\'s host paths: write another, as kube-system',
    ],
  },
  {
    what: "the path of the vendor's guide",
    config: { secrets: [{ name: "client-secret", path: "secret/data/aidbox/client" }] },
    problems: [
      'secrets[0].path: "secret/data/aidbox/client": leave out the mount and data/, which are added: write aidbox/client',
    ],
  },
  {
    what: "an address as host",
    config: { aidbox: { image: image, ingress: { hosts: ["10.1.2.3"] } } },
    problems: ['aidbox.ingress.hosts[0]: "10.1.2.3": write a host name alone, as aidbox.example.com'],
  },
  {
    what: "a host's label of 64 characters",
    config: {
      aidbox: {
        image: image,
        ingress: { hosts: ["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.com"] },
      },
    },
    problems: [
      'aidbox.ingress.hosts[0]: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.com": write a host name alone, as aidbox.example.com',
    ],
  },
  {
    what: "a host of 304 characters",
    config: {
      aidbox: {
        image: image,
        ingress: {
          hosts: [
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.com",
          ],
        },
      },
    },
    problems: [
      'aidbox.ingress.hosts[0]: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.com": write a host name alone, as aidbox.example.com',
    ],
  },
  {
    what: "an image with https://",
    config: { aidbox: { image: "https://healthsamurai/aidboxone:2602" } },
    problems: [
      'aidbox.image: "https://healthsamurai/aidboxone:2602": write the image\'s name alone, without https:// and spaces, as healthsamurai/aidboxone:2605',
    ],
  },
  {
    what: "an image with half a digest",
    config: { aidbox: { image: "x@sha256:12:2602" } },
    problems: [
      'aidbox.image: "x@sha256:12:2602": pin the image with a tag of 2602 or later, as healthsamurai/aidboxone:2605, or with a digest',
    ],
  },
  {
    what: "an image with two dots",
    config: { aidbox: { image: "a..b/c:2602" } },
    problems: [
      'aidbox.image: "a..b/c:2602": pin the image with a tag of 2602 or later, as healthsamurai/aidboxone:2605, or with a digest',
    ],
  },
  {
    what: "an image that is a tag alone",
    config: { aidbox: { image: ":2602" } },
    problems: [
      'aidbox.image: ":2602": pin the image with a tag of 2602 or later, as healthsamurai/aidboxone:2605, or with a digest',
    ],
  },
  {
    what: "an image with a space",
    config: { aidbox: { image: "healthsamurai/aidbox one:2602" } },
    problems: [
      'aidbox.image: "healthsamurai/aidbox one:2602": write the image\'s name alone, without https:// and spaces, as healthsamurai/aidboxone:2605',
    ],
  },
  {
    what: "an annotation's key with a space, of the Ingress",
    config: { aidbox: { image: image, ingress: { hosts: ["a.example.com"], annotations: { "a b": "x" } } } },
    problems: [
      "aidbox.ingress.annotations.a b: write a label's key: up to 63 letters, digits, '-', '_' and '.', after a domain and '/' where it has one",
    ],
  },
  {
    what: "a JWKS in place of PEM",
    config: {
      vault: {
        mode: "external",
        address: "https://vault.example.com",
        login: { method: "jwt", keys: { publicKeys: ['{"keys":[{"kty":"RSA"}]}'] } },
      },
    },
    problems: [
      'vault.login.keys: {"publicKeys":["{\\"keys\\":[{\\"kty\\":\\"RSA\\"}]}"]}: write { publicKeys: [PEM, …] } or { discoveryUrl, discoveryCa: PEM }; docs/own-vault.md makes PEM of a JWKS',
    ],
  },
  {
    what: "a context of spaces",
    config: { kubeContext: " " },
    problems: ['kubeContext: " ": write the name of a context of the kubeconfig'],
  },
  {
    what: "a namespace that begins as Kubernetes' own",
    config: { namespaces: { aidbox: "kube-aidbox" } },
    problems: ['namespaces.aidbox: "kube-aidbox": is Kubernetes\' own: write a namespace that the stack may make'],
  },
  {
    what: "kube-public, of a tenant",
    config: {
      tenants: [
        { name: "north", secrets: [{ name: "client-secret", path: "north/client" }], namespace: "kube-public" },
      ],
    },
    problems: ['tenants[0].namespace: "kube-public": is Kubernetes\' own: write a namespace that the stack may make'],
  },
  {
    what: "kube-system, of Aidbox",
    config: { namespaces: { aidbox: "kube-system" } },
    problems: ['namespaces.aidbox: "kube-system": is Kubernetes\' own: write a namespace that the stack may make'],
  },
  {
    what: "kube-system, of Vault",
    config: { namespaces: { vault: "kube-system" } },
    problems: ['namespaces.vault: "kube-system": is Kubernetes\' own: write a namespace that the stack may make'],
  },
  {
    what: "KV at Vault's auth",
    config: { vault: { mode: "dev", kvMount: { path: "auth/x" } } },
    problems: ['vault.kvMount.path: "auth/x": is Vault\'s own: write another path'],
  },
  {
    what: "KV at Vault's cubbyhole",
    config: { vault: { mode: "dev", kvMount: { path: "cubbyhole" } } },
    problems: ['vault.kvMount.path: "cubbyhole": is Vault\'s own: write another path'],
  },
  {
    what: "KV at Vault's identity",
    config: { vault: { mode: "dev", kvMount: { path: "identity" } } },
    problems: ['vault.kvMount.path: "identity": is Vault\'s own: write another path'],
  },
  {
    what: "KV at Vault's sys",
    config: { vault: { mode: "dev", kvMount: { path: "sys" } } },
    problems: ['vault.kvMount.path: "sys": is Vault\'s own: write another path'],
  },
  {
    what: "no memory",
    config: { aidbox: { image: image, resources: { memoryRequest: "0Mi" } } },
    problems: ['aidbox.resources.memoryRequest: "0Mi": write a size of 1Mi or more, as 2Gi'],
  },
  {
    what: "an auth mount with auth/",
    config: {
      vault: {
        mode: "external",
        address: "https://vault.example.com",
        login: { method: "kubernetes", mount: "auth/kubernetes" },
      },
    },
    problems: ['vault.login.mount: "auth/kubernetes": write it without auth/, and not token, which is Vault\'s own'],
  },
  {
    what: "Vault's own auth mount",
    config: {
      vault: {
        mode: "external",
        address: "https://vault.example.com",
        login: { method: "kubernetes", mount: "token" },
      },
    },
    problems: ['vault.login.mount: "token": write it without auth/, and not token, which is Vault\'s own'],
  },
  {
    what: "a name that begins with a digit",
    config: { aidbox: { image: image, name: "1aidbox" } },
    problems: [
      'aidbox.name: "1aidbox": write a letter first, and up to 55 lower-case letters, digits and dashes: a Service is called so',
    ],
  },
  {
    what: "a name that leaves no room",
    config: { aidbox: { image: image, name: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" } },
    problems: [
      'aidbox.name: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": write a letter first, and up to 55 lower-case letters, digits and dashes: a Service is called so',
    ],
  },
  {
    what: "a node's label with a space",
    config: { aidbox: { image: image, nodeSelector: { "bad key!": "x" } } },
    problems: [
      "aidbox.nodeSelector.bad key!: write a label's key: up to 63 letters, digits, '-', '_' and '.', after a domain and '/' where it has one",
    ],
  },
  {
    what: "a node's label's value with a space",
    config: { aidbox: { image: image, nodeSelector: { a: "b c" } } },
    problems: [
      "aidbox.nodeSelector.a: \"b c\": write up to 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends",
    ],
  },
  {
    what: "OIDC with empty text",
    config: {
      vault: {
        mode: "standalone",
        operators: { method: "oidc", discoveryUrl: "http://x.example.com", clientId: "", groups: [""] },
      },
    },
    problems: ['vault.operators.clientId: "": write text', 'vault.operators.groups[0]: "": write text'],
  },
  {
    what: "a login of no time",
    config: { vault: { mode: "standalone", operators: { method: "approle", ttl: "0s" } } },
    problems: [
      'vault.operators.ttl: "0s": write the life of an operator\'s login as a whole number above 0 with its unit: 90s, 5m or 1h',
    ],
  },
  {
    what: "a user twice",
    config: { vault: { mode: "standalone", operators: { method: "userpass", users: ["a", "a"] } } },
    problems: ['vault.operators.users: ["a","a"]: names a user twice: name each once'],
  },
  {
    what: "a path with a space",
    config: { aidbox: { image: image, ingress: { hosts: ["a.example.com"], path: "/a b" } } },
    problems: ['aidbox.ingress.path: "/a b": write a path with its leading slash and without spaces, as /fhir'],
  },
  {
    what: "a share with a fraction",
    config: { aidbox: { image: image, disruptionBudget: { maxUnavailable: "5.5%" } } },
    problems: ['aidbox.disruptionBudget.maxUnavailable: "5.5%": write a number of pods, or a share, as 50%'],
  },
  {
    what: "a peer's label with a space",
    config: { vault: { mode: "dev", allowFrom: [{ podLabels: { "bad key!": "x" } }] } },
    problems: [
      "vault.allowFrom[0].podLabels.bad key!: write a label's key: up to 63 letters, digits, '-', '_' and '.', after a domain and '/' where it has one",
    ],
  },
  {
    what: "a peer's label's value with a space",
    config: { vault: { mode: "dev", allowFrom: [{ namespaceLabels: { a: "b c" } }] } },
    problems: [
      "vault.allowFrom[0].namespaceLabels.a: \"b c\": write up to 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends",
    ],
  },
  {
    what: "a key that is no PEM",
    config: {
      vault: {
        mode: "external",
        address: "https://vault.example.com",
        login: { method: "jwt", keys: { publicKeys: ["PEM"] } },
      },
    },
    problems: [
      'vault.login.keys: {"publicKeys":["PEM"]}: write { publicKeys: [PEM, …] } or { discoveryUrl, discoveryCa: PEM }; docs/own-vault.md makes PEM of a JWKS',
    ],
  },
  {
    what: "an annotation's key with a space",
    config: { aidbox: { image: image, podAnnotations: { "bad key!": "x" } } },
    problems: [
      "aidbox.podAnnotations.bad key!: write a label's key: up to 63 letters, digits, '-', '_' and '.', after a domain and '/' where it has one",
    ],
  },
  {
    what: "a label's key with a space",
    config: { aidbox: { image: image, podLabels: { "bad key!": "x" } } },
    problems: [
      "aidbox.podLabels.bad key!: write a label's key: up to 63 letters, digits, '-', '_' and '.', after a domain and '/' where it has one",
    ],
  },
  {
    what: "a label's value of 64 characters",
    config: {
      aidbox: { image: image, podLabels: { ok: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" } },
    },
    problems: [
      "aidbox.podLabels.ok: \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\": write up to 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends",
    ],
  },
  {
    what: "a label's value with a space",
    config: { aidbox: { image: image, podLabels: { ok: "not ok!" } } },
    problems: [
      "aidbox.podLabels.ok: \"not ok!\": write up to 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends",
    ],
  },
  {
    what: "a Secret's name with two dots",
    config: { aidbox: { image: image, imagePullSecrets: ["a..b"] } },
    problems: [
      'aidbox.imagePullSecrets[0]: "a..b": write a Kubernetes name: lower-case letters, digits, dots and dashes',
    ],
  },
  {
    what: "a release that begins with a digit",
    config: { vault: { mode: "dev", release: "1vault" } },
    problems: [
      'vault.release: "1vault": write a letter first, and up to 48 lower-case letters, digits and dashes: a Service is called so',
    ],
  },
  {
    what: "a release that leaves no room",
    config: { vault: { mode: "dev", release: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" } },
    problems: [
      'vault.release: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": write a letter first, and up to 48 lower-case letters, digits and dashes: a Service is called so',
    ],
  },
  {
    what: "the Republisher's image with https://",
    config: { republisher: { image: "https://x/curl:1" } },
    problems: [
      'republisher.image: "https://x/curl:1": write the image with its tag, and without https://, as docker.io/curlimages/curl:8.17.0',
    ],
  },
  {
    what: "the Republisher's image, empty",
    config: { republisher: { image: "" } },
    problems: [
      'republisher.image: "": write the image with its tag, and without https://, as docker.io/curlimages/curl:8.17.0',
    ],
  },
  {
    what: "the Republisher's image without a tag",
    config: { republisher: { image: "curl" } },
    problems: [
      'republisher.image: "curl": write the image with its tag, and without https://, as docker.io/curlimages/curl:8.17.0',
    ],
  },
  {
    what: "Vault's policy default",
    config: { vault: { mode: "dev", role: "default" } },
    problems: ['vault.role: "default": is a policy of Vault\'s own: write another, as aidbox'],
  },
  {
    what: "Vault's policy root",
    config: { vault: { mode: "dev", role: "root" } },
    problems: ['vault.role: "root": is a policy of Vault\'s own: write another, as aidbox'],
  },
  {
    what: "a key vault's name with an underscore",
    config: {
      vault: {
        mode: "standalone",
        seal: {
          type: "azurekeyvault",
          tenantId: "11111111-1111-1111-1111-111111111111",
          vaultName: "a_b",
          keyName: "k",
        },
      },
    },
    problems: ['vault.seal.vaultName: "a_b": write its name: 3 to 24 letters, digits and dashes'],
  },
  {
    what: "a transit key without a name",
    config: { vault: { mode: "standalone", seal: { type: "transit", address: "https://x.example.com", keyName: "" } } },
    problems: [`vault.seal.keyName: "": write the key's name: letters, digits, '_', '.' and '-'`],
  },
  {
    what: "a KMS key with empty text",
    config: { vault: { mode: "standalone", seal: { type: "awskms", region: "", kmsKeyId: "" } } },
    problems: [
      'vault.seal.region: "": write the region, as eu-central-1',
      `vault.seal.kmsKeyId: "": write the key's id, ARN or alias without spaces, quotes and '*'`,
    ],
  },
  {
    what: "a monitor's label with a space",
    config: { aidbox: { image: image, serviceMonitor: { labels: { "a b": "x" } } } },
    problems: [
      "aidbox.serviceMonitor.labels.a b: write a label's key: up to 63 letters, digits, '-', '_' and '.', after a domain and '/' where it has one",
    ],
  },
  {
    what: "a spread over nothing",
    config: { aidbox: { image: image, topologySpread: [{ topologyKey: "" }] } },
    problems: [
      "aidbox.topologySpread[0].topologyKey: \"\": write a label's key: up to 63 letters, digits, '-', '_' and '.', after a domain and '/' where it has one",
    ],
  },
  {
    what: "a spread over a label with a space",
    config: { aidbox: { image: image, topologySpread: [{ topologyKey: "a b" }] } },
    problems: [
      "aidbox.topologySpread[0].topologyKey: \"a b\": write a label's key: up to 63 letters, digits, '-', '_' and '.', after a domain and '/' where it has one",
    ],
  },
  {
    what: "a spread twice",
    config: { aidbox: { image: image, topologySpread: [{ topologyKey: "zone" }, { topologyKey: "zone" }] } },
    problems: [
      'aidbox.topologySpread: [{"topologyKey":"zone"},{"topologyKey":"zone"}]: names a topologyKey twice with one whenUnsatisfiable, which Kubernetes refuses: name each once',
    ],
  },
  {
    what: "no storage",
    config: { vault: { mode: "standalone", storage: { size: "0Gi" } } },
    problems: ['vault.storage.size: "0Gi": write a size of 1Mi or more, as 2Gi'],
  },
  {
    what: "no storage, in decimals",
    config: { vault: { mode: "standalone", storage: { size: "0.0Gi" } } },
    problems: ['vault.storage.size: "0.0Gi": write a size of 1Mi or more, as 2Gi'],
  },
  {
    what: "a storage class with a space",
    config: { vault: { mode: "standalone", storage: { storageClass: "Fast Disk" } } },
    problems: [
      'vault.storage.storageClass: "Fast Disk": write a Kubernetes name: lower-case letters, digits, dots and dashes',
    ],
  },
  {
    what: "a storage class, empty",
    config: { vault: { mode: "standalone", storage: { storageClass: "" } } },
    problems: ['vault.storage.storageClass: "": write a Kubernetes name: lower-case letters, digits, dots and dashes'],
  },
  {
    what: "an annotation without a key",
    config: { aidbox: { image: image, serviceAnnotations: { "": "x" } } },
    problems: [
      "aidbox.serviceAnnotations.: write a label's key: up to 63 letters, digits, '-', '_' and '.', after a domain and '/' where it has one",
    ],
  },
  {
    what: "kube-system, of a tenant",
    config: {
      tenants: [
        { name: "north", secrets: [{ name: "client-secret", path: "north/client" }], namespace: "kube-system" },
      ],
    },
    problems: ['tenants[0].namespace: "kube-system": is Kubernetes\' own: write a namespace that the stack may make'],
  },
  {
    what: "a toleration of nothing",
    config: { aidbox: { image: image, tolerations: [{}] } },
    problems: ["aidbox.tolerations[0]: {}: without key it tolerates every taint: write operator: Exists, or the key"],
  },
  {
    what: "a toleration of a value alone",
    config: { aidbox: { image: image, tolerations: [{ value: "x" }] } },
    problems: [
      'aidbox.tolerations[0]: {"value":"x"}: without key it tolerates every taint: write operator: Exists, or the key',
    ],
  },
  {
    what: "a toleration of Exists with a value",
    config: { aidbox: { image: image, tolerations: [{ key: "a", operator: "Exists", value: "x" }] } },
    problems: [
      'aidbox.tolerations[0]: {"key":"a","operator":"Exists","value":"x"}: operator Exists takes no value: remove one of them',
    ],
  },
  {
    what: "a taint with a space",
    config: { aidbox: { image: image, tolerations: [{ key: "a b", operator: "Exists" }] } },
    problems: [
      "aidbox.tolerations[0].key: \"a b\": write a label's key: up to 63 letters, digits, '-', '_' and '.', after a domain and '/' where it has one",
    ],
  },
  {
    what: "seconds of another effect than NoExecute",
    config: {
      aidbox: {
        image: image,
        tolerations: [{ key: "a", operator: "Exists", effect: "NoSchedule", tolerationSeconds: 5 }],
      },
    },
    problems: [
      'aidbox.tolerations[0]: {"key":"a","operator":"Exists","effect":"NoSchedule","tolerationSeconds":5}: tolerationSeconds needs effect: NoExecute',
    ],
  },
  {
    what: "Vault's image with https://",
    config: { vault: { mode: "dev", image: "https://hashicorp/vault:2.0" } },
    problems: [
      'vault.image: "https://hashicorp/vault:2.0": write the image with its tag, and without https://, as hashicorp/vault:2.0.4',
    ],
  },
  {
    what: "a namespace of Vault with a space",
    config: {
      vault: {
        mode: "external",
        address: "https://vault.example.com",
        login: { method: "kubernetes" },
        vaultNamespace: "a b",
      },
    },
    problems: ['vault.vaultNamespace: "a b": write the namespace\'s path, as admin/health'],
  },
  {
    what: "a namespace of Vault, empty",
    config: {
      vault: {
        mode: "external",
        address: "https://vault.example.com",
        login: { method: "kubernetes" },
        vaultNamespace: "",
      },
    },
    problems: ['vault.vaultNamespace: "": write the namespace\'s path, as admin/health'],
  },
])("refused: $what", ({ config, problems }) => {
  expect(problemsOf(config)).toEqual(problems);
});

const resources = (given: object) => ({ aidbox: { image, resources: given } });

test.each([
  { given: { cpuRequest: 2 }, taken: { cpuRequest: "2000m" } },
  { given: { cpuRequest: 0.5 }, taken: { cpuRequest: "500m" } },
  { given: { cpuRequest: "1.25" }, taken: { cpuRequest: "1250m" } },
  { given: { memoryRequest: "1G", memoryLimit: "2G" }, taken: { memoryRequest: "1G", memoryLimit: "2G" } },
  { given: { memoryRequest: 1073741824 }, taken: { memoryRequest: "1073741824" } },
  { given: { memoryLimit: "1Ti" }, taken: { memoryLimit: "1Ti" } },
  { given: { memoryRequest: "512M", memoryLimit: "4e9" }, taken: { memoryRequest: "512M", memoryLimit: "4e9" } },
])("a quantity may have each form of Kubernetes: $given", ({ given, taken }) => {
  expect(check(resources(given)).aidbox.resources).toMatchObject(taken);
});

test.each<object>([
  { database: { mode: "external", host: "10.1.2.3", tls: { mode: "disable" } } },
  { vault: { mode: "dev", allowFrom: [{ cidr: "fd00::/8" }, { cidr: "10.0.0.1/8" }] } },
  { vault: { mode: "standalone", storage: { size: "1Ti" } } },
  { vault: { mode: "external", address: "https://proxy.example.com/vault", login: { method: "kubernetes" } } },
  { secrets: [{ name: "client-secret", path: "secret/team_a/client.v1" }] },
  { aidbox: { image: "localhost:5000/aidboxone:2602" } },
  { secrets: [{ name: "one", path: "aidbox/one", scope: { resourceType: "Patient" } }] },
  { aidbox: { image, tolerations: [{ operator: "Exists" }], podLabels: { "example.com/team": "", app: "x" } } },
])("taken: %j", (config) => {
  const row = { name: "db", path: "aidbox/db", environment: "BOX_DB_PASSWORD" };
  expect(problemsOf("database" in config ? { secrets: [row], ...config } : config)).toEqual([]);
});
