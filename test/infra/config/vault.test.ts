import { Size } from "cdk8s";
import { type StandaloneServer, storedServerValues } from "../../../constructs/platform/vault/server";
import { ConfigError } from "../../../infra/config/config-error";
import type { VaultEnvironment } from "../../../infra/config/environment";
import { sealTokenSecretName } from "../../../infra/config/names";
import { secretKeys } from "../../../infra/config/project";
import { WrittenSize } from "../../../infra/config/quantity";
import { storeWarnings } from "../../../infra/config/stores/of-environment";
import {
  configuredCa,
  isStored,
  ownsKvMount,
  snapshotsOf,
  vaultServer,
} from "../../../infra/config/stores/vault/server";
import { certificatePem } from "../../pems";
import { checkVaultEnvironment } from "../vault-environment";

type Config = Record<string, unknown>;

const base: Config = {
  kubeContext: "production",
  secrets: [{ name: "client-secret", path: "aidbox/client" }],
  aidbox: { image: "healthsamurai/aidboxone:2605" },
};
const standalone = { mode: "standalone" };
const ha = { mode: "ha" };
const dev = { mode: "dev" };
const external = { mode: "external", address: "https://vault.example", login: { method: "kubernetes" } };
const transit = { type: "transit", address: "https://keys.example:8200", keyName: "unseal" };
const awskms = { type: "awskms", region: "eu-central-1", kmsKeyId: "alias/vault" };
const azurekeyvault = {
  type: "azurekeyvault",
  tenantId: "11111111-1111-1111-1111-111111111111",
  vaultName: "keys",
  keyName: "unseal",
};
const gcpckms = { type: "gcpckms", project: "site-keys", region: "global", keyRing: "vault", cryptoKey: "unseal" };

function check(vault: unknown, change: Config = {}): VaultEnvironment {
  return checkVaultEnvironment("prod", { ...base, vault, ...change });
}

/** Keys and messages of what is wrong, without what stands before them. */
function problemsOf(vault: unknown, change: Config = {}): string[] {
  try {
    check(vault, change);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const [first, ...rest] = error.message.split("\n");
    expect(first).toBe('The config of environment "prod" (Pulumi.prod.yaml) is not valid:');
    return rest.map((line) => line.replace(/^ {2}aidbox-secrets:/, ""));
  }
  throw new Error("the config was taken for a valid one");
}

const common = {
  release: "vault",
  csiProvider: true,
  csiProviderMakesTokens: false,
  role: "aidbox",
  audience: "vault",
  tokenTtl: "1h",
  kvMount: { path: "secret" },
  databaseMount: "database",
  objects: {},
};

const audit = { enabled: true, size: "10Gi", rotateAt: "100Mi", keep: 20 };

describe("the defaults", () => {
  test("of one server", () => {
    expect(check(standalone).vault).toEqual({
      mode: "standalone",
      operators: { method: "token" },
      allowFrom: [],
      ...common,
      storage: { size: "10Gi", retain: true },
      audit,
      tlsMinVersion: "1.2",
      logFormat: "standard",
    });
  });

  test("of several", () => {
    expect(check(ha).vault).toEqual({
      mode: "ha",
      operators: { method: "token" },
      allowFrom: [],
      ...common,
      storage: { size: "10Gi", retain: true },
      audit,
      tlsMinVersion: "1.2",
      logFormat: "standard",
      replicas: 3,
      antiAffinity: "required",
    });
  });

  test("of an issuer of cert-manager", () => {
    expect(check({ ...ha, certManager: { issuer: "site", ca: certificatePem } }).vault).toMatchObject({
      certManager: { issuer: "site", kind: "ClusterIssuer" },
    });
  });
});

