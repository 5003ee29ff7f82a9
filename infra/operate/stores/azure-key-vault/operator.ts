import { type Keypair, type Secret, VersionConflictError } from "../../../../constructs/secrets";
import { isConnectionFailure, NoAnswerError } from "../../../../constructs/settle";
import {
  AzureLoginError,
  type KeyVaultClient,
  KeyVaultError,
  type KeyVaultObject,
  type SecretVersion,
} from "../../../../constructs/stores/azure-key-vault";
import { withFirst } from "../../../../constructs/stores/azure-key-vault/client";
import { isSwitchedOff } from "../../../../constructs/stores/azure-key-vault/errors";
import { objectName } from "../../../../constructs/stores/azure-key-vault/names";
import { keyVaultCommand } from "../../../../constructs/stores/azure-key-vault/permissions";
import { ownCommand } from "../../../config/command-line";
import type { KeyVaultEnvironment } from "../../../config/environment";
import { InvalidRequestError, UnreachableError } from "../../errors";
import type { Link } from "../../link";
import type { Rotated } from "../../rotated";
import type {
  CurrentValues,
  KnownVersions,
  ReadAsPod,
  SecretState,
  StoreOperator,
  WrittenVersion,
} from "../../store-operator";
import { type KeyVaultClients, PodIdentityError } from "./clients";
import { contentOf, keyVaultLinks } from "./links";
import { isForbidden, permitted } from "./permitted";

/** The most that Key Vault takes as a value. Source: https://learn.microsoft.com/azure/key-vault/secrets/about-secrets */
const largestSecretBytes = 25 * 1024;

/** Tag of a version that a command wrote. */
const tags = { "written-by": "aidbox-secrets" };

/** What an operator's commands do with the secrets of a key vault. */
export class KeyVaultOperator implements StoreOperator {
  public constructor(
    private readonly environment: KeyVaultEnvironment,
    private readonly clients: KeyVaultClients,
  ) {}

  public async assertReachable(): Promise<void> {
    const { table } = this.environment;
    try {
      await permitted(this.clients.operator().state(objectName(table.secrets[0]!)));
    } catch (error) {
      if (!isConnectionFailure(error) && !(error instanceof NoAnswerError)) throw error;
      const why = ownCommand("verify", this.environment);
      throw new UnreachableError(`key vault ${this.keyVault} does not answer; to see why: ${why}`);
    }
  }

  public describe(): Promise<string> {
    return Promise.resolve(`key vault ${this.keyVault}`);
  }

  public locate(secret: Secret): string {
    return `${this.keyVault}/${objectName(secret)}`;
  }

  public async state(secret: Secret): Promise<SecretState> {
    const { type = "secret", version: pinned } = this.objectOf(secret);
    const incomparable = type === "secret" ? {} : { incomparable: `a ${type}, whose file is not compared` };
    if (type === "key") return { versions: [], ...incomparable };
    const found = await this.versionsOf(secret);
    const current = pinned === undefined ? found[0] : found.find(({ version }) => version === pinned);
    const known = { versions: found.map(({ version }) => version), ...incomparable };
    if (current?.enabled !== true) return known;
    const { version, createdAt, expiresAt } = current;
    const live = { ...known, version, rotatedAt: createdAt };
    if (expiresAt === undefined) return live;
    const words = `its current version ends at ${expiresAt.toISOString()}, by its own attribute; Key Vault serves it after that too`;
    return { ...live, end: { at: expiresAt, words } };
  }

  public asPod<T>(action: (read: ReadAsPod) => Promise<T>): Promise<T> {
    const read: ReadAsPod = async (secret, version) => {
      const stored = await this.readStored(secret, version === undefined ? undefined : String(version));
      return stored === undefined ? undefined : contentOf(stored, this.objectOf(secret));
    };
    return this.guarded(() => action(read));
  }

  public warnings(): Promise<readonly string[]> {
    return Promise.resolve(
      this.environment.azureKeyVault.identity.type === "node"
        ? [
            "the pods read by an identity of their node, which nobody has elsewhere: the values here are read by your login",
          ]
        : [],
    );
  }

