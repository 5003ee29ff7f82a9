import { isMadeByStore, type Keypair, type Secret } from "../../../../constructs/secrets";
import { settle } from "../../../../constructs/settle";
import { DatabaseMount } from "../../../../constructs/stores/vault/api/database-mount";
import type { KvHistory } from "../../../../constructs/stores/vault/api/kv-mount";
import { NullInsideError } from "../../../../constructs/stores/vault/api/merge-patch";
import { writeKeypairCommand } from "../../../../constructs/stores/vault/keypair-command";
import type { VaultPaths } from "../../../../constructs/stores/vault/paths";
import { ownCommand } from "../../../config/command-line";
import { vaultCommand } from "../../../config/names";
import { vaultPaths } from "../../../config/stores/vault/server";
import type { StoreReaders } from "../../access/store-readers";
import type { Change } from "../../change";
import { firstLine, InvalidRequestError, NotServedError, UnreachableError } from "../../errors";
import type { Link } from "../../link";
import { allPermitted, PermissionDeniedError } from "../../permission-denied";
import type { Rotated } from "../../rotated";
import type { SecretVersion } from "../../secret-version";
import type {
  Backup,
  CurrentValues,
  KnownVersions,
  ReadAsPod,
  SecretState,
  StoreOperator,
  WrittenVersion,
} from "../../store-operator";
import { vaultReaders } from "./access/store-readers";
import { auditLinks } from "./audit-link";
import { certificateLinks } from "./certificate-link";
import { clockLink } from "./clock-link";
import { type PodLoginHolder, vaultLinks } from "./links";
import { loginQuotaLinks } from "./login-quota";
import { asPod, assertEncoded, contentOf, endLogin, readStored, readValues } from "./pod-login";
import { rotationRight } from "./rotation-right";
import { outdatedNotice } from "./server-revisions";
import type { VaultSession } from "./session";
import { readBackup, snapshotLinks } from "./snapshot-age";

/** Life that is left to a login below which a warning is due, in seconds. */
const nearSeconds = 24 * 3600;

/** What an operator's commands do with an environment's Vault. */
export class VaultOperator implements StoreOperator {
  private readonly paths: VaultPaths;
  private readonly pod: PodLoginHolder = {};

  public constructor(private readonly session: VaultSession) {
    this.paths = vaultPaths(session.environment);
  }

  public async assertReachable(): Promise<void> {
    const why = `to see why: ${ownCommand("verify", this.session.environment)}`;
    const health = await (await this.session.anonymousVault()).health().catch(() => {
      throw new UnreachableError(`Vault does not answer; ${why}`);
    });
    if (!health.initialized || health.sealed) {
      throw new UnreachableError(`Vault is ${health.initialized ? "sealed" : "not initialised"}; ${why}`);
    }
  }

  public async describe(): Promise<string> {
    return `Vault ${(await (await this.session.operatorVault()).health()).version}`;
  }

  public locate(secret: Secret): string {
    return this.paths.operator(secret);
  }

  public async state(secret: Secret): Promise<SecretState> {
    const { session } = this;
    if (isMadeByStore(secret)) {
      const role = await session.permitted((await this.engine()).staticRole(secret.path));
      return { rotatedAt: role?.rotatedAt, versions: [] };
    }
    const history = await session.permitted((await this.session.kvMount()).history(secret.path));
    return history === undefined ? { versions: [] } : stateOf(history);
  }

  public async keys(secret: Secret): Promise<readonly string[]> {
    return (await this.session.permitted((await this.session.kvMount()).keys(secret.path))).keys;
  }

  public asPod<T>(action: (read: ReadAsPod) => Promise<T>): Promise<T> {
    const { session } = this;
    return asPod(session, (pod) =>
      action(async (secret, version) => {
        const number = version === undefined ? undefined : Number(version);
        const values = await readStored(pod, session.environment, secret, number);
        return values?.[secret.key] === undefined
          ? undefined
          : contentOf(session.environment, secret, values[secret.key]);
      }),
    );
  }