test("everything that a Vault with storage can have is taken as it is", () => {
  const everything = {
    ...ha,
    release: "store",
    csiProvider: false,
    csiProviderMakesTokens: false,
    role: "fhir",
    audience: "store",
    tokenTtl: "30m",
    kvMount: { path: "teams", owned: false },
    databaseMount: "databases",
    values: { server: { logLevel: "debug" } },
    objects: { "client-secret": { permission: "0444" } },
    localPort: 8200,
    image: "registry.example/vault:2.0.5",
    allowFrom: [{ namespaceLabels: { team: "watch" }, podLabels: { app: "prometheus" } }, { cidr: "10.1.0.0/16" }],
    allowTo: [{ peer: { cidr: "10.96.0.1/32" }, ports: [443] }],
    storage: { size: "512Mi", storageClass: "fast", retain: false },
    loginsPerSecond: 200,
    priorityClass: "secrets-first",
    tlsMinVersion: "1.3",
    logFormat: "json",
    audit: { enabled: true, size: "50Gi", storageClass: "slow", rotateAt: "1Gi", keep: 40 },
    certManager: { issuer: "site", kind: "Issuer", ca: certificatePem },
    seal: { ...transit, mountPath: "keys", ca: certificatePem },
    replicas: 5,
    antiAffinity: "none",
    operators: { method: "approle", mount: "machines", ttl: "1h" },
    snapshots: {
      schedule: "5 3 * * 1-5",
      keep: 5,
      storage: { size: "2Gi", storageClass: "slow" },
      copies: {
        image: "rclone/rclone:1.71.2",
        bucket: "backups/vault",
        endpoint: "https://s3.example.com",
        region: "eu-central-1",
        credentialsSecret: "backup-store",
        caConfigMap: "backup-store-ca",
        keep: 120,
      },
      allowTo: [{ peer: { cidr: "10.1.2.3/32" }, ports: [443] }],
    },
  };
  expect(check(everything).vault).toEqual(everything);
});

test.each([
  [transit],
  [awskms],
  [azurekeyvault],
  [gcpckms],
  [{ ...awskms, roleArn: "arn:aws-us-gov:iam::111122223333:role/teams/vault" }],
  [{ ...azurekeyvault, clientId: "00000000-0000-0000-0000-000000000000" }],
  [{ ...gcpckms, serviceAccount: "vault@site.iam.gserviceaccount.com" }],
])("a seal of type $type is taken", (seal) => {
  expect(check({ ...standalone, seal }).vault).toMatchObject({ seal });
});

test("snapshots have defaults, and are taken where somebody asks for them", () => {
  expect(snapshotsOf(check({ ...ha, snapshots: {} }))).toEqual({
    schedule: "0 */6 * * *",
    keep: 28,
    storage: { size: "10Gi" },
  });
  expect(snapshotsOf(check(ha))).toBeUndefined();
});

test("all that is wrong with snapshots is said at once", () => {
  const snapshots = { schedule: "0 */6 * *", keep: 0, storage: { size: 10 }, allowTo: [{ peer: {}, ports: [443] }] };
  const release = "v".repeat(43);
  expect(problemsOf({ ...ha, release, snapshots })).toEqual([
    'vault.snapshots.schedule: "0 */6 * *": write five fields, as 0 */6 * * *: minute (0-59), hour (0-23), day of the month (1-31), month (1-12), day of the week (0-6, 0 is Sunday)',
    "vault.snapshots.keep: 0: write 1 or more",
    "vault.snapshots.storage.size: 10: write a size of 1Mi or more, as 2Gi",
    `vault.release: "${release}": its snapshots' CronJob is called after it: shorten it to 42 characters`,
    "vault.snapshots.allowTo[0].peer: {}: names nobody: write podLabels, namespaceLabels or cidr",
  ]);
  const copies = { image: "rclone/rclone", bucket: "My Bucket", endpoint: "s3.example.com", keep: 0 };
  expect(problemsOf({ ...ha, snapshots: { copies } })).toEqual([
    'vault.snapshots.copies.image: "rclone/rclone": write the image with its tag, and without https://, as rclone/rclone:1.71.2',
    'vault.snapshots.copies.bucket: "My Bucket": write the bucket, and the folder in it where there is one, as backups or backups/vault',
    'vault.snapshots.copies.endpoint: "s3.example.com": write a URL that begins with http:// or https://',
    "vault.snapshots.copies.keep: 0: write 1 or more",
  ]);
  const plain = { image: "rclone/rclone:1.71.2", bucket: "backups", endpoint: "http://s3.example.com" };
  expect(problemsOf({ ...ha, snapshots: { copies: plain } })).toEqual([
    "vault.snapshots.allowTo: is missing: name the store of the copies, as [{ peer: { cidr: 0.0.0.0/0 }, ports: [443] }]: the pods reach nobody else",
    expect.stringContaining('vault.snapshots.copies.endpoint: "http://s3.example.com"'),
  ]);
  expect(problemsOf({ ...external, snapshots: {} })).toEqual([
    "vault.snapshots: is a key of mode standalone or ha, and this is external: remove it",
  ]);
});

