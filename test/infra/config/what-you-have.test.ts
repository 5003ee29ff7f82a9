import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App } from "cdk8s";
import { chartSource } from "../../../constructs/platform/helm-chart";
import { type HaServer, serverConfig } from "../../../constructs/platform/vault/server";
import { clientCertificate } from "../../../infra/certificates/client-certificate";
import { ConfigError } from "../../../infra/config/config-error";
import { storeWarnings, tokenAudiencesOf } from "../../../infra/config/stores/of-environment";
import { vaultServer } from "../../../infra/config/stores/vault/server";
import { aidboxChart } from "../../../infra/stack/charts";
import { guardsChart } from "../../../infra/stack/stores/vault/guards";
import { vaultStore } from "../../../infra/stack/stores/vault/store";
import { certificatePem } from "../../pems";
import { checkVaultEnvironment } from "../vault-environment";

const least = {
  development: true,
  kubeContext: "kind-aidbox",
  secrets: [{ name: "client-secret", path: "aidbox/client" }],
  vault: { mode: "dev" },
  aidbox: { image: "healthsamurai/aidboxone:2605" },
};

/** What is wrong with a config, as `KEY: MESSAGE`. */
function problemsOf(config: Record<string, unknown>): string[] {
  try {
    checkVaultEnvironment("dev", { ...least, ...config });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ key, message }) => `${key}: ${message}`);
  }
}

function external(changes: Record<string, unknown>): Record<string, unknown> {
  const login = { method: "kubernetes", ...(changes.login as object | undefined) };
  return { development: false, vault: { mode: "external", address: "https://vault.example.com", ...changes, login } };
}

const x = (count: number): string => "x".repeat(count);

describe("a name that is too long is refused with the longest that fits", () => {
  const database = { mode: "development" };
  const secrets = [{ name: "db", path: "aidbox/db", source: "seeded", environment: "BOX_DB_PASSWORD" }];

  test.each<[key: string, longest: number, configOf: (name: string) => Record<string, unknown>]>([
    ["vault.release", 48, (release) => ({ vault: { mode: "dev", release } })],
    ["csiDriver.release", 38, (release) => ({ csiDriver: { release } })],
    ["aidbox.name", 55, (name) => ({ aidbox: { ...least.aidbox, name, serviceMonitor: {} } })],
    ["aidbox.name", 43, (name) => ({ aidbox: { ...least.aidbox, name }, database, secrets })],
  ])("%s of more than %i characters", (key, longest, configOf) => {
    expect(problemsOf(configOf(x(longest)))).toEqual([]);
    const [problem, ...others] = problemsOf(configOf(x(longest + 1)));
    expect(others).toEqual([]);
    expect(problem!.startsWith(`${key}: "${x(longest + 1)}": `)).toBe(true);
    expect(problem).toContain(`up to ${longest} `);
  });
});

test.each([
  ["kubernetes/", "write the mount's path without slashes around it, as kubernetes"],
  ["auth/kubernetes", "write it without auth/, and not token, which is Vault's own"],
])("an auth mount written as %s is refused", (mount, fix) => {
  const [problem] = problemsOf(external({ login: { mount } }));
  expect(problem).toContain(`vault.login.mount: "${mount}": ${fix}`);
});

test("an auth mount of others needs its path and method alone, and takes no settings", () => {
  expect(problemsOf(external({ login: { method: "jwt", mount: "k8s", owned: false } }))).toEqual([]);
  const fix = "is set in the auth mount, which is not this stack's: leave it out";
  expect(problemsOf(external({ login: { owned: false, apiServer: "https://10.0.0.1" } }))).toEqual([
    `vault.login.apiServer: "https://10.0.0.1": ${fix}`,
  ]);
  expect(problemsOf(external({ login: { method: "jwt", owned: false, issuer: "me" } }))).toEqual([
    `vault.login.issuer: "me": ${fix}`,
  ]);
});

test.each([
  ["https://registry.example.com", "write the registry without https:// and slash at its end"],
  ["registry.example.com/", "write the registry without https:// and slash at its end"],
  ["mirror", "begin with the registry's host"],
])("%s is no registry", (registry, fix) => {
  const [problem] = problemsOf({ images: { registry } });
  expect(problem).toContain(`images.registry: "${registry}": ${fix}`);
  expect(problemsOf({ images: { registry: "registry.example.com:5000/mirror" } })).toEqual([]);
});

test("a chart may come from a registry", () => {
  const chart = { repository: "oci://registry.example.com/charts", version: "1.6.1" };
  expect(problemsOf({ csiDriver: { chart } })).toEqual([]);
  expect(chartSource({ ...chart, name: "secrets-store-csi-driver" })).toEqual({
    chart: "oci://registry.example.com/charts/secrets-store-csi-driver",
    version: "1.6.1",
  });
});

