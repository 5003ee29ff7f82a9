import type { VaultEnvironment } from "../config/environment";
import { inWords } from "../operate/age";
import { InvalidRequestError } from "../operate/errors";
import { type Drill, drill, type DrilledSecret } from "../operate/stores/vault/drill";
import { exitCodes } from "./exit-codes";
import { askForAll, readShareGroups } from "./key-shares";
import { colours, show, showProgress } from "./terminal";

export interface DrillArguments {
  /** Name of the snapshot. @default - the newest */
  readonly snapshot?: string;
  /** Whether it is brought from the store of the copies. @default false */
  readonly fromCopies?: boolean;
  readonly json?: boolean;
}

/** Tries a snapshot; its exit code tells whether every secret would come back as it is. */
export async function runDrill(environment: VaultEnvironment, args: DrillArguments): Promise<number> {
  const { json = false } = args;
  const groups = process.stdin.isTTY ? undefined : await readShareGroups();
  const progress = await showProgress("looking at Vault", json, true);
  const result = await drill(environment, {
    snapshot: args.snapshot,
    fromCopies: args.fromCopies,
    onProgress: progress.tell,
    shares: () => progress.aside(() => sharesFor(groups)),
  }).finally(progress.stop);
  show(result, json, format);
  return result.secrets.every(({ state }) => state === "same") ? exitCodes.done : exitCodes.broken;
}

async function sharesFor(groups: readonly string[][] | undefined): Promise<readonly string[]> {
  const shares =
    groups === undefined ? await askForAll("Key share of the Vault that the snapshot is of") : groups.flat();
  if (shares.length === 0) throw new InvalidRequestError("no key share was given");
  return shares;
}

function format({ snapshot, takenAt, lostSeconds, seconds, secrets }: Drill): string {
  const same = secrets.filter(({ state }) => state === "same").length;
  return [
    ...secrets.map(formatSecret),
    "",
    `${snapshot} was open after ${seconds} s: ${same} of ${secrets.length} secrets are as the live ones`,
    `A restore now would lose the last ${inWords(lostSeconds)}: what was written after ${new Date(takenAt).toISOString()}`,
  ].join("\n");
}

function formatSecret({ tenant, secret, state }: DrilledSecret): string {
  const name = tenant === undefined ? secret : `${tenant}/${secret}`;
  const mark = state === "same" ? colours.green("✔") : colours.red("✘");
  return `${mark} ${name}: ${state === "differs" ? "differs: it was changed after the snapshot" : state}`;
}
