import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { PublishedPackages } from "../published-packages";
import { GitServer } from "./git-server";
import {
  aidboxPods,
  expectNothingLeft,
  kubectl,
  listEverything,
  readSecretFile,
  readVariable,
  root,
  run,
  story,
  succeed,
  vaultCommand,
  waitUntil,
} from "./harness";
import { ObjectStore } from "./object-store";
import { ReadyCluster } from "./ready-cluster";
import { signingKeys } from "./second-vault";

// examples/programs/pulumi-operator.ts, as it is, with the operator's own chart; its program comes from a Git server by HTTPS, and
// its state lies in an S3-compatible store. Both have CAs of their own, which the test tells the operator and the workspace of.

const { OPERATOR_CHART: operatorChart } = process.env;

const operator = "pulumi-kubernetes-operator";
const packages = ["aidbox-secrets", "cdk8s-pulumi"];
const bundle = "trusted-cas";
const trust = [{ name: "SSL_CERT_FILE", value: "/trusted/ca.pem" }];
const volumes = [{ name: "trusted", configMap: { name: bundle } }];
const volumeMounts = [{ name: "trusted", mountPath: "/trusted" }];

/** What the operator says of the last time that it ran the program. */
interface LastUpdate {
  readonly name: string;
  readonly state: "succeeded" | "failed";
  readonly lastSuccessfulCommit?: string;
}

