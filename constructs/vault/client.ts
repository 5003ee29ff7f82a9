import { ExponentialBackoff } from "cockatiel";
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

/** A request that Vault refused. Holds Vault's own words, never a value or a token. */
export class VaultError extends Error {
  public constructor(
    public readonly status: number,
    /** Method and path, as `GET secret/data/aidbox/client`. */
    public readonly request: string,
    /** Vault's own words; none where there is nothing at the path. */
    public readonly errors: readonly string[],
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

  /**
   * What Vault holds at a path.
   *
   * @returns undefined where there is nothing
   * @throws VaultError with status 404 where nothing at all is mounted there
   */
  public async read(path: string): Promise<Record<string, unknown> | undefined> {
    try {
      const { data } = (await this.request("GET", path)) as { data?: Record<string, unknown> };
      return data;
    } catch (error) {
      if (error instanceof VaultError && error.status === 404 && error.errors.length === 0) return undefined;
      throw error;
    }
  }

  /** What the client's token may do at a path, as `["read"]`; `["deny"]` where nothing. */
  public async capabilities(path: string): Promise<readonly string[]> {
    const { capabilities } = (await this.request("POST", "sys/capabilities-self", { body: { paths: [path] } })) as {
      capabilities: string[];
    };
    return capabilities;
  }

  /**
   * Logs in with a pod's token, at a `kubernetes` or a `jwt` auth mount.
   *
   * @returns a client with the login's token
   */
  public async login(authMount: string, role: string, jwt: string): Promise<VaultClient> {
    const { auth } = (await this.request("POST", `auth/${authMount}/login`, { body: { role, jwt } })) as {
      auth: { client_token: string };
    };
    return new VaultClient({ ...this.connection, token: auth.client_token });
  }

  /** Ends the life of the client's own token. */
  public async revokeSelf(): Promise<void> {
    await this.request("POST", "auth/token/revoke-self");
  }

  /** @throws VaultError where Vault refuses */
  public async request(
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
