import { readFileSync } from "node:fs";
import { type Command, InvalidArgumentError } from "commander";
import { visibleJson } from "../../constructs/visible";
import type { VaultEnvironment } from "../config/environment";
import { InvalidRequestError } from "../operate/errors";
import { revokeToken } from "../operate/stores/vault/hints";
import { readValue } from "../operate/new-value";
import { grant, grantByShares } from "../operate/stores/vault/grant";
import {
  type FirstSecrets,
  initialise,
  type InitOutcome,
  type OperatorSecrets,
  type StackSecrets,
} from "../operate/stores/vault/init";
import { loginCommand, type OperatorCredentials } from "../operate/stores/vault/operators";
import { rollServers, type ServerRoll } from "../operate/stores/vault/roll";
import { type NextShare, sharesOf, unseal, type Unsealing } from "../operate/stores/vault/unseal";
import { ownCommand } from "../config/command-line";
import { askHidden } from "./ask";
import { exitCodes } from "./exit-codes";
import type { EnvironmentOptions } from "./operator-commands";
import { colours, printOnce, type Progress, show, showProgress } from "./terminal";
import { wholeNumber } from "./whole-number";

interface VaultOptions extends EnvironmentOptions {
  readonly json?: boolean;
}

interface InitOptions extends VaultOptions {
  readonly shares?: number;
  readonly threshold?: number;
  readonly pgpKey?: readonly string[];
  readonly rootTokenPgpKey?: string;
}

/**
 * The commands that bring a Vault of the stack's own into service.
 *
 * @param command makes a command with the options of every command
 * @param run runs one on its environment, and ends the program with its exit code
 */
export function addVaultCommands(
  command: (name: string, description: string) => Command,
  run: (options: VaultOptions, action: (environment: VaultEnvironment) => Promise<number>) => Promise<void>,
): void {
  command(
    "vault:init",
    "initialise the stack's own Vault, once; prints key shares and the stack's token, and keeps none",
  )
    .option("--shares <number>", "number of key shares, by default 5", wholeNumber)
    .option("--threshold <number>", "how many of them unseal it, by default 3", wholeNumber)
    .option("--pgp-key <file>", "public key of the holder of a share; once for each share", addPgpKey)
    .option(
      "--root-token-pgp-key <file>",
      "public key of who is to hold the root token, and runs vault:grant",
      readPgpKey,
    )
    .option("--json", "print it for machines, one document a line, each as soon as it is known")
    .action((options: InitOptions) =>
      run(options, async (environment) => {
        const { shares, threshold, pgpKey: pgpKeys, rootTokenPgpKey } = options;
        const { onProgress, print, stop } = await handOver("looking at Vault", options);
        const outcome = await initialise(environment, {
          shares,
          threshold,
          pgpKeys,
          rootTokenPgpKey,
          onProgress,
          onSecrets: (made) => {
            print(made, formatSecrets(environment, made));
          },
        }).finally(stop);
        print(outcome, formatOutcome(environment, outcome));
        return exitCodeOf(outcome);
      }),
    );

  command(
    "vault:unseal",
    "unseal every server of the stack's own Vault; asks for one key share after another, or reads them from standard input, one a line",
  )
    .option("--json", "print it for machines")
    .action((options: VaultOptions) =>
      run(options, async (environment) => {
        const { json = false } = options;
        const given = process.stdin.isTTY ? undefined : await readShares();
        const progress = await showProgress("looking at Vault", json, true);
        const next = given === undefined ? askForShares(progress) : sharesOf(given);
        const result = await unseal(environment, next, { onProgress: progress.tell }).finally(progress.stop);
        show(result, json, (shown) => formatUnsealing(environment, shown));
        return result.sealed.length === 0 ? exitCodes.done : exitCodes.waits;
      }),
    );

  command(
    "vault:roll",
    "have each server of the stack's own Vault run what the last up wrote: standbys first, then the leader; without auto-unseal it takes key shares as vault:unseal does",
  )
    .option("--json", "print it for machines")
    .action((options: VaultOptions) =>
      run(options, async (environment) => {
        const { json = false } = options;
        const unsealsItself = "seal" in environment.vault && environment.vault.seal !== undefined;
        const given = unsealsItself || process.stdin.isTTY ? undefined : await readShares();
        const progress = await showProgress("looking at Vault's servers", json, true);
        const next = given === undefined ? askForShares(progress) : sharesOf(given);
        const result = await rollServers(environment, next, { onProgress: progress.tell }).finally(progress.stop);
        show(result, json, (shown) => formatRoll(environment, shown));
        return result.sealed === undefined ? exitCodes.done : exitCodes.waits;
      }),
    );

  command(
    "vault:grant",
    "write the rights of the stack and its operators, and make their tokens, by a root token which it asks for or reads from standard input, and revokes",
  )
    .option("--shares", "take key shares in its place, and make a root token of them")
    .option("--no-tokens", "make no new tokens: those that are there get the rights")
    .option("--json", "print it for machines, one document a line, each as soon as it is known")
    .action((options: VaultOptions & { readonly shares?: boolean; readonly tokens: boolean }) =>
      run(options, async (environment) => {
        const byShares = options.shares === true;
        const given = byShares ? await readSharesForRoot() : [await readRootToken()];
        const { onProgress, print, stop } = await handOver("granting rights in Vault", options);
        const onToken = (stackToken: string): void => {
          print({ stackToken }, formatSecrets(environment, { stackToken }));
        };
        const onCredentials = (operator: OperatorCredentials): void => {
          print({ operator }, formatSecrets(environment, { operator }));
        };
        const granting = { onProgress, onToken, onCredentials, tokens: options.tokens };
        const outcome = await (
          byShares ? grantByShares(environment, given, granting) : grant(environment, given[0]!, granting)
        ).finally(stop);
        print(outcome, formatOutcome(environment, outcome, options.tokens));
        return exitCodeOf(outcome);
      }),
    );
}

