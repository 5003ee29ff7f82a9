import { execFile, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { showImages } from "../../../infra/cli/images";
import { ConfigError } from "../../../infra/config/config-error";
import type { VaultEnvironment } from "../../../infra/config/environment";
import { readEnvironment } from "../../../infra/config/environment-file";
import { helmTemplate } from "../../../infra/images/helm-template";
import { listImages, type PlannedRelease } from "../../../infra/images/list-images";
import { type Plan, type PlannedResource, recordPlan } from "../../../infra/plan/record";
import { promiseOf } from "../../mocks";
import { OciRegistry, packageChart } from "../../oci-registry";
import { publicKeyPem } from "../../pems";
import { checkVaultEnvironment, ofVault } from "../vault-environment";

const fixtures = resolve(__dirname, "../../environments");
const clientSecret = { name: "client-secret", path: "aidbox/client", source: "seeded" };
const external = {
  kubeContext: "production",
  secrets: [{ name: "license", path: "aidbox/license", environment: "BOX_LICENSE" }, clientSecret],
  namespaces: { aidbox: "health", vault: "vault-csi" },
  rotationBound: "5m",
  vault: {
    mode: "external",
    address: "https://vault.example:8200",
    vaultNamespace: "admin",
    kvMount: { path: "teams", owned: true },
    login: { method: "jwt", mount: "cluster-one", keys: { publicKeys: [publicKeyPem] } },
  },
  aidbox: { image: "healthsamurai/aidboxone:2605", name: "fhir" },
};

let environment: VaultEnvironment;
let plan: Plan;
let asked: string[];
let chartsDir: string | undefined;
beforeAll(() => {
  chartsDir = process.env.CHARTS_DIR;
  delete process.env.CHARTS_DIR;
});
afterAll(() => {
  if (chartsDir !== undefined) process.env.CHARTS_DIR = chartsDir;
});

/** Plans an environment, noting what reaches for something outside this process. */
async function make(planned: VaultEnvironment): Promise<void> {
  asked = [];
  const spies = [
    jest.spyOn(globalThis, "fetch").mockImplementation((input) => {
      asked.push(JSON.stringify(input));
      return Promise.reject(new Error("A plan asks nobody"));
    }),
    jest.spyOn(Socket.prototype, "connect").mockImplementation((...args: unknown[]) => {
      asked.push(JSON.stringify(args));
      throw new Error("A plan asks nobody");
    }),
  ];
  environment = planned;
  plan = await recordPlan(planned);
  for (const spy of spies) spy.mockRestore();
}

function one(type: string, name?: string): PlannedResource {
  const found = plan.resources.filter((each) => each.type === type && (name === undefined || each.name === name));
  if (found.length !== 1) throw new Error(`There are ${found.length} of ${type} ${name ?? ""}`);
  return found[0]!;
}

/** Aidbox' Deployment, beside which there may be the Republisher's. */
function aidbox(): PlannedResource {
  return one(deployment, "aidbox/aidbox/deployment/Resource");
}

/** Names of what a resource waits for. */
function dependenciesOf({ dependencies }: PlannedResource): string[] {
  return dependencies.map((urn) => plan.resources.find((each) => each.urn === urn)!.name);
}

const release = "kubernetes:helm.sh/v3:Release";
const deployment = "kubernetes:apps/v1:Deployment";
const republisher = "aidbox/republisher/deployment/Resource";
const providerClass = "kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass";

/** What holds for the plan of any environment. */
function describeEveryPlan(): void {
  test("asks nothing outside this process", () => {
    expect(asked).toEqual([]);
  });

  test("has a URN of its own for each resource, and no other as parent or dependency", () => {
    const urns = plan.resources.map(({ urn }) => urn);
    expect(new Set(urns).size).toBe(urns.length);
    for (const { parent, dependencies } of plan.resources) {
      expect(urns).toEqual(expect.arrayContaining([...dependencies, ...(parent === undefined ? [] : [parent])]));
    }
  });

  test("has URNs of the engine's form, which names the types of all parents but the stack", () => {
    for (const { urn, type, name, parent } of plan.resources) {
      const parentTypes = parent === undefined ? "" : `${parent.split("::")[2]!}$`;
      expect(urn).toBe(`urn:pulumi:${environment.name}::aidbox-secrets::${parentTypes}${type}::${name}`);
      expect(urn).not.toContain("pulumi:pulumi:Stack$");
    }
  });

  test("has every dependency before what depends on it", () => {
    const urns = plan.resources.map(({ urn }) => urn);
    for (const { urn, dependencies } of plan.resources) {
      for (const each of dependencies) expect(urns.indexOf(each)).toBeLessThan(urns.indexOf(urn));
    }
  });

  test("comes out the same again", async () => {
    const again = await recordPlan(environment);
    const told = ({ resources }: Plan): unknown[] =>
      resources.map(({ urn, parent, dependencies }) => ({ urn, parent, dependencies }));
    expect(told(again)).toEqual(told(plan));
  });
}

describe("the plan of the environment dev", () => {
  beforeAll(() => make(ofVault(readEnvironment(fixtures, "dev").environment)));

  describeEveryPlan();

  test("is made of exactly these resources", () => {
    expect(plan.resources.map(({ urn }) => urn).sort()).toMatchSnapshot();
  });

  test.each([
    "urn:pulumi:dev::aidbox-secrets::pulumi:pulumi:Stack::aidbox-secrets-dev",
    "urn:pulumi:dev::aidbox-secrets::aidbox-secrets:platform:Vault::vault",
    "urn:pulumi:dev::aidbox-secrets::aidbox-secrets:platform:Vault$kubernetes:helm.sh/v3:Release::vault",
    "urn:pulumi:dev::aidbox-secrets::aidbox-secrets:vault:VaultAccess$vault:generic/endpoint:Endpoint::vault-access/aidbox/client",
    "urn:pulumi:dev::aidbox-secrets::pulumi:providers:vault::vault",
  ])("has %s", (urn) => {
    expect(plan.resources.map((each) => each.urn)).toContain(urn);
  });

  test("has components as parents, themselves at the top", () => {
    const vault = one("aidbox-secrets:platform:Vault");
    expect(vault.parent).toBeUndefined();
    expect(one(release, "vault").parent).toBe(vault.urn);
    expect(one(release, "csi-driver").parent).toBe(one("aidbox-secrets:platform:CsiDriver").urn);
    expect(one("vault:index/policy:Policy").parent).toBe(one("aidbox-secrets:vault:VaultAccess").urn);
    expect(one("pulumi:providers:vault").parent).toBeUndefined();
  });

  test("has Aidbox wait for all that it needs", () => {
    expect(dependenciesOf(aidbox())).toEqual(
      expect.arrayContaining([
        "aidbox/service-account/Resource",
        "aidbox/secret-provider-class/class",
        "aidbox/vault-config/config/Resource",
        "vault-access-policy",
        "vault-access-auth",
        "vault-access-auth-config",
        "vault-access-role",
        "vault-access/aidbox/client",
        "csi-driver",
        "vault",
      ]),
    );
  });

  test("has the rest wait for what it needs, and no more", () => {
    expect(one(release, "csi-driver").dependencies).toEqual([]);
    expect(dependenciesOf(one(release, "vault"))).toEqual(["vault-dev-root-token"]);
    expect(dependenciesOf(one(providerClass))).toEqual(["csi-driver"]);
    expect(dependenciesOf(one("aidbox-secrets:platform:Vault"))).toEqual([
      "namespaces/vault/namespace/Resource",
      "namespaces/csi-provider/namespace/Resource",
      "namespaces/aidbox/namespace/Resource",
      "guards/vault/servers",
      "guards/vault/provider",
      "guards/csi-provider-tokens/policy",
      "guards/csi-provider-tokens/binding",
    ]);
    expect(dependenciesOf(one("vault:kubernetes/authBackendRole:AuthBackendRole"))).toEqual(
      expect.arrayContaining(["vault-access-auth", "vault-access-policy"]),
    );
    expect(dependenciesOf(one("pulumi:providers:vault"))).toContain("vault");
    expect(dependenciesOf(one("vault:index/policy:Policy"))).toContain("vault");
  });

  test("has the Republisher wait for its rights alone, and Aidbox not for it", () => {
    expect([...new Set(dependenciesOf(one(deployment, republisher)))].sort()).toEqual([
      "aidbox/republisher/admission-policy",
      "aidbox/republisher/admission-policy-binding",
      "aidbox/republisher/network-guard",
      "aidbox/republisher/role",
      "aidbox/republisher/role-binding",
      "aidbox/republisher/service-account/Resource",
    ]);
    expect(dependenciesOf(aidbox()).filter((name) => name.includes("republisher"))).toEqual([]);
  });

  test("repairs nothing, since an empty cluster has lost nothing", () => {
    for (const { type, inputs } of plan.resources) {
      if (type === release) expect(inputs).not.toHaveProperty("description");
    }
  });

  test("has each resource's own inputs, also where types are the same", () => {
    const namespace = (name: string): unknown =>
      one("kubernetes:core/v1:Namespace", `namespaces/${name}/namespace/Resource`).inputs;
    const level = (enforce: string): object => ({ "pod-security.kubernetes.io/enforce": enforce });
    expect(namespace("vault")).toMatchObject({ metadata: { name: "vault", labels: level("restricted") } });
    expect(namespace("csi-provider")).toMatchObject({
      metadata: { name: "vault-csi-provider", labels: level("privileged") },
    });
    expect(namespace("aidbox")).toMatchObject({ metadata: { name: "aidbox", labels: level("restricted") } });
    expect(one(release, "vault").inputs).toMatchObject({ chart: "vault", namespace: "vault" });
    expect(one(release, "csi-driver").inputs).toMatchObject({
      chart: "secrets-store-csi-driver",
      namespace: "kube-system",
    });
    expect(one("kubernetes:core/v1:ConfigMap", "vault-mark").inputs).toMatchObject({
      metadata: { name: "vault-in-pulumi-state" },
    });
    expect(one("pulumi:providers:kubernetes").inputs).toMatchObject({ context: "kind-aidbox" });
  });

  test("has the outputs that up ends with", async () => {
    const { vaultUrl, ...outputs } = plan.outputs;
    expect(outputs).toMatchObject({
      aidboxUrl: "http://aidbox.aidbox:8080",
      secretFiles: { "client-secret": "/run/vault-secrets/client-secret" },
      rotationBound: "30s",
    });
    expect(await promiseOf(vaultUrl)).toBe("http://vault.vault:8200");
  });
});

describe("the plan of an environment with a Vault of its own", () => {
  beforeAll(() => make(checkVaultEnvironment("production", external)));

  describeEveryPlan();

  test("has that Vault's settings", async () => {
    expect(plan.resources.map(({ type }) => type)).not.toContain("kubernetes:core/v1:Secret");
    expect(one(release, "vault-csi-provider").inputs).toMatchObject({
      namespace: "vault-csi-provider",
      values: { server: { enabled: false }, global: { externalVaultAddr: "https://vault.example:8200" } },
    });
    expect(one("vault:index/mount:Mount").inputs).toMatchObject({ path: "teams" });
    expect(one("vault:jwt/authBackendRole:AuthBackendRole").inputs).toMatchObject({
      boundSubject: "system:serviceaccount:health:fhir",
    });
    expect(one("pulumi:providers:vault").inputs).toMatchObject({ namespace: "admin" });
    expect(await promiseOf(plan.outputs.vaultUrl)).toBe("https://vault.example:8200");
  });

  test("has no Republisher, since kubelet keeps its bound", () => {
    expect(plan.outputs.rotationBound).toBe("300s");
    expect(plan.resources.filter(({ name }) => name.includes("republisher"))).toEqual([]);
  });

  test("has a seeded secret wait for the mount that the stack makes", () => {
    expect(dependenciesOf(one("vault:generic/endpoint:Endpoint"))).toContain("vault-access-kv");
    expect(dependenciesOf(aidbox())).toContain("vault-access-kv");
  });
});

describe("the plan of an environment with tenants", () => {
  const tenants = [
    { name: "north", secrets: [{ ...clientSecret, path: "north/client" }] },
    {
      name: "south",
      namespace: "southern",
      secrets: [{ name: "license", path: "south/license", environment: "BOX_LICENSE" }],
      aidbox: { name: "box" },
    },
  ];
  beforeAll(() =>
    make(
      checkVaultEnvironment("clinics", {
        development: true,
        kubeContext: "kind-aidbox",
        secrets: [clientSecret],
        vault: { mode: "dev" },
        aidbox: external.aidbox,
        tenants,
      }),
    ),
  );

  describeEveryPlan();

  test("has one Vault with one auth mount, and what each Aidbox has there and in the cluster", () => {
    const namesOf = (type: string): string[] =>
      plan.resources
        .filter((each) => each.type === type)
        .map(({ name }) => name)
        .sort();
    expect(namesOf("pulumi:providers:vault")).toEqual(["vault"]);
    expect(namesOf("vault:index/authBackend:AuthBackend")).toEqual(["vault-access-auth"]);
    expect(namesOf("aidbox-secrets:vault:VaultAccess")).toEqual([
      "vault-access",
      "vault-access-north",
      "vault-access-south",
    ]);
    expect(namesOf("cdk8s-pulumi:index:DeployedChart")).toEqual([
      "aidbox",
      "aidbox-north",
      "aidbox-south",
      "guards",
      "namespaces",
    ]);
    expect(namesOf("kubernetes:core/v1:Namespace")).toEqual([
      "namespaces/aidbox/namespace/Resource",
      "namespaces/csi-provider/namespace/Resource",
      "namespaces/tenant-north/namespace/Resource",
      "namespaces/tenant-south/namespace/Resource",
      "namespaces/vault/namespace/Resource",
    ]);
  });

  test("has each tenant's Aidbox wait for its own secrets, for the driver and Vault, and for no other tenant", () => {
    const waited = dependenciesOf(one(deployment, "aidbox-north/aidbox/deployment/Resource"));
    expect(waited).toEqual(
      expect.arrayContaining([
        "aidbox-north/service-account/Resource",
        "aidbox-north/secret-provider-class/class",
        "vault-access-north-role",
        "vault-access-north/north/client",
        "csi-driver",
        "vault",
      ]),
    );
    expect(waited.filter((name) => name.includes("south"))).toEqual([]);
    expect(dependenciesOf(aidbox()).filter((name) => /north|south/.test(name))).toEqual([]);
  });

  test("has what tenants have in Vault wait for the first Aidbox's, with its auth mount", () => {
    for (const name of ["north", "south"]) {
      expect(dependenciesOf(one("aidbox-secrets:vault:VaultAccess", `vault-access-${name}`))).toEqual(
        expect.arrayContaining(["vault-access-auth", "vault-access-auth-config"]),
      );
    }
  });

  test("has the outputs of each tenant", () => {
    expect(plan.outputs.tenants).toEqual({
      north: {
        aidboxUrl: "http://fhir.aidbox-north:8080",
        secretFiles: { "client-secret": "/run/vault-secrets/client-secret" },
        readablePaths: ["secret/data/north/client"],
      },
      south: {
        aidboxUrl: "http://box.southern:8080",
        secretFiles: { license: "/run/vault-secrets/license" },
        readablePaths: ["secret/data/south/license"],
      },
    });
  });
});

test("a plan without a driver and a CSI provider of its own has neither", async () => {
  await make(
    checkVaultEnvironment("shared", {
      ...external,
      csiDriver: { install: false },
      vault: { ...external.vault, csiProvider: false },
    }),
  );
  expect(plan.resources.map(({ name }) => name)).not.toContain("csi-driver");
  expect(plan.resources.filter(({ type }) => type === release)).toEqual([]);
  expect(asked).toEqual([]);
});

describe("the list of images", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  /** What a chart could render: the image where its values have it come from. */
  const render = ({ name, values }: PlannedRelease): Promise<string> => {
    const { linux, csi } = values as {
      linux?: { image?: { repository?: string } };
      csi?: { image?: { repository: string } };
    };
    const repository = linux?.image?.repository ?? csi?.image?.repository ?? `registry.example.org/${name}`;
    const pod = (image: string): object => ({ spec: { template: { spec: { initContainers: [{ image }] } } } });
    const crd = { kind: "CustomResourceDefinition", spec: { image: "no container's" } };
    return Promise.resolve(
      [pod(`${repository}:1`), pod(`${repository}:1`), crd].map((each) => JSON.stringify(each)).join("\n---\n"),
    );
  };

  test("has those of the stack's own objects and of its charts as they are rendered, each once", async () => {
    const images = await listImages(checkVaultEnvironment("prod", external), render);
    expect(images).toEqual([
      {
        image: "healthsamurai/aidboxone:2605",
        source: "healthsamurai/aidboxone:2605",
        usedBy: ["Deployment health/fhir"],
      },
      {
        image: "registry.example.org/csi:1",
        source: "registry.example.org/csi:1",
        usedBy: ["Helm release kube-system/csi"],
      },
      {
        image: "registry.example.org/vault-node:1",
        source: "registry.example.org/vault-node:1",
        usedBy: ["Helm release vault-csi-provider/vault-node"],
      },
    ]);
  });

  test("has a digest where the config pins one, and never another", async () => {
    const aidbox = { image: `healthsamurai/aidboxone@${digest}` };
    const images = await listImages(checkVaultEnvironment("prod", { ...external, aidbox }), render);
    expect(images.map((each) => [each.image, each.digest])).toContainEqual([aidbox.image, digest]);
    expect(images.filter((each) => each.digest !== undefined)).toHaveLength(1);
  });

  test("needs Helm, and says so", async () => {
    const { PATH } = process.env;
    process.env.PATH = "/nowhere";
    const failed = showImages(checkVaultEnvironment("prod", external), true);
    await expect(failed).rejects.toMatchObject({
      message: "helm is not on PATH: it renders the charts, whose images this lists.",
      exitCode: 4,
    });
    process.env.PATH = PATH;
  });

  test("of a chart that Helm cannot render is what Helm says", async () => {
    const failed = showImages(checkVaultEnvironment("prod", external), true, () =>
      Promise.reject(new Error("no chart")),
    );
    await expect(failed).rejects.toMatchObject({ message: "no chart", exitCode: 1 });
  });

  describe("says what Helm says", () => {
    const { PATH } = process.env;
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), "helm-"));
      process.env.PATH = `${folder}:${PATH}`;
    });
    afterEach(() => {
      process.env.PATH = PATH;
      rmSync(folder, { recursive: true });
    });

    const wayOut =
      "\nWithout a way to the repositories, set CHARTS_DIR to a folder with the charts: docs/commands.md#without-a-network";
    test.each([
      [
        "of a repository that is not reached, with the way to do without",
        'looks like "https://a" is not a valid chart repository or cannot be reached: Get "https://a/index.yaml": EOF',
        wayOut,
      ],
      [
        "of a registry that is not found, with the same",
        'Get "https://a/v2/": dial tcp: lookup a: no such host',
        wayOut,
      ],
      ["of a chart that fails, and no more", "execution error at (vault/templates/x.yaml:1:3): set a value", ""],
    ])("%s", async (_, said, way) => {
      writeFileSync(join(folder, "helm"), `#!/bin/sh\ncat <<'END' >&2\nError: ${said}\nEND\nexit 1\n`, { mode: 0o755 });
      const release = { name: "csi", namespace: "kube-system", chart: "csi", values: {} };
      await expect(helmTemplate(release)).rejects.toThrow(
        new Error(`The chart of kube-system/csi cannot be rendered: Error: ${said}${way}`),
      );
    });
  });

  test("tells of a mirror's images what they are copies of", async () => {
    const mirrored = { ...external, images: { registry: "mirror.example.com/all" } };
    const images = await listImages(checkVaultEnvironment("prod", mirrored), render);
    expect(images.map(({ image, source }) => [image, source])).toContainEqual([
      "mirror.example.com/all/healthsamurai/aidboxone:2605",
      "healthsamurai/aidboxone:2605",
    ]);
    expect(images.map(({ image, source }) => [image, source])).toContainEqual([
      "mirror.example.com/all/hashicorp/vault-csi-provider:1",
      "registry.example.org/vault-node:1",
    ]);
  });
});

