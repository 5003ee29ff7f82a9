import { readFileSync } from "node:fs";
import { type Command, InvalidArgumentError } from "commander";
import { visibleJson } from "../../constructs/visible";
import { ownCommand } from "../config/command-line";
import type { VaultEnvironment } from "../config/environment";
import { InvalidRequestError } from "../operate/errors";
import { grant, grantByShares } from "../operate/stores/vault/grant";
import { leftOutLines, revokeToken } from "../operate/stores/vault/hints";
import {
  type FirstSecrets,
  initialise,
  type InitOutcome,
  type OperatorSecrets,
  type StackSecrets,
} from "../operate/stores/vault/init";
import { loginCommand, type OperatorCredentials } from "../operate/stores/vault/operators";
import { type NewShares, rekey, type Rekeying } from "../operate/stores/vault/rekey";
import { rollServers, type ServerRoll } from "../operate/stores/vault/roll";
import { assertHasOwnServers } from "../operate/stores/vault/servers";
import { sharesOf, unseal, type Unsealing } from "../operate/stores/vault/unseal";
import { type DrillArguments, runDrill } from "./drill";
import { exitCodes } from "./exit-codes";
import { askForNewShares, askForShares, readRootToken, readShares, readSharesForRoot } from "./key-shares";
import type { EnvironmentOptions } from "./operator-commands";
import { type RestoreArguments, runRestore } from "./restore";
import { colours, printOnce, show, showProgress } from "./terminal";
import { wholeNumber } from "./whole-number";

interface VaultOptions extends EnvironmentOptions {
  readonly json?: boolean;
}

interface SharesOptions extends VaultOptions {
  readonly shares?: number;
  readonly threshold?: number;
  readonly pgpKey?: readonly string[];
}

interface InitOptions extends SharesOptions {
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
  // Before anybody types a key share.
  const runOnServers: typeof run = (options, action) =>
    run(options, (environment) => {
      assertHasOwnServers(environment);
      return action(environment);
    });

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
      runOnServers(options, async (environment) => {
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
      runOnServers(options, async (environment) => {
        const { json = false } = options;
        const given = process.stdin.isTTY ? undefined : await readShares();
        const progress = await showProgress("looking at Vault", json, true);
        const next = given === undefined ? askForShares(progress) : sharesOf(given);
        const result = await unseal(environment, next, { onProgress: progress.tell }).finally(progress.stop);
        show(result, json, (shown) => formatUnsealing(environment, shown));
        return result.sealed.length === 0 && result.missing === undefined ? exitCodes.done : exitCodes.waits;
      }),
    );

  command(
    "vault:roll",
    "have each server of the stack's own Vault run what the last up wrote: standbys first, then the leader; without auto-unseal it takes key shares as vault:unseal does",
  )
    .option("--json", "print it for machines")
    .action((options: VaultOptions) =>
      runOnServers(options, async (environment) => {
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
    "vault:rekey",
    "make new key shares of the stack's own Vault, which take the place of those that it has; takes as many of these as unseal it",
  )
    .option("--shares <number>", "number of new key shares, by default 5", wholeNumber)
    .option("--threshold <number>", "how many of them unseal it, by default 3", wholeNumber)
    .option("--pgp-key <file>", "public key of the holder of a new share; once for each share", addPgpKey)
    .option("--json", "print it for machines, one document a line, each as soon as it is known")
    .action((options: SharesOptions) =>
      runOnServers(options, async (environment) => {
        const { shares, threshold, pgpKey: pgpKeys } = options;
        const isTyped = process.stdin.isTTY;
        if (pgpKeys !== undefined && !isTyped) {
          throw new InvalidRequestError(
            "with --pgp-key the holders decrypt their new shares and type them: run it on a terminal",
          );
        }
        const present = await readSharesForRoot();
        const { onProgress, print, aside, stop } = await handOver("looking at Vault", options);
        const result = await rekey(environment, present, {
          shares,
          threshold,
          pgpKeys,
          onProgress,
          onShares: (made) => {
            print(made, formatNewShares(made));
          },
          // Where nobody types, they are printed by now, which is all that a machine can prove.
          giveBack: (made, needed) =>
            isTyped ? aside(() => askForNewShares(needed)) : Promise.resolve(made.keyShares.slice(0, needed)),
        }).finally(stop);
        print(result, formatRekeying(result));
        return result.rootTokenLeft === undefined ? exitCodes.done : exitCodes.failed;
      }),
    );

  command(
    "vault:restore",
    "put a snapshot in the place of all that the stack's own Vault holds, and unseal it by the key shares of the Vault that it is of",
  )
    .option("--snapshot <name>", "which, by default the newest")
    .option("--from-copies", "bring it from the store of vault.snapshots.copies first")
    .option("--confirm <environment>", "the environment's name, in the place of typing it")
    .option("--json", "print it for machines")
    .action((options: VaultOptions & RestoreArguments) =>
      runOnServers(options, (environment) => runRestore(environment, options)),
    );

  command(
    "vault:drill",
    "open a snapshot in a Vault of its own that reaches nobody, and compare every secret with the live one; takes the key shares of the Vault that the snapshot is of",
  )
    .option("--snapshot <name>", "which, by default the newest")
    .option("--from-copies", "bring it from the store of vault.snapshots.copies first")
    .option("--json", "print it for machines")
    .action((options: VaultOptions & DrillArguments) =>
      runOnServers(options, (environment) => runDrill(environment, options)),
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
  readonly aside: <T>(action: () => T) => T;
  readonly stop: () => void;
}> {
  const { tell, aside, stop } = await showProgress(text, json);
  const print = (forMachines: object, forPeople: string): void => {
    aside(() => {
      printOnce(json ? visibleJson(forMachines) : forPeople);
    });
  };
  return { onProgress: tell, print, aside, stop };
}

function formatUnsealing(environment: VaultEnvironment, { servers, sealed, missing }: Unsealing): string {
  const leftOut = leftOutLines(environment, missing);
  if (sealed.length === 0) {
    return [`${colours.green("✔")} unsealed, and serving: ${servers.join(", ")}`, ...leftOut].join("\n");
  }
  return [
    ...leftOut,
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

function formatNewShares({ keyShares, encrypted, recovery }: NewShares): string {
  return [
    colours.bold("Shown once, and kept nowhere: put each into the hands of who is to hold it."),
    ...keyShares.map(
      (share, n) =>
        `${encrypted ? "PGP-encrypted " : ""}new ${recovery ? "recovery key" : "key"} share ${n + 1}: ${share}`,
    ),
    "The former ones count until some of these have been given back.",
    "",
  ].join("\n");
}

function formatRekeying({ threshold, rootTokenLeft }: Rekeying): string {
  const lines = [
    `${colours.green("✔")} the new key shares count, ${threshold} of them together. The former ones open nothing but snapshots`,
    "that were taken before: take a new one, and keep the former shares as long as you keep those.",
  ];
  if (rootTokenLeft === undefined) return lines.join("\n");
  return [...lines, colours.red(`The root token that was made for this is NOT revoked: ${rootTokenLeft}`)].join("\n");
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
