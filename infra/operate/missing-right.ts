/** A right that the operator lacks. */
export class MissingRightError extends Error {
  /** @param right what is lacking, in the words of who refused, or how to get it */
  public constructor(public readonly right: string) {
    super(`A right is lacking: ${right}. See \`npm run rights\` for all that the commands need.`);
    this.name = "MissingRightError";
  }
}

/** The words of what was thrown: the Kubernetes client's sockets throw events, which are no errors. */
export function messageOf(thrown: unknown): string {
  const { message } = Object(thrown) as { message?: unknown };
  return typeof message === "string" ? message : "";
}