describe("who may reach Vault", () => {
  const provider =
    "{ namespaceLabels: { kubernetes.io/metadata.name: NAMESPACE }, podLabels: { app.kubernetes.io/name: vault-csi-provider } }";
  const list = "write a list of { podLabels, namespaceLabels } or { cidr }";

  test.each<[what: string, change: Config, problems: string[]]>([
    [
      "a CSI provider that nobody names",
      { csiProvider: false },
      [
        `vault.allowFrom: is missing: csiProvider false shuts out the one that the cluster has: name its pods, as ${provider}`,
      ],
    ],
    [
      "a CSI provider on the nodes' network, with pods alone",
      { values: { csi: { hostNetwork: true } }, allowFrom: [{ podLabels: { app: "prometheus" } }] },
      [
        "vault.allowFrom: is missing: values.csi.hostNetwork puts the CSI provider on the nodes' network: name the nodes' " +
          "addresses, as { cidr: 10.1.0.0/16 }",
      ],
    ],
    [
      "peers that are none, in every list",
      {
        allowFrom: [{}, { cidr: "10.1.2.3" }],
        allowTo: [
          { peer: { cidr: "kubernetes.default" }, ports: [443] },
          { peer: { cidr: "10.0.0.0/8" }, ports: [] },
        ],
      },
      [
        "vault.allowFrom[0]: {}: names nobody: write podLabels, namespaceLabels or cidr",
        'vault.allowFrom[1].cidr: "10.1.2.3": is no range of addresses: did you mean "10.1.2.3/32"?',
        'vault.allowTo[0].peer.cidr: "kubernetes.default": is no range of addresses: write a range of addresses, as 10.1.2.3/32',
        "vault.allowTo[1].ports: []: would open every port: name at least one, as [443]",
      ],
    ],
    [
      "one peer in place of a list",
      { allowFrom: { cidr: "10.1.0.0/16" } },
      [`vault.allowFrom: {"cidr":"10.1.0.0/16"}: ${list}: put it in [ ]`],
    ],
  ])("cannot be %s", (_, change, problems) => {
    expect(problemsOf({ ...standalone, ...change })).toEqual(problems);
  });

  test.each<[what: string, change: Config]>([
    [
      "a CSI provider of the cluster's, by name",
      { csiProvider: false, allowFrom: [{ podLabels: { app: "provider" } }] },
    ],
    [
      "nodes, for a CSI provider on their network",
      { values: { csi: { hostNetwork: true } }, allowFrom: [{ cidr: "10.1.0.0/16" }] },
    ],
  ])("can be %s", (_, change) => {
    expect(check({ ...standalone, ...change }).vault).toMatchObject(change);
  });

  test("is not this stack's to say of an external one", () => {
    expect(problemsOf({ ...external, allowFrom: [] })).toEqual([
      "vault.allowFrom: is a key of mode dev or standalone or ha, and this is external: remove it",
    ]);
    expect(check({ ...external, csiProvider: false }).vault).toMatchObject({ csiProvider: false });
  });

  test("goes with what may reach the others", () => {
    const database = { mode: "development", allowFrom: [{}] };
    const republisher = { allowTo: [{ peer: {}, ports: [443] }] };
    const problems = problemsOf(standalone, { database, republisher });
    expect(problems).toContain("database.allowFrom[0]: {}: names nobody: write podLabels, namespaceLabels or cidr");
    expect(problems).toContain(
      "republisher.allowTo[0].peer: {}: names nobody: write podLabels, namespaceLabels or cidr",
    );
  });
});