/** Prints what exists once as soon as it is there, beside the progress of what goes on. */
async function handOver(
  text: string,
  { json = false }: VaultOptions,
): Promise<{
  readonly onProgress: (text: string) => void;
  readonly print: (forMachines: object, text: string) => void;
  readonly stop: () => void;
}> {
  const { tell, aside, stop } = await showProgress(text, json);
  const print = (forMachines: object, forPeople: string): void => {
    aside(() => {
      printOnce(json ? visibleJson(forMachines) : forPeople);
    });
  };
  return { onProgress: tell, print, stop };
}

/** The key shares on standard input, one a line. */
async function readShares(): Promise<string[]> {
  const lines = (await readInput("key shares, one a line")).split("\n");
  const shares = lines.map((line) => line.trim()).filter((line) => line !== "");
  if (shares.length === 0) throw new InvalidRequestError("no key share was given: write one a line");
  return shares;
}

/** Asks on the terminal for one key share after another. Their holders may change places between them. */
function askForShares(progress: Progress): NextShare {
  let before = "";
  return async (sealed) => {
    const { pod, given, needed } = sealed.find((each) => each.needed > 0) ?? sealed[0]!;
    const standing = `${pod} has ${given} of ${needed} key shares`;
    const repeated = standing === before ? "That one was given before. " : "";
    before = standing;
    let hint = `${repeated}${standing}`;
    for (;;) {
      const share = await progress.aside(() => askHidden(`${hint}. Key share, or Enter to leave the rest to others:`));
      if (share === "") return undefined;
      if (/^[\w+/-]+=*$/.test(share)) return share;
      hint = `That is no key share: it is base64 or hex. ${standing}`;
    }
  };
}

async function readRootToken(): Promise<string> {
  if (!process.stdin.isTTY) return readInput("the root token");
  const token = await askHidden("Root token:");
  if (token === "") throw new InvalidRequestError("no root token was given");
  return token;
}

/** The key shares that make a root token; their holders may change places between them. */
async function readSharesForRoot(): Promise<string[]> {
  if (!process.stdin.isTTY) return readShares();
  const shares: string[] = [];
  for (;;) {
    const share = await askHidden(`${shares.length} key shares given. Key share, or Enter where those are all:`);
    if (share === "") break;
    shares.push(share);
  }
  if (shares.length === 0) throw new InvalidRequestError("no key share was given");
  return shares;
}

/** What standard input has, in the words of what it should have. */
async function readInput(what: string): Promise<string> {
  try {
    return await readValue(process.stdin);
  } catch (error) {
    if (!(error instanceof InvalidRequestError)) throw error;
    throw new InvalidRequestError(`standard input should have ${what}, and is empty or no text`);
  }
}

function formatUnsealing(environment: VaultEnvironment, { servers, sealed }: Unsealing): string {
  if (sealed.length === 0) return `${colours.green("✔")} unsealed, and serving: ${servers.join(", ")}`;
  return [
    ...sealed.map(({ pod, given, needed }) =>
      needed === 0 ? `${pod} has not joined the others yet` : `${pod} has ${given} of ${needed} key shares`,
    ),
    "Vault keeps them until it restarts. The next holder goes on with:",
    `  ${ownCommand("vault:unseal", environment)}`,
  ].join("\n");
}

