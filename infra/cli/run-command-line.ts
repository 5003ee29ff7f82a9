import { StoreError, VersionConflictError } from "../../constructs/secrets";
import { isConnectionFailure, NoAnswerError, UnknownOutcomeError } from "../../constructs/settle";
import { UnusableKubeconfigError } from "../cluster/unusable-kubeconfig";
import { ConfigError } from "../config/config-error";
import { firstLine, InvalidRequestError, LostSecretsError, NotServedError, UnreachableError } from "../operate/errors";
import { PermissionDeniedError } from "../operate/permission-denied";
import { NamesTakenError } from "../operate/stores/vault/own-names";
import { commandLine } from "./command-line";
import { addCompletion } from "./completion";
import { CommandError, exitCodes } from "./exit-codes";
import { fileRefusal } from "./file-refusal";
import { inSources } from "./source-lines";
import { tell, watchOutput } from "./terminal";

/** Ends with a fault of the program, as Node does, whose text may come from elsewhere. */
function crash(error: unknown): never {
  tell(inSources((error instanceof Error ? error.stack : undefined) ?? String(error)));
  process.exit(exitCodes.failed);
}

/** Runs the process's command, and ends with its exit code. */
export async function main(): Promise<void> {
  process.on("uncaughtException", crash);
  watchOutput();
  try {
    await runCommandLine(process.argv.slice(2));
  } catch (error) {
    crash(error);
  }
}

/** Runs a command, and sets the process's exit code. @throws what is a fault of the program */
export async function runCommandLine(args: readonly string[]): Promise<void> {
  // Should nothing be left to wait for before a command is through, Node ends the process: that is no success.
  process.exitCode = exitCodes.failed;
  try {
    const program = commandLine();
    addCompletion(program, commandLine, process.cwd());
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    const known = exitCodeOf(error);
    if (known === undefined) throw error;
    if (!isUsageError(error)) tell(messageOf(error));
    process.exitCode = known;
  }
}

function messageOf(error: unknown): string {
  return fileRefusal(error) ?? (isFailedCall(error) ? firstLine(error) : (error as Error).message);
}

/** The exit code of an error that is no fault of the program; undefined for any other. */
function exitCodeOf(error: unknown): number | undefined {
  if (error instanceof CommandError) return error.exitCode;
  if (error instanceof UnusableKubeconfigError) return exitCodes.invalid;
  if (error instanceof ConfigError || error instanceof InvalidRequestError || error instanceof NamesTakenError)
    return exitCodes.invalid;
  if (error instanceof UnreachableError || error instanceof PermissionDeniedError) return exitCodes.notEquipped;
  if (fileRefusal(error) !== undefined) return exitCodes.notEquipped;
  if (
    error instanceof VersionConflictError ||
    error instanceof UnknownOutcomeError ||
    error instanceof LostSecretsError
  ) {
    return exitCodes.failed;
  }
  if (isFailedCall(error)) return exitCodes.failed;
  if (error instanceof NotServedError) return exitCodes.broken;
  if (isUsageError(error)) return error.exitCode === 0 ? exitCodes.done : exitCodes.invalid;
  return undefined;
}

/** A call to the cluster or to the store that failed on its way, or was answered with an error. */
function isFailedCall(error: unknown): boolean {
  if (error instanceof StoreError || error instanceof NoAnswerError) return true;
  const { constructor, body } = Object(error) as { constructor: { name: string }; body?: unknown };
  // The classes of the Kubernetes client come from an ES module, which is not loaded for this.
  return constructor.name === "ApiException" || body !== undefined || isConnectionFailure(error);
}

/** Commander's own end: it has printed the help, or what is wrong with the arguments. */
function isUsageError(error: unknown): error is Error & { readonly exitCode: number } {
  return error instanceof Error && "code" in error && String(error.code).startsWith("commander.");
}
