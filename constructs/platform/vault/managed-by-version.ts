import * as pulumi from "@pulumi/pulumi";
import { SecretV2, type SecretV2Args } from "@pulumi/vault/kv/secretV2";
import type { SecretPath } from "../../secrets";
import { shellCommand } from "../../shell-command";
import { VaultClient, type VaultConnection } from "../../stores/vault/api/client";
import { KvMount } from "../../stores/vault/api/kv-mount";
import { NotedSecret, OthersVersionError, writtenVersionNote } from "../../stores/vault/api/noted-secret";

/** A managed path of a mount that takes no write without a version (`cas_required`). */
export interface ByVersion {
  readonly name: string;
  readonly path: SecretPath;
  readonly connection: pulumi.Output<VaultConnection>;
  /** Its values by key. */
  readonly content: pulumi.Output<Record<string, string>>;
  readonly args: SecretV2Args & { readonly mount: string };
  /** How an operator runs Vault's command line. */
  readonly vaultCommand: string;
}

/**
 * Vault's provider would send one version for ever. So it makes the secret, on top of what is there, and each later version is
 * written here.
 *
 * @returns resolved once the values are there; fails where somebody else wrote others
 */
export function createByVersion(
  { name, path, connection, content, args, vaultCommand }: ByVersion,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<unknown> {
  const known = pulumi.all([connection, content]);
  const secretOf = (reachable: VaultConnection, values: Record<string, string>): NotedSecret =>
    new NotedSecret(new KvMount(new VaultClient(reachable), args.mount), path.path, values);
  const refused = (error: unknown): never => {
    throw error instanceof OthersVersionError ? conflict(error, path, args.mount, vaultCommand) : error;
  };
  const cas = known.apply(async ([reachable, values]) => {
    const { version, isCurrent, othersKeys } = await secretOf(reachable, values).look().catch(refused);
    if (othersKeys.length > 0) {
      const keys = othersKeys.join(" and ");
      await pulumi.log.warn(
        `${args.mount}/${path.path}: somebody else wrote ${keys} (version ${version}), which stays until the config has another`,
      );
    }
    if (!isCurrent && version > 0 && pulumi.runtime.isDryRun()) {
      await pulumi.log.info(`${args.mount}/${path.path}: \`up\` writes version ${version + 1}`);
    }
    return String(version);
  });
  const written = new SecretV2(
    name,
    { ...args, options: { cas: pulumi.unsecret(cas) } },
    { ...opts, ignoreChanges: ["dataJson", "options"] },
  );
  return pulumi.all([known, written.id]).apply(async ([[reachable, values]]) => {
    if (!pulumi.runtime.isDryRun()) await secretOf(reachable, values).write().catch(refused);
  });
}

function conflict(error: OthersVersionError, path: SecretPath, mount: string, vaultCommand: string): Error {
  const { version } = error;
  const names = path.secrets.map(({ name }) => name).join(", ");
  const lines = [
    `${mount}/${path.path} (${names}, of source managed): ${error.message}. Nothing was written. Set its value in the config, or`,
    "have it overwritten by the next `up`:",
    `  ${vaultCommand} ${shellCommand("kv", "metadata", "patch", `-mount=${mount}`, `-custom-metadata=${writtenVersionNote}=${version}`, path.path)}`,
  ];
  return new pulumi.RunError(lines.join("\n"));
}
