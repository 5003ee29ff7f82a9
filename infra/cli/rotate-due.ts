import type { Environment } from "../config/environment";
import { inWords } from "../operate/age";
import { type DueRotations, rotateDue } from "../operate/due";
import { firstLine, InvalidRequestError } from "../operate/errors";
import { exitCodes } from "./exit-codes";
import { formatRotation, type RotateArguments } from "./rotate";
import { colours, show, showProgress } from "./terminal";

/**
 * Rotates what is due. Its exit code is for a scheduler: an operator is needed where it is not 0.
 *
 * @throws InvalidRequestError where the arguments ask for something else too; what ended it, once what was done is shown
 */
export async function runDueRotations(
  environment: Environment,
  secret: string | undefined,
  args: RotateArguments,
): Promise<number> {
  const { stdin, fd, generate, rollback, yes } = args;
  if ([secret, stdin, fd, generate, rollback, yes].some((each) => each !== undefined)) {
    throw new InvalidRequestError(
      "--due rotates each secret that is due, by a value that is made: leave out the name, --yes, and what says a value",
    );
  }
  const json = args.json === true;
  const progress = await showProgress("looking what is due", json);
  const due = await rotateDue(environment, {
    timeoutSeconds: args.timeout,
    restart: args.restart === true,
    now: args.now === true,
    onProgress: progress.tell,
  }).finally(progress.stop);
  const { failure, ...done } = due;
  show(
    {
      ...done,
      ...(failure === undefined ? {} : { failure: { secret: failure.secret, message: firstLine(failure.error) } }),
    },
    json,
    (shown) => format(environment, shown),
  );
  if (failure !== undefined) throw failure.error;
  return due.waiting.length > 0 ? exitCodes.waits : exitCodes.done;
}

function format(
  environment: Environment,
  {
    rotated,
    waiting,
    rotatedByOthers,
    notTried,
    failure,
  }: Omit<DueRotations, "failure"> & { failure?: { secret: string } },
): string {
  const lines = [
    ...rotated.map((each) => formatRotation(environment, each)),
    ...rotatedByOthers.map(
      (name) => `${colours.green("✔")} ${colours.bold(name)}: somebody else has rotated it just now`,
    ),
    ...waiting.flatMap(({ secret, ageSeconds, maxAgeSeconds, why, command }) => [
      `${colours.yellow("!")} ${colours.bold(secret)}: is ${inWords(ageSeconds)} old, may grow ${inWords(maxAgeSeconds)} old, and is not rotated unasked: ${why}`,
      `    ${command}`,
    ]),
    ...(failure === undefined
      ? []
      : [`${colours.red("✘")} ${colours.bold(failure.secret)}: was not rotated to the end`]),
    ...notTried.map((name) => `${colours.dim("-")} ${name}: not tried`),
  ];
  return lines.length === 0 ? "Nothing is due" : lines.join("\n");
}
