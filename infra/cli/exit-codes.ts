/** What the commands' exit codes mean; documented in docs/commands.md. */
export const exitCodes = {
  done: 0,
  /** It failed on its way, as Pulumi did, and has said why. */
  failed: 1,
  /** Wrong arguments or config; nothing was touched. */
  invalid: 2,
  /**
   * The stack waits for an operator, to write secrets (source: external) or to unseal Vault; what comes before is there. Of
   * `rotate --due`: all is rotated that it may rotate, and an operator has to rotate the rest.
   */
  waits: 3,
  /** This machine lacks something, as the passphrase of its state, or the cluster does not answer; nothing was touched. */
  notEquipped: 4,
  /** A link of the chain is broken, or a pod does not serve what Vault has. */
  broken: 5,
  /** No broken link was found, but a right is lacking to check them all. Of `access`: not all of it could be read. */
  notAllChecked: 6,
} as const;

/** An end of a command that is no fault of the program: a message for the user and an exit code. */
export class CommandError extends Error {
  public constructor(
    message: string,
    public readonly exitCode: number,
  ) {
    super(message);
    this.name = "CommandError";
  }
}
