import { isDeepStrictEqual } from "node:util";
import { Lazy } from "cdk8s";
import type { IConstruct } from "constructs";
import { type Check, refuse } from "../check-props";
import type { Problem } from "../secrets";

/** What is added to a construct after it was made, as by `addTarget()`. */
export interface Addition {
  /** Word for one of the list, as `target`. */
  readonly what: string;
  readonly value: unknown;
  readonly check: Check;
  /** What the construct has of them. */
  readonly present?: readonly unknown[];
  /** What else is wrong, looked for where the value is of its kind. */
  readonly further?: () => readonly Problem[];
}

/**
 * Makes sure that something can still be added: nobody would read it where the objects were deployed already.
 *
 * @throws Error with the construct's path, of all that is wrong
 */
export function assertMayAdd(construct: IConstruct, { what, value, check, present = [], further }: Addition): void {
  const { path, locked } = construct.node;
  if (locked) {
    throw new Error(
      `${path}: its objects were deployed already, without this ${what}: add it where the chart is built`,
    );
  }
  const found = check(value) ?? [];
  const problems =
    typeof found === "string"
      ? [{ key: what, message: found }]
      : found.map(({ key, message }) => ({ key: `${what}${key}`, message }));
  const isThere = problems.length === 0 && present.some((each) => isDeepStrictEqual(each, value));
  if (isThere) problems.push({ key: what, message: `${JSON.stringify(value)}: is there already: leave it out` });
  refuse(path, problems.length > 0 ? problems : (further?.() ?? []), "props");
}

/** A value that is made when the object is rendered, and so of all that was added by then. */
export function whenRendered<T>(produce: () => T): T {
  return Lazy.any({ produce }) as T;
}
