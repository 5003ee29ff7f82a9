import { randomBytes } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { Endpoint } from "@pulumi/vault/generic/endpoint";
import { SecretV2 } from "@pulumi/vault/kv/secretV2";
import { type Keypair, partsOf, type SecretPath } from "../../secrets";
import { makeTokenKeys } from "../../secrets/keypair-values";
import { shellCommand } from "../../shell-command";
import { VaultClient, type VaultConnection } from "../../stores/vault/api/client";
import { KvMount, PartialSecretError } from "../../stores/vault/api/kv-mount";
import type { VaultPaths } from "../../stores/vault/paths";
import { createByVersion } from "./managed-by-version";

/** Values by secret name. */
export type ManagedValues = Record<string, string>;

/**
 * A path whose values come from stack config.
 *
 * @throws RunError that names each secret without a value
 */
export function createManaged(
  name: string,
  paths: VaultPaths,
  path: SecretPath,
  values: pulumi.Output<ManagedValues>,
  connection: pulumi.Output<VaultConnection>,
  { casRequired, vaultCommand }: { readonly casRequired: boolean; readonly vaultCommand: string },
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<unknown> {
  const content = values.apply((known) => {
    const lacking = path.secrets.filter((secret) => known[secret.name] === undefined);
    if (lacking.length > 0) {
      throw new pulumi.RunError(`No value for the managed ${lacking.map((secret) => secret.name).join(", ")}`);
    }
    return Object.fromEntries(path.secrets.map((secret) => [secret.key, known[secret.name]!]));
  });
  const args = {
    mount: paths.kvMount,
    name: path.path,
    dataJson: pulumi.secret(content.apply((keys) => JSON.stringify(keys))),
    deleteAllVersions: true,
    // Otherwise a rotation by hand shows as a change of the version at every refresh.
    disableRead: true,
  };
  if (casRequired) return createByVersion({ name, path, connection, content, args, vaultCommand }, opts);
  const written = new SecretV2(name, args, opts);
  // Pulumi does not look at what it has written, so a key or a version that somebody deleted is put back here.
  return pulumi.all([connection, content, written.id]).apply(async ([reachable, known]) => {
    if (pulumi.runtime.isDryRun()) return;
    const kv = new KvMount(new VaultClient(reachable), paths.kvMount);
    await kv.addMissing(path.path, Object.keys(known), (key) => known[key]!);
  });
}

/**
 * A path whose values are made at random, once, and only where the store has none. Pulumi holds the path's metadata, and
 * never a value.
 *
 * @param vaultCommand how an operator runs Vault's command line
 * @returns resolved once the values are there; nothing is written in a preview
 */
export function createSeeded(
  name: string,
  paths: VaultPaths,
  path: SecretPath,
  connection: pulumi.Output<VaultConnection>,
  vaultCommand: string,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<unknown> {
  const owner = new Endpoint(
    name,
    {
      path: paths.metadata(path),
      dataJson: JSON.stringify({
        custom_metadata: {
          "seeded-by": `${pulumi.getProject()}/${pulumi.getStack()}`,
        },
      }),
      disableRead: true,
    },
    opts,
  );
  return pulumi.all([connection, owner.id]).apply(async ([reachable]) => {
    if (pulumi.runtime.isDryRun()) return;
    const keys = path.secrets.map((secret) => secret.key);
    const kv = new KvMount(new VaultClient(reachable), paths.kvMount);
    if (path.keypair !== undefined) {
      await addKeypair(kv, path.keypair, vaultCommand, paths.kvMount);
      return;
    }
    await kv.addMissing(path.path, keys, () => randomBytes(24).toString("base64url"));
  });
}

/** Makes a keypair where there is none; a half is never added to what is there, which could be of another pair. */
async function addKeypair(kv: KvMount, keypair: Keypair, vaultCommand: string, kvMount: string): Promise<void> {
  const { name, kind, path } = keypair;
  try {
    await kv.addTogether(path, partsOf(kind), () => makeTokenKeys(kind === "ec" ? "ec" : "rsa"));
  } catch (error) {
    if (!(error instanceof PartialSecretError)) throw error;
    throw new pulumi.RunError(
      `The keypair ${name}: ${error.message}. A pair is made whole. Delete what is there, then \`up\` again:\n` +
        `  ${vaultCommand} ${shellCommand("kv", "delete", `-mount=${kvMount}`, path)}`,
    );
  }
}
