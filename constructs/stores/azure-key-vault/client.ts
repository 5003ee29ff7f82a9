import { randomUUID } from "node:crypto";
import { ConstantBackoff } from "cockatiel";
import {
  aFunction,
  object,
  oneOf,
  optional,
  refuseArguments,
  secretText,
  shape,
  text,
  variant,
} from "../../check-props";
import { retry } from "../../retry";
import { VersionConflictError } from "../../secrets";
import { settle } from "../../settle";
import { asOwnError, isSwitchedOff, KeyVaultError } from "./errors";
import { type AzureCloud, clouds, vaultUrl } from "./names";
import {
  type AzurePackages,
  loadAzurePackages,
  type SecretClient,
  type SecretProperties,
  type TokenCredential,
  type Transport,
} from "./packages";

/** As whom a key vault is asked. */
export type KeyVaultCredential =
  | {
      /** Whoever runs the program, as by `az login`, by AZURE_CLIENT_ID and its kind, or a CI's workload identity. */
      readonly type: "ambient";
    }
  | {
      /** A workload, by a token that Entra ID takes from its own issuer. */
      readonly type: "assertion";
      /** Tenant of Entra ID, a UUID. */
      readonly tenantId: string;
      /** Client id of the managed identity or app that trusts the issuer. */
      readonly clientId: string;
      /** Makes the token; it is called again whenever a new one is needed. */
      readonly assertion: () => Promise<string>;
    }
  | {
      /** An app by its password. */
      readonly type: "password";
      /** Tenant of Entra ID, a UUID. */
      readonly tenantId: string;
      /** Client id of the app. */
      readonly clientId: string;
      /** The password. */
      readonly clientSecret: string;
    };

/** A value of a key vault, and its version. */
export interface KeyVaultValue {
  /** As Key Vault holds it: text. */
  readonly value: string;
  /** Key Vault's id of the version, 32 hexadecimal digits. */
  readonly version: string;
}

/** Which key vault, and as whom. */
export interface KeyVaultConnection {
  /** Name of the key vault, without the host's rest. */
  readonly keyVault: string;
  /** `{ type: "ambient" }` is whoever runs the program. */
  readonly credential: KeyVaultCredential;
  /** @default "public" */
  readonly cloud?: AzureCloud;
  /** A proxy or a CA of one's own. @default - Node's own */
  readonly transport?: Transport;
}

/** One version of a secret, without its value. */
export interface SecretVersion {
  /** Key Vault's id of it, 32 hexadecimal digits. */
  readonly version: string;
  /** Whether it may be read; a pod that mounts a disabled one does not start. */
  readonly enabled: boolean;
  /** By the second; two versions can have the same. */
  readonly createdAt: Date;
  /** When it ends by its attribute `exp`. Key Vault serves it after that too. */
  readonly expiresAt?: Date;
  /** Whatever the writer said of it; everybody may read them who may list. */
  readonly tags: Readonly<Record<string, string>>;
}

/** Where a secret stands. */
export interface KeyVaultSecretState {
  /** The newest first; none where there is no such secret. */
  readonly versions: readonly SecretVersion[];
  /** Whether the first is known to be the newest: Key Vault tells times by the second, and lists in no order. */
  readonly isNewestKnown: boolean;
  /** Whether it is softly deleted, and can be recovered; undefined where that may not be looked at. */
  readonly isDeleted: boolean | undefined;
}

/** What a write did. */
export interface KeyVaultWrite {
  /** Key Vault's id of the new version. */
  readonly version: string;
  /** Versions of somebody else's, written at the same time. Key Vault has no check-and-set that would have kept them out. */
  readonly others: readonly string[];
}

/** How long one call may take with all its tries, in seconds. */
const answerSeconds = 30;
/** How long Key Vault may be at a recovery after its answer, in seconds. */
const recoverySeconds = 60;
/** Tag by which a write knows its own version again; it tells nothing of the value. */
const writeTag = "aidbox-secrets-write";

