import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { shellCommand, shellWord } from "../../constructs/shell-command";
import { suggest } from "../../constructs/suggest";
import { visibleLines } from "../../constructs/visible";
import { KubeApi } from "../cluster/kube-api";
import type { Environment } from "../config/environment";
import { type Override, readEnvironment } from "../config/environment-file";
import { ownVersion } from "../config/own-package";
import { projectName } from "../config/project";
import { assertClusterAnswers } from "../operate/assert-reachable";
import { PermissionDeniedError } from "../operate/permission-denied";
import { Session } from "../operate/session";
import { noticeAfterUp } from "../operate/stores";
import { type ProgramResult, resultFileVariable } from "../program/program-result";
import { writeWholeYaml } from "../stack/write-whole-yaml";
import { readState } from "../state/stack-state";
import type { Held } from "../state/value-holders";
import type { AdoptArguments } from "./adopt";
import { checkDestroy, describeKept } from "./destroy";
import { CommandError, exitCodes } from "./exit-codes";
import { licenseNotice } from "./license-notice";
import { addOperatorCommands, type EnvironmentOptions, withVault } from "./operator-commands";
import type { PlanOptions } from "./plan";
import { type Executable, findPulumi, run, typed } from "./pulumi-cli";
import { print, tell } from "./terminal";
import { addVaultCommands } from "./vault-commands";
import { openWorkspace, type Workspace } from "./workspace";

interface Options extends EnvironmentOptions {
  readonly yes?: boolean;
  readonly refresh?: boolean;
}

/** Folder of the environments: that of the clone, or of whoever installed the package. */
const root = (): string => process.cwd();

/** Runs one of Pulumi's operations on an environment and gives its result an exit code of its own. */
async function operate(operation: string, extra: readonly string[], options: Options): Promise<number> {
  const asks = operation !== "preview" && options.yes !== true;
  if (asks && !process.stdin.isTTY) {
    throw new CommandError(
      `\`${operation}\` asks before it changes anything: pass --yes to run it unasked.`,
      exitCodes.invalid,
    );
  }
  const file = readEnvironment(root(), options.env, options.config, await KubeApi.contexts());
  await showTarget(operation, file.environment);
  // What is left of a cluster that is gone can be destroyed: Pulumi says how.
  if (operation !== "destroy") await assertAnswers(file.environment);
  const pulumi = findPulumi();
  const workspace = await openWorkspace(root(), file, pulumi);
  const kept = operation === "destroy" ? await keptByDestroy(file.environment, pulumi, workspace) : [];

  const folder = mkdtempSync(join(tmpdir(), "aidbox-secrets-"));
  const resultFile = join(folder, "result.json");
  try {
    const code = await run(
      pulumi,
      [
        operation,
        "--stack",
        workspace.stack,
        "--config-file",
        workspace.configFile,
        ...extra,
        ...(options.yes === true ? ["--yes", "--skip-preview"] : []),
      ],
      { cwd: workspace.project, env: { ...workspace.env, [resultFileVariable]: resultFile }, output: "inherit" },
    );
    if (code === 0) {
      if (operation === "up") {
        await showNextCommand(pulumi, workspace);
        for (const notice of [licenseNotice(file.environment), await noticeAfterUp(file.environment)]) {
          if (notice !== "") tell(`\n${notice}`);
        }
      }
      const stays = operation === "destroy" ? await describeKept(file.environment, kept) : "";
      if (stays !== "") tell(`\n${stays}`);
      return exitCodes.done;
    }
    return exitCodeOfResult(readResult(resultFile));
  } finally {
    removeFolder(folder);
  }
}

/** Removes a temporary folder, where that can be done: what became of the command is what to tell of. */
function removeFolder(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // It holds no secret, and the system clears it.
  }
}

/** What a `destroy` leaves, since it holds values; in development nothing. */
async function keptByDestroy(
  environment: Environment,
  pulumi: Executable,
  { stack, env, project: cwd }: Workspace,
): Promise<readonly Held[]> {
  if (environment.development) return [];
  const backend =
    env.PULUMI_BACKEND_URL === undefined ? "" : `PULUMI_BACKEND_URL=${shellWord(env.PULUMI_BACKEND_URL)} `;
  return checkDestroy(
    environment,
    await readState(pulumi, stack, { cwd, env }),
    (...args) => `${backend}${shellCommand(...typed(pulumi), ...args, "--stack", stack)}`,
  );
}

async function plan({ json = false, svg, html, ...options }: Options & Partial<PlanOptions>): Promise<number> {
  const file = readEnvironment(root(), options.env, options.config);
  const { showPlan } = await import("./plan.js"); // Pulumi's SDK takes longer to load than all else
  await showPlan(file, { json, svg, html });
  return exitCodes.done;
}

async function images({ json = false, ...options }: Options & { readonly json?: boolean }): Promise<number> {
  const { environment } = readEnvironment(root(), options.env, options.config);
  const { showImages } = await import("./images.js"); // it makes a plan
  return showImages(environment, json);
}

async function adopt({ json = false, yes = false, ...options }: Options & AdoptArguments): Promise<number> {
  const file = readEnvironment(root(), options.env, options.config, await KubeApi.contexts());
  await showTarget("adopt", file.environment);
  await assertAnswers(file.environment);
  const { runAdoption } = await import("./adopt.js"); // it makes a plan
  const pulumi = findPulumi();
  return runAdoption(file.environment, pulumi, () => openWorkspace(root(), file, pulumi, "ignore"), { json, yes });
}

/** Writes the YAML of an environment; to standard output nothing else than where it is. */
function synth(options: Options): Promise<number> {
  const folder = writeWholeYaml(readEnvironment(root(), options.env, options.config).environment);
  print(`${folder}/*.k8s.yaml`);
  return Promise.resolve(exitCodes.done);
}

