import { AzureLoginError, KeyVaultError, MissingPackagesError } from "../../../../constructs/stores/azure-key-vault";
import { isSwitchedOff } from "../../../../constructs/stores/azure-key-vault/errors";
import { PermissionDeniedError } from "../../permission-denied";

/** A call as the operator: who lacks a login, a role or Azure's SDK is told so, and the key vault is no worse for it. */
export async function permitted<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof MissingPackagesError) throw new PermissionDeniedError(error.message);
    if (error instanceof AzureLoginError)
      throw new PermissionDeniedError(`a login at Azure, as by \`az login\`: ${error.message}`);
    if (isForbidden(error)) throw new PermissionDeniedError(error.message);
    throw error;
  }
}

/** Whether a role is lacking. A disabled secret is refused with 403 too, whoever asks. */
export function isForbidden(error: unknown): error is KeyVaultError {
  return error instanceof KeyVaultError && error.status === 403 && !isSwitchedOff(error);
}
