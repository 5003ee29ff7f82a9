import { writeSync } from "node:fs";
import { isatty } from "node:tty";
import picocolors from "picocolors";

/** Colours on a terminal alone; the library's own guess takes a CI's log for one. */
export const colours = picocolors.createColors(isatty(1) && picocolors.isColorSupported);

/** Tells on standard error how far a command is; silent where a machine reads the result. */
export interface Progress {
  /** A new step: on a terminal in the place of the last one, elsewhere a line of its own. */
  readonly tell: (text: string) => void;
  /** How far the step is: on a terminal alone. */
  readonly update: (text: string) => void;
  /** Lets something else have the terminal for a moment. */
  readonly aside: (write: () => void) => void;
  readonly stop: () => void;
}

export async function showProgress(text: string, json: boolean): Promise<Progress> {
  const ignore = (): void => undefined;
  const aside: Progress["aside"] = (write) => {
    write();
  };
  if (!process.stderr.isTTY) {
    const tell = (line: string): void => {
      if (!json) console.error(line);
    };
    tell(text);
    return { tell, update: ignore, aside, stop: ignore };
  }
  const { default: ora } = await import("ora"); // an ES module
  const spinner = ora({ text, stream: process.stderr, isSilent: json, discardStdin: false }).start();
  const show = (line: string): void => {
    spinner.text = line;
  };
  return {
    tell: show,
    update: show,
    aside: (write) => {
      spinner.clear();
      write();
    },
    stop: () => spinner.stop(),
  };
}

/** Prints a result for machines. */
export function printJson(result: unknown): void {
  console.log(JSON.stringify(result, undefined, 2));
}

/**
 * Prints what exists nowhere else, before anything else happens: to standard output, and where that takes it not, as a full
 * disk or a reader that is gone, to standard error.
 *
 * @throws what standard error refuses it with
 */
export function printOnce(text: string): void {
  try {
    writeWhole(1, `${text}\n`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    writeWhole(2, `Standard output takes nothing (${reason}). What stands there in part, or not at all:\n${text}\n`);
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
