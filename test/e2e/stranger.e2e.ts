import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { findPulumi } from "../../infra/cli/pulumi-cli";
import type { Rotation } from "../../infra/operate/follow-change";
import type { Verification } from "../../infra/operate/verify";
import { packageNames } from "../../packages/build";
import { PublishedPackages } from "../published-packages";
import {
  clientSecret,
  currentContext,
  expectSuccess,
  expectUnchanged,
  kubectl,
  listEverything,
  overrides,
  type Ran,
  readSecretFile,
  root,
  run,
  story,
} from "./harness";

describe("the published packages, in a folder with an environment and nothing else", () => {
  const step = story();
  const folder = mkdtempSync(join(tmpdir(), "stranger-e2e-"));
  let stranger: string;
  let before: string[];

  const command = async (name: string, ...args: string[]): Promise<Ran> => {
    const executable = join(stranger, "node_modules/aidbox-secrets-stack/infra/cli/main.js");
    return run(process.execPath, [executable, name, ...args, ...(await overrides())], { cwd: stranger });
  };

  beforeAll(async () => {
    before = await listEverything();
    stranger = PublishedPackages.make(folder).install("app", packageNames, ["pulumi"]);
    copyFileSync(join(root, "Pulumi.dev.yaml"), join(stranger, "Pulumi.dev.yaml"));
  });
  afterAll(async () => {
    if (existsSync(join(stranger, ".state"))) await command("destroy", "--yes");
    rmSync(folder, { recursive: true });
  });

  step("up brings the secret to the pod, and a second one changes nothing", async () => {
    expectSuccess(await command("up", "--yes"));
    expect(await readSecretFile()).toMatch(/^\S{16,}$/);
    expectUnchanged(await command("up", "--yes"));
  });

  step("rotate, status and verify work, and name themselves as they are run here", async () => {
    const before = await readSecretFile();
    const rotated = await command("rotate", "client-secret", "--generate", "32", "--json");
    expectSuccess(rotated);
    expect((JSON.parse(rotated.stdout) as Rotation).pods).toHaveLength(1);
    expect(await readSecretFile()).not.toBe(before);
    const { ok } = JSON.parse((await command("verify", "--json")).stdout) as Verification;
    expect(ok).toBe(true);
    const status = await command("status");
    expectSuccess(status);
    expect(status.stdout + status.stderr).not.toContain("npm run");
  });

  step(
    "a program of somebody else's deploys the environment beside its own resources, and takes both away",
    async () => {
      expectSuccess(await command("destroy", "--yes"));
      const config = {
        development: true,
        kubeContext: await currentContext(),
        secrets: [clientSecret],
        vault: { mode: "dev" },
        aidbox: { image: "healthsamurai/aidboxone:2605", resources: { cpuRequest: "100m", memoryRequest: "64Mi" } },
      };
      const shop = join(folder, "app/shop");
      mkdirSync(shop);
      writeFileSync(
        join(shop, "Pulumi.yaml"),
        "name: shop\nruntime: { name: nodejs, options: { typescript: false } }\nmain: index.js\n",
      );
      writeFileSync(
        join(shop, "index.js"),
        `const k8s = require("@pulumi/kubernetes");
const { checkEnvironment } = require("aidbox-secrets-stack/operate");
const { deployEnvironment } = require("aidbox-secrets-stack/stack");
module.exports = async () => {
  const namespace = new k8s.core.v1.Namespace("shop", { metadata: { name: "shop" } });
  new k8s.core.v1.PersistentVolumeClaim("goods", {
    metadata: { name: "goods", namespace: namespace.metadata.name, annotations: { "pulumi.com/skipAwait": "true" } },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } },
  });
  return deployEnvironment(checkEnvironment("dev", ${JSON.stringify(config)}, process.env.CHARTS_DIR));
};
`,
      );
      const env = {
        PULUMI_BACKEND_URL: pathToFileURL(folder).href,
        PULUMI_CONFIG_PASSPHRASE: "for this test only",
        PULUMI_SKIP_UPDATE_CHECK: "true",
      };
      const { file, args } = findPulumi();
      const pulumi = (...more: string[]): Promise<Ran> =>
        run(file, [...args, ...more, "--stack", "dev"], { cwd: shop, env });
      expectSuccess(await run(file, [...args, "stack", "init", "dev"], { cwd: shop, env }));
      expectSuccess(await pulumi("up", "--yes", "--skip-preview"));
      expect(await readSecretFile()).toMatch(/^\S{16,}$/);
      expectUnchanged(await pulumi("up", "--yes", "--skip-preview"));
      expectSuccess(await pulumi("destroy", "--yes", "--skip-preview"));
      rmSync(shop, { recursive: true });
    },
  );

  step("destroy leaves nothing in the cluster, and the folder holds the environment and its state", async () => {
    expectSuccess(await command("destroy", "--yes"));
    const left = (await listEverything()).filter((each) => !before.includes(each));
    expect(left.filter((each) => !each.includes("secrets-store.csi.x-k8s.io"))).toEqual([]);
    expect(readdirSync(stranger).sort()).toEqual([".state", "Pulumi.dev.yaml", "node_modules"]);
    expect(await kubectl("get", "namespaces", "-o", "name")).not.toContain("namespace/aidbox");
  });
});
