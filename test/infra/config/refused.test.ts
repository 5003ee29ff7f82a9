import { checkEnvironment } from "../../../infra/config/check-environment";
import { ConfigError } from "../../../infra/config/config-error";
import { modeFix } from "../../../infra/config/stores/vault/schema";

// One wrong thing each, which Kubernetes, Vault, Azure, PostgreSQL or the pods would refuse later, or which could never work.

type Config = Readonly<Record<string, unknown>>;

const image = "healthsamurai/aidboxone:2605";
const row = { name: "client-secret", path: "aidbox/client" };
const peer = { podLabels: { app: "x" } };
const base: Config = {
  development: true,
  kubeContext: "kind-aidbox",
  secrets: [row],
  vault: { mode: "dev" },
  aidbox: { image },
};

const damaged = "is damaged or cut off: copy it whole, from -----BEGIN to -----END …-----";

/** What differs in `aidbox`. */
const A = (aidbox: Config): Config => ({ aidbox: { image, ...aidbox } });
/** What differs in the one row. */
const S = (secret: Config): Config => ({ secrets: [{ ...row, ...secret }] });
/** What differs in an external Vault. */
const EXT = (vault: Config = {}): Config => ({
  development: false,
  vault: { mode: "external", address: "https://vault.example.com", login: { method: "kubernetes" }, ...vault },
});
/** What differs in a highly available Vault. */
const HA = (vault: Config = {}): Config => ({
  development: false,
  vault: { mode: "ha", replicas: 3, storage: { size: "1Gi" }, ...vault },
});
/** What differs in a PostgreSQL that is there. */
const DB = (database: Config): Config => ({
  secrets: [row, { name: "db", path: "db", environment: "BOX_DB_PASSWORD" }],
  database: { mode: "external", host: "pg.example.com", tls: { mode: "require" }, ...database },
});
/** What differs in a key vault. */
const KV = (azureKeyVault: Config = {}): Config => ({
  vault: undefined,
  azureKeyVault: {
    name: "aidbox-dev",
    tenantId: "11111111-1111-1111-1111-111111111111",
    identity: { type: "workload", clientId: "22222222-2222-2222-2222-222222222222" },
    ...azureKeyVault,
  },
});
/** Tenants. */
const T = (...tenants: Config[]): Config => ({ tenants });
const ten = (name: string, tenant: Config = {}): Config => ({
  name,
  secrets: [{ name: "s", path: `${name}/s` }],
  ...tenant,
});
/** What differs in a NetworkPolicy. */
const NP = (networkPolicy: Config): Config => A({ networkPolicy: { database: { peer }, ...networkPolicy } });

function problemsOf(config: Config): string[] {
  const said = Object.entries({ ...base, ...config }).filter(([, value]) => value !== undefined);
  try {
    checkEnvironment("dev", Object.fromEntries(said));
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ key, message }) => `${key}: ${message}`);
    throw error;
  }
  return [];
}

