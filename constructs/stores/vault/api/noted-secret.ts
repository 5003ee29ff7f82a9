import type { KvMount } from "./kv-mount";

/** Note beside a secret: the last version that its writer knows to be its own. */
export const writtenVersionNote = "aidbox-secrets-version";

interface Found {
  /** Number of the current version, deleted or not; 0 where there is none. */
  readonly version: number;
  readonly isLive: boolean;
  /** Whether the store has all of the values, but for those of others. */
  readonly isCurrent: boolean;
  /** Whether the current version is noted as the writer's own. */
  readonly isNoted: boolean;
  /** Keys to which somebody else gave another value since the writer's own was written: it stays until the writer has another. */
  readonly othersKeys: readonly string[];
}

/** Somebody else wrote the current version, with other values. */
export class OthersVersionError extends Error {
  public constructor(
    /** Number of the version. */
    public readonly version: number,
    keys: readonly string[],
  ) {
    super(`version ${version} is somebody else's, with another ${keys.join(" and ")} than is to be there`);
  }
}

/**
 * Values of a path that come from one place alone, as a config. The version that was written is noted beside the secret, so that
 * one that somebody else wrote is told from it, and never overwritten. A write that was killed before its note is known by its
 * values.
 */
export class NotedSecret {
  public constructor(
    private readonly kv: Pick<KvMount, "history" | "values" | "patch" | "create" | "note">,
    private readonly path: string,
    private readonly values: Readonly<Record<string, string>>,
  ) {}

  /**
   * Looks, and writes nothing.
   *
   * @returns number of the current version, and whether it has the values
   * @throws OthersVersionError
   */
  public async look(): Promise<Found> {
    const history = await this.kv.history(this.path);
    const version = history?.current ?? 0;
    const present = version === 0 ? undefined : await this.kv.values(this.path);
    const noted = history?.notes[writtenVersionNote];
    const isNoted = noted === String(version);
    const differing = Object.keys(this.values).filter((key) => present?.[key] !== this.values[key]);
    const othersKeys = isNoted ? [] : differing.filter((key) => present !== undefined && key in present);
    if (othersKeys.length > 0 && !(await this.wasWrittenAs(noted))) throw new OthersVersionError(version, othersKeys);
    const isCurrent = differing.length === othersKeys.length;
    return { version, isLive: present !== undefined, isCurrent, isNoted, othersKeys };
  }

  /** Writes the values as the next version, where the current one has them not. @throws OthersVersionError, VersionConflictError */
  public async write(): Promise<void> {
    const { version, isLive, isCurrent, isNoted, othersKeys } = await this.look();
    const isOthers = othersKeys.length > 0;
    if (isCurrent && (isNoted || isOthers)) return;
    const own = Object.fromEntries(Object.entries(this.values).filter(([key]) => !othersKeys.includes(key)));
    const write = (): Promise<number> =>
      isLive ? this.kv.patch(this.path, version, own) : this.kv.create(this.path, version, own);
    const written = isCurrent ? version : await write();
    // What is others' stays without a note, by which the next look tells it again.
    if (!isOthers) await this.kv.note(this.path, { [writtenVersionNote]: String(written) });
  }

  /** Whether a version has the values, and so they are no newer than it. */
  private async wasWrittenAs(version: string | undefined): Promise<boolean> {
    if (version === undefined || !/^[1-9]\d*$/.test(version)) return false;
    const written = await this.kv.values(this.path, Number(version));
    return Object.entries(this.values).every(([key, value]) => written?.[key] === value);
  }
}