test.each(["oci://", "oci:///charts"])("a registry of charts has a host: %s", (repository) => {
  expect(problemsOf({ csiDriver: { chart: { repository, version: "1.6.1" } } })).toEqual([
    expect.stringContaining("write a URL that begins with https://, http:// or oci://"),
  ]);
});

test.each([
  ["ca", certificatePem],
  ["tlsServerName", "vault.example.com"],
  ["clientCertificate", { secretName: "vault-client" }],
])("%s is for an address with TLS", (key, value) => {
  const plain = { address: "http://vault.example:8200", addressFromHere: "http://127.0.0.1:8200", [key]: value };
  const allowPlaintext = ["vault.address", "vault.addressFromHere"];
  expect(problemsOf({ ...external(plain), allowPlaintext })).toEqual([
    `vault.${key}: is for TLS, which no address here has: write https://, or leave it out`,
  ]);
  const fromHere = { ...plain, addressFromHere: "https://gateway.example.com" };
  expect(problemsOf({ ...external(fromHere), allowPlaintext: ["vault.address"] })).toEqual([]);
});

test.each(["https://vault.example.com", "https://gateway.example.com:8443/vault"])(
  "the address %s may have a slash at its end, which is left out everywhere",
  (address) => {
    const config = { ...least, ...external({ address: `${address}/`, addressFromHere: `${address}//` }) };
    expect(checkVaultEnvironment("prod", config).vault).toMatchObject({ address, addressFromHere: address });
    expect(problemsOf(external({ address: `${address}/v1/` }))).toHaveLength(1);
  },
);

test("a tenant says itself how its secrets become files, and takes over nothing of the first Aidbox's", () => {
  const own = { name: "own", path: "north/own" };
  const vault = { mode: "dev", objects: { "client-secret": { permission: "0444" } } };
  const tenants = [
    { name: "north", secrets: [own], objects: { own: { encoding: "base64" } } },
    { name: "south", secrets: [{ ...own, path: "south/own" }] },
  ];
  const checked = checkVaultEnvironment("dev", { ...least, vault, tenants });
  expect([checked, ...checked.tenants].map((each) => each.vault.objects)).toEqual([
    vault.objects,
    { own: { encoding: "base64" } },
    {},
  ]);
  const objects = { other: {}, own: { permission: "0400" } };
  expect(problemsOf({ vault, tenants: [{ ...tenants[0], objects }] })).toEqual([
    "tenants[0].objects.other: there is no such secret: write one of own",
    expect.stringMatching(/^tenants\[0\]\.objects\.own\.permission: "0400": /),
  ]);
});

test.each([
  ["kubernetes.io/tls", "wants keys of its own"],
  ["a type", "write a type, as Opaque"],
])("the synced Secret is of no type %s", (type, fix) => {
  const [problem] = problemsOf({ aidbox: { ...least.aidbox, syncedSecret: { type } } });
  expect(problem).toContain(`aidbox.syncedSecret.type: "${type}": ${fix}`);
});

describe("a CSI provider that makes its tokens", () => {
  const vault = { mode: "dev", csiProviderMakesTokens: true };

  test("is asked for beside a driver of others alone, and what that opens is warned of", () => {
    expect(problemsOf({ vault })).toEqual([
      "vault.csiProviderMakesTokens: true: the stack's own driver hands out the tokens: leave it out",
    ]);
    const csiDriver = { install: false };
    const allowFrom = [{ cidr: "10.0.0.0/8" }];
    expect(problemsOf({ csiDriver, vault: { ...vault, csiProvider: false, allowFrom } })).toEqual([
      "vault.csiProviderMakesTokens: true: the CSI provider is not this stack's, and its owner says what it may: leave it out",
    ]);
    const environment = checkVaultEnvironment("dev", { ...least, csiDriver, vault });
    expect(storeWarnings(environment)).toEqual([expect.stringContaining("may make tokens of every ServiceAccount")]);
    expect(tokenAudiencesOf(environment)).toEqual([]);
    expect(storeWarnings(checkVaultEnvironment("dev", least))).toEqual([]);
  });
});