/** The few calls to a key vault, each bounded, with errors that hold no value and no token. */
export class KeyVaultClient {
  private readonly client: SecretClient;

  /**
   * @throws Error that lists all that is wrong with the connection; it shows no password
   * @throws MissingPackagesError where Azure's SDK is not installed
   */
  public constructor(connection: KeyVaultConnection) {
    refuseArguments("KeyVaultClient", connection, connectionChecks);
    const { keyVault, credential, cloud = "public", transport = {} } = connection;
    const { secrets, identity } = loadAzurePackages();
    const who = credentialOf(identity, credential, { ...transport, authorityHost: clouds[cloud].authority });
    this.client = new secrets.SecretClient(vaultUrl(keyVault, cloud), who, transport);
  }

  /**
   * A secret's value.
   *
   * @param version the newest where it is left out
   * @returns undefined where there is none
   * @throws KeyVaultError 403 `SecretDisabled` where the version is disabled
   */
  public async read(name: string, version?: string): Promise<KeyVaultValue | undefined> {
    try {
      const { value, properties } = await this.call(`GET secrets/${name}`, (options) =>
        this.client.getSecret(name, { ...options, ...(version === undefined ? {} : { version }) }),
      );
      return { value: value ?? "", version: properties.version ?? "" };
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** Where a secret stands; its value is not read. */
  public async state(name: string): Promise<KeyVaultSecretState> {
    const versions = await this.versions(name);
    const isDeleted = versions.length > 0 ? false : await this.isDeleted(name);
    const [first, second] = versions;
    if (first === undefined || first.createdAt.getTime() !== second?.createdAt.getTime()) {
      return { versions, isDeleted, isNewestKnown: true };
    }
    const newest = await this.newest(name, versions);
    return { versions: withFirst(versions, newest), isDeleted, isNewestKnown: newest !== undefined };
  }

  /**
   * Which of a secret's versions Key Vault takes for the newest.
   *
   * @returns undefined where the client may not read values
   */
  public async newest(name: string, versions: readonly SecretVersion[]): Promise<string | undefined> {
    try {
      return (await this.read(name))?.version;
    } catch (error) {
      if (isSwitchedOff(error)) return versions.find(({ enabled }) => !enabled)?.version;
      if (error instanceof KeyVaultError && error.status === 403) return undefined;
      throw error;
    }
  }

  /**
   * Writes a new version. Another's write is looked for before and after, which is all that Key Vault can give: one that falls
   * between is not kept out, but is named.
   *
   * @param known versions that were there when the secret was looked at
   * @throws VersionConflictError where there are others by now; KeyVaultError 409 where the secret is softly deleted
   */
  public async write(
    name: string,
    value: string,
    known: readonly string[],
    tags: Readonly<Record<string, string>> = {},
  ): Promise<KeyVaultWrite> {
    const before = (await this.versions(name)).map(({ version }) => version);
    const unknown = before.filter((version) => !known.includes(version));
    if (unknown.length > 0) {
      throw new VersionConflictError(
        `${name} has version ${unknown.join(", ")} by now: somebody else wrote it. Nothing was written`,
      );
    }
    const mark = randomUUID();
    const own = (versions: readonly SecretVersion[]): SecretVersion | undefined =>
      versions.find((each) => each.tags[writeTag] === mark);
    const version = await settle({
      what: name,
      write: async () => {
        const { properties } = await this.call(`PUT secrets/${name}`, (options) =>
          this.client.setSecret(name, value, { ...options, tags: { ...tags, [writeTag]: mark } }),
        );
        return properties.version ?? "";
      },
      lookUp: async () => own(await this.versions(name))?.version,
    });
    const others = (await this.versions(name)).filter(
      (each) => !before.includes(each.version) && each.version !== version && each.tags[writeTag] !== mark,
    );
    return { version, others: others.map((each) => each.version) };
  }

  /**
   * Brings a softly deleted secret back with all its versions.
   *
   * @throws KeyVaultError 404 where there is none
   */
  public async recover(name: string): Promise<void> {
    await this.call(`POST deletedsecrets/${name}/recover`, async (options) => {
      const poller = await this.client.beginRecoverDeletedSecret(name, { ...options, intervalInMs: 500 });
      await poller.pollUntilDone();
    });
    // The answer comes before the secret does.
    await retry(
      async () => {
        if ((await this.versions(name)).length === 0) throw new Error("it is not there yet");
      },
      {
        seconds: recoverySeconds,
        backoff: new ConstantBackoff(500),
        timedOut: () => `Key Vault has not brought ${name} back for ${recoverySeconds} s`,
      },
    );
  }

  /** Versions of a secret, those of a later second first; none where there is no such secret. */
  private async versions(name: string): Promise<SecretVersion[]> {
    const found = await this.call(`GET secrets/${name}/versions`, async (options) => {
      const all: SecretProperties[] = [];
      for await (const each of this.client.listPropertiesOfSecretVersions(name, options)) all.push(each);
      return all;
    }).catch((error: unknown) => {
      if (isNotFound(error)) return [];
      throw error;
    });
    return found.map(asVersion).sort((one, other) => other.createdAt.getTime() - one.createdAt.getTime());
  }

  private async isDeleted(name: string): Promise<boolean | undefined> {
    try {
      await this.call(`GET deletedsecrets/${name}`, (options) => this.client.getDeletedSecret(name, options));
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      if (error instanceof KeyVaultError && error.status === 403) return undefined;
      throw error;
    }
  }

  private async call<T>(request: string, action: (options: { abortSignal: AbortSignal }) => Promise<T>): Promise<T> {
    try {
      return await action({ abortSignal: AbortSignal.timeout(answerSeconds * 1000) });
    } catch (error) {
      throw asOwnError(error, request, answerSeconds);
    }
  }
}

/** What each kind of credential holds. */
const credential = variant<KeyVaultCredential, "type">("type", {
  ambient: {},
  assertion: { tenantId: text, clientId: text, assertion: aFunction },
  password: { tenantId: text, clientId: text, clientSecret: secretText },
});

const connectionChecks = {
  keyVault: text,
  credential,
  cloud: optional(oneOf(...Object.keys(clouds))),
  transport: optional(shape<Transport>({ agent: optional(object) })),
};

function credentialOf(
  { DefaultAzureCredential, ClientAssertionCredential, ClientSecretCredential }: AzurePackages["identity"],
  credential: KeyVaultCredential,
  options: Transport & { readonly authorityHost: string },
): TokenCredential {
  switch (credential.type) {
    case "ambient":
      return new DefaultAzureCredential(options);
    case "assertion": {
      const { tenantId, clientId, assertion } = credential;
      return new ClientAssertionCredential(tenantId, clientId, assertion, options);
    }
    case "password": {
      const { tenantId, clientId, clientSecret } = credential;
      return new ClientSecretCredential(tenantId, clientId, clientSecret, options);
    }
  }
}

/** Versions in their order, but one, which comes first. */
export function withFirst(versions: readonly SecretVersion[], first: string | undefined): SecretVersion[] {
  return [...versions].sort((one, other) => Number(other.version === first) - Number(one.version === first));
}

function asVersion({ version, enabled, createdOn, expiresOn, tags }: SecretProperties): SecretVersion {
  return {
    version: version ?? "",
    enabled: enabled ?? true,
    createdAt: createdOn ?? new Date(0),
    ...(expiresOn === undefined ? {} : { expiresAt: expiresOn }),
    tags: tags ?? {},
  };
}

function isNotFound(error: unknown): boolean {
  return error instanceof KeyVaultError && error.status === 404;
}
