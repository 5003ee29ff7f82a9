import { type Command, InvalidArgumentError, Option } from "commander";
import { KubeApi } from "../cluster/kube-api";
import type { Environment, VaultEnvironment } from "../config/environment";
import { type Override, readEnvironment } from "../config/environment-file";
import { storeTitle } from "../config/stores";
import { InvalidRequestError } from "../operate/errors";
import { alphabets } from "../operate/new-value";
import type { OperatorRole } from "../operate/rights";
import { type AccessOptions, showAccess } from "./access";
import { showExplanation } from "./explain";
import { showRights } from "./rights";
import { type RotateArguments, runRotation } from "./rotate";
import { runDueRotations } from "./rotate-due";
import { showStatus } from "./status";
import type { ValueArguments } from "./value-source";
import { runVault } from "./vault-cli";
import { showVerification } from "./verify";
import { wholeNumber } from "./whole-number";
import { runWrite } from "./write";

/** Options of every command. */
export interface EnvironmentOptions {
  readonly env: string;
  readonly config: readonly Override[];
}

interface OperatorOptions extends EnvironmentOptions {
  readonly tenant?: string;
  readonly json?: boolean;
}

/**
 * The commands for whoever is on call.
 *
 * @param commandOf makes a command with the options of every command
 * @param finish ends the program with a command's exit code
 */
export function addOperatorCommands(
  commandOf: (name: string, description: string) => Command,
  finish: (code: Promise<number>) => Promise<void>,
): void {
  const json = ["--json", "print it for machines"] as const;
  const command = (name: string, description: string): Command =>
    commandOf(name, description).option("-t, --tenant <name>", "the tenant's Aidbox; by default the first one");

  command("verify", "walk the chain from the store to Aidbox: which link is broken, why, and what fixes it")
    .option(...json)
    .action((options: OperatorOptions) =>
      finish(withCluster(options).then((environment) => showVerification(environment, options.json === true))),
    );

  withValueSource(command("rotate", "write a new value of a secret, and wait until every pod serves it"))
    .argument("[secret]", "its name in the table; a keypair and one of source database need no value, they are made")
    .option(
      "--due",
      "in place of a name: each one that is older than its maxAge, where it is made at random or by the store",
    )
    .option("--rollback <version>", "go back to the value of an earlier version", storeVersion)
    .option("-y, --yes", "do not ask before a new keypair ends all sessions")
    .option("--restart", "roll what takes the secret as environment, and wait for it")
    .option(
      "--now",
      "as --restart, and wait neither for the quiet window nor for other changes (`rolls` of the config)",
    )
    .option("--timeout <seconds>", "how long to wait for the pods", wholeNumber, 60)
    .option(...json)
    .action((secret: string | undefined, options: OperatorOptions & RotateArguments & { due?: boolean }) =>
      finish(
        withCluster(options).then((environment) => {
          if (options.due === true) return runDueRotations(environment, secret, options);
          if (secret === undefined) throw new InvalidRequestError("name the secret to rotate, or pass --due");
          return runRotation(environment, secret, options);
        }),
      ),
    );

  withValueSource(
    command(
      "write",
      "write the first value of a secret of source external, which `up` waits for; by default from standard input",
    ),
  )
    .argument("<secret>", "its name in the table")
    .option(...json)
    .action((secret: string, options: OperatorOptions & ValueArguments) =>
      finish(withCluster(options).then((environment) => runWrite(environment, secret, options))),
    );

  command("status", "show each secret's version in the store and in each pod")
    .option(...json)
    .option("--metrics", "print ages and stale pods as metrics, for Prometheus")
    .action((options: OperatorOptions & { metrics?: boolean }) =>
      finish(
        withCluster(options).then((environment) =>
          showStatus(environment, { json: options.json === true, metrics: options.metrics === true }),
        ),
      ),
    );

  command("access", "show who can read each secret: by Vault's policies, and by way of Kubernetes; with the controls")
    .option(...json)
    .option("--html <file>", "write it as a page to a file, in place of printing it")
    .action((options: OperatorOptions & Omit<AccessOptions, "json">) =>
      finish(
        withCluster(options).then((environment) =>
          showAccess(environment, { json: options.json === true, html: options.html }),
        ),
      ),
    );

  commandOf("vault", "run Vault's own command line against the environment's Vault, with your token in VAULT_TOKEN")
    .argument("[arguments...]", "those of `vault`, after --")
    .action((args: readonly string[], options: EnvironmentOptions) =>
      finish(withVault(options).then((environment) => runVault(environment, args))),
    );

  command("explain", "draw a secret's way from the store to the resource that refers to it; asks no cluster")
    .argument("<secret>", "its name in the table")
    .option(...json)
    .action((secret: string, options: OperatorOptions) =>
      finish(showExplanation(withoutCluster(options), secret, options.json === true)),
    );

  command("rights", "print what these commands need: YAML for kubectl, or the store's policy; asks no cluster")
    .addOption(
      new Option(
        "--role <role>",
        "of who looks only, who rotates too, who writes first values too, of a scheduler, of an auditor, or of Pulumi's own login at the store",
      )
        .choices(["viewer", "rotator", "writer", "scheduler", "auditor", "stack"])
        .default("rotator"),
    )
    .option("--group <name>", "group of the operators in the cluster", "aidbox-operators")
    .addOption(
      new Option("--for <system>", "which part to print").choices(["kubernetes", "store"]).default("kubernetes"),
    )
    .option(...json)
    .action((options: OperatorOptions & { role: OperatorRole; group: string; for: "kubernetes" | "store" }) =>
      finish(Promise.resolve(showRights(withoutCluster(options), options))),
    );
}

