import { ExponentialBackoff, handleType, retry } from "cockatiel";
import { refuseArguments, text, vaultClient } from "../../../check-props";
import { VersionConflictError } from "../../../secrets";
import { settle } from "../../../settle";
import { fileContent } from "../file-content";
import { type VaultClient, VaultError } from "./client";
import { assertKvV2 } from "./kv-version";
import { mergePatch } from "./merge-patch";

/** What a KV v2 secret holds, without its values. */
export interface KvKeys {
  /** Empty where the secret has no version, or its current one was deleted. */
  readonly keys: readonly string[];
  /** Number of the current version, deleted or not; 0 where there is none. */
  readonly version: number;
}

/** One version of a KV v2 secret. */
export interface KvVersion {
  /** When it was written, by Vault's clock. */
  readonly createdAt: Date;
  /** When it was deleted, or will be (`delete_version_after`); none where it is to stay. */
  readonly deletedAt: Date | undefined;
  /** Whether its value is gone for good; a deleted one can be restored. */
  readonly destroyed: boolean;
}

/** The versions of a KV v2 secret. */
export interface KvHistory {
  /** Number of the current version, deleted or not. */
  readonly current: number;
  /** Those that the store still knows, by number. */
  readonly versions: ReadonlyMap<number, KvVersion>;
  /** What people and programs have noted beside the secret (`custom_metadata`). */
  readonly notes: Readonly<Record<string, string>>;
}

/** Of values that belong together some are there, and others are not. */
export class PartialSecretError extends Error {
  public constructor(
    path: string,
    /** Keys that are not there. */
    public readonly missing: readonly string[],
  ) {
    super(`${path} has no ${missing.join(" and no ")}, and the rest of it`);
  }
}

/** A KV v2 mount. It writes nothing to one of version 1. */
export class KvMount {
  private checked: Promise<void> | undefined;

  /** @throws Error that lists all that is wrong with the arguments */
  public constructor(
    private readonly client: VaultClient,
    private readonly mount: string,
  ) {
    refuseArguments("KvMount", { client, mount }, { client: vaultClient, mount: text });
  }

  /**
   * @param path of any secret in it
   * @throws NotKvV2Error where the mount is absent, or another one
   */
  public assertVersion2(path: string): Promise<void> {
    this.checked ??= assertKvV2(this.client, this.mount, path);
    return this.checked;
  }

  /** Which keys a secret's current version has. Asks for the keys alone: no value is read. */
  public async keys(path: string): Promise<KvKeys> {
    const body = await this.client.request("GET", `${this.mount}/subkeys/${path}`, { accept: [404] });
    const { data } = body as {
      data?: { subkeys: object | null; metadata: { version: number } };
    };
    return {
      keys: Object.keys(data?.subkeys ?? {}),
      version: data?.metadata.version ?? 0,
    };
  }

  /** A secret's versions; undefined where there never was one. */
  public async history(path: string): Promise<KvHistory | undefined> {
    const data = await this.client.read(`${this.mount}/metadata/${path}`);
    if (data === undefined) return undefined;
    const { current_version, versions, custom_metadata } = data as {
      current_version: number;
      custom_metadata?: Record<string, string> | null;
      versions: Record<string, { created_time: string; deletion_time: string; destroyed: boolean }>;
    };
    return {
      current: current_version,
      notes: custom_metadata ?? {},
      versions: new Map(
        Object.entries(versions).map(([number, { created_time, deletion_time, destroyed }]) => [
          Number(number),
          {
            createdAt: new Date(created_time),
            deletedAt: deletion_time === "" ? undefined : new Date(deletion_time),
            destroyed,
          },
        ]),
      ),
    };
  }

  /**
   * A secret's values by key.
   *
   * @param version number of the version; by default the current one
   * @returns undefined where there is no such version, or it was deleted
   */
  public async values(path: string, version?: number): Promise<Record<string, unknown> | undefined> {
    const query = version === undefined ? "" : `?version=${version}`;
    const body = await this.client.request("GET", `${this.mount}/data/${path}${query}`, { accept: [404] });
    const { data } = body as { data?: { data: Record<string, unknown> | null } };
    return data?.data ?? undefined;
  }

  /**
   * Writes some keys of a secret and leaves the others alone. Where the answer is lost, the new version is looked up.
   *
   * @param version number that the current version must have, live
   * @param values the new ones by key
   * @param valuesOf reads a version's values; by default with the client's own token, which must be allowed to
   * @param former those that they take the place of; needed where an object takes the place of one, which Vault would merge
   * @returns number of the new version
   * @throws VersionConflictError where the current version is another one; nothing is written then. UnknownOutcomeError where the
   * answer was lost and the new version cannot be read. NullInsideError
   */
  public async patch(
    path: string,
    version: number,
    values: Readonly<Record<string, unknown>>,
    valuesOf = (each: number): Promise<Record<string, unknown> | undefined> => this.values(path, each),
    former: Readonly<Record<string, unknown>> = {},
  ): Promise<number> {
    const patches = Object.entries(values).map(([key, value]) => [key, mergePatch(former[key], value)] as const);
    return this.write("PATCH", path, version, Object.fromEntries(patches), async () => {
      const written = (await valuesOf(version + 1)) ?? {};
      return Object.entries(values).every(
        ([key, value]) => key in written && fileContent(written[key]) === fileContent(value),
      );
    });
  }

