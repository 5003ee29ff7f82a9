/** The project of `Pulumi.yaml`: the prefix of every config key. */
export const projectName = "aidbox-secrets";

/** Variable by which the command line tells the program in which folder the environments' files lie. */
export const environmentsFolderVariable = "AIDBOX_SECRETS_ENVIRONMENTS";

/** Config keys that hold secrets: the engine decrypts them, the schema does not see them. */
export const secretKeys: readonly string[] = ["values", "vaultToken", "sealToken"];

/** The project's own keys of a stack's config, without prefix and without those that hold secrets. */
export function ownKeys(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const prefix = `${projectName}:`;
  return Object.fromEntries(
    Object.entries(config)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value] as const)
      .filter(([key]) => !secretKeys.includes(key)),
  );
}