describe("a wrong value", () => {
  const fixes = {
    replicas: "write 3 or 5",
    antiAffinity: "write required, preferred or none",
    size: "write a size of 1Mi or more, as 2Gi",
    seal: "write type: transit, awskms, azurekeyvault or gcpckms, or leave seal out for operators with key shares",
    kind: "write Issuer or ClusterIssuer",
    pem: "write the certificate as PEM",
    port: "write a port from 1024 to 65535",
    url: "write a URL that begins with http:// or https://",
    text: "write text",
    unknown: "is not a key that this stack knows: look it up in docs/config.md, or remove it",
    mode:
      "write mode: dev (in memory, for development), standalone or ha (with storage and TLS) or external (a Vault that " +
      "is there already)",
  };

  const of = (modes: string, mode: string): string => `is a key of mode ${modes}, and this is ${mode}: remove it`;

  test.each<[what: string, vault: unknown, problems: string[]]>([
    ["two servers", { ...ha, replicas: 2 }, [`vault.replicas: 2: ${fixes.replicas}`]],
    ["four servers", { ...ha, replicas: 4 }, [`vault.replicas: 4: ${fixes.replicas}`]],
    ["a number as text", { ...ha, replicas: "3" }, [`vault.replicas: "3": ${fixes.replicas}: leave the quotes out`]],
    [
      "another anti-affinity",
      { ...ha, antiAffinity: "some" },
      [`vault.antiAffinity: "some": ${fixes.antiAffinity}: did you mean none?`],
    ],
    ["a size without a unit", { ...ha, storage: { size: "10" } }, [`vault.storage.size: "10": ${fixes.size}`]],
    ["a size as a number", { ...ha, storage: { size: 10 } }, [`vault.storage.size: 10: ${fixes.size}`]],
    ["a size in TB", { ...ha, storage: { size: "1TB" } }, [`vault.storage.size: "1TB": ${fixes.size}`]],
    [
      "retain as text",
      { ...standalone, storage: { retain: "yes" } },
      ['vault.storage.retain: "yes": write true or false'],
    ],
    [
      "a storage class that is no text",
      { ...ha, storage: { storageClass: 1 } },
      [
        "vault.storage.storageClass: 1: write a Kubernetes name: lower-case letters, digits, dots and dashes: put it in quotes",
      ],
    ],
    [
      "more audit files than the volume has room for",
      { ...ha, audit: { size: "1Gi", rotateAt: "100Mi", keep: 9 } },
      [
        'vault.audit.size: "1Gi": keep + 2 files of 100Mi are 1100 MiB, and the volume has 1024: write a larger size, or keep fewer',
      ],
    ],
    [
      "a quota that a node's restart would use up",
      { ...ha, loginsPerSecond: 5 },
      [
        "vault.loginsPerSecond: 5: write 20 or more: a node's CSI provider logs in for all of its pods from one address",
      ],
    ],
    ["no closed audit file", { ...ha, audit: { keep: 0 } }, ["vault.audit.keep: 0: keep at least one"]],
    [
      "a size of audit files that is none",
      { ...ha, audit: { rotateAt: "daily" } },
      [`vault.audit.rotateAt: "daily": ${fixes.size}`],
    ],
    [
      "an unknown key of storage",
      { ...ha, storage: { class: "fast" } },
      [
        "vault.storage.class: is not a key that this stack knows: write one of size, storageClass, retain, or remove it",
      ],
    ],
    ["a seal that is no object", { ...ha, seal: "transit" }, [`vault.seal: "transit": ${fixes.seal}`]],
    [
      "a transit seal without address and key",
      { ...ha, seal: { type: "transit" } },
      [
        `vault.seal.address: is missing: ${fixes.url}`,
        "vault.seal.keyName: is missing: write the key's name: letters, digits, '_', '.' and '-'",
      ],
    ],
    [
      "a token in the config of a transit seal",
      { ...ha, seal: { ...transit, token: "hvs.keys" } },
      [
        "vault.seal.token: is not a key that this stack knows: write one of type, address, keyName, mountPath, ca, or remove it",
      ],
    ],
    [
      "credentials of a cloud in the config",
      { ...ha, seal: { ...awskms, secretKey: "hunter2" } },
      [
        "vault.seal.secretKey: is not a key that this stack knows: write one of type, region, kmsKeyId, roleArn, or remove it",
      ],
    ],
    [
      "another kind of issuer",
      { ...ha, certManager: { issuer: "site", kind: "Certificate", ca: certificatePem } },
      [`vault.certManager.kind: "Certificate": ${fixes.kind}`],
    ],
    [
      "cert-manager without an issuer",
      { ...ha, certManager: { ca: certificatePem } },
      ["vault.certManager.issuer: is missing: write a Kubernetes name: lower-case letters, digits, dots and dashes"],
    ],
    [
      "cert-manager without its issuer's CA",
      { ...ha, certManager: { issuer: "site" } },
      [`vault.certManager.ca: is missing: ${fixes.pem}`],
    ],
    [
      "a role that is no ARN",
      { ...ha, seal: { ...awskms, roleArn: "vault" } },
      ['vault.seal.roleArn: "vault": write the role\'s ARN, as arn:aws:iam::111122223333:role/vault'],
    ],
    [
      "a Google service account that is no address",
      { ...ha, seal: { ...gcpckms, serviceAccount: "vault" } },
      ['vault.seal.serviceAccount: "vault": write its address, as vault@PROJECT.iam.gserviceaccount.com'],
    ],
    [
      "an image without a tag",
      { ...ha, image: "hashicorp/vault" },
      ['vault.image: "hashicorp/vault": write the image with its tag, and without https://, as hashicorp/vault:2.0.4'],
    ],
    [
      "a CA that is no PEM",
      { ...ha, certManager: { issuer: "site", ca: "MIIB" } },
      [`vault.certManager.ca: "MIIB": ${fixes.pem}`],
    ],
    ["an outside Vault's CA that is no PEM", { ...external, ca: "ca.crt" }, [`vault.ca: "ca.crt": ${fixes.pem}`]],
    ["a privileged port", { ...standalone, localPort: 443 }, [`vault.localPort: 443: ${fixes.port}`]],
    [
      "storage of an outside Vault",
      { ...external, storage: { size: "1Gi" } },
      [`vault.storage: ${of("standalone or ha", "external")}`],
    ],
    ["several of one server", { ...standalone, replicas: 3 }, [`vault.replicas: ${of("ha", "standalone")}`]],
    [
      "a login for a Vault of the stack's own",
      { ...ha, login: { method: "kubernetes" } },
      [`vault.login: ${of("external", "ha")}`],
    ],
    [
      "a namespace of Enterprise's",
      { ...ha, vaultNamespace: "admin" },
      [`vault.vaultNamespace: ${of("external", "ha")}`],
    ],
    ["an address", { ...ha, address: "https://vault" }, [`vault.address: ${of("external", "ha")}`]],
    ["a mode that there is not", { mode: "cluster" }, [`vault.mode: "cluster": ${fixes.mode}`]],
    ["no mode", {}, [`vault.mode: is missing: ${fixes.mode}`]],
    [
      "several at once",
      { ...ha, replicas: 1, antiAffinity: true, storage: { size: "big" } },
      [
        `vault.storage.size: "big": ${fixes.size}`,
        `vault.replicas: 1: ${fixes.replicas}`,
        `vault.antiAffinity: true: ${fixes.antiAffinity}`,
      ],
    ],
  ])("is refused: %s", (_, vault, problems) => {
    expect(problemsOf(vault)).toEqual(problems);
  });

  test("is refused: a seal of a type that there is not", () => {
    const [problem, ...others] = problemsOf({ ...ha, seal: { type: "pkcs11" } });
    expect(problem).toMatch(/^vault\.seal\.type: /);
    expect(problem).toContain(`: ${fixes.seal}`);
    expect(others).toEqual([]);
  });

  // discriminatorOf() knows `mode` and `method` alone, and so prints the whole seal, with what is in it.
  test("is named alone: a seal's type, as a mode is", () => {
    const seal = { type: "pkcs11", pin: "hunter2" };
    expect(problemsOf({ ...ha, seal })).toEqual([`vault.seal.type: "pkcs11": ${fixes.seal}`]);
  });

  test("is missing: a seal's type, as a mode is", () => {
    expect(problemsOf({ ...ha, seal: {} })).toEqual([`vault.seal.type: is missing: ${fixes.seal}`]);
  });

  test("is refused: storage in dev mode", () => {
    const vault = { ...dev, storage: { size: "1Gi" } };
    expect(problemsOf(vault, { development: true })).toEqual([`vault.storage: ${of("standalone or ha", "dev")}`]);
  });

  test("is refused: dev mode outside development", () => {
    expect(problemsOf(dev)).toEqual([
      'vault.mode: "dev": keeps secrets in memory and is for development: set development: true, or use mode: external',
    ]);
  });
});

