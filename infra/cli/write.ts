import { ownCommand } from "../config/command-line";
import type { Environment } from "../config/environment";
import { writeFirst } from "../operate/write";
import { exitCodes } from "./exit-codes";
import { colours, show } from "./terminal";
import { typedValue, type ValueArguments, valueSource } from "./value-source";

/** Writes a secret's first value. */
export async function runWrite(
  environment: Environment,
  name: string,
  args: ValueArguments & { readonly json?: boolean },
): Promise<number> {
  const value = valueSource(args) ?? typedValue(name) ?? valueSource({ ...args, stdin: true })!;
  const written = await writeFirst(environment, name, value);
  show(
    { secret: name, ...written },
    args.json === true,
    ({ secret, path }) =>
      `${colours.green("✔")} ${colours.bold(secret)}: ${path} has its first value\n    next: ${ownCommand("up", environment)}`,
  );
  return exitCodes.done;
}
