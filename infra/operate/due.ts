import { refuseArguments } from "../../constructs/check-props";
import { isMadeByStore, VersionConflictError } from "../../constructs/secrets";
import { checkedEnvironment } from "../config/checked-environment";
import type { Environment } from "../config/environment";
import { type AgedRow, dueRow, type WhyNotUnasked, whyNotUnasked } from "./due-row";
import type { RotateOptions, Rotation } from "./follow-change";
import { generateValue } from "./new-value";
import { openReachable } from "./open-reachable";
import { rotateOptions } from "./option-checks";
import { allPermitted } from "./permission-denied";
import { remake, rotate } from "./rotate";
import { allRotated, type Rotated } from "./rotated";

/** A row whose value is older than its greatest age. */
export interface DueRow extends AgedRow {
  /** Where it lies, as an operator names it to the store. */
  readonly path: string;
}

/** One that nothing may rotate unasked. */
export type WaitingRow = DueRow & WhyNotUnasked;

/** What became of the rows that are due. */
export interface DueRotations {
  /** What was rotated, in the order of the table. */
  readonly rotated: readonly Rotation[];
  /** What an operator has to rotate. */
  readonly waiting: readonly WaitingRow[];
  /** What somebody else has rotated in the same moment. */
  readonly rotatedByOthers: readonly string[];
  /** What was not tried, since a rotation before it failed. */
  readonly notTried: readonly string[];
  /** Why that rotation failed; none where none did. */
  readonly failure?: {
    /** Name of the row. */
    readonly secret: string;
    /** As `rotate` threw it. */
    readonly error: unknown;
  };
}

/** Length of a value that is made at random, as the stack seeds it. */
const seededLength = 32;

/**
 * Rotates each row whose value is older than its greatest age, one after the other, where its value is made at random or by
 * Vault's database engine. What others make, and what ends sessions, is only named.
 *
 * A rotation that fails ends it: what was rotated before stays so.
 *
 * @throws UnreachableError or PermissionDeniedError where it cannot be seen what is due
 */
export async function rotateDue(environment: Environment, options: RotateOptions = {}): Promise<DueRotations> {
  refuseArguments("rotateDue", { environment, options }, { environment: checkedEnvironment, options: rotateOptions });
  const due = await findDue(environment, options);
  const waiting = due.flatMap(({ row, rotated }): WaitingRow[] => {
    const reason = whyNotUnasked(environment, rotated);
    return reason === undefined ? [] : [{ ...row, ...reason }];
  });
  const names = due.map(({ row }) => row.secret).filter((name) => waiting.every(({ secret }) => secret !== name));
  const done: Rotation[] = [];
  const rotatedByOthers: string[] = [];
  for (const [index, name] of names.entries()) {
    try {
      // Those before it took their time, in which somebody may have rotated this one.
      if (index > 0 && !(await findDue(environment, options)).some(({ row }) => row.secret === name)) {
        rotatedByOthers.push(name);
        continue;
      }
      const isOfEngine = environment.table.secrets.some((each) => each.name === name && isMadeByStore(each));
      done.push(
        await (isOfEngine
          ? remake(environment, name, options)
          : rotate(environment, name, () => Promise.resolve(generateValue(seededLength, "base64url")), options)),
      );
    } catch (error) {
      if (error instanceof VersionConflictError) {
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
  environment: Environment,
  options: RotateOptions,
): Promise<{ readonly row: DueRow; readonly rotated: Rotated }[]> {
  const { store } = await openReachable(environment, options);
  const aged = allRotated(environment).filter(({ maxAgeSeconds }) => maxAgeSeconds !== undefined);
  const states = await allPermitted(aged.map(({ secrets }) => store.state(secrets[0]!)));
  return aged.flatMap((rotated, index) => {
    const row = dueRow(rotated, states[index]?.rotatedAt);
    return row === undefined ? [] : [{ row: { ...row, path: store.locate(rotated.secrets[0]!) }, rotated }];
  });
}
