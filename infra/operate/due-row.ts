import { passwordVariable } from "../../constructs/kubernetes/database/variables";
import { replicaPasswordVariable } from "../../constructs/kubernetes/republisher/roll-schedule";
import { isMadeByStore, signsTokens } from "../../constructs/secrets";
import { ownCommand } from "../config/command-line";
import type { Environment } from "../config/environment";
import { setValue } from "../config/managed-values";
import { allRotated, type Rotated } from "./rotated";

/** A row whose value is older than its greatest age. */
export interface AgedRow {
  /** Name of the row. */
  readonly secret: string;
  /** Time since its value was written, in seconds. */
  readonly ageSeconds: number;
  /** `maxAge` of the row, in seconds. */
  readonly maxAgeSeconds: number;
}

/** Why nothing may rotate a row unasked. */
export interface WhyNotUnasked {
  /** The reason, as a part of a sentence. */
  readonly why: string;
  /** What rotates it. */
  readonly command: string;
}

/**
 * The row where its value is older than its greatest age; undefined where it is not, or has none.
 *
 * @param rotatedAt when its value was written; none where there is none
 */
export function dueRow(rotated: Rotated, rotatedAt: Date | undefined, now = new Date()): AgedRow | undefined {
  const { maxAgeSeconds } = rotated;
  if (maxAgeSeconds === undefined || rotatedAt === undefined) return undefined;
  const ageSeconds = Math.floor((now.getTime() - rotatedAt.getTime()) / 1000);
  if (ageSeconds <= maxAgeSeconds) return undefined;
  return { secret: rotated.name, ageSeconds, maxAgeSeconds };
}

/** The rows that grow too old, and which a scheduler may rotate. */
export function rotatedUnasked(environment: Environment): Rotated[] {
  return allRotated(environment).filter(
    (each) => each.maxAgeSeconds !== undefined && whyNotUnasked(environment, each) === undefined,
  );
}

/** Secret with which Aidbox encrypts what it stores. */
const encryptionVariable = "BOX_SECURITY_ENCRYPT_SECRET";

/** Why a row is rotated by an operator alone, and how; undefined where a scheduler may rotate it. */
export function whyNotUnasked(
  environment: Environment,
  { name, source, secrets, keypair }: Rotated,
): WhyNotUnasked | undefined {
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