if (operatorChart === undefined || spawnSync("versitygw", ["--version"]).status !== 0) {
  const needs = "set OPERATOR_CHART to the operator's chart, whose images the cluster has, and install versitygw";
  test.skip(`pulumi-operator.ts (skipped: ${needs})`, () => undefined);
} else {
  describe("pulumi-operator.ts, with the Pulumi operator", () => {
    const step = story();
    const folder = mkdtempSync(join(tmpdir(), "operator-e2e-"));
    const project = (): string => join(git.worktree, "aidbox");
    let cluster: ReadyCluster;
    let store: ObjectStore;
    let git: GitServer;
    let stranger: string;
    let env: Record<string, string>;
    let commit: string;
    let before: readonly string[];

    /** What somebody keeps in Git: the program, and here this project's packages, which are on no registry. */
    function writeRepository(): void {
      const modules = join(git.worktree, "node_modules");
      for (const name of packages) {
        cpSync(join(stranger, "node_modules", name), join(modules, name), { recursive: true });
      }
      mkdirSync(project());
      copyFileSync(join(root, "examples/programs/external-vault.ts"), join(project(), "index.ts"));
      copyFileSync(join(root, "examples/template/tsconfig.json"), join(project(), "tsconfig.json"));
      const manifest = { name: "aidbox", private: true, main: "index.ts" };
      writeFileSync(join(project(), "package.json"), JSON.stringify(manifest));
      writeFileSync(join(project(), "Pulumi.yaml"), stringify({ name: "aidbox", runtime: "nodejs" }));
    }

    beforeAll(async () => {
      stranger = new PublishedPackages(folder).install("app", packages, ["tsx"]);
      copyFileSync(join(root, "examples/programs/pulumi-operator.ts"), join(stranger, "pulumi-operator.ts"));
      before = await listEverything();
      cluster = await ReadyCluster.start();
      store = await ObjectStore.start();
      git = await GitServer.start();
      writeRepository();
      commit = git.commit("Deploy Aidbox");
      // Pulumi leaves checksums out by a header that this store refuses.
      const checksums = { request_checksum_calculation: "when_supported" };
      const state = { endpoint: store.endpoint, region: "us-east-1", s3ForcePathStyle: "true", ...checksums };
      env = {
        GIT_URL: git.url,
        STATE_URL: `s3://${ObjectStore.bucket}?${new URLSearchParams(state).toString()}`,
        VAULT_ADDR: cluster.vaultAddress,
        CLUSTER_KEY: (await signingKeys())[0]!,
      };
      for (const name of [operator, "pulumi", "aidbox"]) await kubectl("create", "namespace", name);
      writeFileSync(join(folder, "ca.pem"), [store.ca, git.ca].join("\n"));
      for (const name of [operator, "pulumi"]) {
        await kubectl("-n", name, "create", "configmap", bundle, `--from-file=${join(folder, "ca.pem")}`);
      }
      await applySecret("pulumi-state", {
        passphrase: randomBytes(18).toString("base64url"),
        accessKey: ObjectStore.accessKey,
        secretKey: ObjectStore.secretKey,
      });
      const policy = readFileSync(join(root, "examples/programs/external-vault.hcl"), "utf8");
      await applySecret("vault-token", { token: await cluster.makeToken("deploys-aidbox", policy) });
      const values = join(folder, "values.yaml");
      writeFileSync(values, stringify({ extraEnv: trust, extraVolumes: volumes, extraVolumeMounts: volumeMounts }));
      await succeed("helm", [
        "install",
        operator,
        operatorChart,
        "--namespace",
        operator,
        "--values",
        values,
        "--wait",
      ]);
    });
    afterAll(async () => {
      await git.stop();
      store.stop();
      rmSync(folder, { recursive: true });
    });

    /** Applies what the example writes. */
    async function apply(changes: Readonly<Record<string, unknown>> = {}): Promise<void> {
      const outdir = join(folder, "dist");
      const args = ["--import", "tsx", "pulumi-operator.ts"];
      await succeed("node", args, { cwd: stranger, env: { ...env, CDK8S_OUTDIR: outdir } });
      await kubectl("apply", "-f", outdir);
      const containers = { initContainers: [{ name: "fetch", env: trust, volumeMounts }] };
      const podTemplate = {
        spec: { ...containers, containers: [{ name: "pulumi", env: trust, volumeMounts }], volumes },
      };
      await patchStack({ spec: { workspaceTemplate: { spec: { podTemplate } }, ...changes } });
    }

    function writtenObjects(verb: string, ...more: string[]): Promise<string> {
      return kubectl(verb, "-f", join(folder, "dist"), ...more);
    }

    function resourceChanges(): Record<string, number> {
      const history = ".pulumi/history/aidbox/production";
      const last = store.list(history).filter((name) => name.endsWith(".history.json"));
      const { result, resourceChanges } = JSON.parse(store.read(join(history, last.at(-1)!)).toString()) as {
        result: string;
        resourceChanges: Record<string, number>;
      };
      expect(result).toBe("succeeded");
      return resourceChanges;
    }

    async function valuesInVault(): Promise<readonly string[]> {
      return [
        await cluster.read("secret/data/aidbox/client", "client-secret"),
        await cluster.read("secret/data/aidbox/admin", "admin-password"),
      ];
    }

    async function expectServed(): Promise<void> {
      await kubectl("-n", "aidbox", "rollout", "status", "deployment/aidbox", "--timeout=120s");
      const mounted = [await readSecretFile("client-secret"), await readVariable("BOX_ADMIN_PASSWORD")];
      expect(mounted).toEqual(await valuesInVault());
    }

    step("the operator runs the program of the branch, and Aidbox has its secrets", async () => {
      await apply();
      const { lastSuccessfulCommit } = await nextUpdate();
      expect(lastSuccessfulCommit).toBe(commit);
      await expectServed();
    });

    step("the pod that had the passphrase and Vault's token is gone", async () => {
      await waitUntil(async () => (await kubectl("-n", "pulumi", "get", "workspaces,pods", "-o", "name")) === "", 60);
    });

    step("its ServiceAccount has the rights of Aidbox's namespace that it needs, and no other", async () => {
      const can = async (...what: string[]): Promise<string> =>
        (
          await run("kubectl", ["auth", "can-i", ...what, "--as=system:serviceaccount:pulumi:aidbox-stack"])
        ).stdout.trim();
      expect(await can("create", "deployments", "-n", "aidbox")).toBe("yes");
      expect(await can("create", "deployments", "-n", "default")).toBe("no");
      expect(await can("get", "secrets", "-n", "aidbox")).toBe("no");
      expect(await can("create", "pods", "-n", "aidbox")).toBe("no");
      expect(await can("create", "rolebindings.rbac.authorization.k8s.io", "-n", "aidbox")).toBe("no");
      expect(await can("get", "secrets", "-n", "pulumi")).toBe("no");
    });

    step("a change in Vault follows, without the operator", async () => {
      const value = randomBytes(18).toString("base64url");
      await cluster.change("secret/data/aidbox/client", "client-secret", value);
      await kubectl("-n", "aidbox", "annotate", "pods", "--all", `touched=${Date.now()}`, "--overwrite");
      await waitUntil(async () => (await readSecretFile("client-secret")) === value, 100);
    });

    step("another run of the same commit changes nothing, the value that was changed neither", async () => {
      const [pods, values] = [await aidboxPods(), await valuesInVault()];
      await nextUpdate(requestRun);
      expect(Object.keys(resourceChanges())).toEqual(["same"]);
      expect(await aidboxPods()).toBe(pods);
      expect(await valuesInVault()).toEqual(values);
    });

    step("a commit is deployed", async () => {
      const index = join(project(), "index.ts");
      writeFileSync(index, readFileSync(index, "utf8").replace("aidboxone:2605", "aidboxone:2602"));
      commit = git.commit("Take another version");
      const { lastSuccessfulCommit } = await nextUpdate(requestRun);
      expect(lastSuccessfulCommit).toBe(commit);
      const image = "jsonpath={.spec.template.spec.containers[0].image}";
      expect(await kubectl("-n", "aidbox", "get", "deployment", "aidbox", "-o", image)).toMatch(/:2602$/);
      await expectServed();
      await waitUntil(async () => (await aidboxPods()).trim().split("\n").length === 1, 60); // the former one is gone
    });

    step("who deletes the Stack keeps Aidbox, and who makes it again goes on from there", async () => {
      const pods = await aidboxPods();
      await kubectl("-n", "pulumi", "delete", "stack", "aidbox", "--timeout=120s");
      expect(await aidboxPods()).toBe(pods);
      await apply({ destroyOnFinalize: true, runProgram: true });
      await nextUpdate();
      expect(Object.keys(resourceChanges())).toEqual(["same"]);
      expect(await aidboxPods()).toBe(pods);
    });

    step("with destroyOnFinalize Aidbox goes with the Stack, and the values stay", async () => {
      const values = await valuesInVault();
      await kubectl("-n", "pulumi", "delete", "stack", "aidbox", "--timeout=300s");
      expect(await kubectl("-n", "aidbox", "get", "deployments,secretproviderclasses", "-o", "name")).toBe("");
      expect((await vaultCommand(["policy", "list"])).split("\n")).not.toContain("aidbox");
      expect(await valuesInVault()).toEqual(values);
    });

    step("nothing of it is left", async () => {
      await writtenObjects("delete", "--ignore-not-found");
      await succeed("helm", ["uninstall", operator, "--namespace", operator, "--wait"]);
      await kubectl("delete", "namespace", operator, "pulumi", "aidbox");
      await kubectl("delete", "--ignore-not-found", "-f", join(operatorChart, "crds"));
      await cluster.stop();
      await expectNothingLeft(before);
    });
  });
}

