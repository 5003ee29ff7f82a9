import { randomBytes } from "node:crypto";
import type { Secret, SecretPath } from "../../../../constructs/secrets";
import { makeTokenKeys } from "../../../../constructs/secrets/keypair-values";
import { shellCommand } from "../../../../constructs/shell-command";
import type { KeyVaultClient } from "../../../../constructs/stores/azure-key-vault";
import { objectName } from "../../../../constructs/stores/azure-key-vault/names";
import { keyVaultCommand } from "../../../../constructs/stores/azure-key-vault/permissions";
import {
  DisabledSecretError,
  findUnreadable,
  keepValue,
  PartialSecretsError,
  seed,
  type Unreadable,
} from "../../../../constructs/stores/azure-key-vault/values";
import { ownCommand } from "../../../config/command-line";
import type { KeyVaultEnvironment } from "../../../config/environment";
import { writeSecretCommand } from "../../../config/stores/azure-key-vault/write-command";
import { keyVaultObjects } from "./store";

/** Secrets that an operator has to write, or to make readable again, before Aidbox can start. */
export class MissingSecretsError extends Error {}

type Client = Pick<KeyVaultClient, "read" | "state" | "write" | "recover">;

/** The table's secrets, as the stack sees to them in a key vault. It deletes none. */
export class SecretsOfKeyVault {
  public constructor(
    private readonly environment: KeyVaultEnvironment,
    private readonly client: Client,
  ) {}

  /**
   * Writes what is managed, makes what is seeded and absent, and looks that all the rest is there.
   *
   * @param values of managed secrets, by name
   * @throws MissingSecretsError that lists all that pods could not read, each with its command
   */
  public async provide(values: Readonly<Record<string, string>>): Promise<void> {
    for (const path of this.environment.table.paths) {
      await this.write(path, values).catch((error: unknown) => {
        // What is disabled, or a part of a pair that is not there, is told below, with all else that pods could not read.
        if (!(error instanceof DisabledSecretError) && !(error instanceof PartialSecretsError)) throw error;
      });
    }
    await this.assertReadable();
  }

  private async write(
    { source, secrets, keypair }: SecretPath,
    values: Readonly<Record<string, string>>,
  ): Promise<void> {
    if (source === "managed") {
      for (const secret of secrets) await keepValue(this.client, objectName(secret), values[secret.name]!, this.tags);
    }
    if (source !== "seeded") return;
    const names = secrets.map((secret) => objectName(secret));
    const makeValues = async (): Promise<Readonly<Record<string, string>>> => {
      if (keypair === undefined) return Object.fromEntries(names.map((name) => [name, randomValue()]));
      const parts = await makeTokenKeys(keypair.kind === "ec" ? "ec" : "rsa");
      return Object.fromEntries(
        secrets.map((secret) => [objectName(secret), parts[secret.key as keyof typeof parts]] as const),
      );
    };
    await seed(this.client, names, makeValues, this.tags);
  }

  private async assertReadable(): Promise<void> {
    const objects = keyVaultObjects(this.environment);
    // A key has no secret beside it that would show whether it is there; a certificate has one of its name.
    const looked = this.environment.table.secrets.filter(({ pair, name }) => objects[pair ?? name]?.type !== "key");
    const unreadable = await findUnreadable(
      this.client,
      looked.map((secret) => objectName(secret)),
    );
    if (unreadable.size === 0) return;
    const { azureKeyVault } = this.environment;
    throw new MissingSecretsError(
      [
        `Pods could not read these secrets of key vault ${azureKeyVault.name}:`,
        ...looked.flatMap((secret) => {
          const why = unreadable.get(objectName(secret));
          return why === undefined ? [] : [`  ${secret.name}: ${this.mend(secret, why)}`];
        }),
        `Then run \`${ownCommand("up", this.environment)}\` again.`,
      ].join("\n"),
    );
  }

  /** What is the matter with a secret, and the command that mends it; no value is among its words. */
  private mend(secret: Secret, why: Unreadable): string {
    const { name: keyVault } = this.environment.azureKeyVault;
    const name = objectName(secret);
    switch (why) {
      case "deleted":
        return `${name} is deleted, and can be recovered: \`${keyVaultCommand(keyVault, name, "recover")}\``;
      case "disabled":
        return `${name} is disabled: \`${keyVaultCommand(keyVault, name, "enable")}\``;
      case "absent": {
        if (secret.pair !== undefined && secret.source === "seeded") return this.mendPair(secret, secret.pair);
        const command = writeSecretCommand(this.environment, secret);
        return `${name} is not there: \`${command}\`${command.endsWith("FILE") ? " with its value in FILE" : ""}`;
      }
    }
  }

  /** Of a seeded pair that is there in part: made anew, the parts would not match. */
  private mendPair(secret: Secret, pair: string): string {
    const name = objectName(secret);
    const target = ["--vault-name", this.environment.azureKeyVault.name, "--name", name, "--file", "FILE"];
    return (
      `${name} is not there, and the rest of its pair is: \`${shellCommand("az", "keyvault", "secret", "set", ...target)}\` with ` +
      `its value in FILE. Where that is lost, write any text, and then \`${ownCommand("rotate", this.environment, pair, "--yes")}\``
    );
  }

  private get tags(): Readonly<Record<string, string>> {
    return { "written-by": "aidbox-secrets", stack: this.environment.name };
  }
}

function randomValue(): string {
  return randomBytes(24).toString("base64url");
}