test.each<{ config: Config; problems: string[] }>([
  {
    config: A({ autoscaling: { maxReplicas: 1 } }),
    problems: [
      "aidbox.autoscaling: 2 pods: without a keypair that they share each refuses the others' tokens: add the row { name: auth-keys, path: aidbox/auth-keys, keypair: rsa, source: seeded }",
      "aidbox.autoscaling: minReplicas 2 is more than maxReplicas 1: lower minReplicas or raise maxReplicas",
    ],
  },
  {
    config: A({ autoscaling: { minReplicas: 5, maxReplicas: 3 } }),
    problems: [
      "aidbox.autoscaling: 5 pods: without a keypair that they share each refuses the others' tokens: add the row { name: auth-keys, path: aidbox/auth-keys, keypair: rsa, source: seeded }",
      "aidbox.autoscaling: minReplicas 5 is more than maxReplicas 3: lower minReplicas or raise maxReplicas",
    ],
  },
  {
    config: A({ replicas: 3, autoscaling: { maxReplicas: 3 } }),
    problems: [
      "aidbox.autoscaling: 3 pods: without a keypair that they share each refuses the others' tokens: add the row { name: auth-keys, path: aidbox/auth-keys, keypair: rsa, source: seeded }",
      "aidbox.replicas: 3: stands beside autoscaling from 2 to 3, which sets the number of pods: remove one of them",
    ],
  },
  {
    config: A({ replicas: 3, disruptionBudget: { minAvailable: 1, maxUnavailable: 1 } }),
    problems: [
      "aidbox.replicas: 3 pods: without a keypair that they share each refuses the others' tokens: add the row { name: auth-keys, path: aidbox/auth-keys, keypair: rsa, source: seeded }",
      "aidbox.disruptionBudget: minAvailable 1 stands beside maxUnavailable 1, and Kubernetes takes only one: remove one of them",
    ],
  },
  {
    config: A({ replicas: 3, disruptionBudget: { minAvailable: "150%" } }),
    problems: [
      "aidbox.replicas: 3 pods: without a keypair that they share each refuses the others' tokens: add the row { name: auth-keys, path: aidbox/auth-keys, keypair: rsa, source: seeded }",
      'aidbox.disruptionBudget.minAvailable: "150%": lets no pod of 3 go, which blocks every drain of a node: lower it or raise replicas',
    ],
  },
  {
    config: A({ replicas: 3, disruptionBudget: { minAvailable: 4 } }),
    problems: [
      "aidbox.replicas: 3 pods: without a keypair that they share each refuses the others' tokens: add the row { name: auth-keys, path: aidbox/auth-keys, keypair: rsa, source: seeded }",
      "aidbox.disruptionBudget.minAvailable: 4: lets no pod of 3 go, which blocks every drain of a node: lower it or raise replicas",
    ],
  },
  {
    config: A({ replicas: 3, disruptionBudget: { minAvailable: 3 } }),
    problems: [
      "aidbox.replicas: 3 pods: without a keypair that they share each refuses the others' tokens: add the row { name: auth-keys, path: aidbox/auth-keys, keypair: rsa, source: seeded }",
      "aidbox.disruptionBudget.minAvailable: 3: lets no pod of 3 go, which blocks every drain of a node: lower it or raise replicas",
    ],
  },
  {
    config: A({ replicas: 3, disruptionBudget: { maxUnavailable: 0 } }),
    problems: [
      "aidbox.replicas: 3 pods: without a keypair that they share each refuses the others' tokens: add the row { name: auth-keys, path: aidbox/auth-keys, keypair: rsa, source: seeded }",
      "aidbox.disruptionBudget.maxUnavailable: 0: lets no pod of 3 go, which blocks every drain of a node: write 1 or more",
    ],
  },
  {
    config: A({ terminationGracePeriod: "99999999999999999h" }),
    problems: ['aidbox.terminationGracePeriod: "99999999999999999h": write the time to stop of up to 87600h'],
  },
  {
    config: A({ startupTimeout: "99999999999999999h" }),
    problems: ['aidbox.startupTimeout: "99999999999999999h": write the time to start of up to 87600h'],
  },
  {
    config: A({ ingress: { hosts: [] } }),
    problems: [
      "aidbox.ingress.hosts: []: would take the requests for every host: name at least one, as aidbox.example.com",
    ],
  },
  {
    config: A({ ingress: { hosts: ["a.example.com", "a.example.com"] } }),
    problems: ['aidbox.ingress.hosts[1]: "a.example.com": is named twice: remove one of them'],
  },
  {
    config: A({ ingress: { hosts: ["a.example.com"], tls: false, tlsSecretName: "x" } }),
    problems: ['aidbox.ingress: tls false stands beside tlsSecretName "x": remove one of them'],
  },
  {
    config: A({ gatewayRoute: { parentRefs: [], hostnames: ["a.example.com"] } }),
    problems: [
      "aidbox.gatewayRoute.parentRefs: []: no Gateway serves the route: name one, as { name: public, namespace: gateways }",
    ],
  },
  {
    config: A({ gatewayRoute: { parentRefs: [{ name: "gw" }], hostnames: [] } }),
    problems: [
      "aidbox.gatewayRoute.hostnames: []: would take the requests for every host: name at least one, as aidbox.example.com",
    ],
  },
  {
    config: A({ gatewayRoute: { parentRefs: [{ name: "gw" }], hostnames: ["a.example.com", "a.example.com"] } }),
    problems: ['aidbox.gatewayRoute.hostnames[1]: "a.example.com": is named twice: remove one of them'],
  },
  {
    config: A({
      gatewayRoute: {
        parentRefs: [{ name: "gw" }],
        hostnames: Array.from({ length: 17 }, (_, i) => `a${i}.example.com`),
      },
    }),
    problems: [
      'aidbox.gatewayRoute.hostnames: ["a0.example.com","a1.example.com","a2.example.com","a3.example.com","a4.example.com","a5.example.com","a6.example.com","a7.example.com","a8.example.com","a9.example.com","a10.example.com","a11.example.com","a12.example.com","a13.example.com","a14.example.com","a15.example.com","a16.example.com"]: Gateway API takes 16 host names: write fewer',
    ],
  },
  {
    config: A({ gatewayRoute: { parentRefs: [{ name: "gw" }, { name: "gw" }], hostnames: ["a.example.com"] } }),
    problems: [
      'aidbox.gatewayRoute.parentRefs: [{"name":"gw"},{"name":"gw"}]: names a Gateway\'s listener twice, which Gateway API refuses: name each once',
    ],
  },
  {
    config: A({ gatewayRoute: { parentRefs: [{ name: "gw" }], hostnames: ["a.example.com"], timeout: "100000s" } }),
    problems: [
      'aidbox.gatewayRoute.timeout: "100000s": Gateway API takes up to five digits: write a greater unit, as 2h',
    ],
  },
  {
    config: A({
      gatewayRoute: { parentRefs: [{ name: "gw", sectionName: "x".repeat(254) }], hostnames: ["a.example.com"] },
    }),
    problems: [
      'aidbox.gatewayRoute.parentRefs[0].sectionName: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx": write a Kubernetes name: lower-case letters, digits, dots and dashes',
    ],
  },
  {
    config: A({ gatewayRoute: { parentRefs: [{ name: "gw", namespace: "a.b" }], hostnames: ["a.example.com"] } }),
    problems: [
      'aidbox.gatewayRoute.parentRefs[0].namespace: "a.b": write a DNS label: up to 63 lower-case letters, digits and dashes',
    ],
  },
  {
    config: A({ metricsPort: 8080 }),
    problems: ["aidbox.metricsPort: 8080: is Aidbox's own port too: write another, as 8765"],
  },
  {
    config: A({ environment: { BOX_WEB_PORT: "9090" } }),
    problems: ["aidbox.environment.BOX_WEB_PORT: is set by this stack: leave it out"],
  },
  {
    config: A({ environment: { BOX_METRICS_PORT: "1" } }),
    problems: ["aidbox.environment.BOX_METRICS_PORT: is set by this stack: leave it out"],
  },
  {
    config: { ...DB({}), ...A({ environment: { BOX_DB_HOST: "x" } }) },
    problems: ["aidbox.environment.BOX_DB_HOST: is set by database: leave it out"],
  },
  {
    config: A({
      environment: { BOX_INIT_BUNDLE: "x" },
      initBundle: { resources: [{ resource: { resourceType: "Client", id: "a" } }] },
    }),
    problems: [
      "aidbox.environment.BOX_INIT_BUNDLE: is set by this stack, to the bundle of initBundle: leave it out, or leave out initBundle",
    ],
  },
  {
    config: A({ environment: { BOX_WEB_BASE_URL: "aidbox.example.com" } }),
    problems: [
      'aidbox.environment.BOX_WEB_BASE_URL: "aidbox.example.com": write a URL with https:// or http://, as https://aidbox.example.com',
    ],
  },
  {
    config: A({ environment: { BOX_WEB_BASE_URL: "https://aidbox example.com" } }),
    problems: [
      'aidbox.environment.BOX_WEB_BASE_URL: "https://aidbox example.com": write a URL with https:// or http://, as https://aidbox.example.com',
    ],
  },
  {
    config: { ...S({ environment: "BOX_LICENSE" }), ...A({ environment: { BOX_LICENSE: "x" } }) },
    problems: [
      "aidbox.environment.BOX_LICENSE: would be in plain text: leave it out, and give it a row of secrets, as { name: license, path: aidbox/license, environment: BOX_LICENSE }",
    ],
  },
  {
    config: S({ environment: "my-var" }),
    problems: ['secrets[0].environment: "my-var": write a variable\'s name, as BOX_ADMIN_PASSWORD'],
  },
  {
    config: S({ environment: "1VAR" }),
    problems: ['secrets[0].environment: "1VAR": write a variable\'s name, as BOX_ADMIN_PASSWORD'],
  },
  {
    config: S({ environment: "" }),
    problems: ['secrets[0].environment: "": write a variable\'s name, as BOX_ADMIN_PASSWORD'],
  },
  {
    config: S({ file: "../x" }),
    problems: [
      "secrets[0].file: \"../x\": write a file below the mount path: letters, digits, '_', '.', '-' and '/', without slash or dash at its start, '.' or '..'",
    ],
  },
  {
    config: S({ file: "/x" }),
    problems: [
      "secrets[0].file: \"/x\": write a file below the mount path: letters, digits, '_', '.', '-' and '/', without slash or dash at its start, '.' or '..'",
    ],
  },
  {
    config: S({ file: "a//b" }),
    problems: [
      "secrets[0].file: \"a//b\": write a file below the mount path: letters, digits, '_', '.', '-' and '/', without slash or dash at its start, '.' or '..'",
    ],
  },
  {
    config: S({ file: "." }),
    problems: [
      "secrets[0].file: \".\": write a file below the mount path: letters, digits, '_', '.', '-' and '/', without slash or dash at its start, '.' or '..'",
    ],
  },
  {
    config: S({ file: "./x" }),
    problems: [
      "secrets[0].file: \"./x\": write a file below the mount path: letters, digits, '_', '.', '-' and '/', without slash or dash at its start, '.' or '..'",
    ],
  },
  {
    config: S({ file: "..data" }),
    problems: ["secrets[0].file: \"..data\": begins with '..', which kubelet keeps for itself: rename it"],
  },
  {
    config: S({ file: "..x/y" }),
    problems: ["secrets[0].file: \"..x/y\": begins with '..', which kubelet keeps for itself: rename it"],
  },
  {
    config: S({ file: "x/" }),
    problems: [
      "secrets[0].file: \"x/\": write a file below the mount path: letters, digits, '_', '.', '-' and '/', without slash or dash at its start, '.' or '..'",
    ],
  },
  {
    config: S({ file: "x".repeat(256) }),
    problems: [
      'secrets[0].file: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx": has a part of more than 255 characters: shorten it',
    ],
  },
  {
    config: S({ file: "a b" }),
    problems: [
      "secrets[0].file: \"a b\": write a file below the mount path: letters, digits, '_', '.', '-' and '/', without slash or dash at its start, '.' or '..'",
    ],
  },
  {
    config: S({ file: "" }),
    problems: [
      "secrets[0].file: \"\": write a file below the mount path: letters, digits, '_', '.', '-' and '/', without slash or dash at its start, '.' or '..'",
    ],
  },
  {
    config: S({ key: "" }),
    problems: [
      "secrets[0].key: \"\": write a key without '=', '-' or '@' at its start, line breaks and spaces around it",
    ],
  },
  {
    config: S({ key: "a\nb" }),
    problems: [
      "secrets[0].key: \"a\nb\": write a key without '=', '-' or '@' at its start, line breaks and spaces around it",
    ],
  },
  {
    config: S({ path: "aidbox//x" }),
    problems: [
      "secrets[0].path: \"aidbox//x\": write a path below the mount: letters, digits, '_', '.', '-', '@', ':', ',', '=', '~', '/' and spaces inside, without slash or dash at its start, '.' or '..'",
    ],
  },
  {
    config: S({ path: "aidbox/" }),
    problems: [
      "secrets[0].path: \"aidbox/\": write a path below the mount: letters, digits, '_', '.', '-', '@', ':', ',', '=', '~', '/' and spaces inside, without slash or dash at its start, '.' or '..'",
    ],
  },
  {
    config: S({ path: "aidbox/../x" }),
    problems: [
      "secrets[0].path: \"aidbox/../x\": write a path below the mount: letters, digits, '_', '.', '-', '@', ':', ',', '=', '~', '/' and spaces inside, without slash or dash at its start, '.' or '..'",
    ],
  },
  {
    config: S({ path: "." }),
    problems: [
      "secrets[0].path: \".\": write a path below the mount: letters, digits, '_', '.', '-', '@', ':', ',', '=', '~', '/' and spaces inside, without slash or dash at its start, '.' or '..'",
    ],
  },
  {
    config: S({ path: "aidbox/*" }),
    problems: [
      "secrets[0].path: \"aidbox/*\": write a path below the mount: letters, digits, '_', '.', '-', '@', ':', ',', '=', '~', '/' and spaces inside, without slash or dash at its start, '.' or '..'",
    ],
  },
  {
    config: S({ path: "aidbox/+/x" }),
    problems: [
      "secrets[0].path: \"aidbox/+/x\": write a path below the mount: letters, digits, '_', '.', '-', '@', ':', ',', '=', '~', '/' and spaces inside, without slash or dash at its start, '.' or '..'",
    ],
  },
  {
    config: S({ path: "" }),
    problems: [
      "secrets[0].path: \"\": write a path below the mount: letters, digits, '_', '.', '-', '@', ':', ',', '=', '~', '/' and spaces inside, without slash or dash at its start, '.' or '..'",
    ],
  },
  {
    config: S({ path: "aidbox/x?version=1" }),
    problems: [
      "secrets[0].path: \"aidbox/x?version=1\": write a path below the mount: letters, digits, '_', '.', '-', '@', ':', ',', '=', '~', '/' and spaces inside, without slash or dash at its start, '.' or '..'",
    ],
  },
  {
    config: S({ path: "aidbox/x#y" }),
    problems: [
      "secrets[0].path: \"aidbox/x#y\": write a path below the mount: letters, digits, '_', '.', '-', '@', ':', ',', '=', '~', '/' and spaces inside, without slash or dash at its start, '.' or '..'",
    ],
  },
  {
    config: S({ path: "aidbox/x%2fy" }),
    problems: [
      "secrets[0].path: \"aidbox/x%2fy\": write a path below the mount: letters, digits, '_', '.', '-', '@', ':', ',', '=', '~', '/' and spaces inside, without slash or dash at its start, '.' or '..'",
    ],
  },
  {
    config: S({ name: "x".repeat(64) }),
    problems: [
      'secrets[0].name: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx": write a DNS label: up to 63 lower-case letters, digits and dashes',
    ],
  },
  { config: { mountPath: "/" }, problems: ['mountPath: "/": write an absolute folder, as /run/vault-secrets'] },
  {
    config: { mountPath: "/proc/x" },
    problems: [
      'mountPath: "/proc/x": is the system\'s, without which nothing starts: write another folder, as /run/vault-secrets',
    ],
  },
  {
    config: { mountPath: "/sys" },
    problems: [
      'mountPath: "/sys": is the system\'s, without which nothing starts: write another folder, as /run/vault-secrets',
    ],
  },
  {
    config: { mountPath: "/dev/x" },
    problems: [
      'mountPath: "/dev/x": is the system\'s, without which nothing starts: write another folder, as /run/vault-secrets',
    ],
  },
  {
    config: { mountPath: "/tmp" },
    problems: ['mountPath: "/tmp": something else is mounted there: write another folder, as /run/vault-secrets'],
  },
  {
    config: { mountPath: "/etc" },
    problems: ['mountPath: "/etc": something else is mounted there: write another folder, as /run/vault-secrets'],
  },
  {
    config: { mountPath: "/a/../b" },
    problems: ['mountPath: "/a/../b": write an absolute folder, as /run/vault-secrets'],
  },
  { config: { mountPath: "/a:b" }, problems: ['mountPath: "/a:b": write an absolute folder, as /run/vault-secrets'] },
  { config: { mountPath: "/a/" }, problems: ['mountPath: "/a/": write an absolute folder, as /run/vault-secrets'] },
  {
    config: { mountPath: "/bin" },
    problems: [
      'mountPath: "/bin": is the system\'s, without which nothing starts: write another folder, as /run/vault-secrets',
    ],
  },
  {
    config: { mountPath: "/usr" },
    problems: [
      'mountPath: "/usr": is the system\'s, without which nothing starts: write another folder, as /run/vault-secrets',
    ],
  },
  {
    config: { mountPath: "/lib" },
    problems: [
      'mountPath: "/lib": is the system\'s, without which nothing starts: write another folder, as /run/vault-secrets',
    ],
  },
  {
    config: S({ scope: { resourceType: "Client", id: "a/b" } }),
    problems: ["secrets[0].scope.id: \"a/b\": write a FHIR id: up to 64 letters, digits, '.' and '-'"],
  },
  {
    config: S({ scope: { resourceType: "Client", id: "a b" } }),
    problems: ["secrets[0].scope.id: \"a b\": write a FHIR id: up to 64 letters, digits, '.' and '-'"],
  },
  {
    config: S({ scope: { resourceType: "Client", id: "" } }),
    problems: ["secrets[0].scope.id: \"\": write a FHIR id: up to 64 letters, digits, '.' and '-'"],
  },
  {
    config: S({ scope: { resourceType: "Client", id: "x".repeat(65) } }),
    problems: [
      "secrets[0].scope.id: \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\": write a FHIR id: up to 64 letters, digits, '.' and '-'",
    ],
  },
  {
    config: S({ scope: { resourceType: "Client", id: "*" } }),
    problems: ["secrets[0].scope.id: \"*\": write a FHIR id: up to 64 letters, digits, '.' and '-'"],
  },
  {
    config: S({ scope: { resourceType: "client" } }),
    problems: ['secrets[0].scope.resourceType: "client": write a FHIR resource type, as Client'],
  },
  {
    config: S({ scope: { resourceType: "" } }),
    problems: ['secrets[0].scope.resourceType: "": write a FHIR resource type, as Client'],
  },
  {
    config: S({ scope: { resourceType: "My Type" } }),
    problems: ['secrets[0].scope.resourceType: "My Type": write a FHIR resource type, as Client'],
  },
  {
    config: S({ scope: { resourceType: "Client/x" } }),
    problems: [
      'secrets[0].scope.resourceType: "Client/x": write a FHIR resource type, as Client',
      'secrets[0].scope.resourceType: "Client/x": is no type of FHIR\'s: did you mean Client?',
    ],
  },
  { config: { secrets: [] }, problems: ["secrets: is empty: name at least one secret"] },
  {
    config: { rotationBound: "5s" },
    problems: ['rotationBound: "5s": a publication takes up to 5 s by itself: write 10s or more'],
  },
  {
    config: { rotationBound: "99999999999h" },
    problems: ['rotationBound: "99999999999h": write the bound of up to 87600h'],
  },
  {
    config: { rolls: { quietWindow: { from: "01:00", to: "01:00" } } },
    problems: ['rolls.quietWindow: from "01:00" to "01:00": is 0 minutes: write a window of 10 or more'],
  },
  {
    config: { rolls: { quietWindow: { from: "25:00", to: "01:00" } } },
    problems: ['rolls.quietWindow.from: "25:00": write a time of the day in UTC, as 01:30'],
  },
  {
    config: { rolls: { batch: "0s" } },
    problems: ['rolls.batch: "0s": write the time as a whole number above 0 with its unit: 90s, 5m or 1h'],
  },
  {
    config: { rolls: { batch: "999999999h" } },
    problems: ['rolls.batch: "999999999h": write the time of up to 87600h'],
  },
  {
    config: { csiDriver: { release: "x".repeat(60) } },
    problems: [
      'csiDriver.release: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx": write up to 38 characters: its DaemonSet is called RELEASE-secrets-store-csi-driver',
    ],
  },
  {
    config: { csiDriver: { chart: { repository: "charts", version: "1.6.1" } } },
    problems: ['csiDriver.chart.repository: "charts": write a URL that begins with https://, http:// or oci://'],
  },
  {
    config: { csiDriver: { chart: { repository: "file:///x", version: "1.6.1" } } },
    problems: ['csiDriver.chart.repository: "file:///x": write a URL that begins with https://, http:// or oci://'],
  },
  {
    config: { csiDriver: { chart: { repository: "https://x.example.com", version: "latest" } } },
    problems: [
      'csiDriver.chart: {"repository":"https://x.example.com","version":"latest"}: write { repository, version } with a version as 1.6.1, or { path } for a local folder or archive',
    ],
  },
  { config: HA({ replicas: 2 }), problems: ["vault.replicas: 2: write 3 or 5"] },
  { config: HA({ replicas: 4 }), problems: ["vault.replicas: 4: write 3 or 5"] },
  { config: HA({ replicas: 0 }), problems: ["vault.replicas: 0: write 3 or 5"] },
  { config: HA({ replicas: 1 }), problems: ["vault.replicas: 1: write 3 or 5"] },
  { config: HA({ replicas: 1001 }), problems: ["vault.replicas: 1001: write 3 or 5"] },
  { config: HA({ antiAffinity: "yes" }), problems: ['vault.antiAffinity: "yes": write required, preferred or none'] },
  { config: HA({ localPort: 80 }), problems: ["vault.localPort: 80: write a port from 1024 to 65535"] },
  {
    config: HA({ seal: { type: "transit", address: "https://vault.vault:8200", keyName: "k" } }),
    problems: [
      'vault.seal.address: "https://vault.vault:8200": is this Vault itself, which is sealed until it has the key: write another Vault\'s URL',
    ],
  },
  {
    config: HA({ seal: { type: "transit", address: "https://vault.vault.svc:8200", keyName: "k" } }),
    problems: [
      'vault.seal.address: "https://vault.vault.svc:8200": is this Vault itself, which is sealed until it has the key: write another Vault\'s URL',
    ],
  },
  {
    config: HA({ seal: { type: "transit", address: "https://v2.example.com", keyName: "a/b" } }),
    problems: ["vault.seal.keyName: \"a/b\": write the key's name: letters, digits, '_', '.' and '-'"],
  },
  {
    config: HA({ seal: { type: "transit", address: "https://v2.example.com", keyName: "a b" } }),
    problems: ["vault.seal.keyName: \"a b\": write the key's name: letters, digits, '_', '.' and '-'"],
  },
  {
    config: HA({ seal: { type: "transit", address: "http://v2.example.com", keyName: "k" } }),
    problems: [
      'vault.seal.address: "http://v2.example.com": whoever is on the way could read and change what goes there: write https://, or, for a way that nobody else is on (as an agent on 127.0.0.1), name it in allowPlaintext: [vault.seal.address]',
    ],
  },
  {
    config: HA({ seal: { type: "awskms", region: "eu central", kmsKeyId: "k" } }),
    problems: ['vault.seal.region: "eu central": write the region, as eu-central-1'],
  },
  {
    config: HA({ seal: { type: "awskms", region: "eu-central-1", kmsKeyId: "a b" } }),
    problems: ["vault.seal.kmsKeyId: \"a b\": write the key's id, ARN or alias without spaces, quotes and '*'"],
  },
  {
    config: HA({ seal: { type: "azurekeyvault", tenantId: "x", vaultName: "abc", keyName: "k" } }),
    problems: ['vault.seal.tenantId: "x": write the id of the tenant, as 11111111-1111-1111-1111-111111111111'],
  },
  {
    config: HA({
      seal: {
        type: "azurekeyvault",
        tenantId: "11111111-1111-1111-1111-111111111111",
        vaultName: "abc",
        keyName: "k",
        clientId: "x",
      },
    }),
    problems: [
      'vault.seal.clientId: "x": write the id of the managed identity\'s client, as 11111111-1111-1111-1111-111111111111',
    ],
  },
  {
    config: HA({
      seal: {
        type: "azurekeyvault",
        tenantId: "11111111-1111-1111-1111-111111111111",
        vaultName: "abc",
        keyName: "a_b",
      },
    }),
    problems: ['vault.seal.keyName: "a_b": write the key\'s name: letters, digits and dashes'],
  },
  {
    config: HA({ seal: { type: "gcpckms", project: "My Project", region: "global", keyRing: "r", cryptoKey: "k" } }),
    problems: [
      'vault.seal.project: "My Project": write the project\'s id: 6 to 30 lower-case letters, digits and dashes',
    ],
  },
  {
    config: HA({ seal: { type: "gcpckms", project: "project-1", region: "global", keyRing: "r/x", cryptoKey: "k" } }),
    problems: ["vault.seal.keyRing: \"r/x\": write the name of the ring: letters, digits, '_' and '-'"],
  },
  {
    config: HA({
      operators: {
        method: "oidc",
        discoveryUrl: "https://id.example.com/.well-known/openid-configuration",
        clientId: "a",
        groups: ["g"],
      },
    }),
    problems: [
      'vault.operators.discoveryUrl: "https://id.example.com/.well-known/openid-configuration": write it without /.well-known and query',
    ],
  },
  {
    config: HA({
      operators: { method: "oidc", discoveryUrl: "https://id.example.com?x", clientId: "a", groups: ["g"] },
    }),
    problems: ['vault.operators.discoveryUrl: "https://id.example.com?x": write it without /.well-known and query'],
  },
  {
    config: HA({
      operators: { method: "oidc", discoveryUrl: "https://id.example.com", clientId: "a", groups: ["g", "g"] },
    }),
    problems: ['vault.operators.groups: ["g","g"]: names a group twice: name each once'],
  },
  {
    config: HA({
      operators: {
        method: "oidc",
        discoveryUrl: "https://id.example.com",
        clientId: "a",
        groups: ["g"],
        redirectUris: [],
      },
    }),
    problems: ["vault.operators.redirectUris: []: name at least one, or leave redirectUris out"],
  },
  {
    config: HA({ operators: { method: "approle", mount: "kubernetes" } }),
    problems: ['vault.operators.mount: "kubernetes": is where the pods log in: write another path'],
  },
  {
    config: EXT({ vaultNamespace: "/admin" }),
    problems: ['vault.vaultNamespace: "/admin": write the namespace\'s path, as admin/health'],
  },
  {
    config: EXT({ vaultNamespace: "" }),
    problems: ['vault.vaultNamespace: "": write the namespace\'s path, as admin/health'],
  },
  {
    config: EXT({ vaultNamespace: "a b" }),
    problems: ['vault.vaultNamespace: "a b": write the namespace\'s path, as admin/health'],
  },
  {
    config: EXT({ address: "http://vault.example.com" }),
    problems: [
      'vault.address: "http://vault.example.com": whoever is on the way could read and change what goes there: write https://, or, for a way that nobody else is on (as an agent on 127.0.0.1), name it in allowPlaintext: [vault.address]',
    ],
  },
  {
    config: EXT({ address: "https://localhost:8200" }),
    problems: [
      "vault.address: \"https://localhost:8200\": is the CSI provider's own pod: write Vault's URL as pods see it",
    ],
  },
  {
    config: EXT({ address: "https://127.0.0.1:8200" }),
    problems: [
      "vault.address: \"https://127.0.0.1:8200\": is the CSI provider's own pod: write Vault's URL as pods see it",
    ],
  },
  {
    config: EXT({ address: "https://[::1]:8200" }),
    problems: [
      "vault.address: \"https://[::1]:8200\": is the CSI provider's own pod: write Vault's URL as pods see it",
    ],
  },
  {
    config: EXT({ address: "https://0.0.0.0:8200" }),
    problems: [
      "vault.address: \"https://0.0.0.0:8200\": is the CSI provider's own pod: write Vault's URL as pods see it",
    ],
  },
  {
    config: EXT({ address: "https://user:pw@vault.example.com" }),
    problems: ["vault.address: has a secret in plain text: leave it out; what Aidbox needs belongs into secrets"],
  },
  {
    config: EXT({ address: "https://vault..example.com" }),
    problems: [
      'vault.address: "https://vault..example.com": write the URL alone, as https://vault.example.com:8200, without path of the API or query at its end',
    ],
  },
  {
    config: EXT({ address: "ftp://vault.example.com" }),
    problems: ['vault.address: "ftp://vault.example.com": write a URL that begins with http:// or https://'],
  },
  {
    config: EXT({
      login: {
        method: "jwt",
        keys: { discoveryUrl: "https://x.example.com", publicKeys: ["-----BEGIN PUBLIC KEY-----"] },
      },
    }),
    problems: [
      'vault.login.keys: {"discoveryUrl":"https://x.example.com","publicKeys":["-----BEGIN PUBLIC KEY-----"]}: write { publicKeys: [PEM, …] } or { discoveryUrl, discoveryCa: PEM }; docs/own-vault.md makes PEM of a JWKS',
    ],
  },
  {
    config: EXT({ login: { method: "kubernetes", apiServer: "http://10.0.0.1" } }),
    problems: [
      'vault.login.apiServer: "http://10.0.0.1": whoever is on the way could read and change what goes there: write https://, or, for a way that nobody else is on (as an agent on 127.0.0.1), name it in allowPlaintext: [vault.login.apiServer]',
    ],
  },
  {
    config: EXT({ login: { method: "jwt", issuer: "", keys: { discoveryUrl: "https://x.example.com" } } }),
    problems: ["vault.login.issuer: \"\": write the issuer without spaces, quotes and '*'"],
  },
  {
    config: { vault: { mode: "dev", kvMount: { path: "secret", owned: true } } },
    problems: ["vault.kvMount.owned: true: dev mode has the mount secret already: leave it out"],
  },
  {
    config: { ...S({ source: "database" }), vault: { mode: "dev", databaseMount: "secret" } },
    problems: [
      'vault.databaseMount: "secret": cannot lie beside "secret" of KV v2: write the path of the database engine, as database',
      "secrets[0].path: \"aidbox/client\": write the name of a static role of the database engine: letters, digits, '_', and inside it '.' and '-'",
    ],
  },
  {
    config: { vault: { mode: "dev", kvMount: { path: "a/" } } },
    problems: [
      "vault.kvMount.path: \"a/\": write the mount's path without slashes around it, as secret: letters, digits, '_', '.', '-', '@', ':', ',', '=', '~', '/' and spaces inside",
    ],
  },
  {
    config: { vault: { mode: "dev", kvMount: { path: "" } } },
    problems: [
      "vault.kvMount.path: \"\": write the mount's path without slashes around it, as secret: letters, digits, '_', '.', '-', '@', ':', ',', '=', '~', '/' and spaces inside",
    ],
  },
  {
    config: { vault: { mode: "dev", kvMount: { path: "/a" } } },
    problems: [
      "vault.kvMount.path: \"/a\": write the mount's path without slashes around it, as secret: letters, digits, '_', '.', '-', '@', ':', ',', '=', '~', '/' and spaces inside",
    ],
  },
  {
    config: { vault: { mode: "dev", role: "Aidbox" } },
    problems: ["vault.role: \"Aidbox\": write up to 63 lower-case letters, digits, '.', '_' and '-', as aidbox"],
  },
  {
    config: { vault: { mode: "dev", audience: 'a"b' } },
    problems: ['vault.audience: "a\\"b": write the audience without spaces, quotes and \'*\''],
  },
  {
    config: { vault: { mode: "dev", allowTo: [] } },
    problems: ["vault.allowTo: []: name the API server at least, by which Vault checks logins, or leave allowTo out"],
  },
  {
    config: { republisher: { allowTo: [] } },
    problems: ["republisher.allowTo: []: name the API server, its one need, or leave allowTo out"],
  },
  {
    config: { vault: { mode: "dev", allowTo: [{ peer, ports: [0] }] } },
    problems: ["vault.allowTo[0].ports[0]: 0: write a port from 1 to 65535"],
  },
  {
    config: { vault: { mode: "dev", allowTo: [{ peer, ports: [] }] } },
    problems: ["vault.allowTo[0].ports: []: would open every port: name at least one, as [443]"],
  },
  {
    config: NP({ from: [{}] }),
    problems: ["aidbox.networkPolicy.from[0]: {}: names nobody: write podLabels, namespaceLabels or cidr"],
  },
  {
    config: NP({ from: [{ cidr: "10.0.0.0/8", podLabels: { a: "b" } }] }),
    problems: [
      'aidbox.networkPolicy.from[0]: {"cidr":"10.0.0.0/8","podLabels":{"a":"b"}}: write { podLabels, namespaceLabels }, or { cidr } with a range of addresses, as 10.1.2.3/32',
    ],
  },
  {
    config: NP({ from: [{ cidr: "example.com" }] }),
    problems: [
      'aidbox.networkPolicy.from[0].cidr: "example.com": is no range of addresses: write a range of addresses, as 10.1.2.3/32',
    ],
  },
  {
    config: NP({ from: [{ cidr: "10.0.0.1" }] }),
    problems: ['aidbox.networkPolicy.from[0].cidr: "10.0.0.1": is no range of addresses: did you mean "10.0.0.1/32"?'],
  },
  {
    config: NP({ from: [{ cidr: "fd00::1::2/64" }] }),
    problems: [
      'aidbox.networkPolicy.from[0].cidr: "fd00::1::2/64": is no range of addresses: write a range of addresses, as 10.1.2.3/32',
    ],
  },
  {
    config: NP({ database: { peer, port: 0 } }),
    problems: ["aidbox.networkPolicy.database.port: 0: write a port from 1 to 65535"],
  },
  {
    config: A({ podLabels: { "app.kubernetes.io/name": "other" } }),
    problems: [
      'aidbox.podLabels.app.kubernetes.io/name: "other": is "aidbox" for the Service to find the pods: leave it out',
    ],
  },
  {
    config: A({ podLabels: { "app.kubernetes.io/instance": "other" } }),
    problems: [
      'aidbox.podLabels.app.kubernetes.io/instance: "other": is "aidbox" for the Service to find the pods: leave it out',
    ],
  },
  { config: A({ podAnnotations: { a: 1 } }), problems: ["aidbox.podAnnotations.a: 1: write text: put it in quotes"] },
  {
    config: A({ podAnnotations: { "sidecar.istio.io/inject": true } }),
    problems: ["aidbox.podAnnotations.sidecar.istio.io/inject: true: write text: put it in quotes"],
  },
  {
    config: A({ nodeSelector: { a: 1 } }),
    problems: [
      "aidbox.nodeSelector.a: 1: write up to 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends: put it in quotes",
    ],
  },
  {
    config: A({ imagePullSecrets: ["a", "a"] }),
    problems: ['aidbox.imagePullSecrets: ["a","a"]: names a Secret twice, which Kubernetes refuses: name each once'],
  },
  {
    config: A({ replicas: 3, maxInstances: 2 }),
    problems: [
      "aidbox.replicas: 3 pods: without a keypair that they share each refuses the others' tokens: add the row { name: auth-keys, path: aidbox/auth-keys, keypair: rsa, source: seeded }",
      "aidbox.maxInstances: 2: is less than replicas 3: raise it to what the licence allows, or lower replicas",
    ],
  },
  {
    config: A({ autoscaling: { maxReplicas: 3, cpuUtilization: 0 } }),
    problems: [
      "aidbox.autoscaling.cpuUtilization: 0: write a percentage of 1 or more",
      "aidbox.autoscaling: 3 pods: without a keypair that they share each refuses the others' tokens: add the row { name: auth-keys, path: aidbox/auth-keys, keypair: rsa, source: seeded }",
    ],
  },
  {
    config: A({ replicas: 2 }),
    problems: [
      "aidbox.replicas: 2 pods: without a keypair that they share each refuses the others' tokens: add the row { name: auth-keys, path: aidbox/auth-keys, keypair: rsa, source: seeded }",
    ],
  },
  {
    config: A({ image: "healthsamurai/aidboxone:2601" }),
    problems: [
      'aidbox.image: "healthsamurai/aidboxone:2601": pin the image with a tag of 2602 or later, as healthsamurai/aidboxone:2605, or with a digest',
    ],
  },
  {
    config: A({ image: "healthsamurai/aidboxone:latest" }),
    problems: [
      'aidbox.image: "healthsamurai/aidboxone:latest": pin the image with a tag of 2602 or later, as healthsamurai/aidboxone:2605, or with a digest',
    ],
  },
  {
    config: A({ image: "healthsamurai/aidboxone@sha256:" + "A".repeat(64) }),
    problems: [
      'aidbox.image: "healthsamurai/aidboxone@sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA": pin the image with a tag of 2602 or later, as healthsamurai/aidboxone:2605, or with a digest',
    ],
  },
  {
    config: A({ image: "healthsamurai/aidboxone:9913" }),
    problems: [
      'aidbox.image: "healthsamurai/aidboxone:9913": pin the image with a tag of 2602 or later, as healthsamurai/aidboxone:2605, or with a digest',
    ],
  },
  {
    config: A({ image: "healthsamurai/aidboxone:2605" + "x".repeat(130) }),
    problems: [
      'aidbox.image: "healthsamurai/aidboxone:2605xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx": pin the image with a tag of 2602 or later, as healthsamurai/aidboxone:2605, or with a digest',
    ],
  },
  {
    config: A({ image: "healthsamurai/aidboxone:2613" }),
    problems: [
      'aidbox.image: "healthsamurai/aidboxone:2613": pin the image with a tag of 2602 or later, as healthsamurai/aidboxone:2605, or with a digest',
    ],
  },
  {
    config: DB({ host: "pg.example.com:5432" }),
    problems: [
      'database.host: "pg.example.com:5432": write a host name or an address alone, as postgres.example.com or [fd00::1]',
    ],
  },
  {
    config: DB({ host: "postgres://pg" }),
    problems: [
      'database.host: "postgres://pg": write a host name or an address alone, as postgres.example.com or [fd00::1]',
    ],
  },
  { config: DB({ port: 0 }), problems: ["database.port: 0: write a port from 1 to 65535"] },
  {
    config: DB({ name: "" }),
    problems: ["database.name: \"\": write the database's name: up to 63 letters, digits, '_', '.', '@' and '-'"],
  },
  {
    config: DB({ user: "" }),
    problems: ["database.user: \"\": write the user's name: up to 63 letters, digits, '_', '.', '@' and '-'"],
  },
  {
    config: DB({ name: "x".repeat(64) }),
    problems: [
      "database.name: \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\": write the database's name: up to 63 letters, digits, '_', '.', '@' and '-'",
    ],
  },
  {
    config: DB({ user: "x".repeat(64) }),
    problems: [
      "database.user: \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\": write the user's name: up to 63 letters, digits, '_', '.', '@' and '-'",
    ],
  },
  {
    config: DB({ name: "a\u0000b" }),
    problems: [
      "database.name: \"a\\u0000b\": write the database's name: up to 63 letters, digits, '_', '.', '@' and '-'",
    ],
  },
  {
    config: DB({ name: "template0" }),
    problems: ['database.name: "template0": is PostgreSQL\'s own: write another, as aidbox'],
  },
  {
    config: DB({ tls: { mode: "verify-full" } }),
    problems: [
      "database.tls.caConfigMap: is missing: mode verify-full checks the server's certificate: write the ConfigMap with its CA",
    ],
  },
  {
    config: { ...DB({ tls: { mode: "disable" } }), ...EXT() },
    problems: [
      'database.tls.mode: "disable": whoever is on the way could read and change what goes there: write verify-full, or, for a way that nobody else is on (as an agent on 127.0.0.1), name it in allowPlaintext: [database.tls.mode]',
    ],
  },
  {
    config: DB({ host: "127.0.0.1" }),
    problems: ["database.host: \"127.0.0.1\": is Aidbox's own pod: write PostgreSQL's host as the pod sees it"],
  },
  {
    config: DB({ host: "::1" }),
    problems: ['database.host: "::1": write a host name or an address alone, as postgres.example.com or [fd00::1]'],
  },
  {
    config: DB({ host: "0.0.0.0" }),
    problems: ["database.host: \"0.0.0.0\": is Aidbox's own pod: write PostgreSQL's host as the pod sees it"],
  },
  {
    config: { ...DB({}), database: { mode: "development", name: "a b" } },
    problems: ["database.name: \"a b\": write the database's name: up to 63 letters, digits, '_', '.', '@' and '-'"],
  },
  {
    config: { ...DB({}), database: { mode: "development", user: "pg_x" } },
    problems: ['database.user: "pg_x": is a name that PostgreSQL keeps for itself: write another, as aidbox'],
  },
  {
    config: { ...DB({}), database: { mode: "development", name: "template1" } },
    problems: ['database.name: "template1": is PostgreSQL\'s own: write another, as aidbox'],
  },
  {
    config: { ...DB({}), database: { mode: "development", user: "public" } },
    problems: ['database.user: "public": is a name that PostgreSQL keeps for itself: write another, as aidbox'],
  },
  {
    config: DB({ tls: { mode: "require", caConfigMap: "x" } }),
    problems: [
      'database.tls.caConfigMap: "x": mode require checks no certificate: leave it out, or use mode: verify-full',
    ],
  },
  {
    config: T(ten("a"), ten("a", { secrets: [{ name: "s", path: "other/s" }] })),
    problems: [
      'tenants[1].name: "a": makes the Namespace "aidbox-a", which is that of tenant a too (tenants[0].name): write another name, or a namespace',
    ],
  },
  {
    config: {
      ...DB({}),
      database: { mode: "development" },
      ...T(ten("database", { secrets: [{ name: "db", path: "t/db", environment: "BOX_DB_PASSWORD" }] })),
    },
    problems: [
      'tenants[0].name: "database": makes the Vault policy "aidbox-database", which is that of the PostgreSQL of the first Aidbox too (vault.role): write another name',
    ],
  },
  {
    config: { ...EXT(), ...T(ten("stack")) },
    problems: [
      'tenants[0].name: "stack": makes the Vault policy "aidbox-stack", which is that of the stack\'s own token too (vault.role): write another name',
    ],
  },
  {
    config: { ...HA(), ...T(ten("writer")) },
    problems: [
      'tenants[0].name: "writer": makes the Vault policy "aidbox-writer", which is that of the writers of the first Aidbox too (vault.role): write another name',
    ],
  },
  {
    config: T(ten("a", { namespace: "vault" })),
    problems: ['tenants[0].namespace: "vault": is the Namespace of Vault too (namespaces.vault): give each its own'],
  },
  {
    config: T(ten("a", { namespace: "vault-csi-provider" })),
    problems: [
      'tenants[0].namespace: "vault-csi-provider": is the Namespace of Vault\'s CSI provider too (namespaces.csiProvider): give each its own',
    ],
  },
  {
    config: T(ten("a", { namespace: "aidbox" })),
    problems: [
      'tenants[0].namespace: "aidbox": is the Namespace of the first Aidbox too (namespaces.aidbox): give each its own',
    ],
  },
  {
    config: T(ten("a", { secrets: [{ name: "s", path: "aidbox/client" }] })),
    problems: [
      'tenants[0].secrets[0].path: "aidbox/client": is the path of the first Aidbox too (secrets[0].path): each reads all that is there, so give each its own',
    ],
  },
  { config: T(ten("a", { secrets: [] })), problems: ["tenants[0].secrets: is empty: name at least one secret"] },
  {
    config: A({ initBundle: { resources: [{ resource: { resourceType: "Client" } }] } }),
    problems: [
      "aidbox.initBundle.resources[0].resource: is no FHIR resource with an id: write its resourceType and its id",
    ],
  },
  {
    config: A({
      initBundle: {
        resources: [
          { resource: { resourceType: "Client", id: "a" } },
          { resource: { resourceType: "Client", id: "a" } },
        ],
      },
    }),
    problems: ["aidbox.initBundle: Client/a: is there twice, and the last one would win: leave one out"],
  },
  {
    config: A({
      initBundle: { resources: [{ resource: { resourceType: "Client", id: "basic" }, secrets: { secret: "nope" } }] },
    }),
    problems: ['aidbox.initBundle.resources[0]: Client/basic: the table has no secret "nope". It has: client-secret'],
  },
  {
    config: A({ initBundle: { resources: [{ resource: { resourceType: "Client", id: "a" }, file: "x.json" }] } }),
    problems: [
      'aidbox.initBundle.resources[0]: {"resource":{"resourceType":"Client","id":"a"},"file":"x.json"}: write { resource } with a FHIR resource, or { file } with the path of one, and { secrets }, names of secrets by field',
      'aidbox.initBundle.resources[0].file: "x.json": is not there: write a path from the folder of Pulumi.yaml',
    ],
  },
  {
    config: KV({ name: "a--b" }),
    problems: [
      "azureKeyVault.name: \"a--b\": write the name of the key vault alone, as aidbox-prod: 3 to 24 letters, digits and single '-', a letter first",
    ],
  },
  {
    config: KV({ name: "1abc" }),
    problems: [
      "azureKeyVault.name: \"1abc\": write the name of the key vault alone, as aidbox-prod: 3 to 24 letters, digits and single '-', a letter first",
    ],
  },
  {
    config: KV({ tenantId: "x" }),
    problems: ['azureKeyVault.tenantId: "x": write the id of the tenant, as 11111111-1111-1111-1111-111111111111'],
  },
  {
    config: { ...KV(), ...S({ path: "x".repeat(128) }) },
    problems: [
      "secrets[0].path: \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\": would be \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\" in Key Vault, which refuses that: write a path of letters, digits, '-' and '/', which make up to 127 characters",
    ],
  },
  {
    config: {
      ...KV(),
      secrets: [
        { name: "a", path: "a/b" },
        { name: "b", path: "a-b" },
      ],
    },
    problems: [
      'secrets[1].path: "a-b": is "a-b" in Key Vault, as that of secrets[0] is: it holds one value at a name, without keys: give each row a path of its own',
    ],
  },
  {
    config: {
      ...KV(),
      secrets: [
        { name: "a", path: "ab" },
        { name: "b", path: "AB" },
      ],
    },
    problems: [
      'secrets[1].path: "AB": is "AB" in Key Vault, as that of secrets[0] is: it holds one value at a name, without keys: give each row a path of its own',
    ],
  },
  {
    config: { ...KV(), ...S({ path: "a_b" }) },
    problems: [
      "secrets[0].path: \"a_b\": would be \"a_b\" in Key Vault, which refuses that: write a path of letters, digits, '-' and '/', which make up to 127 characters",
    ],
  },
  {
    config: { ...KV(), ...S({ path: "a.b" }) },
    problems: [
      "secrets[0].path: \"a.b\": would be \"a.b\" in Key Vault, which refuses that: write a path of letters, digits, '-' and '/', which make up to 127 characters",
    ],
  },
  {
    config: { ...KV(), ...S({ source: "database" }) },
    problems: [
      "secrets[0].source: \"database\": is Vault's, and Key Vault has no database engine: write external, and have Key Vault's secret follow the database's password",
    ],
  },
  {
    config: { ...KV(), vault: { mode: "dev" } },
    problems: ["azureKeyVault: stands beside vault, and an environment has one store: remove one of them"],
  },
  {
    config: { namespaces: { vault: "x", aidbox: "x" } },
    problems: ['namespaces.aidbox: "x": is the Namespace of Vault too (namespaces.vault): give each its own'],
  },
  {
    config: { namespaces: { csiProvider: "aidbox" } },
    problems: [
      'namespaces.aidbox: "aidbox": is the Namespace of Vault\'s CSI provider too (namespaces.csiProvider): give each its own',
    ],
  },
  {
    config: { namespaces: { csiProvider: "vault" } },
    problems: ['namespaces.csiProvider: "vault": is the Namespace of Vault too (namespaces.vault): give each its own'],
  },
  {
    config: { namespaces: { csiProvider: "kube-system" } },
    problems: ['namespaces.csiProvider: "kube-system": is Kubernetes\' own: write a namespace that the stack may make'],
  },
  {
    config: A({ name: "x".repeat(56) }),
    problems: [
      'aidbox.name: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx": write a letter first, and up to 55 lower-case letters, digits and dashes: a Service is called so',
    ],
  },
  {
    config: A({ name: "a-" }),
    problems: [
      'aidbox.name: "a-": write a letter first, and up to 55 lower-case letters, digits and dashes: a Service is called so',
    ],
  },
  { config: A({ servicePort: 65536 }), problems: ["aidbox.servicePort: 65536: write a port from 1 to 65535"] },
  {
    config: A({ serviceAnnotations: { a: 5 } }),
    problems: ["aidbox.serviceAnnotations.a: 5: write text: put it in quotes"],
  },
  {
    config: A({ serviceMonitor: { interval: "10" } }),
    problems: [
      'aidbox.serviceMonitor.interval: "10": write the interval as a whole number above 0 with its unit: 90s, 5m or 1h',
    ],
  },
  {
    config: A({ serviceMonitor: { labels: { "a b": "c" } } }),
    problems: [
      "aidbox.serviceMonitor.labels.a b: write a label's key: up to 63 letters, digits, '-', '_' and '.', after a domain and '/' where it has one",
    ],
  },
  {
    config: A({ tolerations: [{ key: "a", effect: "NoExecute", tolerationSeconds: 1.5 }] }),
    problems: ["aidbox.tolerations[0].tolerationSeconds: 1.5: write a whole number"],
  },
  {
    config: A({ tolerations: [{ key: "a", value: "b c" }] }),
    problems: [
      "aidbox.tolerations[0].value: \"b c\": write up to 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends",
    ],
  },
  {
    config: A({ topologySpread: [{ topologyKey: "a", maxSkew: 0 }] }),
    problems: ["aidbox.topologySpread[0].maxSkew: 0: write 1 or more"],
  },
  {
    config: A({ priorityClassName: "High" }),
    problems: [
      'aidbox.priorityClassName: "High": write a Kubernetes name: lower-case letters, digits, dots and dashes',
    ],
  },
  {
    config: A({
      affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } },
    }),
    problems: [
      "aidbox.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: []: write at least one term",
    ],
  },
  {
    config: A({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: "a", operator: "Gt", values: ["x"] }] }],
          },
        },
      },
    }),
    problems: [
      'aidbox.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0]: {"key":"a","operator":"Gt","values":["x"]}: operator and values do not fit: In and NotIn need values, Exists and DoesNotExist none, Gt and Lt one number',
    ],
  },
  {
    config: A({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchFields: [{ key: "metadata.uid", operator: "In", values: ["x"] }] }],
          },
        },
      },
    }),
    problems: [
      'aidbox.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].key: "metadata.uid": Kubernetes selects nodes by their name alone: write { key: metadata.name, operator: In, values: [NODE] }',
    ],
  },
  {
    config: A({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: "a", operator: "In", values: ["b c"] }] }],
          },
        },
      },
    }),
    problems: [
      "aidbox.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values[0]: \"b c\": write up to 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends",
    ],
  },
  {
    config: A({
      affinity: {
        podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: "a", namespaces: ["A B"] }] },
      },
    }),
    problems: [
      'aidbox.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].namespaces[0]: "A B": write a DNS label: up to 63 lower-case letters, digits and dashes',
    ],
  },
  {
    config: S({ maxAge: "0d" }),
    problems: ['secrets[0].maxAge: "0d": write the greatest age as a whole number with its unit: 90d or 12h'],
  },
  {
    config: S({ maxAge: "99999999999999d" }),
    problems: ['secrets[0].maxAge: "99999999999999d": write a greatest age of up to 36500d'],
  },
  {
    config: S({ keypair: "rsa", file: "x" }),
    problems: [
      'secrets[0].file: "x": a keypair has keys, files and variables of its own, one for each of private, public, secret: leave it out',
    ],
  },
  {
    config: S({ keypair: "rsa", key: "x" }),
    problems: [
      'secrets[0].key: "x": a keypair has keys, files and variables of its own, one for each of private, public, secret: leave it out',
    ],
  },
  {
    config: S({ keypair: "rsa", environment: "X" }),
    problems: [
      'secrets[0].environment: "X": a keypair has keys, files and variables of its own, one for each of private, public, secret: leave it out',
    ],
  },
  {
    config: S({ keypair: "rsa", source: "managed" }),
    problems: ['secrets[0].source: "managed": one that reads the state could sign tokens: write seeded, or external'],
  },
  {
    config: S({ keypair: "certificate" }),
    problems: [
      "secrets[0].scope: is missing: write scope: { resourceType: IdentityProvider, id: ID } of the one that uses it",
    ],
  },
  {
    config: S({ keypair: "certificate", source: "seeded", scope: { resourceType: "IdentityProvider" } }),
    problems: ['secrets[0].source: "seeded": others must know a certificate, so an operator writes it: write external'],
  },
  {
    config: S({ source: "database", key: "x" }),
    problems: [
      "secrets[0].path: \"aidbox/client\": write the name of a static role of the database engine: letters, digits, '_', and inside it '.' and '-'",
      'secrets[0].key: "x": a static role has password and username',
    ],
  },
  {
    config: S({ source: "database", path: "a/b" }),
    problems: [
      "secrets[0].path: \"a/b\": write the name of a static role of the database engine: letters, digits, '_', and inside it '.' and '-'",
    ],
  },
  {
    config: HA({ operators: { method: "approle", ttl: "0h" } }),
    problems: [
      'vault.operators.ttl: "0h": write the life of an operator\'s login as a whole number above 0 with its unit: 90s, 5m or 1h',
    ],
  },
  {
    config: HA({ operators: { method: "approle", ttl: "99999999999h" } }),
    problems: ['vault.operators.ttl: "99999999999h": write the life of an operator\'s login of up to 87600h'],
  },
  {
    config: HA({ operators: { method: "userpass", users: [] } }),
    problems: ["vault.operators.users: []: name at least one user"],
  },
  {
    config: HA({ storage: { size: "0" } }),
    problems: ['vault.storage.size: "0": write a size of 1Mi or more, as 2Gi'],
  },
  {
    config: HA({ storage: { size: "1Gi", storageClass: "A" } }),
    problems: ['vault.storage.storageClass: "A": write a Kubernetes name: lower-case letters, digits, dots and dashes'],
  },
  {
    config: HA({ storage: { size: "99999Ei" } }),
    problems: ['vault.storage.size: "99999Ei": is more than Kubernetes can count: write up to 1Ei'],
  },
  {
    config: A({ resources: { memoryLimit: "99999Ei" } }),
    problems: ['aidbox.resources.memoryLimit: "99999Ei": is more than Kubernetes can count: write up to 1Ei'],
  },
  {
    config: A({ resources: { memoryLimit: "100m" } }),
    problems: ['aidbox.resources.memoryLimit: "100m": write a size of 1Mi or more, as 2Gi'],
  },
  {
    config: A({ resources: { cpuRequest: "-1" } }),
    problems: ['aidbox.resources.cpuRequest: "-1": write cores above 0 and up to 256, or millicores, as 2 or 500m'],
  },
  {
    config: A({ resources: { cpuRequest: "0.0001" } }),
    problems: ['aidbox.resources.cpuRequest: "0.0001": write cores above 0 and up to 256, or millicores, as 2 or 500m'],
  },
  // What was meant is told where it would be right.
  {
    config: S({ source: "Seeded" }),
    problems: ['secrets[0].source: "Seeded": write managed, seeded, external or database: did you mean seeded?'],
  },
  {
    config: S({ name: "client", optinal: true }),
    problems: ["secrets[0].optinal: is not a key that this stack knows: did you mean optional?"],
  },
  { config: { vault: { mode: "Dev" } }, problems: [`vault.mode: "Dev": ${modeFix}: did you mean dev?`] },
  {
    config: { secrets: [{ Name: "client-secret", Path: "aidbox/client" }] },
    problems: [
      "secrets[0].Name: is not a key that this stack knows: did you mean name?",
      "secrets[0].Path: is not a key that this stack knows: did you mean path?",
    ],
  },
  {
    config: { images: { pullSecrets: "registry" } },
    problems: ['images.pullSecrets: "registry": write a list: put it in [ ]'],
  },
  {
    config: HA({ tlsMinVersion: 1.2 }),
    problems: ['vault.tlsMinVersion: 1.2: write "1.2" or "1.3": put it in quotes'],
  },
  { config: { development: "true" }, problems: ['development: "true": write true or false: leave the quotes out'] },
  // Nothing else is refused for what is no answer, or no size, at all.
  { config: { development: "yes" }, problems: ['development: "yes": write true or false'] },
  {
    config: A({ resources: { memoryLimit: 4 } }),
    problems: ["aidbox.resources.memoryLimit: 4: write a size of 1Mi or more, as 2Gi"],
  },
  { config: HA({ audit: { size: 100 } }), problems: ["vault.audit.size: 100: write a size of 1Mi or more, as 2Gi"] },
  {
    config: HA({ storage: { size: "1Ki" } }),
    problems: ['vault.storage.size: "1Ki": write a size of 1Mi or more, as 2Gi'],
  },
  {
    config: { images: { pullSecrets: ["a", "a"] } },
    problems: ['images.pullSecrets: ["a","a"]: names a Secret twice, which Kubernetes refuses: name each once'],
  },
  { config: A({ replicas: Infinity }), problems: ["aidbox.replicas: Infinity: write a whole number"] },
  { config: A({ metricsPort: 3e9 }), problems: ["aidbox.metricsPort: 3000000000: write a smaller number"] },
  {
    config: A({ image: "HealthSamurai/aidboxone:2605" }),
    problems: [
      'aidbox.image: "HealthSamurai/aidboxone:2605": write the image\'s name in lower case, as healthsamurai/aidboxone:2605',
    ],
  },
  {
    config: A({ image: "registry:99999/aidboxone:2605" }),
    problems: [
      'aidbox.image: "registry:99999/aidboxone:2605": pin the image with a tag of 2602 or later, as healthsamurai/aidboxone:2605, or with a digest',
    ],
  },
  {
    config: { vault: { mode: "dev", image: "hashicorp/vault:latest" } },
    problems: [
      'vault.image: "hashicorp/vault:latest": the tag latest moves from one version to the next: write a version, as hashicorp/vault:2.0.4',
    ],
  },
  {
    config: EXT({ tlsServerName: "https://vault.example.com" }),
    problems: ['vault.tlsServerName: "https://vault.example.com": write the name alone, as vault.example.com'],
  },
  {
    config: EXT({ ca: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n" }),
    problems: [`vault.ca: "-----BEGIN CERTIFICATE-----…": ${damaged}`],
  },
  {
    config: EXT({ login: { method: "jwt", keys: { publicKeys: ["-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZI"] } } }),
    problems: [`vault.login.keys.publicKeys[0]: "-----BEGIN PUBLIC KEY-----…": ${damaged}`],
  },
  {
    config: EXT({ address: "vault.example.com" }),
    problems: ['vault.address: "vault.example.com": write a URL that begins with http:// or https://'],
  },
  {
    config: S({ environment: "PATH" }),
    problems: ['secrets[0].environment: "PATH": is read by the container\'s programs, not as a secret: write another'],
  },
  {
    config: S({ environment: "LD_PRELOAD" }),
    problems: [
      'secrets[0].environment: "LD_PRELOAD": is read by the container\'s programs, not as a secret: write another',
    ],
  },
  {
    config: S({ environment: "JAVA_TOOL_OPTIONS" }),
    problems: [
      'secrets[0].environment: "JAVA_TOOL_OPTIONS": is read by the container\'s programs, not as a secret: write another',
    ],
  },
  {
    config: EXT({ address: "https://https://vault.example.com" }),
    problems: [
      'vault.address: "https://https://vault.example.com": write a host\'s name or address behind https://, as https://vault.example.com',
    ],
  },
  {
    config: EXT({ address: "https://a.example.com,https://b.example.com" }),
    problems: [
      'vault.address: "https://a.example.com,https://b.example.com": write a host\'s name or address behind https://, as https://vault.example.com',
    ],
  },
  {
    config: EXT({ address: "https://$HOST:8200" }),
    problems: [
      'vault.address: "https://$HOST:8200": write a host\'s name or address behind https://, as https://vault.example.com',
    ],
  },
  {
    config: HA({
      operators: { method: "oidc", discoveryUrl: "http://idp.example.com", clientId: "v", groups: ["ops"] },
    }),
    problems: [
      'vault.operators.discoveryUrl: "http://idp.example.com": whoever is on the way could read and change what goes there: write https://, or, for a way that nobody else is on (as an agent on 127.0.0.1), name it in allowPlaintext: [vault.operators.discoveryUrl]',
    ],
  },
  {
    config: { development: false, ...KV({ chart: { repository: "http://charts.example.com", version: "1.8.2" } }) },
    problems: [
      'azureKeyVault.chart.repository: "http://charts.example.com": whoever is on the way could read and change what goes there: write https://, or, for a way that nobody else is on (as an agent on 127.0.0.1), name it in allowPlaintext: [azureKeyVault.chart.repository]',
    ],
  },
  {
    config: EXT({ kvMount: { path: "kv/data" } }),
    problems: ['vault.kvMount.path: "kv/data": is a path of KV v2: write its mount, kv'],
  },
  {
    config: S({ path: "vault:secret/data/aidbox/client" }),
    problems: [
      'secrets[0].path: "vault:secret/data/aidbox/client": leave out vault: and what is of the mount: write the path in it, as aidbox/client',
    ],
  },
  {
    config: { ...DB({}), database: { mode: "development", image: "docker.io/library/postgres:16.9" } },
    problems: [
      'database.image: "docker.io/library/postgres:16.9": pin the image on Debian, 17 or later, with a tag, as docker.io/library/postgres:17.9, or with a digest',
    ],
  },
  {
    config: DB({ host: "fd00::1" }),
    problems: ['database.host: "fd00::1": write a host name or an address alone, as postgres.example.com or [fd00::1]'],
  },
  {
    config: NP({ to: [{ peer: { cidr: "fe80::1%eth0/64" }, ports: [443] }] }),
    problems: [
      'aidbox.networkPolicy.to[0].peer.cidr: "fe80::1%eth0/64": is no range of addresses: write a range of addresses, as 10.1.2.3/32',
    ],
  },
  {
    config: NP({ to: [{ peer: { cidr: "::ffff:10.0.0.1/128" }, ports: [443] }] }),
    problems: [
      'aidbox.networkPolicy.to[0].peer.cidr: "::ffff:10.0.0.1/128": is no range of addresses: write a range of addresses, as 10.1.2.3/32',
    ],
  },
  {
    config: NP({ to: [{ peer: { cidr: ["10.0.0.0/8"] }, ports: [443] }] }),
    problems: [
      'aidbox.networkPolicy.to[0].peer: {"cidr":["10.0.0.0/8"]}: write { podLabels, namespaceLabels }, or { cidr } with a range of addresses, as 10.1.2.3/32',
    ],
  },
  {
    config: NP({ to: [{ peer, ports: 443 }] }),
    problems: ["aidbox.networkPolicy.to[0].ports: 443: write a list: put it in [ ]"],
  },
  {
    config: A({ ingress: { hosts: ["a.example.com"], path: "/fhir?x=1" } }),
    problems: [
      "aidbox.ingress.path: \"/fhir?x=1\": write a path alone, without '//', '/..', '?', '#' and patterns, as /fhir",
    ],
  },
  {
    config: A({ ingress: { hosts: ["a.example.com"], path: "/fhir//x" } }),
    problems: [
      "aidbox.ingress.path: \"/fhir//x\": write a path alone, without '//', '/..', '?', '#' and patterns, as /fhir",
    ],
  },
  {
    config: A({ ingress: { hosts: ["a.example.com"], path: "/fhir/../x" } }),
    problems: [
      "aidbox.ingress.path: \"/fhir/../x\": write a path alone, without '//', '/..', '?', '#' and patterns, as /fhir",
    ],
  },
  {
    config: A({ ingress: { hosts: ["a.example.com"], path: "/fhir(/|$)(.*)" } }),
    problems: [
      "aidbox.ingress.path: \"/fhir(/|$)(.*)\": write a path alone, without '//', '/..', '?', '#' and patterns, as /fhir",
    ],
  },
  {
    config: A({ ingress: { hosts: ["a.example.com"], path: "/fhir#top" } }),
    problems: [
      "aidbox.ingress.path: \"/fhir#top\": write a path alone, without '//', '/..', '?', '#' and patterns, as /fhir",
    ],
  },
  {
    config: A({ gatewayRoute: { parentRefs: [{ name: "gw" }], hostnames: ["a.example.com"], path: "/a%2Fb" } }),
    problems: [
      "aidbox.gatewayRoute.path: \"/a%2Fb\": write a path alone, without '//', '/..', '?', '#' and patterns, as /fhir",
    ],
  },
  {
    config: { monitoring: { from: [peer], interval: "0s" } },
    problems: ['monitoring.interval: "0s": write the interval as a whole number above 0 with its unit: 90s, 5m or 1h'],
  },
  {
    config: A({ resources: { memoryRequest: "64Mi", memoryLimit: "128Mi" } }),
    problems: ['aidbox.resources.memoryLimit: "128Mi": Aidbox does not start in so little: write 2Gi or more'],
  },
  {
    config: T(ten("a".repeat(57))),
    problems: [
      'tenants[0].name: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": is too long: its namespace is aidbox-NAME: write a shorter name, or a namespace',
      'tenants[0].name: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": is too long: its role in Vault is ROLE-NAME: write a shorter name',
    ],
  },
  {
    config: { vault: { mode: "dev", values: { server: { ha: { enabled: true } }, csi: { enabled: false } } } },
    problems: [
      "vault.values.server.ha.enabled: true: is decided by vault.mode, for the servers' release and the CSI provider's: leave it out",
      "vault.values.csi.enabled: false: is decided by vault.csiProvider, for the servers' release and the CSI provider's: leave it out",
    ],
  },
  {
    config: { csiDriver: { values: { enableSecretRotation: false } } },
    problems: ["csiDriver.values.enableSecretRotation: false: no change would reach a file: leave it out"],
  },
  {
    config: { ...S({ environment: "BOX_X" }), csiDriver: { values: { syncSecret: { enabled: false } } } },
    problems: [
      "csiDriver.values.syncSecret.enabled: false: rows with environment need a synced Kubernetes Secret: leave it out",
    ],
  },
  {
    config: { csiDriver: { values: { tokenRequests: [{ audience: "sts.amazonaws.com" }] } } },
    problems: [
      'csiDriver.values.tokenRequests: [{"audience":"sts.amazonaws.com"}]: pods log in to Vault by a token of another audience: add { audience: vault }',
    ],
  },
  {
    config: {
      ...S({ path: "my secret" }),
      vault: undefined,
      awsSecrets: { region: "eu-central-1", identity: { type: "pod-identity" } },
    },
    problems: [
      "secrets[0].path: \"my secret\": write a name as AWS takes it, of letters, digits, '/', '_', '+', '=', '.', '@' and '-', or its ARN",
    ],
  },
  {
    config: { ...DB({}), tenants: [{ ...ten("a"), database: { name: "a", user: "a" }, aidbox: { replicas: 2 } }] },
    problems: [
      "tenants[0].aidbox.replicas: 2 pods: without a keypair that they share each refuses the others' tokens: add the row { name: auth-keys, path: a/auth-keys, keypair: rsa, source: seeded }",
      "tenants[0].secrets: no row has environment: BOX_DB_PASSWORD, which the database needs: add one, as { name: database-password, path: a/database, environment: BOX_DB_PASSWORD }",
    ],
  },
])("refused: $problems", ({ config, problems }) => {
  expect(problemsOf(config)).toEqual(problems);
});