test.each([standalone, ha])("mode $mode may be used for development too", (vault) => {
  expect(check(vault, { development: true }).vault.mode).toBe(vault.mode);
});

test("the token of the seal's Vault is no key of the config that the schema sees", () => {
  expect(secretKeys).toContain("sealToken");
});

describe("whether the stack has storage to look after", () => {
  test.each<[vault: object, stored: boolean]>([
    [standalone, true],
    [ha, true],
    [external, false],
  ])("%j: %s", (vault, stored) => {
    expect(isStored(check(vault).vault)).toBe(stored);
  });

  test("not in dev mode", () => {
    expect(isStored(check(dev, { development: true }).vault)).toBe(false);
  });
});

describe("whether the stack makes the KV mount", () => {
  const mount = (owned?: boolean): object => (owned === undefined ? {} : { kvMount: { owned } });

  test.each([standalone, ha])("it does by default in mode $mode, where there is none by itself", (vault) => {
    expect(ownsKvMount(check(vault))).toBe(true);
    expect(ownsKvMount(check({ ...vault, ...mount(false) }))).toBe(false);
  });

  test("it does not by default in a Vault that is there already", () => {
    expect(ownsKvMount(check(external))).toBe(false);
    expect(ownsKvMount(check({ ...external, ...mount(true) }))).toBe(true);
  });

  test("it does not by default in dev mode, which has one", () => {
    expect(ownsKvMount(check(dev, { development: true }))).toBe(false);
  });
});