  public async warnings(): Promise<readonly string[]> {
    const [login, servers] = await allPermitted([this.loginWarnings(), outdatedNotice(this.session)]);
    return servers === "" ? login : [...login, servers];
  }

  private async loginWarnings(): Promise<string[]> {
    const token = await (await this.session.operatorVault()).read("auth/token/lookup-self");
    const ttl = Number(token?.ttl ?? 0);
    if (ttl === 0 || ttl > nearSeconds) return []; // 0: it never ends
    return [`your Vault token ends in ${Math.round(ttl / 60)} min`];
  }

  public backup(): Promise<Backup | undefined> {
    return readBackup(this.session);
  }

  public async findMissingPermissions(rotated: Rotated): Promise<readonly string[]> {
    const { path, capability } = rotationRight(this.session.environment, rotated);
    const capabilities = await this.session.permitted((await this.session.operatorVault()).capabilities(path));
    const isAllowed = capabilities.some((each) => each === capability || each === "root");
    return isAllowed ? [] : [`"${capability}" on ${path} in Vault`];
  }

  public async knownVersions(rotated: Rotated): Promise<KnownVersions> {
    const { environment, permitted } = this.session;
    const kv = await this.session.kvMount();
    const [history, { keys }] = await allPermitted([
      permitted(kv.history(rotated.path)),
      permitted(kv.keys(rotated.path)),
    ]);
    const missing = rotated.secrets.map(({ key }) => key).filter((key) => !keys.includes(key));
    if (history === undefined || missing.length > 0) {
      throw new InvalidRequestError(
        `${this.paths.kvMount}/${rotated.path} has no key ${missing.join(", ")} to rotate: see ${ownCommand("verify", environment)}`,
      );
    }
    const now = new Date();
    const readable = [...history.versions].flatMap(([number, { destroyed, deletedAt }]) =>
      !destroyed && (deletedAt === undefined || deletedAt > now) ? [number] : [],
    );
    return { current: history.current, readable, known: new Map() };
  }

  public async formerValues(rotated: Rotated, version: SecretVersion): Promise<ReadonlyMap<string, unknown>> {
    const number = Number(version);
    if (!Number.isInteger(number) || number < 1) {
      throw new InvalidRequestError(`there is no version ${version}: versions begin with 1`);
    }
    const stored = (await this.readStored(rotated, number)) ?? {};
    return new Map(rotated.secrets.flatMap(({ name, key }) => (key in stored ? [[name, stored[key]] as const] : [])));
  }

  public async write(
    rotated: Rotated,
    values: ReadonlyMap<string, unknown>,
    { current }: KnownVersions,
  ): Promise<WrittenVersion> {
    const { path, secrets } = rotated;
    const { environment } = this.session;
    for (const each of secrets) assertEncoded(environment, each, values.get(each.name));
    const kv = await this.session.kvMount();
    const byKey = Object.fromEntries(secrets.map(({ key, name }) => [key, values.get(name)]));
    // Vault would merge an object into the one that it takes the place of.
    const hasObjects = Object.values(byKey).some((value) => typeof value === "object");
    const former = hasObjects ? await this.readStored(rotated, Number(current)) : undefined;
    const read = (version: number) => this.readStored(rotated, version);
    const writing = this.session.permitted(kv.patch(path, Number(current), byKey, read, former));
    const version = await writing.catch((error: unknown) => {
      if (error instanceof NullInsideError) throw new InvalidRequestError(`nothing was written: ${error.message}`);
      throw error;
    });
    const contents = new Map(secrets.map((each) => [each.name, contentOf(environment, each, values.get(each.name))]));
    return { version, previousVersion: current, contents };
  }