function formatRoll(environment: VaultEnvironment, { rolled, sealed }: ServerRoll): string {
  if (sealed !== undefined) {
    return [
      `${sealed.pod} has ${sealed.given} of ${sealed.needed} key shares, and the servers after it are as they were. Go on with:`,
      `  ${ownCommand("vault:unseal", environment)}`,
      `  ${ownCommand("vault:roll", environment)}`,
    ].join("\n");
  }
  const tick = colours.green("✔");
  return rolled.length === 0
    ? `${tick} every server runs what the last up wrote`
    : `${tick} made anew, and serving: ${rolled.join(", ")}`;
}

function formatFirst(environment: VaultEnvironment, made: FirstSecrets): string {
  const { keyShares, encrypted, recovery, rootToken, rootTokenEncrypted } = made;
  const kind = (isEncrypted: boolean, name: string): string => `${isEncrypted ? "PGP-encrypted " : ""}${name}`;
  return [
    colours.bold("Shown once, and kept nowhere: put each into the hands of who is to hold it."),
    ...keyShares.map(
      (share, n) => `${kind(encrypted, recovery ? "recovery key share" : "key share")} ${n + 1}: ${share}`,
    ),
    `${kind(rootTokenEncrypted, "root token")}: ${rootToken}`,
    "",
    "Should this stop before it says that the root token is revoked, go on with:",
    ...stepsByHand(environment, recovery),
    "",
  ].join("\n");
}

function stepsByHand(environment: VaultEnvironment, recovery: boolean): string[] {
  return [
    ...(recovery ? [] : [`  ${ownCommand("vault:unseal", environment)}`]),
    `  ${ownCommand("vault:grant", environment)}, which takes the root token and revokes it`,
  ];
}

function formatSecrets(environment: VaultEnvironment, made: FirstSecrets | OperatorSecrets | StackSecrets): string {
  if ("keyShares" in made) return formatFirst(environment, made);
  if ("stackToken" in made) return `the stack's token: ${made.stackToken}`;
  const { operator } = made;
  switch (operator.method) {
    case "token":
      return `the operators' token: ${operator.token}`;
    case "userpass":
      return `operator ${operator.user}, password: ${operator.password}`;
    case "approle":
      return `the operators' role id: ${operator.roleId}\nthe operators' secret id: ${operator.secretId}`;
  }
}

function formatOutcome(environment: VaultEnvironment, outcome: InitOutcome, madeTokens = true): string {
  if ("rest" in outcome) return "The rest is for those who can decrypt what is encrypted: go on as said above.";
  if ("stopped" in outcome) return colours.red(`It stopped: ${outcome.stopped}\nGo on as said above.`);
  const goOn = [
    ...(madeTokens ? ["Go on with the stack's token:", "  export VAULT_TOKEN"] : ["Go on with:"]),
    `  ${ownCommand("up", environment)}`,
    ...formatLogin(environment),
  ].join("\n");
  if ("administratorTokenKept" in outcome) return `Your own token is left as it is. ${goOn}`;
  if (outcome.rootTokenRevoked) return `The root token is revoked. ${goOn}`;
  return [
    colours.red(`The root token is NOT revoked: ${outcome.reason}`),
    `Revoke it by\n  ${revokeToken(environment)}`,
    goOn,
  ].join("\n");
}

function formatLogin(environment: VaultEnvironment): string[] {
  const login = loginCommand(environment);
  const who = "Who writes secrets sets VAULT_TOKEN to";
  return login === undefined ? [`${who} the operators' token.`] : [`${who} a token of their own, by:`, `  ${login}`];
}

function exitCodeOf(outcome: InitOutcome): number {
  if ("rest" in outcome) return exitCodes.done;
  if ("administratorTokenKept" in outcome) return exitCodes.done;
  return "rootTokenRevoked" in outcome && outcome.rootTokenRevoked ? exitCodes.done : exitCodes.failed;
}

function addPgpKey(file: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, readPgpKey(file)];
}

function readPgpKey(file: string): string {
  let content: Buffer;
  try {
    content = readFileSync(file);
  } catch (error) {
    throw new InvalidArgumentError(`it cannot be read: ${error instanceof Error ? error.message : ""}`);
  }
  return toBase64(content);
}

/** A public key as Vault takes it: base64 of its binary form, which `gpg --export` writes, with or without --armor. */
function toBase64(content: Buffer): string {
  const armored =
    /-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n(?:.+\r?\n)*\r?\n([\s\S]*?)\r?\n(?:=[\w+/]{4}\r?\n)?-----END/.exec(
      content.toString("latin1"),
    )?.[1];
  return armored === undefined ? content.toString("base64") : armored.replaceAll(/\s/g, "");
}
