import { howToRun } from "../config/own-package";

/** A right that the operator lacks. */
export class PermissionDeniedError extends Error {
  /** @param right what is lacking, in the words of who refused, or how to get it */
  public constructor(public readonly right: string) {
    super(`Missing permission: ${right}. See \`${howToRun("rights")}\` for all that the commands need.`);
    this.name = "PermissionDeniedError";
  }
}

/**
 * What several calls return, all of which are waited for.
 *
 * @throws PermissionDeniedError that names every right that is lacking, in the calls' order; where there is another error too,
 * the first of all
 */
export async function allPermitted<T extends readonly Promise<unknown>[] | []>(
  calls: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  const failures = (await Promise.allSettled(calls)).flatMap((call) => (call.status === "rejected" ? [call] : []));
  const lacks = failures.flatMap(({ reason }) => (reason instanceof PermissionDeniedError ? [reason.right] : []));
  if (lacks.length > 0 && lacks.length === failures.length)
    throw new PermissionDeniedError([...new Set(lacks)].join("; "));
  return Promise.all(calls);
}

/** The words of what was thrown: the Kubernetes client's sockets throw events, which are no errors. */
export function messageOf(thrown: unknown): string {
  const { message } = Object(thrown) as { message?: unknown };
  return typeof message === "string" ? message : "";
}
