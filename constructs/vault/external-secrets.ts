import * as pulumi from "@pulumi/pulumi";
import type { SecretPath, SecretTable } from "../secrets";
import { VaultClient, type VaultConnection } from "./client";
import { KvMount } from "./kv-mount";

/** Keys of one path that the store does not have. */
export interface MissingKeys {
  readonly path: string;
  readonly keys: readonly string[];
  /** Whether the path holds other keys, which a write must keep. */
  readonly hasOtherKeys: boolean;
}

/** External secrets that the store does not have yet. The message says how to write each, its value from standard input. */
export class MissingSecretsError extends pulumi.RunError {
  public constructor(mount: string, missing: readonly MissingKeys[], vaultCommand: string) {
    const commands = missing.flatMap(({ path, keys, hasOtherKeys }) =>
      keys.map((key, index) => {
        const write = hasOtherKeys || index > 0 ? "patch" : "put";
        return `  ${vaultCommand} kv ${write} -mount=${mount} ${path} ${key}=-`;
      }),
    );
    super(
      [
        "Aidbox waits for secrets that an operator writes (source: external). Each command reads the value from its",
        "standard input. Run them, then `up` again:",
        ...commands,
      ].join("\n"),
    );
    this.name = "MissingSecretsError";
  }
}

/** What happens where an external secret is not there. */
export interface MissingSecretsOptions {
  /**
   * How an operator runs Vault's command line, for the message that says how to write an external secret.
   * @default "vault"
   */
  readonly vaultCommand?: string;
  /** Called where `ready` fails because an external secret is not there. @default - nothing more than that */
  readonly onMissingSecrets?: (error: MissingSecretsError) => void;
}

/**
 * Looks whether the store has all of the table's external secrets. Asks for the keys alone: no value is read.
 *
 * @returns fails with MissingSecretsError where one is not there; in a preview it only warns
 */
export function checkExternal(
  table: SecretTable,
  connection: pulumi.Output<VaultConnection>,
  { vaultCommand = "vault", onMissingSecrets }: MissingSecretsOptions,
): pulumi.Output<unknown> {
  const external = table.paths.filter(({ source }) => source === "external");
  if (external.length === 0) return pulumi.output(undefined);
  return connection.apply(async (reachable) => {
    const kv = new KvMount(new VaultClient(reachable), table.kvMount);
    const missing = (await Promise.all(external.map((path) => missingAt(path, kv)))).flat();
    if (missing.length === 0) return;
    const error = new MissingSecretsError(table.kvMount, missing, vaultCommand);
    if (!pulumi.runtime.isDryRun()) {
      onMissingSecrets?.(error);
      throw error;
    }
    await pulumi.log.warn(error.message);
  });
}

async function missingAt(path: SecretPath, kv: KvMount): Promise<MissingKeys[]> {
  const present = await kv.keys(path.path);
  const keys = path.secrets.map((secret) => secret.key).filter((key) => !present.keys.includes(key));
  return keys.length === 0 ? [] : [{ path: path.path, keys, hasOtherKeys: present.keys.length > 0 }];
}
