import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { parse, stringify } from "yaml";
import type { Executable } from "../cli/pulumi-cli";
import type { Workspace } from "../cli/workspace";
import { projectName } from "../config/project";
import type { PlannedResource } from "../plan/record";
import type { Adoptable } from "./adoptable";
import {
  type Exported,
  type ExportedResource,
  importedOf,
  importFile,
  missingAncestors,
  type ProviderInputs,
  withResources,
} from "./deployment";
import type { PreviewStep } from "./differences";

/** Pulumi has refused. The message is its own, or the program's. */
export class PulumiRefusal extends Error {}

/** What an adoption would do, tried on a copy of the state. */
export interface Trial {
  /** What the state gets. */
  readonly resources: readonly ExportedResource[];
  /** What an `up` would do after it. */
  readonly steps: readonly PreviewStep[];
}

/** What is tried. */
export interface Attempt {
  readonly planned: readonly PlannedResource[];
  readonly adoptables: readonly Adoptable[];
  readonly providers: ProviderInputs;
  /** Whether a release's servers are not the stack's. */
  readonly isKept: (resource: ExportedResource) => boolean;
}

/** The state of a stack as Pulumi exports it. */
export async function exportState(pulumi: Executable, { project: cwd, stack, env }: Workspace): Promise<Exported> {
  return JSON.parse(await capture(pulumi, ["stack", "export", "--stack", stack], { cwd, env })) as Exported;
}

/**
 * Writes the state of a stack, in one piece.
 *
 * @param expected what it was when the adoption was shown
 * @throws PulumiRefusal where another run has changed it meanwhile
 */
export async function writeState(
  pulumi: Executable,
  workspace: Workspace,
  expected: Exported,
  resources: readonly ExportedResource[],
): Promise<void> {
  const { project: cwd, stack, env } = workspace;
  const now = await exportState(pulumi, workspace);
  if (JSON.stringify(now.deployment.resources) !== JSON.stringify(expected.deployment.resources)) {
    throw new PulumiRefusal("The stack's state was changed meanwhile, so nothing was taken over: run it again");
  }
  const input = JSON.stringify(withResources(now, resources));
  await capture(pulumi, ["stack", "import", "--stack", stack], { cwd, env, input });
}

/**
 * Imports into a copy of the state, and previews an `up` on it: neither the cluster, nor Vault, nor the stack's own state is
 * touched. Pulumi's own import of a resource whose inputs differ would fail in the middle of an `up`; so it is imported as it
 * is, and the `up` after it changes it.
 */
export async function tryAdoption(pulumi: Executable, workspace: Workspace, attempt: Attempt): Promise<Trial> {
  const { stack, project, configFile } = workspace;
  const folder = mkdtempSync(join(tmpdir(), "aidbox-secrets-adopt-"));
  try {
    const config = join(folder, "config");
    const state = join(folder, "state");
    mkdirSync(state);
    cpSync(dirname(configFile), config, { recursive: true });
    writeFileSync(join(config, "Pulumi.yaml"), stringify({ name: projectName, runtime: "nodejs" })); // it runs no program
    const env = {
      ...workspace.env,
      PULUMI_BACKEND_URL: pathToFileURL(state).href,
      // A preview writes nothing; the adoption itself takes the fields over.
      PULUMI_K8S_ENABLE_PATCH_FORCE: "true",
    };
    const own = { cwd: project, env: workspace.env };
    const open = JSON.parse(
      await capture(pulumi, ["stack", "export", "--show-secrets", "--stack", stack], own),
    ) as Exported;
    const run = (args: readonly string[], input?: string): Promise<string> =>
      capture(pulumi, [...args, "--stack", stack], { cwd: config, env, ...(input === undefined ? {} : { input }) });
    const set = (exported: Exported): Promise<string> => run(["stack", "import"], JSON.stringify(exported));

    await capture(pulumi, ["stack", "init", stack, ...secretsProvider(configFile)], { cwd: config, env });
    const ancestors = missingAncestors(open, attempt.planned, attempt.adoptables, attempt.providers);
    await set(withResources(open, ancestors));
    const file = join(folder, "import.json");
    writeFileSync(file, JSON.stringify(importFile(attempt.planned, attempt.adoptables)));
    const options = ["--yes", "--skip-preview", "--protect=false", "--generate-code=false"];
    await run(["import", "--file", file, ...options]);
    const imported = JSON.parse(await run(["stack", "export", "--show-secrets"])) as Exported;
    const resources = importedOf(imported, open, attempt.isKept);
    await set(withResources(open, resources));

    const preview = ["preview", "--json", "--stack", stack, "--config-file", configFile];
    const shown = await capture(pulumi, preview, { cwd: project, env });
    return { resources, steps: (JSON.parse(shown) as { steps: PreviewStep[] }).steps };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function secretsProvider(configFile: string): string[] {
  const { secretsprovider } = parse(readFileSync(configFile, "utf8")) as { secretsprovider?: string };
  return secretsprovider === undefined ? [] : ["--secrets-provider", secretsprovider];
}

interface CaptureOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly input?: string;
}

/** @throws PulumiRefusal with what it said */
function capture(
  { file, args }: Executable,
  more: readonly string[],
  { input, ...options }: CaptureOptions,
): Promise<string> {
  return new Promise((done, fail) => {
    const all = [...args, ...more, "--non-interactive"];
    const child = execFile(file, all, { ...options, maxBuffer: 1024 ** 3 }, (error, stdout, stderr) => {
      if (error === null) done(stdout);
      else fail(new PulumiRefusal(errorsIn(stdout) ?? (stderr.trim() || stdout.trim() || error.message)));
    });
    child.stdin?.on("error", () => undefined); // it may end before it has read all
    child.stdin?.end(input ?? "");
  });
}

/** The errors among the diagnostics of a preview. */
function errorsIn(stdout: string): string | undefined {
  try {
    const { diagnostics = [] } = JSON.parse(stdout) as {
      diagnostics?: { readonly severity?: string; readonly message: string }[];
    };
    const errors = diagnostics.filter(({ severity }) => severity === "error").map(({ message }) => message.trim());
    return errors.length === 0 ? undefined : errors.join("\n");
  } catch {
    return undefined;
  }
}
