/** A version of a secret by its store's own name: Vault counts them, Key Vault gives each an id. */
export type SecretVersion = number | string;