const hasHelm = spawnSync("helm", ["version"]).status === 0;

(hasHelm ? describe : describe.skip)(
  "charts in a registry that asks for a login (skipped where there is no helm)",
  () => {
    const password = "of the registry: hunter2";
    const { env } = process;
    let folder: string;
    let registry: OciRegistry;
    let planned: VaultEnvironment;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "charts-"));
      const charts = ["secrets-store-csi-driver", "vault"].map((name) => packageChart(littleChart(folder, name)));
      registry = await OciRegistry.start({ user: "reader", password }, charts);
      const chart = { repository: `oci://${registry.host}/charts`, version: "1.2.3" };
      planned = checkVaultEnvironment("prod", {
        ...external,
        csiDriver: { chart },
        vault: { ...external.vault, chart },
      });
      writeFileSync(join(folder, "ca.pem"), registry.ca);
      // Helm itself, that writes down what it is called with.
      const real = spawnSync("which", ["helm"], { encoding: "utf8" }).stdout.trim();
      writeFileSync(join(folder, "helm"), `#!/bin/sh\necho "$@" >> ${folder}/calls\nexec ${real} "$@"\n`, {
        mode: 0o755,
      });
      process.env = {
        ...env,
        PATH: `${folder}:${env.PATH!}`,
        SSL_CERT_FILE: join(folder, "ca.pem"),
        HELM_REGISTRY_CONFIG: join(folder, "logins.json"),
        DOCKER_CONFIG: folder,
      };
    });
    afterAll(async () => {
      process.env = env;
      await registry.stop();
      rmSync(folder, { recursive: true });
    });

    test("without it are refused with the command that logs in, and Helm is not asked", async () => {
      const problem = `"oci://${registry.host}/charts": this registry asks for a login, and Helm has none for it`;
      const login = `helm registry login ${registry.host} --username USER --password-stdin`;
      await expect(showImages(planned, true)).rejects.toEqual(
        new ConfigError("prod", [
          { key: "csiDriver.chart.repository", message: `${problem}: ${login}` },
          { key: "vault.chart.repository", message: `${problem}: ${login}` },
        ]),
      );
      expect(registry.asked).toEqual(["/v2/: 401", "/v2/: 401"]);
      expect(existsSync(join(folder, "calls"))).toBe(false);
    });

    test("with it are pulled and rendered, and the password is said nowhere", async () => {
      const login = ["registry", "login", registry.host, "--username", "reader", "--password-stdin"];
      const helm = execFile("helm", login);
      helm.stdin!.end(password);
      expect(await once(helm, "close")).toEqual([0, null]);
      const said: string[] = [];
      const listen = (text: unknown): void => void said.push(String(text));
      const spies = [jest.spyOn(console, "log"), jest.spyOn(console, "error")].map((spy) =>
        spy.mockImplementation(listen),
      );
      await showImages(planned, true);
      for (const spy of spies) spy.mockRestore();
      const { images } = JSON.parse(said.join("")) as { images: { image: string; usedBy: string[] }[] };
      expect(images).toContainEqual({
        image: "registry.example.com/vault:1",
        source: "registry.example.com/vault:1",
        usedBy: ["Helm release vault-csi-provider/vault-node"],
      });
      expect(registry.asked).toContain("/v2/charts/vault/manifests/1.2.3: 200");
      await make(planned);
      expect(one(release, "csi-driver").inputs.chart).toBe(`oci://${registry.host}/charts/secrets-store-csi-driver`);
      const told = [said.join(""), readFileSync(join(folder, "calls"), "utf8"), JSON.stringify(plan)].join("");
      for (const secret of [password, Buffer.from(`reader:${password}`).toString("base64")]) {
        expect(told).not.toContain(secret);
      }
    });
  },
);

