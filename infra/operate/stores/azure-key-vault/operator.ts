import type { Secret } from "../../../../constructs/secrets";
import {
  isSwitchedOff,
  type KeyVaultObject,
  type KeyVaultObjects,
  objectName,
  type SecretVersion,
  VersionConflictError,
  withFirst,
} from "../../../../constructs/stores/azure-key-vault";
import { InvalidRequestError } from "../../errors";
import { MissingRightError } from "../../missing-right";
import type { KeyVaultClients } from "./clients";
import { contentOf } from "./links";
import { permitted } from "./permitted";

/** Where a secret stands in Key Vault. */
export interface KeyVaultStanding {
  /** Version that pods read; none where there is none, or it is disabled. */
  readonly version?: string;
  /** When it was written. */
  readonly rotatedAt?: Date;
  /** When it ends, by its attribute; Key Vault serves it after that too. */
  readonly expiresAt?: Date;
  /** All versions, the newest first. */
  readonly versions: readonly SecretVersion[];
}

/** What a write did. */
export interface WrittenVersions {
  /** New version of each secret, by its name. */
  readonly versions: ReadonlyMap<string, string>;
  /** What the operator must know of it, a line each. */
  readonly notes: readonly string[];
}

/** The most that Key Vault takes as a value. Source: https://learn.microsoft.com/azure/key-vault/secrets/about-secrets */
export const largestSecretBytes = 25 * 1024;

/** Tag of a version that a command wrote. */
const tags = { "written-by": "aidbox-secrets" };

/** What an operator's commands do with the secrets of a key vault. */
export class KeyVaultOperator {
  public constructor(
    private readonly clients: KeyVaultClients,
    private readonly objects: KeyVaultObjects,
  ) {}

  /** Where a secret stands; its value is not read. @throws MissingRightError */
  public async standing(secret: Secret): Promise<KeyVaultStanding> {
    const versions = await this.versionsOf(secret);
    const { version: pinned } = this.objectOf(secret);
    const current = pinned === undefined ? versions[0] : versions.find(({ version }) => version === pinned);
    if (current?.enabled !== true) return { versions };
    const { version, createdAt, expiresAt } = current;
    return { version, rotatedAt: createdAt, versions, ...(expiresAt === undefined ? {} : { expiresAt }) };
  }

  /**
   * What a pod's file has, read as the pod. The node's identity is the node's alone, so there the operator reads it.
   *
   * @param version the current one where it is left out
   * @returns undefined where there is none, or it is disabled
   * @throws MissingRightError, AzureLoginError, KeyVaultError
   */
  public async read(secret: Secret, version = this.objectOf(secret).version): Promise<string | undefined> {
    try {
      const client = await this.clients.asPods().catch((error: unknown) => {
        if (error instanceof MissingRightError) return this.clients.operator();
        throw error;
      });
      const found = await client.read(objectName(secret), version);
      return found === undefined ? undefined : contentOf(found.value, this.objectOf(secret));
    } catch (error) {
      if (isSwitchedOff(error)) return undefined;
      throw error;
    }
  }

  /**
   * Writes new versions of some secrets, one after the other: Key Vault has no write of several.
   *
   * @param values by the secret's name
   * @param known versions that were there when the secrets were looked at, by the secret's name
   * @throws InvalidRequestError or VersionConflictError where nothing was written; MissingRightError
   */
  public async write(
    secrets: readonly Secret[],
    values: ReadonlyMap<string, string>,
    known: ReadonlyMap<string, readonly string[]>,
  ): Promise<WrittenVersions> {
    for (const secret of secrets) this.assertWritable(secret, values.get(secret.name) ?? "");
    const client = this.clients.operator();
    const versions = new Map<string, string>();
    const others: string[] = [];
    for (const secret of secrets) {
      const name = objectName(secret);
      const writing = client.write(name, values.get(secret.name) ?? "", known.get(secret.name) ?? [], tags);
      const written = await permitted(writing).catch((error: unknown) => {
        throw error instanceof VersionConflictError && versions.size > 0
          ? new Error(`${error.message} of it, but ${[...versions.keys()].join(", ")} has a new version: run it again`)
          : error;
      });
      versions.set(secret.name, written.version);
      others.push(...written.others.map((version) => `${name}, version ${version}`));
    }
    return { versions, notes: notesOf(others) };
  }

  /** The newest first. Where only a reader of values could tell which that is, the pod tells. */
  private async versionsOf(secret: Secret): Promise<readonly SecretVersion[]> {
    const name = objectName(secret);
    const { versions, isNewestKnown } = await permitted(this.clients.operator().state(name));
    if (isNewestKnown) return versions;
    return withFirst(versions, await (await this.clients.asPods()).newest(name, versions));
  }

  private assertWritable(secret: Secret, value: string): void {
    const { type = "secret", version, encoding = "utf-8" } = this.objectOf(secret);
    if (type !== "secret")
      throw new InvalidRequestError(`${secret.name} is a ${type}, which is made in Key Vault itself`);
    if (version !== undefined) {
      throw new InvalidRequestError(`${secret.name} is pinned to version ${version}: a new one would reach no pod`);
    }
    const bytes = Buffer.byteLength(value);
    if (bytes > largestSecretBytes) {
      throw new InvalidRequestError(
        `${secret.name}: the new value has ${bytes} bytes, and Key Vault takes up to 25 KiB`,
      );
    }
    if (encoding !== "utf-8" && Buffer.from(value, encoding).toString(encoding) !== value) {
      throw new InvalidRequestError(`${secret.name}: the new value is no ${encoding}, as which its file is read`);
    }
  }

  private objectOf({ pair, name }: Secret): KeyVaultObject {
    return this.objects[pair ?? name] ?? {};
  }
}

/** What is said of every write, since nothing kept another's out. */
function notesOf(others: readonly string[]): readonly string[] {
  const because = "Key Vault has no check-and-set";
  return others.length === 0
    ? [`${because}: nobody else's write was seen at the same time, but one could not have been kept out.`]
    : [`Somebody else wrote at the same time: ${others.join("; ")}. ${because}, so see which value is to stay.`];
}
