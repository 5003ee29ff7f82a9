import { refuseArguments, text, vaultClient } from "../../../check-props";
import { shellCommand } from "../../../shell-command";
import type { VaultClient } from "./client";

/** A static role of Vault's database engine: one user of the database, whose password Vault changes. */
export interface StaticRole {
  /** User of the database. */
  readonly username: string;
  /** When Vault last changed the password; none where it has not yet. */
  readonly rotatedAt: Date | undefined;
  /** Kind of what Vault makes: `password`, `rsa_private_key` or `client_certificate`. */
  readonly credentialType: string;
}

/** A mount of Vault's [database engine](https://developer.hashicorp.com/vault/api-docs/secret/databases). */
export class DatabaseMount {
  /** @throws Error that lists all that is wrong with the arguments */
  public constructor(
    private readonly client: VaultClient,
    private readonly mount: string,
  ) {
    refuseArguments("DatabaseMount", { client, mount }, { client: vaultClient, mount: text });
  }

  /**
   * A static role, without its password.
   *
   * @returns undefined where there is none
   * @throws VaultError, `isUnmounted` where no engine is there
   */
  public async staticRole(name: string): Promise<StaticRole | undefined> {
    const data = await this.client.read(`${this.mount}/static-roles/${name}`);
    if (data === undefined) return undefined;
    const { username, last_vault_rotation, credential_type } = data as Record<string, string>;
    return {
      username: username ?? "",
      rotatedAt: timeOf(last_vault_rotation),
      credentialType: credential_type ?? "password",
    };
  }

  /** Has Vault change a static role's password in the database now. */
  public async rotate(name: string): Promise<void> {
    await this.client.request("POST", `${this.mount}/rotate-role/${name}`);
  }
}

/** How an operator enables the engine, by their way to run Vault's command line. */
export function enableEngineCommand(vaultCommand: string, mount: string): string {
  refuseArguments("enableEngineCommand", { vaultCommand, mount }, { vaultCommand: text, mount: text });
  return `${vaultCommand} ${shellCommand("secrets", "enable", `-path=${mount}`, "database")}`;
}

/** How an operator makes a static role; what they have to fill in stands there in capitals. */
export function makeRoleCommand(vaultCommand: string, mount: string, name: string, user = "USER"): string {
  const checks = { vaultCommand: text, mount: text, name: text, user: text };
  refuseArguments("makeRoleCommand", { vaultCommand, mount, name, user }, checks);
  const settings = ["db_name=CONNECTION", `username=${user}`, "rotation_period=24h"];
  return `${vaultCommand} ${shellCommand("write", `${mount}/static-roles/${name}`, ...settings)}`;
}

/** Vault writes year 1 for a rotation that never was. */
function timeOf(text: string | undefined): Date | undefined {
  const time = new Date(text ?? "");
  return Number.isNaN(time.getTime()) || time.getTime() <= 0 ? undefined : time;
}
