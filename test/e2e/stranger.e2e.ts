import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Rotation } from "../../infra/operate/follow-change";
import type { Verification } from "../../infra/operate/verify";
import { PublishedPackages } from "../published-packages";
import {
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
    stranger = new PublishedPackages(folder).install("app", ["aidbox-secrets", "aidbox-secrets-stack"], ["pulumi"]);
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

  step("destroy leaves nothing in the cluster, and the folder holds the environment and its state", async () => {
    expectSuccess(await command("destroy", "--yes"));
    const left = (await listEverything()).filter((each) => !before.includes(each));
    expect(left.filter((each) => !each.includes("secrets-store.csi.x-k8s.io"))).toEqual([]);
    expect(readdirSync(stranger).sort()).toEqual([".state", "Pulumi.dev.yaml", "node_modules"]);
    expect(await kubectl("get", "namespaces", "-o", "name")).not.toContain("namespace/aidbox");
  });
});