  /** Key Vault tells nobody what they may do. A write that it refuses changes nothing. */
  public findMissingPermissions(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }

  public async knownVersions({ secrets }: Rotated): Promise<KnownVersions> {
    for (const secret of secrets) this.assertOfStack(secret);
    const all = await Promise.all(
      secrets.map(async (secret) => [secret.name, await this.presentVersions(secret)] as const),
    );
    const [, first] = all[0]!;
    return {
      current: first[0]!.version,
      readable: first.flatMap(({ version, enabled }) => (enabled ? [version] : [])).reverse(),
      known: new Map(all.map(([name, versions]) => [name, versions.map(({ version }) => version)])),
    };
  }

  public async formerValues(
    { name, secrets, keypair }: Rotated,
    version: number | string,
  ): Promise<ReadonlyMap<string, string>> {
    if (keypair !== undefined) {
      throw new InvalidRequestError(
        `the parts of ${name} have versions of their own in Key Vault, so it cannot go back to one: give the former ` +
          `private key: ${ownCommand("rotate", this.environment, name, "--stdin")}`,
      );
    }
    if (!/^[0-9a-f]{32}$/.test(String(version))) {
      throw new InvalidRequestError(`there is no version ${version}: Key Vault's have 32 hexadecimal digits`);
    }
    const secret = secrets[0]!;
    const value = await this.guarded(() => this.readStored(secret, String(version)));
    return new Map(value === undefined ? [] : [[secret.name, value]]);
  }

  /** Writes one part after the other: Key Vault has no write of several. */
  public async write(
    { secrets }: Rotated,
    values: ReadonlyMap<string, unknown>,
    { current, known }: KnownVersions,
  ): Promise<WrittenVersion> {
    const valueOf = ({ name }: Secret): string => textOf(values.get(name));
    for (const secret of secrets) this.assertStores(secret, valueOf(secret));
    const client = this.clients.operator();
    const written = new Map<string, string>();
    const others: string[] = [];
    for (const secret of secrets) {
      const name = objectName(secret);
      const writing = client.write(name, valueOf(secret), (known.get(secret.name) ?? []).map(String), tags);
      const result = await permitted(writing).catch((error: unknown) => {
        if (!(error instanceof VersionConflictError) || written.size === 0) throw error;
        const done = [...written.keys()].join(", ");
        throw new VersionConflictError(`${error.message} of it, but ${done} has a new version: run it again`);
      });
      written.set(secret.name, result.version);
      others.push(...result.others.map((version) => `${name}, version ${version}`));
    }
    return {
      version: written.get(secrets[0]!.name)!,
      previousVersion: current,
      contents: new Map(secrets.map((each) => [each.name, contentOf(valueOf(each), this.objectOf(each))])),
      notes: notesOf(others),
    };
  }

  public async writeFirst(secret: Secret, value: () => Promise<string>): Promise<void> {
    const name = objectName(secret);
    this.assertOfStack(secret);
    const client = this.clients.operator();
    const { versions, isDeleted } = await permitted(client.state(name));
    const there = new InvalidRequestError(
      `${secret.name} has a value: to change it: ${ownCommand("rotate", this.environment, secret.name, "--stdin")}`,
    );
    if (versions[0]?.enabled === false) throw this.disabled(secret);
    if (versions.length > 0) throw there;
    if (isDeleted === true) throw this.deleted(secret);
    const given = await value();
    this.assertStores(secret, given);
    try {
      await permitted(client.write(name, given, [], tags));
    } catch (error) {
      if (error instanceof VersionConflictError) throw there;
      if (error instanceof KeyVaultError && error.status === 409) throw this.deleted(secret);
      throw error;
    }
  }

  public writePairCommand({ name }: Keypair): Promise<string> {
    return Promise.resolve(ownCommand("rotate", this.environment, name, "--stdin"));
  }

