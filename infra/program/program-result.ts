import { writeFileSync } from "node:fs";

/** Variable that names the file to which the program writes why it stopped; Pulumi's exit code does not tell. */
export const resultFileVariable = "AIDBOX_SECRETS_RESULT_FILE";

/** Why the program stopped. */
export interface ProgramResult {
  readonly reason:
    "secrets-missing" | "vault-unusable" | "values-at-risk" | "rights-missing" | "names-taken" | "downgrade";
}

/** Tells the command that runs Pulumi, where there is one, why the program stops. */
export function reportResult(result: ProgramResult): void {
  const file = process.env[resultFileVariable];
  if (file !== undefined) writeFileSync(file, JSON.stringify(result));
}