  /**
   * Writes a secret whole that has no live version. Where the answer is lost, the new version is looked up.
   *
   * @param version number of the current version, which was deleted; 0 where there never was one
   * @returns number of the new version
   * @throws VersionConflictError where the current version is another one; nothing is written then
   */
  public create(path: string, version: number, values: Readonly<Record<string, unknown>>): Promise<number> {
    return this.write("POST", path, version, values, async () => {
      const written = (await this.values(path, version + 1)) ?? {};
      return Object.entries(values).every(([key, value]) => written[key] === value);
    });
  }

  /** Notes something beside a secret that is there; what else is noted stays. */
  public async note(path: string, notes: Readonly<Record<string, string>>): Promise<void> {
    const { notes: present = {} } = (await this.history(path)) ?? {};
    const body = { custom_metadata: { ...present, ...notes } };
    await this.client.request("POST", `${this.mount}/metadata/${path}`, { body });
  }

  /**
   * Writes those keys of a secret that are not there yet and leaves the others alone. Check-and-set on the version keeps a
   * write of somebody else's; where the answer is lost, the keys are looked at again.
   *
   * @param makeValue makes the value of a missing key
   * @returns the keys that were missing, and are there now
   */
  public async addMissing(
    path: string,
    keys: readonly string[],
    makeValue: (key: string) => string,
  ): Promise<readonly string[]> {
    const write = async (): Promise<readonly string[]> => {
      const present = await this.keys(path);
      const missing = keys.filter((key) => !present.keys.includes(key));
      if (missing.length === 0) return [];
      // A patch needs a version to patch; where there is none, or it was deleted, the secret is written whole.
      const method = present.keys.length > 0 ? "PATCH" : "POST";
      const values = Object.fromEntries(missing.map((key) => [key, makeValue(key)]));
      await this.write(method, path, present.version, values, async () => {
        const { keys: now } = await this.keys(path);
        return missing.every((key) => now.includes(key));
      });
      return missing;
    };
    return retry(handleType(VersionConflictError), {
      maxAttempts: 5,
      backoff: new ExponentialBackoff(),
    }).execute(write);
  }

  /**
   * Writes values that belong together, as one version, where none of their keys is there. Check-and-set on the version keeps
   * a write of somebody else's.
   *
   * @param makeValues makes all values
   * @throws PartialSecretError where some of the keys are there and others are not; nothing is written then
   */
  public async addTogether(
    path: string,
    keys: readonly string[],
    makeValues: () => Promise<Record<string, string>>,
  ): Promise<void> {
    const write = async (): Promise<void> => {
      const present = await this.keys(path);
      const missing = keys.filter((key) => !present.keys.includes(key));
      if (missing.length === 0) return;
      if (missing.length < keys.length) throw new PartialSecretError(`${this.mount}/${path}`, missing);
      const method = present.keys.length > 0 ? "PATCH" : "POST";
      await this.write(method, path, present.version, await makeValues(), async () => {
        const { keys: now } = await this.keys(path);
        return keys.every((key) => now.includes(key));
      });
    };
    await retry(handleType(VersionConflictError), { maxAttempts: 5, backoff: new ExponentialBackoff() }).execute(write);
  }

  /** @param isThere looks, where the answer was lost, whether the new version is there */
  private async write(
    method: string,
    path: string,
    version: number,
    data: Readonly<Record<string, unknown>>,
    isThere: () => Promise<boolean>,
  ): Promise<number> {
    const body = { options: { cas: version }, data };
    await this.assertVersion2(path);
    try {
      // It may be sent twice: of two with the same check-and-set, Vault carries out one.
      return await settle({
        what: `${this.mount}/${path}`,
        write: async () => {
          const written = await this.client.request(method, `${this.mount}/data/${path}`, { body });
          return (written as { data: { version: number } }).data.version;
        },
        lookUp: async () => ((await isThere()) ? version + 1 : undefined),
      });
    } catch (error) {
      if (error instanceof VaultError && error.status === 400 && error.message.includes("check-and-set")) {
        throw new VersionConflictError(
          `${path} is no longer at version ${version}: somebody else wrote it, and this write left it alone`,
        );
      }
      throw error;
    }
  }
}
