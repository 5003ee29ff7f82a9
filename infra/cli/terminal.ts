import { writeSync } from "node:fs";
import { isatty } from "node:tty";
import picocolors from "picocolors";
import { visible, visibleIn, visibleJson, visibleLines } from "../../constructs/visible";
import { exitCodes } from "./exit-codes";

/** Colours on a terminal alone; the library's own guess takes a CI's log for one. */
export const colours = picocolors.createColors(isatty(1) && picocolors.isColorSupported);

/** The sequences of the colours that this program uses. */
const ownColours = /\x1b\[(?:1|2|22|31|32|33|39)m/g; // eslint-disable-line no-control-regex

/** Text for a terminal, in which nothing but the program's own colours steers it. */
function forTerminal(text: string): string {
  if (!colours.isColorSupported) return visibleLines(text);
  const own = text.match(ownColours) ?? [];
  return text
    .split(ownColours)
    .map((part, index) => `${visibleLines(part)}${own[index] ?? ""}`)
    .join("");
}

/** Prints lines of the program's own. What comes from elsewhere belongs into `show`, where it makes no lines of its own. */
export function print(text: string): void {
  console.log(forTerminal(text));
}

/** The same on standard error, without colours. */
export function tell(text: string): void {
  console.error(visibleLines(text));
}

/** Has the process end with an error where standard output takes not all of it. A reader who has seen enough, as `head`, is none. */
export function watchOutput(): void {
  process.stdout.on("error", ({ code }: NodeJS.ErrnoException) => {
    if (code === "EPIPE") return;
    tell(`standard output takes nothing more (${code}): the result is not whole`);
    process.once("exit", () => {
      process.exitCode = exitCodes.failed;
    });
  });
}

/** Prints a result: for machines its data as JSON, else its text, into which nothing of the result brings lines or colours. */
export function show<T>(result: T, json: boolean, format: (result: T) => string): void {
  if (json) printJson(result);
  else print(format(visibleIn(result)));
}

/** Prints a result for machines. */
export function printJson(result: unknown): void {
  console.log(visibleJson(result, 2));
}

/** Tells on standard error how far a command is; silent where a machine reads the result. */
export interface Progress {
  /** A new step: on a terminal in the place of the last one, elsewhere a line of its own. */
  readonly tell: (text: string) => void;
  /** How far the step is: on a terminal alone. */
  readonly update: (text: string) => void;
  /** Lets something else have the terminal for a moment. */
  readonly aside: <T>(action: () => T) => T;
  readonly stop: () => void;
}

/** @param asks whether something is asked for meanwhile, so that what is typed too early must not show */
export async function showProgress(text: string, json: boolean, asks = false): Promise<Progress> {
  const ignore = (): void => undefined;
  const aside: Progress["aside"] = (action) => action();
  // Of a terminal of no width, as `docker exec -t` or `expect` may make one, the library would clear lines without end.
  if (!process.stderr.isTTY || process.stderr.columns === 0) {
    const tellLine = (line: string): void => {
      if (!json) tell(visible(line));
    };
    tellLine(text);
    return { tell: tellLine, update: ignore, aside, stop: ignore };
  }
  const { default: ora } = await import("ora"); // an ES module
  const spinner = ora({ text: visible(text), stream: process.stderr, isSilent: json, discardStdin: asks }).start();
  const showStep = (line: string): void => {
    spinner.text = visible(line);
  };
  return {
    tell: showStep,
    update: showStep,
    aside: (action) => {
      spinner.stop();
      const result = action();
      const goOn = (): void => void spinner.start();
      if (result instanceof Promise) result.finally(goOn).catch(ignore);
      else goOn();
      return result;
    },
    stop: () => spinner.stop(),
  };
}

/**
 * Prints what exists nowhere else, before anything else happens: to standard output, and where that takes it not, as a full
 * disk or a reader that is gone, to standard error.
 *
 * @throws what standard error refuses it with
 */
export function printOnce(text: string): void {
  const safe = `${forTerminal(text)}\n`;
  try {
    writeWhole(1, safe);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    writeWhole(2, `Standard output takes nothing (${reason}). What stands there in part, or not at all:\n${safe}`);
  }
}

function writeWhole(descriptor: number, text: string): void {
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10); // its reader is slow
    }
  }
}