async function showTarget(operation: string, { name, kubeContext }: Environment): Promise<void> {
  const api = await KubeApi.connect(kubeContext);
  const server = api.config.getCurrentCluster()?.server ?? "unknown";
  tell(`${operation}: environment "${name}", cluster "${kubeContext}" (${server})`);
}

/** @throws UnreachableError where the cluster does not answer, as Pulumi itself finds out late and says in hard words */
async function assertAnswers(environment: Environment): Promise<void> {
  try {
    await assertClusterAnswers(await Session.connect(environment));
  } catch (error) {
    if (!(error instanceof PermissionDeniedError)) throw error; // who may not ask for its version may do the rest
  }
}

/** What to run after a first `up`: the command among the outputs that shows the secret's file. */
async function showNextCommand(pulumi: Executable, { project: cwd, stack, env }: Workspace): Promise<void> {
  tell("\nNext, see that the secret has arrived:");
  await run(pulumi, ["stack", "output", "verifyCommand", "--stack", stack], { cwd, env, output: "inherit" });
}

function exitCodeOfResult(result: ProgramResult | undefined): number {
  switch (result?.reason) {
    case undefined:
      return exitCodes.failed;
    case "values-at-risk":
    case "names-taken":
    case "downgrade":
      return exitCodes.invalid;
    case "rights-missing":
      return exitCodes.notEquipped;
    case "secrets-missing":
    case "vault-unusable":
      return exitCodes.waits;
  }
}

function readResult(file: string): ProgramResult | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as ProgramResult;
  } catch {
    return undefined; // the program had nothing to say, or did not run
  }
}

/** All commands, with their arguments and options; parsing runs one. */
export function commandLine(): Command {
  const program = new Command("aidbox-secrets")
    .description("Aidbox with its secrets from Vault: deploys an environment, from an empty cluster on")
    .version(ownVersion())
    .helpCommand(false) // the library's own ends as what went before it
    .exitOverride()
    .configureOutput({
      writeErr: (text) => {
        process.stderr.write(visibleLines(text));
      },
    })
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 1 failed, 2 wrong arguments or config, 3 waits for an operator, who writes secrets or unseals, " +
        "4 this machine lacks something, or you a right, 5 a link is broken or a pod is stale, 6 not all could be checked",
    );
  const command = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .option("-e, --env <name>", "environment, as in Pulumi.<name>.yaml", "dev")
      .option(
        "-c, --config <key=value>",
        "another value for a key of its config, for this run only; null takes the key away",
        addOverride,
        [],
      )
      .exitOverride();
  const finish = async (code: Promise<number>): Promise<void> => {
    process.exitCode = await code;
  };

  command("plan", "show what `up` would create, without a cluster and without Pulumi's CLI")
    .option("--json", "print it for machines")
    .option("--svg <file>", "where to write the picture; by default to dist/<name>/plan.svg")
    .option("--html <file>", "where to write the page; by default to dist/<name>/plan.html")
    .action((options: Options & Partial<PlanOptions>) => finish(plan(options)));
  command("synth", "write the environment's Kubernetes YAML to dist/, without a cluster and without Pulumi").action(
    (options: Options) => finish(synth(options)),
  );
  command("images", "list every image of the environment and of its charts, for a mirror; needs Helm, and no cluster")
    .option("--json", "print it for machines")
    .action((options: Options & { readonly json?: boolean }) => finish(images(options)));
  command("up", "deploy the environment, or bring it up to date")
    .option("-y, --yes", "do not ask")
    .option("--refresh", "look at what is really there first, so that drift is mended")
    .action((options: Options) =>
      finish(operate("up", options.refresh === true ? ["--refresh", "--run-program"] : [], options)),
    );
  command("preview", "show what `up` would change").action((options: Options) =>
    finish(operate("preview", [], options)),
  );
  command("refresh", "bring the state in line with what is really there")
    .option("-y, --yes", "do not ask")
    .action((options: Options) => finish(operate("refresh", ["--run-program"], options)));
  command("adopt", "show what somebody installed by hand, and take it over into the environment's state")
    .option("--json", "print it for machines")
    .option("-y, --yes", "take it over, and do not ask")
    .action((options: Options & AdoptArguments) => finish(adopt(options)));
  command("destroy", "remove the environment from the cluster")
    .option("-y, --yes", "do not ask")
    .action((options: Options) => finish(operate("destroy", [], options)));
  addOperatorCommands(command, finish);
  addVaultCommands(command, (options, action) => finish(withVault(options).then(action)));
  addHelp(program);
  return program;
}

function addHelp(program: Command): void {
  program
    .command("help")
    .description("display help for command")
    .argument("[command]")
    .exitOverride()
    .action((name?: string) => {
      const found = name === undefined ? program : program.commands.find((each) => each.name() === name);
      if (found === undefined) {
        const near = suggest(
          name!,
          program.commands.map((each) => each.name()),
        );
        const hint = near === undefined ? "" : `: did you mean ${near}?`;
        throw new CommandError(`there is no command "${name!}"${hint}`, exitCodes.invalid);
      }
      found.outputHelp();
      process.exitCode = exitCodes.done;
    });
}

function addOverride(text: string, previous: readonly Override[]): readonly Override[] {
  const [written = "", ...value] = text.split("=");
  const key = written.replace(new RegExp(`^${projectName}:`), ""); // as errors write it
  if (key === "" || value.length === 0) throw new InvalidArgumentError("write it as KEY=VALUE, as aidbox.replicas=2");
  return [...previous, { key, value: value.join("=") }];
}
