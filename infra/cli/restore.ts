import { waitUntil } from "../cluster/wait-until";
import { ownCommand } from "../config/command-line";
import type { VaultEnvironment } from "../config/environment";
import { inWords } from "../operate/age";
import { InvalidRequestError } from "../operate/errors";
import { leftOutLines } from "../operate/stores/vault/hints";
import { type PresentVault, type Restoration, restore, type RestoreShares } from "../operate/stores/vault/restore";
import type { Snapshot } from "../operate/stores/vault/snapshots";
import { type Verification, verify } from "../operate/verify";
import { ask } from "./ask";
import { exitCodes } from "./exit-codes";
import { askForAll, readShareGroups } from "./key-shares";
import { colours, show, showProgress } from "./terminal";

export interface RestoreArguments {
  /** Name of the snapshot. @default - the newest */
  readonly snapshot?: string;
  /** Whether it is brought from the store of the copies. @default false */
  readonly fromCopies?: boolean;
  /** The environment's name, in the place of an answer. @default - it is asked for */
  readonly confirm?: string;
  readonly json?: boolean;
}

/** What a restoration printed for machines has. */
interface Restored extends Restoration {
  /** What `verify` found then; none where servers are sealed still. */
  readonly verification?: Verification;
}

/** Restores a snapshot, and looks whether the secrets come through; its exit code tells. */
export async function runRestore(environment: VaultEnvironment, args: RestoreArguments): Promise<number> {
  const { json = false } = args;
  const groups = process.stdin.isTTY ? undefined : await readShareGroups();
  const progress = await showProgress("looking at Vault", json, true);
  const restored = await restore(environment, {
    snapshot: args.snapshot,
    fromCopies: args.fromCopies,
    onProgress: progress.tell,
    confirm: (snapshot) => progress.aside(() => confirm(environment, snapshot, args)),
    shares: (vault) => progress.aside(() => sharesFor(vault, groups)),
  })
    .then(async (restoration): Promise<Restored> => {
      if (restoration.sealed !== undefined) return restoration;
      progress.tell("checking the chain");
      return { ...restoration, verification: await verifyInTime(environment) };
    })
    .finally(progress.stop);
  show(restored, json, (shown) => format(environment, shown));
  if (restored.sealed !== undefined) return exitCodes.waits;
  const { ok, links } = restored.verification!;
  if (links.some(({ state }) => state === "broken")) return exitCodes.broken;
  if (restored.missing !== undefined) return exitCodes.waits;
  return ok ? exitCodes.done : exitCodes.notAllChecked;
}

/** How long what Vault's absence has broken may take to mend, in seconds: kubelet tries again to publish. */
const mendSeconds = 90;

async function verifyInTime(environment: VaultEnvironment): Promise<Verification> {
  let found = await verify(environment);
  const isMended = async (): Promise<boolean> => {
    if (!found.links.some(({ state }) => state === "broken")) return true;
    found = await verify(environment);
    return false;
  };
  await waitUntil(isMended, Date.now() + mendSeconds * 1000, 3000);
  return found;
}

/** @throws InvalidRequestError where it is not confirmed */
async function confirm(
  { name }: VaultEnvironment,
  snapshot: Snapshot,
  { confirm: given }: RestoreArguments,
): Promise<void> {
  const what =
    `${snapshot.name} takes the place of all that Vault of environment "${name}" holds. What was written in the last ` +
    `${inWords((Date.now() - snapshot.takenAt.getTime()) / 1000)} is lost`;
  let answer = given;
  if (answer === undefined) {
    if (!process.stdin.isTTY || !process.stderr.isTTY) throw new InvalidRequestError(`${what}. Pass --confirm ${name}`);
    answer = await ask(`${what}.\nWrite the name of the environment to go on: `);
  }
  if (answer.trim() !== name) throw new InvalidRequestError(`not confirmed by the name "${name}": nothing was touched`);
}

/** @throws InvalidRequestError where there are none */
async function sharesFor(
  { initialised, unsealsItself }: PresentVault,
  groups: readonly string[][] | undefined,
): Promise<RestoreShares> {
  if (groups !== undefined) return { present: groups[0] ?? [], original: groups.at(-1) ?? [] };
  const present = initialised ? await askForAll("Key share of Vault as it is now") : [];
  if (initialised && present.length === 0) throw new InvalidRequestError("no key share was given: nothing was touched");
  if (unsealsItself) return { present, original: [] };
  const same = initialised ? " (none: the same ones)" : "";
  const original = await askForAll(`Key share of the Vault that the snapshot is of${same}`);
  return { present, original: original.length === 0 ? present : original };
}

function format(environment: VaultEnvironment, restored: Restored): string {
  const { snapshot, takenAt, seconds, servers, sealed, missing, verification } = restored;
  const place = `${snapshot} is in place after ${seconds} s. What was written after ${new Date(takenAt).toISOString()} is lost.`;
  const leftOut = leftOutLines(environment, missing);
  if (sealed !== undefined) {
    const lacks = sealed.servers.map(({ pod, given, needed }) => `${pod} has ${given} of ${needed} key shares`);
    return [
      colours.yellow(place),
      ...leftOut,
      ...(sealed.reason === undefined ? lacks : [sealed.reason]),
      "Vault is sealed. It takes the shares of the Vault that the snapshot is of. Go on with:",
      `  ${ownCommand("vault:unseal", environment)}`,
      `  ${ownCommand("verify", environment)}`,
    ].join("\n");
  }
  const { links } = verification!;
  const wrong = links.flatMap((link) => {
    if (link.state === "broken") return [`  ${link.name}: ${link.cause}; fix: ${link.fix}`];
    return link.state === "not permitted" ? [`  ${link.name}: you lack a right: ${link.right}`] : [];
  });
  return [
    `${colours.green("✔")} ${place} Serving: ${servers.join(", ")}`,
    ...leftOut,
    wrong.length === 0
      ? `${colours.green("✔")} verify: ${links.length} of ${links.length} links in order`
      : "What verify found:",
    ...wrong,
    ...(wrong.length === 0
      ? []
      : [
          "A token that is younger than the snapshot is gone with what was overwritten. To make new ones:",
          `  ${ownCommand("vault:grant", environment, "--shares")}`,
        ]),
  ].join("\n");
}
