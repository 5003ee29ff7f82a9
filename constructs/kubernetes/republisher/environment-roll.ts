import type { SecretStore, SecretTable } from "../../secrets";
import type { EnvironmentRoll } from "./republisher";
import { rollsAtOnce } from "./roll-schedule";

/** The roll of a Deployment whose pods have some of a table as environment; none where they have nothing of it so. */
export function environmentRoll(
  table: SecretTable,
  store: SecretStore,
  {
    schedule,
    ...names
  }: Pick<EnvironmentRoll, "deployment" | "secretProviderClass"> & {
    readonly schedule: EnvironmentRoll["schedule"] | undefined;
  },
): { readonly rolls?: EnvironmentRoll } {
  if (table.synced.length === 0) return {};
  const atOnce = table.synced.filter((secret) => rollsAtOnce(table, secret));
  return {
    rolls: {
      ...names,
      objects: table.synced.map((secret) => store.objectId(secret)),
      atOnce: atOnce.map((secret) => store.objectId(secret)),
      ...(schedule && { schedule }),
    },
  };
}
