import { randomBytes } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parse, parseAllDocuments, stringify } from "yaml";
import { findPulumi } from "../../infra/cli/pulumi-cli";
import { PublishedPackages } from "../published-packages";
import {
  answersTo,
  currentContext,
  expectNothingLeft,
  expectSuccess,
  expectUnchanged,
  kubectl,
  listEverything,
  type Ran,
  root,
  run,
  story,
  succeed,
  vaultCommand,
  waitUntil,
} from "./harness";
import { hasLanguageHost, languageHostsEnv } from "./language-hosts";
import { OutsidePostgres } from "./outside-postgres";
import { ReadyCluster } from "./ready-cluster";
import { signingKeys } from "./second-vault";

// Each example as a stranger runs it: from the packed tarballs, as it is, told by its config and by variables what differs here.

const { KEYCLOAK_IMAGE } = process.env;

/** An image of this cluster that serves HTTP at 8080 and has a shell. */
const webImage = "healthsamurai/aidboxone:2605";

interface KubernetesObject {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    /** None, of what is cluster-wide. */
    readonly namespace: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** A file of a pod, and where its value lies. */
interface MountedSecret {
  readonly namespace: string;
  readonly deployment: string;
  readonly file: string;
  readonly path: string;
  readonly key: string;
}

describe("the examples", () => {
  const folder = mkdtempSync(join(tmpdir(), "examples-e2e-"));
  const postgres = new OutsidePostgres();
  const keycloakPassword = randomValue();
  let stranger: string;
  let cluster: ReadyCluster;
  let context: string;

  const pulumiEnv = {
    PULUMI_BACKEND_URL: pathToFileURL(folder).href,
    PULUMI_CONFIG_PASSPHRASE: "for this test only",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    ...languageHostsEnv,
  };

  function pulumi(place: string, args: readonly string[], input = ""): Promise<Ran> {
    const { file, args: first } = findPulumi();
    return run(file, [...first, ...args], { cwd: place, env: pulumiEnv, input });
  }

  /** A Pulumi project of the stranger's, and its one stack. */
  class Project {
    private constructor(private readonly place: string) {}

    /** One whose program is an example. */
    public static async ofProgram(name: string): Promise<Project> {
      const place = join(stranger, name);
      mkdirSync(place);
      copyFileSync(join(root, "examples/programs", `${name}.ts`), join(place, "index.ts"));
      copyFileSync(join(root, "examples/template/tsconfig.json"), join(place, "tsconfig.json"));
      writeFileSync(join(place, "package.json"), JSON.stringify({ name, main: "index.ts" }));
      writeFileSync(join(place, "Pulumi.yaml"), stringify({ name, runtime: "nodejs" }));
      return new Project(place).initialised();
    }

    /** One that is a folder already. */
    public static async at(name: string): Promise<Project> {
      return new Project(join(stranger, name)).initialised();
    }

    public run(...args: string[]): Promise<Ran> {
      return this.runWith("", ...args);
    }

    public async configure(values: Readonly<Record<string, string>>, secret: readonly string[] = []): Promise<void> {
      for (const [key, value] of Object.entries(values)) {
        const kind = secret.includes(key) ? ["--secret"] : [];
        expectSuccess(await this.runWith(value, "config", "set", key, ...kind, "--stack", "dev"));
      }
    }

    public up(): Promise<Ran> {
      return this.run("up", "--yes", "--skip-preview", "--stack", "dev");
    }

    public async outputs(): Promise<Record<string, unknown>> {
      const shown = await this.run("stack", "output", "--json", "--stack", "dev");
      expectSuccess(shown);
      return JSON.parse(shown.stdout) as Record<string, unknown>;
    }

    public async destroy(): Promise<void> {
      expectSuccess(await this.run("destroy", "--yes", "--skip-preview", "--stack", "dev"));
    }

    private async initialised(): Promise<Project> {
      expectSuccess(await this.run("stack", "init", "dev"));
      return this;
    }

    private runWith(input: string, ...args: string[]): Promise<Ran> {
      return pulumi(this.place, args, input);
    }
  }

  /** Runs a program that writes YAML; the objects. */
  async function synthesized(program: string, env: NodeJS.ProcessEnv): Promise<KubernetesObject[]> {
    const outdir = join(folder, "dist", program);
    const args = ["--import", "tsx", join(stranger, "programs", `${program}.ts`)];
    await succeed("node", args, { cwd: stranger, env: { ...env, CDK8S_OUTDIR: outdir } });
    return readdirSync(outdir).flatMap((file) =>
      parseAllDocuments(readFileSync(join(outdir, file), "utf8")).map((each) => each.toJS() as KubernetesObject),
    );
  }

  beforeAll(async () => {
    context = await currentContext();
    stranger = PublishedPackages.make(folder).installWithExamples("app", [
      "pulumi",
      "tsx",
      "typescript",
      "@types/node",
    ]);
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  describe("that bring a driver and a Vault of their own", () => {
    const step = story();

    async function broughtUp(project: Project): Promise<void> {
      expectSuccess(await project.up());
      const secret: MountedSecret = {
        namespace: "aidbox",
        deployment: "aidbox",
        file: "/run/vault-secrets/client-secret",
        path: "secret/data/aidbox/client",
        key: "client-secret",
      };
      expect(await contents(secret)).toEqual([await inVault(secret)]);
      expectUnchanged(await project.up());
      await expectFollowed(secret, (value) =>
        succeed("kubectl", vaultExec(["kv", "patch", "-mount=secret", "aidbox/client", "client-secret=-"]), {
          input: value,
        }),
      );
      await project.destroy();
    }

    step("stack.ts: the whole stack beside a Namespace of the program's", async () => {
      const before = await listEverything();
      const project = await Project.ofProgram("stack");
      await project.configure({ kubeContext: context });
      await broughtUp(project);
      await expectNothingLeft(before);
    });

    step("the template: the project that `pulumi new` makes", async () => {
      const before = await listEverything();
      const args = ["--generate-only", "--yes", "--name", "clinic", "--description", "Aidbox", "--dir", "clinic"];
      expectSuccess(await pulumi(stranger, ["new", join(root, "examples/template"), ...args]));
      const project = await Project.at("clinic");
      await project.configure({ kubeContext: context, image: webImage });
      await broughtUp(project);
      await expectNothingLeft(before);
    });
  });

  describe("for a cluster that has the driver and a Vault", () => {
    let env: NodeJS.ProcessEnv;

    beforeAll(async () => {
      cluster = await ReadyCluster.start();
      await cluster.allowLogins();
      await postgres.start();
      env = { VAULT_ADDR: cluster.vaultAddress, DATABASE_HOST: postgres.host };
    });
    afterAll(async () => {
      await postgres.stop();
      await cluster.stop();
    });

    /** Applies a program's YAML in its waves, and looks at its secrets until all is gone again. */
    async function applied(
      program: string,
      env: NodeJS.ProcessEnv,
      look = async (): Promise<void> => {},
    ): Promise<void> {
      const objects = await synthesized(program, env);
      await inNamespaces(
        missingNamespaces(objects),
        async () => {
          const secrets = secretsOf(objects);
          await admitReaders(objects, secrets);
          const waves = [...new Set(objects.map(waveOf))].sort();
          for (const wave of waves) {
            await kubectlWith(
              "apply",
              objects.filter((each) => waveOf(each) === wave),
            );
          }
          for (const { metadata } of objects.filter(({ kind }) => kind === "Deployment")) {
            await kubectl(
              "-n",
              metadata.namespace,
              "rollout",
              "status",
              `deployment/${metadata.name}`,
              "--timeout=300s",
            );
          }
          for (const secret of secrets) {
            const value = await cluster.read(secret.path, secret.key);
            for (const content of await contents(secret)) expect(content).toBe(value);
          }
          await look();
          expect(await kubectlWith("diff", await synthesized(program, env))).toBe("");
          await expectFollowed(secrets[0]!, (value) => cluster.change(secrets[0]!.path, secrets[0]!.key, value));
        },
        () => kubectlWith("delete", [...objects].reverse(), "--ignore-not-found"),
      );
    }

    test("guide.ts: the Client of the Init Bundle logs in with the secret, also after it changed", async () => {
      await applied("guide", env, async () => {
        const loggedIn = async (): Promise<number[]> =>
          answersTo(await cluster.read("secret/data/aidbox/client", "client-secret"));
        expect(await loggedIn()).toEqual([200]);
        expect(await answersTo("another")).toEqual([401]);
      });
    });

    test("tenants.ts: each tenant has its own values", () => applied("tenants", env));

    test("argo-cd.ts: what a wave needs is there when it comes", () => applied("argo-cd", env));

    test("keycloak.ts", async () => {
      await postgres.administer(`create role keycloak login password '${keycloakPassword}'`);
      await postgres.administer("create database keycloak owner keycloak");
      await applied("keycloak", { ...env, KEYCLOAK_IMAGE: KEYCLOAK_IMAGE ?? webImage });
    });

    /** Brings a program up, and looks at its secrets until all is gone again. */
    async function broughtUp(namespace: string, project: Project, look: () => Promise<void>): Promise<void> {
      await inNamespaces(
        [namespace],
        async () => {
          expectSuccess(await project.up());
          await look();
        },
        () => project.destroy(),
      );
    }

    /** What an Aidbox must show of its secrets while its program is up. */
    async function expectServed(project: Project): Promise<void> {
      for (const secret of aidboxSecrets) {
        expect(await contents(secret)).toEqual([await cluster.read(secret.path, secret.key)]);
      }
      expectUnchanged(await project.up());
      const [{ path, key }] = aidboxSecrets;
      await expectFollowed(aidboxSecrets[0], (value) => cluster.change(path, key, value));
    }

    const aidboxSecret = (path: string, key: string): MountedSecret => ({
      namespace: "aidbox",
      deployment: "aidbox",
      file: `/run/vault-secrets/${key}`,
      path: `secret/data/aidbox/${path}`,
      key,
    });
    const aidboxSecrets = [aidboxSecret("client", "client-secret"), aidboxSecret("admin", "admin-password")] as const;

    for (const language of ["yaml", "python"] as const) {
      const testLanguage = hasLanguageHost(language) ? test : test.skip;
      testLanguage(`the component, from ${language}`, async () => {
        const paths = aidboxSecrets.map(({ path }) => path);
        await cluster.admit({ role: "aidbox", namespace: "aidbox", serviceAccount: "aidbox", paths });
        for (const { path, key } of aidboxSecrets) await cluster.seed(path, { [key]: randomValue() });
        const project = await Project.at(language);
        if (language === "python") expectSuccess(await project.run("install"));
        await project.configure({ vaultAddress: cluster.vaultAddress });
        await broughtUp("aidbox", project, async () => {
          const { service, policy } = await project.outputs();
          expect(service).toBe("aidbox");
          for (const path of paths) expect(policy).toContain(`path "${path}"`);
          await expectServed(project);
        });
      });
    }

    test("external-vault.ts: what it makes in Vault goes with it, and the values stay", async () => {
      await cluster.forbidLogins();
      await vaultCommand(["policy", "delete", "aidbox"]);
      const inPlace = (): Promise<string[]> =>
        Promise.all([vaultCommand(["auth", "list"]), vaultCommand(["policy", "list"])]);
      const before = await inPlace();
      const project = await Project.ofProgram("external-vault");
      const [clusterKey] = await signingKeys();
      const config = { vaultAddress: cluster.vaultAddress, vaultToken: ReadyCluster.rootToken, context };
      await project.configure({ ...config, clusterKey: clusterKey! }, ["vaultToken"]);
      await broughtUp("aidbox", project, async () => {
        expect(await project.outputs()).toMatchObject({ deployment: "aidbox" });
        await expectServed(project);
      });
      expect(await inPlace()).toEqual(before);
      expect(await cluster.read("secret/data/aidbox/admin", "admin-password")).toMatch(/^\S{16,}$/);
    });

    test("bridge.ts: an address comes back, and another password rolls the pods once", async () => {
      const database = join(stranger, "database");
      mkdirSync(database);
      writeFileSync(
        join(database, "Pulumi.yaml"),
        stringify({ name: "database", runtime: { name: "nodejs", options: { typescript: false } }, main: "index.js" }),
      );
      writeFileSync(join(database, "index.js"), 'exports.host = "db.example.com";');
      expectSuccess(await (await Project.at("database")).up());
      const project = await Project.ofProgram("bridge");
      await project.configure({ context, image: webImage, databaseStack: "organization/database/dev" });
      await project.configure({ password: "the-first-password" }, ["password"]);
      const variables = async (): Promise<string[]> =>
        inPods("web", await onlyDeployment("web"), 'printf "%s %s" "$DATABASE" "$PASSWORD"');
      const balanced = waitUntil(() => balanceLoad("web", "192.0.2.7"), 180);
      await broughtUp("web", project, async () => {
        await balanced;
        expect(await project.outputs()).toEqual({ address: "192.0.2.7" });
        expectUnchanged(await project.up());
        expect(await variables()).toEqual(Array(2).fill("jdbc:postgresql://db.example.com/web the-first-password"));
        await project.configure({ password: "another-password" }, ["password"]);
        expectSuccess(await project.up());
        expect(await variables()).toEqual(Array(2).fill("jdbc:postgresql://db.example.com/web another-password"));
        const generation = ["get", "deployment", await onlyDeployment("web"), "-o", "jsonpath={.metadata.generation}"];
        expect(await kubectl("-n", "web", ...generation)).toBe("2");
        expectUnchanged(await project.up());
      });
    });

    /** Lets in who reads a class, and writes a value for each of its objects. */
    async function admitReaders(
      objects: readonly KubernetesObject[],
      secrets: readonly MountedSecret[],
    ): Promise<void> {
      for (const object of objects.filter(({ kind }) => kind === "SecretProviderClass")) {
        const { namespace } = object.metadata;
        const own = secrets.filter((each) => each.namespace === namespace);
        const { serviceAccountName } = podSpecOf(objects, own[0]!.deployment, namespace);
        const { roleName } = object.spec.parameters as { roleName: string };
        const paths = own.map(({ path }) => path);
        await cluster.admit({ role: roleName, namespace, serviceAccount: serviceAccountName, paths });
        for (const { path, key, file } of own)
          await cluster.seed(path, { [key]: file.endsWith("database") ? keycloakPassword : randomValue() });
      }
    }
  });
});

function randomValue(): string {
  return randomBytes(18).toString("base64url");
}

function waveOf({ metadata: { annotations } }: KubernetesObject): string {
  return annotations?.["argocd.argoproj.io/sync-wave"] ?? "0";
}

interface PodSpec {
  readonly serviceAccountName: string;
  readonly containers: readonly { readonly volumeMounts?: readonly { name: string; mountPath: string }[] }[];
  readonly volumes?: readonly {
    readonly name: string;
    readonly csi?: { readonly volumeAttributes: { readonly secretProviderClass: string } };
  }[];
}

function podSpecOf(objects: readonly KubernetesObject[], deployment: string, namespace: string): PodSpec {
  const found = objects.find(
    ({ kind, metadata }) => kind === "Deployment" && metadata.name === deployment && metadata.namespace === namespace,
  );
  return (found!.spec as { template: { spec: PodSpec } }).template.spec;
}

/** What the pods of these objects mount of a store. */
function secretsOf(objects: readonly KubernetesObject[]): MountedSecret[] {
  return objects
    .filter(({ kind }) => kind === "Deployment")
    .flatMap(({ metadata: { name, namespace } }) => {
      const { volumes = [], containers } = podSpecOf(objects, name, namespace);
      const volume = volumes.find(({ csi }) => csi !== undefined);
      if (volume === undefined) return [];
      const { mountPath } = containers[0]!.volumeMounts!.find((each) => each.name === volume.name)!;
      const provided = objects.find(
        ({ kind, metadata }) =>
          kind === "SecretProviderClass" &&
          metadata.namespace === namespace &&
          metadata.name === volume.csi!.volumeAttributes.secretProviderClass,
      );
      const { objects: text } = provided!.spec.parameters as { objects: string };
      const rows = parse(text) as { objectName: string; secretPath: string; secretKey: string }[];
      return rows.map(({ objectName, secretPath, secretKey }) => ({
        namespace,
        deployment: name,
        file: `${mountPath}/${objectName}`,
        path: secretPath,
        key: secretKey,
      }));
    });
}

/** The namespaces that objects need and do not bring. */
function missingNamespaces(objects: readonly KubernetesObject[]): string[] {
  const brought = objects.filter(({ kind }) => kind === "Namespace").map(({ metadata }) => metadata.name);
  const namespaced = objects.filter(({ metadata }) => "namespace" in metadata);
  const needed = new Set(namespaced.map(({ metadata }) => metadata.namespace));
  return [...needed].filter((each) => !brought.includes(each));
}

/** Does something in namespaces that are made for it, and undoes it, which must leave nothing. */
async function inNamespaces(
  names: readonly string[],
  work: () => Promise<void>,
  undo: () => Promise<unknown>,
): Promise<void> {
  try {
    for (const name of names) {
      await kubectl("create", "namespace", name);
      await waitForDefaults(name);
    }
    const before = await listEverything();
    try {
      await work();
    } finally {
      await undo();
    }
    await expectNothingLeft(before);
  } finally {
    for (const name of names) await kubectl("delete", "namespace", name, "--ignore-not-found");
  }
}

/** Waits for what Kubernetes makes in each namespace by itself. */
async function waitForDefaults(namespace: string): Promise<void> {
  const defaults = ["serviceaccount/default", "configmap/kube-root-ca.crt"];
  const isThere = async (name: string): Promise<boolean> =>
    (await kubectl("-n", namespace, "get", name, "--ignore-not-found", "-o", "name")) !== "";
  for (const name of defaults) await waitUntil(() => isThere(name), 30);
}

async function kubectlWith(verb: string, objects: readonly KubernetesObject[], ...more: string[]): Promise<string> {
  const input = objects.map((each) => stringify(each)).join("---\n");
  return succeed("kubectl", [verb, ...more, "-f", "-"], { input });
}

/** Prints from each pod of a Deployment but those that end. */
async function inPods(namespace: string, deployment: string, script: string): Promise<string[]> {
  const labels = await kubectl("-n", namespace, "get", "deployment", deployment, "-o", "json");
  const { matchLabels } = (JSON.parse(labels) as { spec: { selector: { matchLabels: Record<string, string> } } }).spec
    .selector;
  const selector = Object.entries(matchLabels).map((each) => each.join("="));
  const staying = `{{range .items}}{{if not .metadata.deletionTimestamp}}{{.metadata.name}}{{"\\n"}}{{end}}{{end}}`;
  const get = ["get", "pods", "-l", selector.join(), "-o", `go-template=${staying}`];
  const pods = (await kubectl("-n", namespace, ...get)).split("\n").filter(Boolean);
  expect(pods).not.toEqual([]);
  return Promise.all(pods.map((pod) => kubectl("-n", namespace, "exec", pod, "--", "sh", "-c", script)));
}

function contents({ namespace, deployment, file }: MountedSecret): Promise<string[]> {
  return inPods(namespace, deployment, `cat ${file}`);
}

function vaultExec(args: readonly string[]): string[] {
  return ["-n", "vault", "exec", "-i", "vault-0", "--", "vault", ...args];
}

function inVault({ path, key }: MountedSecret): Promise<string> {
  return vaultCommand(["kv", "get", "-mount=secret", `-field=${key}`, path.replace("secret/data/", "")]);
}

/** Changes a secret in the store; a touch of the pods has kubelet publish the change without its minute. */
async function expectFollowed(secret: MountedSecret, change: (value: string) => Promise<unknown>): Promise<void> {
  const value = randomValue();
  await change(value);
  await kubectl("-n", secret.namespace, "annotate", "pods", "--all", `touched=${Date.now()}`, "--overwrite");
  await waitUntil(async () => (await contents(secret)).every((each) => each === value), 100);
}

async function onlyDeployment(namespace: string): Promise<string> {
  const names = await kubectl("-n", namespace, "get", "deployments", "-o", "name");
  expect(names.trim().split("\n")).toHaveLength(1);
  return names.trim().replace("deployment.apps/", "");
}

/** Gives the one Service of a namespace an address, as a cloud's load balancer does; false where there is none yet. */
async function balanceLoad(namespace: string, ip: string): Promise<boolean> {
  const name = (await kubectl("-n", namespace, "get", "services", "-o", "name", "--ignore-not-found")).trim();
  if (name === "") return false;
  const patch = JSON.stringify({ status: { loadBalancer: { ingress: [{ ip }] } } });
  await kubectl("-n", namespace, "patch", name, "--subresource=status", "--type=merge", "--patch", patch);
  return true;
}
