import { randomBytes } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { Endpoint } from "@pulumi/vault/generic/endpoint";
import { SecretV2 } from "@pulumi/vault/kv/secretV2";
import type { SecretPath, SecretTable } from "../secrets";
import { VaultClient, type VaultConnection } from "./client";

/** Values by secret name. */
export type ManagedValues = Record<string, string>;

/** External secrets that the store does not have yet. */
export class MissingSecretsError extends Error {
  public constructor(public readonly missing: readonly MissingSecret[]) {
    super(`The store lacks ${missing.map(({ path, keys }) => `${keys.join(", ")} at ${path}`).join("; ")}`);
    this.name = "MissingSecretsError";
  }
}

export interface MissingSecret {
  readonly mount: string;
  readonly path: string;
  readonly keys: readonly string[];
  /** Whether the path holds other keys, which must be kept. */
  readonly hasOtherKeys: boolean;
}

/**
 * A path whose values come from stack config.
 *
 * @throws RunError that names each secret without a value
 */
export function createManaged(
  name: string,
  table: SecretTable,
  path: SecretPath,
  values: pulumi.Output<ManagedValues>,
  opts: pulumi.CustomResourceOptions,
): pulumi.Resource {
  const content = values.apply((known) => {
    const lacking = path.secrets.filter((secret) => known[secret.name] === undefined);
    if (lacking.length > 0) {
      throw new pulumi.RunError(`No value for the managed ${lacking.map((secret) => secret.name).join(", ")}`);
    }
    return JSON.stringify(Object.fromEntries(path.secrets.map((secret) => [secret.key, known[secret.name]])));
  });
  return new SecretV2(
    name,
    {
      mount: table.kvMount,
      name: path.path,
      dataJson: pulumi.secret(content),
      deleteAllVersions: true,
      // Otherwise a rotation by hand shows as a change of the version at every refresh.
      disableRead: true,
    },
    opts,
  );
}

/**
 * A path whose values are made at random, once, and only where the store has none. Pulumi holds the path's metadata, so
 * that `destroy` removes it, and never a value.
 *
 * @returns resolved once the values are there; nothing is written in a preview
 */
export function createSeeded(
  name: string,
  table: SecretTable,
  path: SecretPath,
  connection: pulumi.Output<VaultConnection>,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<unknown> {
  const owner = new Endpoint(
    name,
    {
      path: table.metadataPath(path),
      dataJson: JSON.stringify({ custom_metadata: { "seeded-by": `${pulumi.getProject()}/${pulumi.getStack()}` } }),
      disableRead: true,
    },
    opts,
  );
  return pulumi.all([connection, owner.id]).apply(async ([reachable]) => {
    if (pulumi.runtime.isDryRun()) return;
    const keys = path.secrets.map((secret) => secret.key);
    await new VaultClient(reachable).kvAddMissing(table.kvMount, path.path, keys, () => randomBytes(24).toString("base64url"));
  });
}

/**
 * Looks whether the store has all of the table's external secrets.
 *
 * @returns fails with MissingSecretsError where one is not there; in a preview it only warns
 */
export function checkExternal(table: SecretTable, connection: pulumi.Output<VaultConnection>): pulumi.Output<unknown> {
  const external = table.paths.filter(({ source }) => source === "external");
  if (external.length === 0) return pulumi.output(undefined);
  return connection.apply(async (reachable) => {
    const vault = new VaultClient(reachable);
    const missing = await Promise.all(external.map((path) => missingAt(table, path, vault)));
    const error = new MissingSecretsError(missing.flat());
    if (error.missing.length === 0) return;
    if (!pulumi.runtime.isDryRun()) throw error;
    await pulumi.log.warn(error.message);
  });
}

async function missingAt(table: SecretTable, path: SecretPath, vault: VaultClient): Promise<MissingSecret[]> {
  const present = await vault.kvKeys(table.kvMount, path.path);
  const keys = path.secrets.map((secret) => secret.key).filter((key) => !present.keys.includes(key));
  if (keys.length === 0) return [];
  return [{ mount: table.kvMount, path: path.path, keys, hasOtherKeys: present.keys.length > 0 }];
}