describe("a client's certificate", () => {
  const files = { certPath: "/run/client/tls.crt", keyPath: "/run/client/tls.key" };
  const secret = { secretName: "vault-client" };
  const problems = (clientCertificate: object, more: object = {}): string[] =>
    problemsOf(external({ clientCertificate, ...more }));

  test("is a Secret of the stack's own CSI provider, or files of another's", () => {
    expect(problems(secret)).toEqual([]);
    expect(problems(files, { csiProvider: false })).toEqual([]);
  });

  test("is refused where the CSI provider cannot have it so", () => {
    expect(problems(files)).toEqual([
      "vault.clientCertificate.secretName: is missing: the CSI provider is this stack's, and takes secretName",
      "vault.clientCertificate.certPath: leave it out: the CSI provider is this stack's, and takes secretName",
      "vault.clientCertificate.keyPath: leave it out: the CSI provider is this stack's, and takes secretName",
    ]);
    expect(problems({ ...secret, certPath: files.certPath }, { csiProvider: false })).toEqual([
      "vault.clientCertificate.keyPath: is missing: the CSI provider is not this stack's, and takes certPath and keyPath",
      "vault.clientCertificate.secretName: leave it out: the CSI provider is not this stack's, and takes certPath and keyPath",
    ]);
  });

  test.each([
    [secret, {}, { certPath: "/vault/client/tls.crt", keyPath: "/vault/client/tls.key" }],
    [files, { csiProvider: false }, files],
  ])("%j is where the class has the provider read it", (clientCertificate, more, { certPath, keyPath }) => {
    const environment = checkVaultEnvironment("dev", {
      ...least,
      ...external({ clientCertificate, ...more }),
    });
    const parameters = vaultStore(environment, "aidbox").parameters(environment.table);
    expect(parameters).toMatchObject({ vaultTLSClientCertPath: certPath, vaultTLSClientKeyPath: keyPath });
  });

  test("of this machine is that of Vault's own variables, both or none, and no error has the key", () => {
    const folder = mkdtempSync(join(tmpdir(), "client-certificate-"));
    const [cert, key] = ["tls.crt", "tls.key"].map((name) => join(folder, name));
    writeFileSync(cert!, "the certificate");
    writeFileSync(key!, "the key");
    expect(clientCertificate({})).toBeUndefined();
    expect(clientCertificate({ VAULT_CLIENT_CERT: cert, VAULT_CLIENT_KEY: key })).toEqual({
      cert: "the certificate",
      key: "the key",
    });
    expect(() => clientCertificate({ VAULT_CLIENT_KEY: key })).toThrow("set both, or none");
    rmSync(folder, { recursive: true });
    expect(() => clientCertificate({ VAULT_CLIENT_CERT: cert, VAULT_CLIENT_KEY: key })).toThrow(
      "the file of VAULT_CLIENT_CERT cannot be read: ENOENT",
    );
  });
});

test("an IPv6-only cluster: addresses with brackets and ranges of IPv6 are taken, and reach class and policies", () => {
  const peer = { cidr: "fd00::/8" };
  const environment = checkVaultEnvironment("dev", {
    ...least,
    ...external({ address: "https://[fd00::7]:8200/", allowTo: [{ peer, ports: [443] }] }),
    aidbox: { ...least.aidbox, networkPolicy: { from: [peer], database: { peer } } },
  });
  expect(vaultStore(environment, "aidbox").parameters(environment.table).vaultAddress).toBe("https://[fd00::7]:8200");
  const yaml = JSON.stringify([
    guardsChart(new App(), environment).toJson(),
    aidboxChart(new App(), environment).toJson(),
  ]);
  expect(yaml.match(/"ipBlock":\{"cidr":"fd00::\/8"\}/g)!.length).toBeGreaterThan(1);
  expect(
    problemsOf({ aidbox: { ...least.aidbox, networkPolicy: { database: { peer: { cidr: "fd00::7" } } } } }),
  ).toEqual([expect.stringContaining('did you mean "fd00::7/128"?')]);
  // Servers listen on every address of either family.
  const release = { releaseName: "vault", namespace: "vault", image: "hashicorp/vault:2.0.4" };
  const stored = checkVaultEnvironment("prod", { ...least, vault: { mode: "ha" } });
  expect(serverConfig(vaultServer(stored) as HaServer, release)).toContain('"address":"[::]:8200"');
});

test("the namespace default may be used, and is not made", () => {
  expect(problemsOf({ namespaces: { aidbox: "default", options: { aidbox: { create: false } } } })).toEqual([]);
  expect(problemsOf({ namespaces: { aidbox: "default" } })).toEqual([
    'namespaces.aidbox: "default": is Kubernetes\' own: write another, or options.aidbox.create: false, and it is left as it is',
  ]);
  expect(problemsOf({ namespaces: { aidbox: "kube-system", options: { aidbox: { create: false } } } })).toEqual([
    'namespaces.aidbox: "kube-system": is Kubernetes\' own: write a namespace that the stack may make',
  ]);
});

test("servers' release of an external Vault is named for its CSI provider, and has none where that stays", () => {
  const serversRelease = { name: "vault", namespace: "default" };
  expect(problemsOf(external({ serversRelease }))).toEqual([]);
  expect(problemsOf(external({ serversRelease, csiProvider: false }))).toEqual([
    "vault.serversRelease: is named, and csiProvider: false leaves its CSI provider where it is: leave one of them out",
  ]);
});

test("all keys of one secret are a row of their own, and no key", () => {
  const partner = { name: "partner", path: "apps/partner" };
  expect(problemsOf({ secrets: [...least.secrets, { ...partner, keys: "all" }] })).toEqual([]);
  expect(problemsOf({ secrets: [...least.secrets, { ...partner, key: "*" }] })).toEqual([
    'secrets[1].key: "*": is no key: leave it out, and write keys: all',
  ]);
});
