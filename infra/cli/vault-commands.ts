import { readFileSync } from "node:fs";
import { type Command, InvalidArgumentError } from "commander";
import type { Environment } from "../config/environment";
import { InvalidRequestError } from "../operate/errors";
import { readValue } from "../operate/new-value";
import { grant } from "../operate/vault/grant";
import { initialise, type Initialisation } from "../operate/vault/init";
import { unseal } from "../operate/vault/unseal";
import { ownCommand } from "../own-command";
import { exitCodes } from "./exit-codes";
import type { EnvironmentOptions } from "./operator-commands";
import { colours, printJson, showProgress } from "./terminal";
import { wholeNumber } from "./whole-number";

interface VaultOptions extends EnvironmentOptions {
  readonly json?: boolean;
}

/**
 * The commands that bring a Vault of the stack's own into service.
 *
 * @param command makes a command with the options of every command
 * @param run runs one on its environment, and ends the program with its exit code
 */
export function addVaultCommands(
  command: (name: string, description: string) => Command,
  run: (options: VaultOptions, action: (environment: Environment) => Promise<number>) => Promise<void>,
): void {
  command(
    "vault:init",
    "initialise the stack's own Vault, once; prints key shares and the stack's token, and keeps none",
  )
    .option("--shares <number>", "number of key shares, by default 5", wholeNumber)
    .option("--threshold <number>", "how many of them unseal it, by default 3", wholeNumber)
    .option("--pgp-key <file>", "public key of the holder of a share; once for each share", addPgpKey)
    .option("--json", "print it for machines")
    .action((options: VaultOptions & { shares?: number; threshold?: number; pgpKey?: readonly string[] }) =>
      run(options, async (environment) => {
        const { shares, threshold, pgpKey: pgpKeys } = options;
        const progress = await showProgress("looking at Vault", options.json === true);
        const made = await initialise(environment, { shares, threshold, pgpKeys, onProgress: progress.tell }).finally(
          progress.stop,
        );
        if (options.json === true) printJson(made);
        else console.log(format(environment, made));
        const isByHand = made.encrypted && !made.recovery;
        return made.stackToken === undefined && !isByHand ? exitCodes.failed : exitCodes.done;
      }),
    );

  command(
    "vault:unseal",
    "unseal every server of the stack's own Vault; reads key shares from standard input, one a line",
  )
    .option("--json", "print it for machines")
    .action((options: VaultOptions) =>
      run(options, async (environment) => {
        const lines = (await readInput("key shares, one a line")).split("\n");
        const shares = lines.map((line) => line.trim()).filter((line) => line !== "");
        if (shares.length === 0) throw new InvalidRequestError("no key share was given: write one a line");
        const progress = await showProgress("unsealing", options.json === true);
        const servers = await unseal(environment, shares, { onProgress: progress.tell }).finally(progress.stop);
        if (options.json === true) printJson({ servers });
        else console.log(`${colours.green("✔")} unsealed, and serving: ${servers.join(", ")}`);
        return exitCodes.done;
      }),
    );

  command("vault:grant", "make the stack's own token from a root token on standard input, and revoke that one")
    .option("--json", "print it for machines")
    .action((options: VaultOptions) =>
      run(options, async (environment) => {
        const stackToken = await grant(environment, await readInput("the root token"));
        if (options.json === true) printJson({ stackToken });
        else console.log(formatToken(environment, stackToken));
        return exitCodes.done;
      }),
    );
}

/** What standard input has, in the words of what it should have. */
async function readInput(what: string): Promise<string> {
  if (process.stdin.isTTY) throw new InvalidRequestError(`a terminal would show ${what}: pipe it in`);
  try {
    return await readValue(process.stdin);
  } catch (error) {
    if (!(error instanceof InvalidRequestError)) throw error;
    throw new InvalidRequestError(`standard input should have ${what}, and is empty or no text`);
  }
}

function format(environment: Environment, made: Initialisation): string {
  const { keyShares, encrypted, recovery, stackToken, rootToken } = made;
  const kind = recovery ? "recovery key share" : "key share";
  return [
    colours.bold("Shown once, and kept nowhere: put each into the hands of who is to hold it."),
    ...keyShares.map((share, index) => `${encrypted ? "PGP-encrypted " : ""}${kind} ${index + 1}: ${share}`),
    ...(made.stopped === undefined ? [] : [colours.red(`It stopped: ${made.stopped}`)]),
    ...(rootToken === undefined
      ? []
      : [
          `root token: ${rootToken}`,
          "",
          ...(recovery ? [] : [`Then: ${ownCommand("vault:unseal", environment)}`]),
          `Then: ${ownCommand("vault:grant", environment)}, which revokes the root token`,
        ]),
    ...(stackToken === undefined ? [] : [formatToken(environment, stackToken)]),
  ].join("\n");
}

function formatToken(environment: Environment, stackToken: string): string {
  return `the stack's token: ${stackToken}\n\nThe root token is revoked. Go on with the stack's:\n  export VAULT_TOKEN\n  ${ownCommand("up", environment)}`;
}

function addPgpKey(file: string, previous: readonly string[] = []): readonly string[] {
  let content: Buffer;
  try {
    content = readFileSync(file);
  } catch (error) {
    throw new InvalidArgumentError(`it cannot be read: ${error instanceof Error ? error.message : ""}`);
  }
  return [...previous, toBase64(content)];
}

/** A public key as Vault takes it: base64 of its binary form, which `gpg --export` writes, with or without --armor. */
function toBase64(content: Buffer): string {
  const armored =
    /-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n(?:.+\r?\n)*\r?\n([\s\S]*?)\r?\n(?:=[\w+/]{4}\r?\n)?-----END/.exec(
      content.toString("latin1"),
    )?.[1];
  return armored === undefined ? content.toString("base64") : armored.replaceAll(/\s/g, "");
}
