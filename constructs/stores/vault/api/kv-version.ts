import { StoreError } from "../../../secrets";
import { shellCommand } from "../../../shell-command";
import { type VaultClient, VaultError } from "./client";

/** What lies at the path of a KV mount is none of version 2. The message names it, and says what to do. */
export class NotKvV2Error extends StoreError {
  public constructor(
    message: string,
    /** Whether nothing at all is mounted there. */
    public readonly isAbsent: boolean,
  ) {
    super(message);
    this.name = "NotKvV2Error";
  }
}

/**
 * Makes sure that a mount is KV v2: of version 1 the same calls would write beside the secrets, and the printed commands over
 * them. It asks as Vault's command line does, which every token may that may do anything in the mount.
 *
 * @param path of any secret in it, by which a mount that is absent shows
 * @throws NotKvV2Error; nothing where the token may not ask
 */
export async function assertKvV2(client: VaultClient, mount: string, path: string): Promise<void> {
  const found = await lookUp(client, `sys/internal/ui/mounts/${mount}`);
  if (found === "absent" || found === undefined) {
    if ((await lookUp(client, `${mount}/subkeys/${path}`)) !== "absent") return;
    const enable = shellCommand("vault", "secrets", "enable", `-path=${mount}`, "kv-v2");
    throw new NotKvV2Error(
      `nothing is mounted at ${mount}: write the path of a KV v2 mount, or make it: ${enable}`,
      true,
    );
  }
  const {
    path: mountedAt,
    type,
    options,
  } = found as {
    path?: string;
    type?: string;
    options?: { version?: string } | null;
  };
  if (mountedAt !== `${mount}/`) {
    throw new NotKvV2Error(`${mount} lies in the mount ${mountedAt ?? ""}: write that one as the mount`, false);
  }
  if (type !== "kv") throw new NotKvV2Error(`${mount} is a mount of type ${type ?? ""}, and no KV v2`, false);
  if (options?.version === "2") return;
  const upgrade = shellCommand("vault", "kv", "enable-versioning", `${mount}/`);
  throw new NotKvV2Error(
    `${mount} is of KV version 1, which keeps no versions: write the path of a KV v2 mount, or have its owner upgrade it: ${upgrade}`,
    false,
  );
}

/** Whether every write in a KV v2 mount must carry a version; undefined where the token may not ask. */
export async function requiresCheckAndSet(client: VaultClient, mount: string): Promise<boolean | undefined> {
  const config = await lookUp(client, `${mount}/config`);
  return typeof config === "object" ? config.cas_required === true : undefined;
}

/** What is at a path; undefined where nothing is, or the token may not ask. */
async function lookUp(client: VaultClient, path: string): Promise<Record<string, unknown> | "absent" | undefined> {
  try {
    return await client.read(path);
  } catch (error) {
    if (!(error instanceof VaultError) || ![403, 404, 405].includes(error.status)) throw error;
    return error.isUnmounted ? "absent" : undefined;
  }
}
