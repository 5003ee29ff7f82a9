import type { Environment } from "./environment";

/** Aidbox's variable for its licence, and the former one ([settings](https://www.health-samurai.io/docs/aidbox/reference/all-settings)). */
const licenseVariables = ["BOX_LICENSE", "AIDBOX_LICENSE"];

/** Whether an Aidbox may get a licence: by a row of its table, or by variables that the stack does not make. */
function mayHaveLicense({ table, aidbox }: Pick<Environment, "table" | "aidbox">): boolean {
  const { configMaps = [], secrets = [] } = aidbox.environmentFrom ?? {};
  return (
    configMaps.length + secrets.length > 0 ||
    licenseVariables.some((variable) => variable in aidbox.environment) ||
    table.secrets.some(({ environment = "" }) => licenseVariables.includes(environment))
  );
}

/**
 * Whether `up` ends once the pods have their secrets, though Aidbox itself may never become ready: in development, without a
 * licence. Elsewhere it waits for Aidbox.
 */
export function endsWithSecrets(environment: Pick<Environment, "development" | "table" | "aidbox">): boolean {
  return environment.development && !mayHaveLicense(environment);
}