async function applySecret(name: string, stringData: Readonly<Record<string, string>>): Promise<void> {
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { name, namespace: "pulumi" }, stringData };
  await succeed("kubectl", ["apply", "-f", "-"], { input: stringify(secret) });
}

async function patchStack(patch: object): Promise<void> {
  await kubectl("-n", "pulumi", "patch", "stack", "aidbox", "--type=merge", "--patch", JSON.stringify(patch));
}

/** Has the operator look at Git and run the program now. */
async function requestRun(): Promise<void> {
  await kubectl(
    "-n",
    "pulumi",
    "annotate",
    "stack",
    "aidbox",
    `pulumi.com/reconciliation-request=${Date.now()}`,
    "--overwrite",
  );
}

interface StackStatus {
  readonly lastUpdate?: LastUpdate;
  /** A run that has not ended. */
  readonly currentUpdate?: object;
  readonly conditions?: readonly { readonly type: string; readonly status: string }[];
}

async function stackStatus(): Promise<StackStatus> {
  const stack = await kubectl("-n", "pulumi", "get", "stack", "aidbox", "-o", "json");
  return (JSON.parse(stack) as { status?: StackStatus }).status ?? {};
}

/** What came of the next run of the program. @throws Error with what the operator and the workspace said, where it failed */
async function nextUpdate(begin = async (): Promise<void> => {}): Promise<LastUpdate> {
  const { lastUpdate: former } = await stackStatus();
  await begin();
  let status: StackStatus = {};
  const isNew = (): boolean => status.currentUpdate === undefined && status.lastUpdate?.name !== former?.name;
  const isStalled = (): boolean =>
    status.conditions?.some((each) => each.type === "Stalled" && each.status === "True") ?? false;
  const ended = async (): Promise<boolean> => {
    status = await stackStatus();
    return isNew() || isStalled();
  };
  await waitUntil(ended, 400).catch(() => undefined);
  if (isNew() && status.lastUpdate?.state === "succeeded") return status.lastUpdate;
  const told = [
    ["-n", "pulumi", "get", "stacks,workspaces,updates", "-o", "yaml"],
    ["-n", "pulumi", "get", "pods,events"],
    ["-n", "pulumi", "logs", "aidbox-workspace-0", "--all-containers", "--tail=60"],
    ["-n", operator, "logs", "deployment/pulumi-kubernetes-operator-controller-manager", "--tail=60"],
  ];
  const texts = await Promise.all(told.map((args) => run("kubectl", args)));
  throw new Error(texts.map(({ stdout, stderr }) => stdout + stderr).join("\n"));
}
