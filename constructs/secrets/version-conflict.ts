/** Somebody else wrote a secret since it was looked at: this write left it alone. */
export class VersionConflictError extends Error {
  public constructor(message: string) {
    super(message);
    this.name = "VersionConflictError";
  }
}
