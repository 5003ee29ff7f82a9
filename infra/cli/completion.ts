import { readdirSync } from "node:fs";
import { Argument, type Command } from "commander";
import { readEnvironment } from "../config/environment-file";
import { exitCodes } from "./exit-codes";

const shells = ["bash", "zsh", "fish"] as const;

/** What may stand in a place of the command line; each is told to the shell by `complete`. */
type Handler = (complete: (value: string, description: string) => void) => void;

/**
 * Adds `completion`, which prints a shell's script, and `complete`, which that script calls at each press of the key.
 *
 * @param make makes the command line that is completed
 * @param root folder of the environments' files
 */
export function addCompletion(program: Command, make: () => Command, root: string): void {
  program
    .command("completion")
    .description("print the script by which a shell completes this command: source it")
    .addArgument(new Argument("<shell>").choices(shells))
    .exitOverride()
    .action(async (shell: string) => {
      (await completer(make(), root)).setup(program.name(), program.name(), shell);
      process.exitCode = exitCodes.done;
    });
  program
    .command("complete", { hidden: true })
    .argument("[words...]")
    .exitOverride()
    .action(async (words: readonly string[]) => {
      (await completer(make(), root)).parse([...words]);
      process.exitCode = exitCodes.done;
    });
}

async function completer(commandLine: Command, root: string) {
  const { default: tab } = await import("@bomb.sh/tab/commander"); // an ES module
  const completion = tab(commandLine, { completionCommandName: "completion" });
  for (const command of completion.commands.values()) {
    const environment = command.options.get("env");
    if (environment !== undefined) environment.handler = names(() => environmentNames(root));
    const secret = command.arguments.get("secret");
    if (secret !== undefined) secret.handler = names(() => secretNames(root));
  }
  return completion;
}

function names(find: () => readonly string[]): Handler {
  return (complete) => {
    for (const name of find()) complete(name, "");
  };
}

function environmentNames(root: string): string[] {
  return readdirSync(root).flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []);
}

/** Of the environment `dev`: the shell does not say which `--env` stands on the line. */
function secretNames(root: string): string[] {
  try {
    return readEnvironment(root, "dev").environment.table.secrets.flatMap(({ name, isEveryKey }) =>
      isEveryKey === true ? [] : [name],
    );
  } catch {
    return []; // there is no such environment, or its config is not valid: a completion is no place to say so
  }
}