/** The options by which `valueSource` finds a new value. */
function withValueSource(command: Command): Command {
  return command
    .option("--stdin", "take the value from standard input, without the line break at its end")
    .option("--fd <number>", "take it from a file descriptor", wholeNumber)
    .option("--generate <length>", "make it at random", wholeNumber)
    .addOption(
      new Option("--alphabet <name>", "of what is made at random").choices(Object.keys(alphabets)).default("base64url"),
    );
}

/** Parses a version by a store's own name. @throws InvalidArgumentError where no store has such one */
function storeVersion(text: string): string {
  if (!/^[0-9a-f]+$/.test(text)) throw new InvalidArgumentError("write a version as `status` shows it");
  return text;
}

/** The environment of a command that needs its cluster. */
async function withCluster({ env, config, tenant }: OperatorOptions): Promise<Environment> {
  return tenantOf(readEnvironment(process.cwd(), env, config, await KubeApi.contexts()).environment, tenant);
}

/**
 * The environment of a command that is Vault's alone.
 *
 * @throws InvalidRequestError where its store is another
 */
export async function withVault(options: OperatorOptions): Promise<VaultEnvironment> {
  const environment = await withCluster(options);
  if (environment.vault !== undefined) return environment;
  throw new InvalidRequestError(
    `environment "${environment.name}" has ${storeTitle(environment)} as its store, and this command is for Vault alone`,
  );
}

function withoutCluster({ env, config, tenant }: OperatorOptions): Environment {
  return tenantOf(readEnvironment(process.cwd(), env, config).environment, tenant);
}

/** A tenant's part of the environment; where none is named, that of the first Aidbox. */
function tenantOf(environment: Environment, name: string | undefined): Environment {
  const found = name === undefined ? environment : environment.tenants.find(({ tenant }) => tenant === name);
  if (found !== undefined) return found;
  const names = environment.tenants.map(({ tenant }) => tenant).join(", ");
  const hint = names === "" ? "it has no tenants: leave --tenant out" : `it has ${names}`;
  throw new InvalidRequestError(`environment "${environment.name}" has no tenant "${name ?? ""}": ${hint}`);
}