  /** Has the engine change a password, once the pods are known to read it: there is no way back. */
  public async remake(secret: Secret): Promise<Change> {
    const { session } = this;
    const { environment } = session;
    const engine = await this.engine();
    return asPod(session, async (pod) => {
      const read = async (): Promise<string> => {
        const value = (await readValues(pod, environment, secret))?.[secret.key];
        if (value === undefined) throw new Error(`it has no ${secret.key}`);
        return value;
      };
      const before = await read().catch((error: unknown) => {
        throw new InvalidRequestError(
          `the pods cannot read static role ${secret.path} (${firstLine(error)}): see ${ownCommand("verify", environment)}`,
        );
      });
      await settle({
        what: `the password of static role ${secret.path}`,
        write: async () => {
          await session.permitted(engine.rotate(secret.path));
          return true;
        },
        lookUp: async () => (await read()) !== before || undefined,
        repeatable: false, // it would change twice, and pods that took the first could not log in
      });
      const done = `Vault changed the password of static role ${secret.path}`;
      const value = await read().catch((error: unknown) => {
        throw new NotServedError(`${done}, but it cannot be read: ${firstLine(error)}`);
      });
      return { contents: new Map([[secret.name, value]]), progress: "the password is changed", done };
    });
  }

  public async writeFirst(secret: Secret, value: () => Promise<string>): Promise<void> {
    const { session } = this;
    const kv = await this.session.kvMount();
    const path = this.paths.data(secret);
    const [capabilities, present] = await Promise.all([
      session.permitted((await session.operatorVault()).capabilities(path)),
      session.permitted(kv.keys(secret.path)),
      session.permitted(kv.assertVersion2(secret.path)),
    ]);
    const there = new InvalidRequestError(
      `${secret.name} has a value: to change it: ${ownCommand("rotate", session.environment, secret.name, "--stdin")}`,
    );
    if (present.keys.includes(secret.key)) throw there;
    const needed = present.keys.length > 0 ? ["patch"] : present.version > 0 ? ["update"] : ["create"];
    const lacks = needed.filter((each) => !capabilities.includes(each) && !capabilities.includes("root"));
    if (lacks.length > 0)
      throw new PermissionDeniedError(`${lacks.map((each) => `"${each}"`).join(", ")} on ${path} in Vault`);
    const given = await value();
    assertEncoded(session.environment, secret, given);
    const written = await kv.addMissing(secret.path, [secret.key], () => given);
    if (written.length === 0) throw there;
  }

  public async writePairCommand(keypair: Keypair): Promise<string> {
    const history = await this.session.permitted((await this.session.kvMount()).history(keypair.path));
    const command = vaultCommand(this.session.environment);
    return writeKeypairCommand(command, this.paths.kvMount, keypair, history?.current ?? 0);
  }

  public links(values: CurrentValues): readonly Link[] {
    const { session } = this;
    return [
      ...vaultLinks(session, values, this.pod),
      clockLink(session),
      ...certificateLinks(session),
      ...auditLinks(session),
      ...snapshotLinks(session),
      ...loginQuotaLinks(session),
    ];
  }

  public close(): Promise<void> {
    return endLogin(this.pod.login);
  }

  public readers(): Promise<StoreReaders> {
    return vaultReaders(this.session);
  }

  /** A path's values by key, as the pods read them. */
  private readStored(rotated: Rotated, version: number): Promise<Readonly<Record<string, unknown>> | undefined> {
    return asPod(this.session, (pod) => readStored(pod, this.session.environment, rotated, version));
  }

  private async engine(): Promise<DatabaseMount> {
    return new DatabaseMount(await this.session.operatorVault(), this.paths.databaseMount);
  }
}

function stateOf({ current, versions }: KvHistory): SecretState {
  const version = versions.get(current);
  const now = new Date();
  const { deletedAt } = version ?? {};
  const isLive = version !== undefined && !version.destroyed && (deletedAt === undefined || deletedAt > now);
  // The oldest may be gone from the list, and be there all the same.
  const known = { versions: Array.from({ length: current }, (_, index) => current - index) };
  if (!isLive) return known;
  const live = { ...known, version: current, rotatedAt: version.createdAt };
  if (deletedAt === undefined) return live;
  const words = `Vault deletes its current version at ${deletedAt.toISOString()} (delete_version_after)`;
  return { ...live, end: { at: deletedAt, words } };
}
