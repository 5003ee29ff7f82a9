import { ExponentialBackoff, handleWhen, retry } from "cockatiel";
import { persist } from "../persist";

/** How to reach Vault, and as whom. */
export interface VaultConnection {
  /** URL of Vault from here. */
  readonly address: string;
  readonly token: string;
  /** @default - none */
  readonly vaultNamespace?: string;
}

export interface VaultHealth {
  readonly initialized: boolean;
  readonly sealed: boolean;
  readonly standby: boolean;
  readonly version: string;
  /** Names the storage: another one means that another Vault answers, or that this one lost everything. */
  readonly clusterId: string;
}

/** What a KV v2 secret holds, without its values. */
export interface KvKeys {
  /** Empty where the secret has no version, or its current one was deleted. */
  readonly keys: readonly string[];
  /** Number of the current version, deleted or not; 0 where there is none. */
  readonly version: number;
}

/** A request that Vault refused. Holds Vault's own words, never a value or a token. */
export class VaultError extends Error {
  public constructor(
    public readonly status: number,
    request: string,
    errors: readonly string[],
  ) {
    super(`Vault answered ${request} with ${status}${errors.length > 0 ? `: ${errors.join("; ")}` : ""}`);
  }
}

/** Vault cannot serve: sealed or not initialised. Waiting does not help. */
export class VaultUnusableError extends Error {}

/** The few calls to Vault's API that Pulumi's Vault provider has no resource for. */
export class VaultClient {
  public constructor(private readonly connection: VaultConnection) {}

  public async health(): Promise<VaultHealth> {
    // The codes that /sys/health uses for states other than active would be errors otherwise.
    const body = await this.request(
      "GET",
      "sys/health?standbyok=true&perfstandbyok=true&sealedcode=200&uninitcode=200",
    );
    const health = body as Record<string, unknown>;
    if (typeof health.initialized !== "boolean") throw new Error("what answers is not Vault");
    return {
      initialized: health.initialized,
      sealed: health.sealed === true,
      standby: health.standby === true,
      version: String(health.version),
      clusterId: typeof health.cluster_id === "string" ? health.cluster_id : "",
    };
  }

  /**
   * Waits until Vault answers, and says in which state it is then.
   *
   * @param seconds how long to wait for an answer
   * @throws VaultUnusableError where Vault is sealed or not initialised; Error where it did not answer in time
   */
  public async waitUntilUsable(seconds = 120): Promise<VaultHealth> {
    return persist(() => this.usableHealth(), {
      seconds,
      backoff: new ExponentialBackoff({ initialDelay: 100, maxDelay: 1000 }),
      mayPass: (error) => !(error instanceof VaultUnusableError),
      timedOut: (last) =>
        `Vault did not answer at ${this.connection.address} for ${seconds} s: ` +
        (last === undefined ? "no answer" : describe(last)),
    });
  }

  private async usableHealth(): Promise<VaultHealth> {
    const health = await this.health();
    if (!health.initialized) {
      throw new VaultUnusableError("Vault is not initialised: run `vault operator init`, then try again");
    }
    if (health.sealed) throw new VaultUnusableError("Vault is sealed: run `vault operator unseal`, then try again");
    return health;
  }

  /** Which keys a KV v2 secret's current version has. Asks for the keys alone: no value is read. */
  public async kvKeys(mount: string, path: string): Promise<KvKeys> {
    const body = await this.request("GET", `${mount}/subkeys/${path}`, {
      accept: [404],
    });
    const { data } = body as {
      data?: { subkeys: object | null; metadata: { version: number } };
    };
    return {
      keys: Object.keys(data?.subkeys ?? {}),
      version: data?.metadata.version ?? 0,
    };
  }

  /**
   * Writes those keys of a KV v2 secret that are not there yet and leaves the others alone. Check-and-set on the version
   * keeps a write of somebody else's.
   *
   * @param makeValue makes the value of a missing key
   * @returns the keys that were written
   */
  public async kvAddMissing(
    mount: string,
    path: string,
    keys: readonly string[],
    makeValue: (key: string) => string,
  ): Promise<readonly string[]> {
    const write = async (): Promise<readonly string[]> => {
      const present = await this.kvKeys(mount, path);
      const missing = keys.filter((key) => !present.keys.includes(key));
      if (missing.length === 0) return [];
      const body = {
        options: { cas: present.version },
        data: Object.fromEntries(missing.map((key) => [key, makeValue(key)])),
      };
      // A patch needs a version to patch; where there is none, or it was deleted, the secret is written whole.
      await this.request(present.keys.length > 0 ? "PATCH" : "POST", `${mount}/data/${path}`, { body });
      return missing;
    };
    return retry(handleWhen(isLostRace), {
      maxAttempts: 5,
      backoff: new ExponentialBackoff(),
    }).execute(write);
  }

  private async request(
    method: string,
    path: string,
    options: {
      readonly body?: object;
      readonly accept?: readonly number[];
    } = {},
  ): Promise<unknown> {
    const { address, token, vaultNamespace } = this.connection;
    const response = await fetch(`${address}/v1/${path}`, {
      method,
      headers: {
        "X-Vault-Token": token,
        "X-Vault-Request": "true",
        ...(method === "PATCH" ? { "Content-Type": "application/merge-patch+json" } : {}),
        ...(vaultNamespace === undefined ? {} : { "X-Vault-Namespace": vaultNamespace }),
      },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      signal: AbortSignal.timeout(30_000),
    });
    const body = parseBody(await response.text());
    if (!response.ok && !options.accept?.includes(response.status)) {
      const { errors } = body as { errors?: unknown };
      throw new VaultError(
        response.status,
        `${method} ${path.split("?")[0]}`,
        Array.isArray(errors) ? errors.map(String) : [],
      );
    }
    return body;
  }
}

/** A body's JSON; nothing where it is none, as from a proxy on the way. */
function parseBody(text: string): unknown {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

/** The words of an error and of what caused it: fetch says only "fetch failed" itself. */
function describe(error: Error): string {
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

function isLostRace(error: Error): boolean {
  return error instanceof VaultError && error.status === 400 && error.message.includes("check-and-set");
}