/** Writes a chart of one pod; its folder. */
function littleChart(folder: string, name: string): string {
  const chart = join(folder, "sources", name);
  mkdirSync(join(chart, "templates"), { recursive: true });
  writeFileSync(join(chart, "Chart.yaml"), `apiVersion: v2\nname: ${name}\nversion: 1.2.3\n`);
  const pod = { apiVersion: "v1", kind: "Pod", spec: { containers: [{ image: `registry.example.com/${name}:1` }] } };
  writeFileSync(join(chart, "templates/pod.yaml"), JSON.stringify(pod));
  return chart;
}

test("the release of an external Vault's servers keeps all that it was installed with, but for the CSI provider", async () => {
  const vault = { ...external.vault, serversRelease: { name: "store", namespace: "safe" } };
  await make(checkVaultEnvironment("prod", { ...external, vault }));
  const { inputs, dependencies } = one("kubernetes:helm.sh/v3:Release", "vault-servers");
  expect(inputs).toMatchObject({
    name: "store",
    namespace: "safe",
    reuseValues: true,
    values: { csi: { enabled: false } },
  });
  // Its own provider goes where the stack's is there to take its place.
  expect(dependencies).toContain(one("kubernetes:helm.sh/v3:Release", "vault-csi-provider").urn);
});
