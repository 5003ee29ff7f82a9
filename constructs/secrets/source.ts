/**
 * Where a secret's value comes from.
 *
 * - `managed`: an operator puts it into the stack's encrypted config; Pulumi writes it to the store and keeps it there.
 * - `seeded`: a random value, generated once and written only where the store has none; Pulumi never holds it.
 * - `external`: an operator writes it to the store; Pulumi only checks that it is there and never holds it.
 * - `database`: the store's own account of a database user, whose password the store changes by itself, as a static role of
 *   Vault's database engine. Pulumi only checks that it is there. Not a dynamic role: each publication of the volume makes
 *   another user (measured: 5 in 105 s, for one pod), and all pods share one synced Secret.
 */
export type SecretSource = "managed" | "seeded" | "external" | "database";

/** What a source means, whichever store has it. */
export interface SourceTraits {
  /** Who makes a new value: Pulumi from its config, the stack once at random, an operator, or the store itself. */
  readonly madeBy: "config" | "stack" | "operator" | "store";
  /** Key of a row that names none. @default - the row's name */
  readonly defaultKey?: string;
}

export const sourceTraits: Readonly<Record<SecretSource, SourceTraits>> = {
  managed: { madeBy: "config" },
  seeded: { madeBy: "stack" },
  external: { madeBy: "operator" },
  database: { madeBy: "store", defaultKey: "password" },
};

/** Whether the store makes new values by itself. Nobody writes one, and it keeps no earlier one to go back to. */
export function isMadeByStore({ source = "external" }: { readonly source?: SecretSource | undefined }): boolean {
  return sourceTraits[source].madeBy === "store";
}
