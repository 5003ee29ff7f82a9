import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { findPulumi } from "../../infra/cli/pulumi-cli";
import { type Figure, type Figures, figuresFile, measurementsPage, withTable } from "../figures";
import { commonAidbox, formerCommit, FormerVersion } from "./former-version";
import { clientSecret, kubectl, root, run, succeed, TestStack, vaultCommand } from "./harness";

// `npm run bench`: this stack's `pulumi up` beside the guide's own commands, and a no-op `up` beside an empty program's,
// in interleaved pairs (`npm run bench -- 5 no-op` for one of the two alone) on the current cluster, which must hold nothing of
// either. Prints JSON with the median ratios, and writes those of the two to docs/figures.json and docs/measurements.md.
// `UPGRADE_FROM=COMMIT npm run bench -- 3 former` puts both beside those of a former version.
const pairs = Number(process.argv[2] ?? 3);
const only = process.argv[3];

async function seconds(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return (performance.now() - start) / 1000;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

/** The environment without its PostgreSQL, and without what only an Aidbox with one needs: the guide has neither. */
const asTheGuide = { secrets: [clientSecret] };

async function up(stack: TestStack): Promise<void> {
  const ran = await stack.pulumi("up");
  if (ran.code !== 0) throw new Error(ran.stdout + ran.stderr);
}

interface Runs {
  readonly runs: readonly { readonly stack: number; readonly beside: number; readonly ratio: number }[];
  readonly medianRatio: number;
}

async function fromEmpty(): Promise<Runs> {
  const guide = join(root, "test/e2e/guide.sh");
  const runs: { stack: number; beside: number; ratio: number }[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const stack = await TestStack.create("dev", asTheGuide);
    const ours = await seconds(async () => {
      await up(stack);
      await kubectl("-n", "aidbox", "exec", "deploy/aidbox", "--", "test", "-s", "/run/vault-secrets/client-secret");
    }).finally(() => stack.dispose());
    const theirs = await seconds(() => succeed(guide, ["up"]));
    await succeed(guide, ["down"]);
    runs.push({ stack: ours, beside: theirs, ratio: ours / theirs });
    console.error(`from empty: ${ours.toFixed(1)} s, the guide ${theirs.toFixed(1)} s`);
  }
  return { runs, medianRatio: median(runs.map(({ ratio }) => ratio)) };
}

async function noOp(): Promise<Runs> {
  const stack = await TestStack.create("dev", asTheGuide);
  const empty = await makeEmptyProgram();
  const runs: { stack: number; beside: number; ratio: number }[] = [];
  try {
    await up(stack);
    await empty.up();
    Object.assign(versions, await versionsOnCluster());
    for (let pair = 0; pair < pairs; pair++) {
      const ours = await seconds(() => up(stack));
      const theirs = await seconds(empty.up);
      runs.push({ stack: ours, beside: theirs, ratio: ours / theirs });
      console.error(`no-op: ${ours.toFixed(2)} s, an empty program ${theirs.toFixed(2)} s`);
    }
  } finally {
    await stack.dispose();
    empty.dispose();
  }
  return { runs, medianRatio: median(runs.map(({ ratio }) => ratio)) };
}

/** `up` from empty and a no-op `up` beside those of the commit in UPGRADE_FROM, the two in turns. */
async function besideFormer(): Promise<object> {
  const former = await FormerVersion.checkOut();
  const config = { ...asTheGuide, aidbox: commonAidbox, database: null };
  const measure = async (cwd: string): Promise<{ fromEmpty: number; noOp: number }> => {
    const stack = await TestStack.create("dev", config);
    const once = async (): Promise<void> => {
      const ran = await stack.pulumiAs({ cwd }, "up");
      if (ran.code !== 0) throw new Error(ran.stdout + ran.stderr);
    };
    try {
      const fromEmpty = await seconds(once);
      await once(); // what the first has left to the second, as a status that came late
      return { fromEmpty, noOp: await seconds(once) };
    } finally {
      await stack.dispose();
    }
  };
  const runs: { fromEmpty: number; noOp: number }[] = [];
  try {
    for (const cwd of [root, former.folder]) await measure(cwd); // compiled once, as each is after its first run
    for (let pair = 0; pair < pairs; pair++) {
      const folders = pair % 2 === 0 ? [former.folder, root] : [root, former.folder];
      const measured = new Map<string, { fromEmpty: number; noOp: number }>();
      for (const folder of folders) measured.set(folder, await measure(folder));
      const [theirs, ours] = [measured.get(former.folder)!, measured.get(root)!];
      runs.push({ fromEmpty: ours.fromEmpty / theirs.fromEmpty, noOp: ours.noOp / theirs.noOp });
      console.error(JSON.stringify({ former: theirs, now: ours }));
    }
  } finally {
    former.dispose();
  }
  return {
    commit: formerCommit,
    runs,
    medianRatios: {
      fromEmpty: median(runs.map((each) => each.fromEmpty)),
      noOp: median(runs.map((each) => each.noOp)),
    },
  };
}

/** An empty TypeScript program as Pulumi makes one, without type-checking. */
async function makeEmptyProgram(): Promise<{ up: () => Promise<string>; dispose: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), "empty-program-"));
  const env = {
    PULUMI_BACKEND_URL: pathToFileURL(folder).href,
    PULUMI_CONFIG_PASSPHRASE: "empty",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_NODEJS_TRANSPILE_ONLY: "true",
  };
  writeFileSync(join(folder, "Pulumi.yaml"), "name: empty\nruntime: nodejs\n");
  writeFileSync(join(folder, "package.json"), '{ "name": "empty", "main": "index.ts" }');
  writeFileSync(
    join(folder, "tsconfig.json"),
    '{ "compilerOptions": { "module": "nodenext", "moduleResolution": "nodenext", "strict": true } }',
  );
  writeFileSync(
    join(folder, "index.ts"),
    'import * as pulumi from "@pulumi/pulumi";\nexport const stack = pulumi.getStack();\n',
  );
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  const { file, args } = findPulumi();
  const pulumi = (...more: string[]): Promise<string> => succeed(file, [...args, ...more], { cwd: folder, env });
  await pulumi("stack", "init", "dev");
  return {
    up: () => pulumi("up", "--yes", "--skip-preview"),
    dispose: () => {
      rmSync(folder, { recursive: true });
    },
  };
}

