import { isMadeByStore, signsTokens } from "../../constructs/secrets";
import { ownCommand } from "../config/command-line";
import type { Environment } from "../config/environment";
import { storeTitle } from "../config/stores";
import type { Consumer } from "../operate/consumers";
import { InvalidRequestError } from "../operate/errors";
import type { RotateOptions, Rotation } from "../operate/follow-change";
import { kubectl } from "../operate/hints";
import { remake, rollBack, rotate, rotateKeypair } from "../operate/rotate";
import { keypairNamed } from "../operate/rotated";
import { ask } from "./ask";
import { exitCodes } from "./exit-codes";
import { colours, show, showProgress } from "./terminal";
import { type ValueArguments, valueSource } from "./value-source";

/** Where the new value comes from, and what follows it. */
export interface RotateArguments extends ValueArguments {
  /** The version to go back to. */
  readonly rollback?: string;
  /** Whether not to ask before sessions end. */
  readonly yes?: boolean;
  readonly restart?: boolean;
  readonly now?: boolean;
  readonly timeout: number;
  readonly json?: boolean;
}

/** Rotates a secret, and shows when each pod served its new value. */
export async function runRotation(environment: Environment, name: string, args: RotateArguments): Promise<number> {
  const carryOut = rotationOf(environment, name, args);
  await confirmEndOfSessions(environment, name, args);
  const json = args.json === true;
  const progress = await showProgress(`rotating ${name}`, json);
  const options: RotateOptions = {
    timeoutSeconds: args.timeout,
    restart: args.restart === true,
    now: args.now === true,
    onProgress: progress.tell,
  };
  const rotation = await carryOut(options).finally(progress.stop);
  show(rotation, json, (shown) => formatRotation(environment, shown));
  return exitCodes.done;
}

type CarryOut = (options: RotateOptions) => Promise<Rotation>;

/** The rotation that the arguments ask for. */
function rotationOf(environment: Environment, name: string, args: RotateArguments): CarryOut {
  const { stdin, fd, generate, rollback } = args;
  const given = [stdin, fd, generate, rollback].filter((each) => each !== undefined).length;
  const keypair = keypairNamed(environment, name);
  if (keypair !== undefined && rollback === undefined) {
    if (generate !== undefined || given > 1) {
      throw new InvalidRequestError(
        `${name} is a keypair, which is made as one: leave out --generate, or give its private key by --stdin or --fd`,
      );
    }
    const text = valueSource(args);
    return (options) => rotateKeypair(environment, name, text, options);
  }
  const isDatabase = environment.table.secrets.some((each) => each.name === name && isMadeByStore(each));
  if (given === 0 && isDatabase) return (options) => remake(environment, name, options);
  if (given !== 1 && !isDatabase) {
    throw new InvalidRequestError(
      "say where the new value comes from, by one of --stdin, --fd NUMBER, --generate LENGTH and --rollback VERSION: " +
        `as ${ownCommand("rotate", environment, name, "--generate", "32")}`,
    );
  }
  if (rollback !== undefined) return (options) => rollBack(environment, name, rollback, options);
  const value = valueSource(args)!;
  return (options) => rotate(environment, name, value, options);
}

/** Asks, where what is rotated signs Aidbox's tokens. @throws InvalidRequestError where the answer is no, or there is no one to ask */
async function confirmEndOfSessions(environment: Environment, name: string, args: RotateArguments): Promise<void> {
  if (!signsTokens(keypairNamed(environment, name)?.kind) || args.yes === true) return;
  const what = `${name} signs Aidbox's tokens: a new pair ends all sessions, and everybody logs in again`;
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new InvalidRequestError(`${what}. Pass --yes to do it`);
  }
  const answer = await ask(`${what}. Rotate it? (y/N) `);
  if (!/^y(es)?$/i.test(answer)) throw new InvalidRequestError("nothing was changed");
}

export function formatRotation(
  environment: Environment,
  { secret, path, previousVersion, version, pods, synced, notes = [] }: Rotation,
): string {
  const back =
    previousVersion === undefined
      ? `${storeTitle(environment)} keeps no earlier password to go back to`
      : `to go back: ${ownCommand("rotate", environment, secret, "--rollback", String(previousVersion))}`;
  const change = version === undefined ? "has a new password" : `is at version ${version}, was ${previousVersion}`;
  const lines = [
    `${colours.green("✔")} ${colours.bold(secret)}: ${path} ${change}`,
    ...pods.map(({ pod, seconds }) => `    pod ${pod} serves it after ${seconds.toFixed(1)} s`),
    ...(pods.length === 0 ? ["    no pod runs that could serve it"] : []),
    ...(synced === undefined ? [] : formatSynced(environment, secret, synced)),
    ...notes.map((note) => colours.yellow(`    ${note}`)),
    colours.dim(`    ${back}`),
  ];
  return lines.join("\n");
}

function formatOwnRoll(environment: Environment, { kind, name, rollsAt }: Consumer): string {
  const took = `    ${kind} ${name} took it as environment, and is rolled by itself`;
  const within = `within ${environment.rotationBoundSeconds} s`;
  if (rollsAt === undefined) return `${took} ${within}`;
  const since = rollsAt.getTime() > Date.now() ? `of ${rollsAt.toISOString()}` : "from now on";
  return `${took} ${within} ${since}; with --now at once`;
}

function formatSynced(environment: Environment, secret: string, synced: NonNullable<Rotation["synced"]>): string[] {
  const names = synced.consumers.map(({ kind, name }) => `${kind} ${name}`).join(", ");
  const arrived = `    Secret ${synced.name} has it after ${synced.seconds.toFixed(1)} s`;
  if (synced.consumers.length === 0) return [`${arrived}; nothing takes it as environment`];
  if (synced.restarted) return [arrived, `    rolled: ${names}`];
  const [own, others] = [true, false].map((byItself) =>
    synced.consumers.filter(({ rollsByItself }) => rollsByItself === byItself),
  ) as [Consumer[], Consumer[]];
  return [
    arrived,
    ...own.map((consumer) => formatOwnRoll(environment, consumer)),
    ...others.flatMap(({ kind, name }) => [
      colours.yellow(`    ${kind} ${name} took ${secret} as environment, and has the old value until it is rolled:`),
      `      ${kubectl(environment, environment.namespaces.aidbox, "rollout", "restart", kind.toLowerCase(), name)}`,
    ]),
  ];
}
