import { replicaPasswordVariable } from "../../constructs/kubernetes/republisher/roll-schedule";
import { passwordVariable } from "../../constructs/kubernetes/database/variables";
import { isMadeByStore, signsTokens } from "../../constructs/secrets";
import { LostRaceError } from "../../constructs/stores/vault/api/kv-mount";
import type { VaultEnvironment } from "../config/environment";
import { vaultPaths } from "../config/stores/vault/server";
import { setValue } from "../config/managed-values";
import { ownCommand } from "../config/command-line";
import { assertReachable } from "./assert-reachable";
import type { RotateOptions, Rotation } from "./follow-change";
import { generateValue } from "./new-value";
import { rotate, rotateStaticRole } from "./rotate";
import { allRotated, type Rotated } from "./rotated";
import { Session } from "./session";
import { standingsOf } from "./standing";

/** A row whose value is older than its greatest age. */
export interface DueRow {
  readonly secret: string;
  /** Path in Vault, with its mount. */
  readonly path: string;
  readonly ageSeconds: number;
  readonly maxAgeSeconds: number;
}

/** One that nothing may rotate unasked. */
export interface WaitingRow extends DueRow {
  readonly why: string;
  /** What rotates it. */
  readonly command: string;
}

/** What became of the rows that are due. */
export interface DueRotations {
  readonly rotated: readonly Rotation[];
  /** What an operator has to rotate. */
  readonly waiting: readonly WaitingRow[];
  /** What somebody else has rotated in the same moment. */
  readonly rotatedByOthers: readonly string[];
  /** What was not tried, since a rotation before it failed. */
  readonly notTried: readonly string[];
  /** Why that rotation failed; none where none did. */
  readonly failure?: { readonly secret: string; readonly error: unknown };
}

/** Length of a value that is made at random, as the stack seeds it. */
const seededLength = 32;

/**
 * Rotates each row whose value is older than its greatest age, one after the other, where its value is made at random or by
 * Vault's database engine. What others make, and what ends sessions, is only named.
 *
 * A rotation that fails ends it: what was rotated before stays so.
 *
 * @throws UnreachableError or MissingRightError where it cannot be seen what is due
 */
export async function rotateDue(environment: VaultEnvironment, options: RotateOptions = {}): Promise<DueRotations> {
  const due = await findDue(environment, options.vaultToken);
  const waiting = due.flatMap(({ row, rotated }): WaitingRow[] => {
    const reason = whyNotUnasked(environment, rotated);
    return reason === undefined ? [] : [{ ...row, ...reason }];
  });
  const names = due.map(({ row }) => row.secret).filter((name) => waiting.every(({ secret }) => secret !== name));
  const done: Rotation[] = [];
  const rotatedByOthers: string[] = [];
  for (const [index, name] of names.entries()) {
    try {
      const isOfEngine = environment.table.secrets.some((each) => each.name === name && isMadeByStore(each));
      done.push(
        await (isOfEngine
          ? rotateStaticRole(environment, name, options)
          : rotate(environment, name, () => Promise.resolve(generateValue(seededLength, "base64url")), options)),
      );
    } catch (error) {
      if (error instanceof LostRaceError) {
        rotatedByOthers.push(name);
        continue;
      }
      const notTried = names.slice(index + 1);
      return { rotated: done, waiting, rotatedByOthers, notTried, failure: { secret: name, error } };
    }
  }
  return { rotated: done, waiting, rotatedByOthers, notTried: [] };
}

async function findDue(
  environment: VaultEnvironment,
  vaultToken: string | undefined,
): Promise<{ readonly row: DueRow; readonly rotated: Rotated }[]> {
  const session = await Session.open(environment, vaultToken);
  await assertReachable(session);
  const aged = allRotated(environment).filter(({ maxAgeSeconds }) => maxAgeSeconds !== undefined);
  const standings = await standingsOf(session, aged);
  return aged.flatMap((rotated, index) => {
    const row = dueRow(environment, rotated, standings[index]?.rotatedAt);
    return row === undefined ? [] : [{ row, rotated }];
  });
}

/**
 * The row where its value is older than its greatest age; undefined where it is not, or has none.
 *
 * @param rotatedAt when its value was written; none where there is none
 */
export function dueRow(
  environment: VaultEnvironment,
  rotated: Rotated,
  rotatedAt: Date | undefined,
  now = new Date(),
): DueRow | undefined {
  const { maxAgeSeconds } = rotated;
  if (maxAgeSeconds === undefined || rotatedAt === undefined) return undefined;
  const ageSeconds = Math.floor((now.getTime() - rotatedAt.getTime()) / 1000);
  if (ageSeconds <= maxAgeSeconds) return undefined;
  return { secret: rotated.name, path: vaultPaths(environment).operator(rotated), ageSeconds, maxAgeSeconds };
}

/** Secret with which Aidbox encrypts what it stores. */
const encryptionVariable = "BOX_SECURITY_ENCRYPT_SECRET";

/** Why a row is rotated by an operator alone, and how; undefined where a scheduler may rotate it. */
export function whyNotUnasked(
  environment: VaultEnvironment,
  { name, source, secrets, keypair }: Rotated,
): Pick<WaitingRow, "why" | "command"> | undefined {
  const asked = (...options: string[]): string => ownCommand("rotate", environment, name, ...options);
  if (signsTokens(keypair?.kind)) return { why: "a new pair ends all sessions", command: asked() };
  const variable = secrets[0]?.environment;
  if (source === "managed") {
    const command = `${setValue(environment, name)} && ${ownCommand("up", environment)}`;
    return { why: "Pulumi writes its value", command };
  }
  if (source === "external") {
    return {
      why: keypair === undefined ? "others make its value" : "others make its certificate",
      command: asked("--stdin"),
    };
  }
  if (isMadeByStore({ source })) return undefined;
  if (variable === encryptionVariable) {
    return { why: "Aidbox could not read what it has encrypted with the old one", command: asked("--generate", "32") };
  }
  const ofOwnDatabase = variable === passwordVariable && environment.database?.mode === "development";
  if ((variable === passwordVariable && !ofOwnDatabase) || variable === replicaPasswordVariable) {
    return { why: "its database must take the new password first", command: asked("--stdin") };
  }
  return undefined;
}