/** Versions of what runs, while the stack is there. */
async function versionsOnCluster(): Promise<Record<string, string>> {
  const tagOf = async (namespace: string, daemonSet: string, container: string): Promise<string> => {
    const path = `jsonpath={.spec.template.spec.containers[?(@.name=="${container}")].image}`;
    const image = await kubectl("-n", namespace, "get", "daemonset", daemonSet, "-o", path);
    return image.replace(/^.*:v?/, "");
  };
  const { file, args } = findPulumi();
  const server = JSON.parse(await kubectl("version", "-o", "json")) as { serverVersion: { gitVersion: string } };
  const number = (text: string): string => /\d+\.\d+\.\d+/.exec(text)![0];
  return {
    Kubernetes: number(server.serverVersion.gitVersion),
    Vault: number(await vaultCommand(["version"])),
    "CSI driver": await tagOf("kube-system", "csi-secrets-store-csi-driver", "secrets-store"),
    "Vault CSI provider": await tagOf("vault-csi-provider", "vault-node-csi-provider", "vault-csi-provider"),
    Pulumi: number(await succeed(file, [...args, "version"])),
    Node: process.versions.node.replace(/\.\d+$/, ""),
  };
}

const versions: Record<string, string> = {};

/** Writes what was measured into the file of figures, and from there into the page. */
async function record(cores: number, measured: Readonly<Record<string, Runs>>): Promise<void> {
  const before = JSON.parse(readFileSync(figuresFile, "utf8")) as Figures;
  const today = new Date().toISOString().slice(0, 10);
  const made = Object.entries(measured).map(([name, { runs, medianRatio }]): [string, Figure] => [
    name,
    {
      measured: today,
      seconds: Number(median(runs.map(({ stack }) => stack)).toFixed(1)),
      beside: `${median(runs.map(({ beside }) => beside)).toFixed(1)} s`,
      ratio: Number(medianRatio.toFixed(2)),
    },
  ]);
  const figures: Figures = {
    ...before,
    cores,
    versions: { ...before.versions, ...versions },
    figures: { ...before.figures, ...Object.fromEntries(made) },
  };
  writeFileSync(figuresFile, JSON.stringify(figures));
  writeFileSync(measurementsPage, withTable(readFileSync(measurementsPage, "utf8"), figures));
  await succeed("npx", ["prettier", "--write", figuresFile, measurementsPage]);
}

async function main(): Promise<void> {
  const machine = (await run("nproc", [])).stdout.trim();
  const cores = Number(machine);
  const measured = {
    ...(only === undefined || only === "no-op" ? { noOp: await noOp() } : {}),
    ...(only === undefined || only === "from-empty" ? { fromEmpty: await fromEmpty() } : {}),
  };
  if (only !== "former") await record(cores, measured);
  const result = { cores, pairs, ...measured, ...(only === "former" ? { besideFormer: await besideFormer() } : {}) };
  console.log(JSON.stringify(result, undefined, 2));
}

void main();