test.each<Config>([
  {},
  EXT(),
  HA(),
  DB({}),
  KV(),
  T(ten("a"), ten("b")),
  NP({}),
  A({ ingress: { hosts: ["*.example.com"] } }),
  A({ environment: { BOX_WEB_BASE_URL: "https://aidbox.example.com:8443/base" } }),
  A({ gatewayRoute: { parentRefs: [{ name: "gw" }, { name: "gw", sectionName: "x" }], hostnames: ["a.example.com"] } }),
  A({ gatewayRoute: { parentRefs: [{ name: "gw" }], hostnames: ["a.example.com"], timeout: "99999s" } }),
  A({ tolerations: [{ key: "a", value: "b.c" }] }),
  A({ image: "registry:5000/aidboxone:2605" }),
  A({ image: "localhost/aidboxone:2605" }),
  A({ image: "Registry.example.com/aidboxone:2605" }),
  EXT({ tlsServerName: "vault.vault.svc" }),
  A({ startupTimeout: "87600h" }),
  S({ file: "folder/..x" }),
  { mountPath: "/run" },
  { mountPath: "/devices" },
  { vault: { mode: "dev", kvMount: { path: "teams", owned: true } } },
  HA({ seal: { type: "transit", address: "https://vault.other:8200", keyName: "unseal" } }),
  HA({ seal: { type: "gcpckms", project: "example.com:project-1", region: "global", keyRing: "r", cryptoKey: "k" } }),
  EXT({ address: "https://[fd00::1]:8200" }),
  EXT({ address: "https://gateway.example.com/vault" }),
  EXT({ address: "HTTPS://Vault.Example.COM" }),
  EXT({ address: "https://tresör.example.com" }),
  EXT({ address: "https://vault_internal:8200/" }),
  HA({
    operators: { method: "oidc", discoveryUrl: "https://idp.example.com/x/v2.0", clientId: "v", groups: ["Ops 1"] },
  }),
  S({ path: "secret/aidbox/client" }),
  S({ path: "aidbox/data/client" }),
  S({ environment: "HTTPS_PROXY" }),
  S({ key: "Client Secret" }),
  NP({ to: [{ peer: { cidr: "::ffff:0:0/96" }, ports: [443] }] }),
  NP({ to: [{ peer: { cidr: "fd00::/8" }, ports: [443] }] }),
  A({ ingress: { hosts: ["xn--mller-kva.example.com"], path: "/fhir/~x:1@y;z=(a)" } }),
  A({ resources: { memoryRequest: "2e9", memoryLimit: 4294967296 } }),
  A({ tolerations: [{ operator: "Exists" }] }),
  A({ podLabels: { team: "" }, environment: { BOX_EMPTY: "" } }),
  { ...DB({}), database: { mode: "development", image: "registry.example.com/postgres-with-tools:1.2" } },
  { kubeContext: "arn:aws:eks:eu-central-1:111122223333:cluster/prod" },
  { kubeContext: "admin@my cluster" },
  { csiDriver: { values: { tokenRequests: [{ audience: "sts.amazonaws.com" }, { audience: "vault" }] } } },
  { csiDriver: { values: { syncSecret: { enabled: false } } } },
  { vault: { mode: "dev", values: { server: { resources: { requests: { cpu: "1" } } }, csi: { debug: true } } } },
  { rolls: { batch: "10m", quietWindow: { from: "23:30", to: "02:00" } } },
])("taken: %j", (config) => {
  expect(problemsOf(config)).toEqual([]);
});