test("a Vault of the stack's own without an audit log is warned of, but in development", () => {
  const none = { ...ha, audit: { enabled: false } };
  expect(storeWarnings(check(ha))).toEqual([]);
  expect(storeWarnings(check(none))).toEqual([
    "vault.audit.enabled: false: nobody can say who read a secret, or wrote it",
  ]);
  expect(storeWarnings(check(none, { development: true }))).toEqual([]);
});

describe("the Vault as the component takes it", () => {
  const newLog = {
    place: { size: new WrittenSize("10Gi"), storageClass: undefined },
    rotateAt: Size.mebibytes(100),
    keep: 20,
  };

  test("in dev mode", () => {
    expect(vaultServer(check(dev, { development: true }))).toEqual({ mode: "dev" });
  });

  test("that is there already", () => {
    expect(vaultServer(check(external))).toBeUndefined();
  });

  test("of one server", () => {
    expect(vaultServer(check({ ...standalone, release: "store", storage: { storageClass: "fast" } }))).toEqual({
      mode: "standalone",
      storage: { size: new WrittenSize("10Gi"), storageClass: "fast", retain: true },
      seal: undefined,
      tls: { secretName: "store-tls", caConfigMapName: "store-ca" },
      auditLog: newLog,
      tlsMinVersion: "1.2",
    });
  });

  test("of several servers, with a seal", () => {
    expect(vaultServer(check({ ...ha, replicas: 5, antiAffinity: "preferred", seal: awskms }))).toEqual({
      mode: "ha",
      storage: { size: new WrittenSize("10Gi"), retain: true },
      seal: awskms,
      tls: { secretName: "vault-tls", caConfigMapName: "vault-ca" },
      auditLog: newLog,
      tlsMinVersion: "1.2",
      replicas: 5,
      antiAffinity: "preferred",
    });
  });

  test.each([
    ["10Gi", { rotateAt: Size.mebibytes(100), keep: 8 }],
    ["1Gi", { rotateAt: Size.mebibytes(34), keep: 1 }],
    ["1Mi", { rotateAt: Size.mebibytes(1), keep: 1 }],
    ["1Ti", { rotateAt: Size.mebibytes(100), keep: 20 }],
  ])("whose servers were made without a volume for the audit log, of %s, a tenth of which it takes", (size, log) => {
    const { auditLog } = vaultServer(check({ ...ha, storage: { size } }), false) as { auditLog: object };
    expect(auditLog).toEqual({ place: "storage", ...log });
  });

  test.each(["10Gi", "500M", "1.5Gi", "4e9"])("of %s: the volume's claim has the size as it is written", (size) => {
    const server = vaultServer(check({ ...standalone, storage: { size } })) as StandaloneServer;
    const release = { releaseName: "vault", namespace: "vault", image: "hashicorp/vault:2.0.4" };
    expect(storedServerValues(server, release)).toMatchObject({ dataStorage: { size } });
  });

  test("without an audit log where the config wants none", () => {
    expect(vaultServer(check({ ...ha, audit: { enabled: false } }))).toMatchObject({ auditLog: undefined });
  });

  test("with a transit seal, whose token lies in the stack's Secret", () => {
    expect(vaultServer(check({ ...standalone, release: "store", seal: transit }))).toMatchObject({
      seal: { ...transit, tokenSecretName: "store-seal-token", trustsOwnCa: false },
    });
    expect(vaultServer(check({ ...standalone, seal: { ...transit, ca: certificatePem } }))).toMatchObject({
      seal: { ...transit, tokenSecretName: "vault-seal-token", trustsOwnCa: true },
    });
    expect(sealTokenSecretName("store")).toBe("store-seal-token");
  });
});

