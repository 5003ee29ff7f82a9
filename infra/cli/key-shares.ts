import { InvalidRequestError } from "../operate/errors";
import { readValue } from "../operate/new-value";
import type { NextShare } from "../operate/stores/vault/unseal";
import { askHidden } from "./ask";
import type { Progress } from "./terminal";

/** The key shares on standard input, one a line. */
export async function readShares(): Promise<string[]> {
  const lines = (await readInput("key shares, one a line")).split("\n");
  const shares = lines.map((line) => line.trim()).filter((line) => line !== "");
  if (shares.length === 0) throw new InvalidRequestError("no key share was given: write one a line");
  return shares;
}

/** Asks on the terminal for one key share after another. Their holders may change places between them. */
export function askForShares(progress: Progress): NextShare {
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

export async function readRootToken(): Promise<string> {
  if (!process.stdin.isTTY) return readInput("the root token");
  const token = await askHidden("Root token:");
  if (token === "") throw new InvalidRequestError("no root token was given");
  return token;
}

/** The key shares that make a root token; their holders may change places between them. */
export async function readSharesForRoot(): Promise<string[]> {
  if (!process.stdin.isTTY) return readShares();
  const shares = await askForAll("Key share");
  if (shares.length === 0) throw new InvalidRequestError("no key share was given");
  return shares;
}

/** Asks for as many of the new key shares as unseal, each by who holds it now; fewer where somebody leaves one out. */
export async function askForNewShares(needed: number): Promise<string[]> {
  const shares: string[] = [];
  while (shares.length < needed) {
    const question = `${shares.length} of ${needed} new key shares given back. New key share, by its holder, or Enter to stop:`;
    const share = await askHidden(question);
    if (share === "") break;
    shares.push(share);
  }
  return shares;
}

/** Asks for one key share after another, until Enter. @param what as `Key share` */
export async function askForAll(what: string): Promise<string[]> {
  const shares: string[] = [];
  for (;;) {
    const share = await askHidden(`${shares.length} given. ${what}, or Enter where those are all:`);
    if (share === "") return shares;
    shares.push(share);
  }
}

/** Groups of key shares on standard input, one a line, with an empty line between two groups. */
export async function readShareGroups(): Promise<string[][]> {
  const text = (await readInput("key shares, one a line")).replaceAll("\r", "").trim();
  const groups = text.split(/\n\s*\n/).map((group) => group.split("\n").map((line) => line.trim()));
  if (groups.length > 2)
    throw new InvalidRequestError("write one group of key shares, or two with an empty line between");
  return groups;
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
