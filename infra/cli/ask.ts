import { createInterface } from "node:readline/promises";
import { setImmediate } from "node:timers/promises";
import { read } from "read";
import { visible, visibleLines } from "../../constructs/visible";
import { InvalidRequestError } from "../operate/errors";

/**
 * Asks for a secret on the terminal, and does not show what is typed.
 *
 * @returns the answer; "" where there is none
 * @throws InvalidRequestError where Ctrl-C is typed
 */
export async function askHidden(question: string): Promise<string> {
  const { stdin, stderr } = process;
  // Without a terminal of its own, as with 2>FILE, the library would leave the echo on.
  const answer = read({ prompt: visible(question), silent: true, input: stdin, output: stderr, terminal: true });
  // At Ctrl-D it stops reading, and never answers.
  const end = new Promise<string>((done) => {
    stdin.once("pause", () => void setImmediate("").then(done));
  });
  try {
    return (await Promise.race([answer, end])).trim();
  } catch {
    throw new InvalidRequestError("stopped; nothing of this answer was used");
  }
}

/**
 * Asks on the terminal before something is done.
 *
 * @throws InvalidRequestError where Ctrl-C or Ctrl-D is typed: Node itself would end without a word
 */
export async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const stopped = new Promise<never>((_, fail) => {
    terminal.once("close", () => {
      fail(new InvalidRequestError("stopped: nothing was changed"));
    });
  });
  try {
    return (await Promise.race([terminal.question(visibleLines(question)), stopped])).trim();
  } finally {
    terminal.close();
  }
}