describe("the CA that the config names", () => {
  test.each<[what: string, vault: object, ca: string | undefined]>([
    ["that of an outside Vault", { ...external, ca: certificatePem }, certificatePem],
    ["none for an outside Vault that everybody trusts", external, undefined],
    ["that of cert-manager's issuer", { ...ha, certManager: { issuer: "site", ca: certificatePem } }, certificatePem],
    ["none for a CA of the stack's own, which is made at the first run", ha, undefined],
  ])("%s", (_, vault, ca) => {
    expect(configuredCa(check(vault))).toBe(ca);
  });

  test("none in dev mode", () => {
    expect(configuredCa(check(dev, { development: true }))).toBeUndefined();
  });
});

describe("how operators log in", () => {
  const withOperators = (operators: object): Config => ({ ...standalone, operators });

  test("is by OIDC, users with passwords or an AppRole, where the config says so", () => {
    const oidc = { method: "oidc", discoveryUrl: "https://id.example.com", clientId: "vault", groups: ["on-call"] };
    expect(check(withOperators(oidc)).vault).toMatchObject({
      operators: { ...oidc, mount: "aidbox-operators", ttl: "8h", userClaim: "sub", groupsClaim: "groups" },
    });
    const users = { method: "userpass", users: ["alice", "bob"], mount: "people" };
    expect(check(withOperators(users)).vault).toMatchObject({ operators: { ...users, ttl: "8h" } });
    expect(check(withOperators({ method: "approle", ttl: "1h" })).vault).toMatchObject({
      operators: { method: "approle", mount: "aidbox-operators", ttl: "1h" },
    });
  });

  test.each<[what: string, operators: object, problem: string]>([
    [
      "an unknown method",
      { method: "ldap" },
      'vault.operators.method: "ldap": write method: token, userpass, approle or oidc',
    ],
    ["no users", { method: "userpass", users: [] }, "vault.operators.users: []: name at least one user"],
    [
      "no groups",
      { method: "oidc", discoveryUrl: "https://id", clientId: "x", groups: [] },
      "vault.operators.groups: []: name at least one group",
    ],
    [
      "the pods' mount",
      { method: "approle", mount: "kubernetes" },
      'vault.operators.mount: "kubernetes": is where the pods log in: write another path',
    ],
    [
      "a mount below the pods'",
      { method: "approle", mount: "kubernetes/people" },
      'vault.operators.mount: "kubernetes/people": is where the pods log in: write another path',
    ],
  ])("is refused: %s", (_, operators, problem) => {
    expect(problemsOf(withOperators(operators))).toEqual([problem]);
  });
});