  public links(values: CurrentValues): readonly Link[] {
    return keyVaultLinks(this.environment, this.clients, values);
  }

  public close(): Promise<void> {
    return Promise.resolve(); // its tokens end by themselves, and nothing can end them
  }

  private get keyVault(): string {
    return this.environment.azureKeyVault.name;
  }

  /** As Key Vault has it. Read as the pod; the node's identity is the node's alone, so there as the operator. */
  private async readStored(secret: Secret, version = this.objectOf(secret).version): Promise<string | undefined> {
    try {
      return (await (await this.reader()).read(objectName(secret), version))?.value;
    } catch (error) {
      if (isSwitchedOff(error)) return undefined;
      throw error;
    }
  }

  /** @throws UnreachableError where the pods cannot read */
  private async guarded<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      const cannotRead = error instanceof AzureLoginError || error instanceof PodIdentityError || isForbidden(error);
      if (!cannotRead) throw error;
      const why = ownCommand("verify", this.environment);
      throw new UnreachableError(`Aidbox's pods cannot read key vault ${this.keyVault} (${error.message}); see ${why}`);
    }
  }

  private async reader(): Promise<KeyVaultClient> {
    if (this.environment.azureKeyVault.identity.type === "node") return this.clients.operator();
    return this.clients.asPods();
  }

  /** The newest first. Where only a reader of values could tell which that is, the pod tells. */
  private async versionsOf(secret: Secret): Promise<readonly SecretVersion[]> {
    const name = objectName(secret);
    const { versions, isNewestKnown } = await permitted(this.clients.operator().state(name));
    if (isNewestKnown) return versions;
    return this.guarded(async () => withFirst(versions, await (await this.reader()).newest(name, versions)));
  }

  /** @throws InvalidRequestError where there is none that could be followed by another */
  private async presentVersions(secret: Secret): Promise<readonly SecretVersion[]> {
    const versions = await this.versionsOf(secret);
    if (versions[0]?.enabled === false) throw this.disabled(secret);
    if (versions.length > 0) return versions;
    const { isDeleted } = await permitted(this.clients.operator().state(objectName(secret)));
    if (isDeleted === true) throw this.deleted(secret);
    throw new InvalidRequestError(
      `${this.locate(secret)} is not there to be rotated: see ${ownCommand("verify", this.environment)}`,
    );
  }

  /** Whoever disabled a secret has a reason, and a new version would be read again. */
  private disabled(secret: Secret): InvalidRequestError {
    const name = objectName(secret);
    return new InvalidRequestError(`${name} is disabled: ${keyVaultCommand(this.keyVault, name, "enable")}`);
  }

  private deleted(secret: Secret): InvalidRequestError {
    const name = objectName(secret);
    return new InvalidRequestError(
      `${name} is deleted, and its name cannot be written to. Recover it: ${keyVaultCommand(this.keyVault, name, "recover")}`,
    );
  }

  /** @throws InvalidRequestError where the stack's commands write no such secret */
  private assertOfStack(secret: Secret): void {
    const { type = "secret", version } = this.objectOf(secret);
    if (type !== "secret") {
      throw new InvalidRequestError(`${secret.name} is a ${type}, which is made in Key Vault itself`);
    }
    if (version !== undefined) {
      throw new InvalidRequestError(`${secret.name} is pinned to version ${version}: a new one would reach no pod`);
    }
  }

  private assertStores(secret: Secret, value: string): void {
    const { encoding = "utf-8" } = this.objectOf(secret);
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
    return this.environment.azureKeyVault.objects[pair ?? name] ?? {};
  }
}

/** A value of Key Vault, which holds text alone. */
function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** What is said of every write, since nothing kept another's out. */
function notesOf(others: readonly string[]): readonly string[] {
  const because = "Key Vault has no check-and-set";
  return others.length === 0
    ? [`${because}: nobody else's write was seen at the same time, but one could not have been kept out.`]
    : [`Somebody else wrote at the same time: ${others.join("; ")}. ${because}, so see which value is to stay.`];
}
