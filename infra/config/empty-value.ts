import { ownCommand } from "./command-line";
import type { Environment } from "./environment";
import { setValue } from "./managed-values";
import { locate } from "./stores/of-environment";

/** What to say of a file that is empty, since its value in the store is: the cause, and the ways out. */
export function emptyValueText(environment: Environment, file: string): string {
  const { table } = environment;
  const secret = table.secrets.find((each) => table.filePath(each) === file);
  if (secret === undefined) return `${file} is empty`;
  return (
    `${secret.name} (${locate(environment, secret)}) is empty in the store, and no pod starts with an empty file: ` +
    `\`${fillCommand(environment, secret)}\`, or write mayBeEmpty: true for it`
  );
}

/** The command that gives a secret another value than an empty one. */
export function fillCommand(
  environment: Environment,
  { name, source }: { readonly name: string; readonly source: string },
): string {
  return source === "managed" ? setValue(environment, name) : ownCommand("rotate", environment, name, "--stdin");
}
