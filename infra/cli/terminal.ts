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
  readonly stop: () => void;
}

export async function showProgress(text: string, json: boolean): Promise<Progress> {
  const ignore = (): void => undefined;
  if (!process.stderr.isTTY) {
    const tell = (line: string): void => {
      if (!json) console.error(line);
    };
    tell(text);
    return { tell, update: ignore, stop: ignore };
  }
  const { default: ora } = await import("ora"); // an ES module
  const spinner = ora({ text, stream: process.stderr, isSilent: json, discardStdin: false }).start();
  const show = (line: string): void => {
    spinner.text = line;
  };
  return { tell: show, update: show, stop: () => spinner.stop() };
}

/** Prints a result for machines. */
export function printJson(result: unknown): void {
  console.log(JSON.stringify(result, undefined, 2));
}
