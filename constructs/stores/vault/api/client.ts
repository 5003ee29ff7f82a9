import { setTimeout as sleep } from "node:timers/promises";
import type { SecureContextOptions } from "node:tls";
import type { Duration } from "cdk8s";
import { bulkhead, ExponentialBackoff } from "cockatiel";
import type * as undici from "undici";
import { optional, refuseArguments, secretText, shape, text, url } from "../../../check-props";
import { proxyFor } from "../../../proxy";
import { retry } from "../../../retry";
import { StoreError } from "../../../secrets";
import { isUncertain, NoAnswerError, wordsOf } from "../../../settle";
import { visible } from "../../../visible";

/** How to reach Vault, and as whom. */
export interface VaultConnection {
  /** URL of Vault from here. */
  readonly address: string;
  /** May do what the calls need; it goes to `address` alone, no redirect is followed. */
  readonly token: string;
  /** @default - none */
  readonly vaultNamespace?: string;
  /** CA of Vault's certificate, PEM. @default - those that Node trusts */
  readonly caCert?: string;
  /** Name in Vault's certificate, where the address has another. @default - the address' host */
  readonly tlsServerName?: string | undefined;
  /** Who asks, where Vault or a gateway before it wants a certificate. @default - none */
  readonly clientCertificate?: ClientCertificate | undefined;
}

/** A certificate by which a client shows who it is, PEM. */
export interface ClientCertificate {
  /** With those of its issuers, where the server does not know them. */
  readonly cert: string;
  /** Its private key; no error shows it. */
  readonly key: string;
}

/** What a server says of itself, without a token. */
export interface VaultHealth {
  /** Whether somebody has initialised it, so that it has keys. */
  readonly initialized: boolean;
  /** Whether it waits for key shares, or for its seal. */
  readonly sealed: boolean;
  /** Whether another server of the same Vault is the active one. */
  readonly standby: boolean;
  /** As `2.0.4`. */
  readonly version: string;
  /** Names the storage: another one means that another Vault answers, or that this one lost everything. */
  readonly clusterId: string;
}

/** How far a server is from serving. */
export interface SealStatus {
  /** Whether somebody has initialised it, so that it has keys. */
  readonly initialized: boolean;
  /** Whether it waits for key shares, or for its seal. */
  readonly sealed: boolean;
  /** Number of key shares that it has by now. */
  readonly progress: number;
  /** Number that it needs. */
  readonly threshold: number;
  /** Whether it unseals itself. */
  readonly recoverySeal: boolean;
}

/** A request that Vault refused. Holds Vault's own words, never a value or a token. */
export class VaultError extends StoreError {
  public constructor(
    /** Status of the HTTP answer. */
    public readonly status: number,
    /** Method and path, as `GET secret/data/aidbox/client`. */
    public readonly request: string,
    /** Vault's own words; none where there is nothing at the path. */
    public readonly errors: readonly string[],
  ) {
    const words = visible(errors.join("; ").replaceAll(/\s+/g, " ").trim());
    super(`Vault answered ${request} with ${status}${words === "" ? "" : `: ${words}`}`);
  }

  /** Whether Vault, or somebody on the way to it, points elsewhere. */
  public get isRedirect(): boolean {
    return this.status >= 300 && this.status < 400;
  }

  /** Whether nothing at all is mounted at the path. */
  public get isUnmounted(): boolean {
    return this.status === 404 && this.errors.some((each) => each.startsWith("no handler for route"));
  }
}

/** Vault cannot serve: sealed or not initialised. Waiting does not help. */
export class VaultUnusableError extends Error {
  public constructor(
    message: string,
    /** Whether it was initialised, and so is sealed. */
    public readonly initialized: boolean,
  ) {
    super(message);
  }
}

/** How a Vault is initialised. */
export interface InitialiseOptions {
  /** Number of key shares that are made. */
  readonly shares: number;
  /** Number of them that unseals. */
  readonly threshold: number;
  /** Whether Vault unseals itself, so that the shares are those of its recovery key. */
  readonly recoverySeal: boolean;
  /** Public PGP keys in base64, one for each share, by which Vault encrypts them. Empty: the shares come in plain. */
  readonly pgpKeys: readonly string[];
  /** Public PGP key of whoever gets the root token. @default - the root token is not encrypted */
  readonly rootTokenPgpKey?: string | undefined;
}

/** What Vault gives out once, at its initialisation. */
export interface VaultKeys {
  /** In base64; encrypted where PGP keys were given. */
  readonly keyShares: readonly string[];
  /** May do everything; encrypted where a PGP key was given. */
  readonly rootToken: string;
}

/** How a request of Vault's API is sent. */
export interface RequestOptions {
  /** Sent as JSON, but for bytes, which are sent as they are. @default - none */
  readonly body?: object;
  /** Statuses that are no error beside 2xx. @default - none */
  readonly accept?: readonly number[];
  /** How long to wait for an answer. @default Duration.seconds(30) */
  readonly timeout?: Duration;
}

/** How long an answer of Vault may take, in seconds. */
const answerSeconds = 30;
/** The same for one that cannot be had again: longer than Vault itself gives a request (`default_max_request_duration`). */
const onlyAnswerSeconds = 120;
/** The same for a snapshot that is put in place, in seconds: all of it goes over the way to Vault. */
const restoreSeconds = 600;
/** How many requests are under way at once: a table of many paths is no burst. */
const requestsAtOnce = 8;
/** How long to go on where Vault has too many requests, in seconds. */
const busySeconds = 60;

/** The few calls to Vault's API that Pulumi's Vault provider has no resource for. */
export class VaultClient {
  private dispatcher: undici.Dispatcher | undefined;
  private readonly turns = bulkhead(requestsAtOnce, Infinity);

  /** @throws Error that lists all that is wrong with the connection; it shows no token and no key */
  public constructor(private readonly connection: VaultConnection) {
    refuseArguments("VaultClient", connection, connectionChecks);
  }

  /** How a server stands; a sealed one answers too. */
  public async health(): Promise<VaultHealth> {
    const health = (await this.request("GET", healthPath)) as Record<string, unknown>;
    if (typeof health.initialized !== "boolean") throw new Error("what answers is not Vault");
    return {
      initialized: health.initialized,
      sealed: health.sealed === true,
      standby: health.standby === true,
      version: String(health.version),
      clusterId: typeof health.cluster_id === "string" ? health.cluster_id : "",
    };
  }

  /** The server's own clock, in whole seconds; undefined where it tells none. A sealed server tells it too. */
  public async time(): Promise<Date | undefined> {
    const { server_time_utc: seconds } = Object(await this.request("GET", healthPath)) as { server_time_utc?: unknown };
    return typeof seconds === "number" ? new Date(seconds * 1000) : undefined;
  }

  /** How far this server is from serving. */
  public async sealStatus(): Promise<SealStatus> {
    return sealStatusOf(await this.request("GET", "sys/seal-status"));
  }

  /** Gives this server one key share. */
  public async unseal(key: string): Promise<SealStatus> {
    return sealStatusOf(await this.request("POST", "sys/unseal", { body: { key } }));
  }

  /**
   * Puts a snapshot in the place of all that Vault holds, be it of a Vault with other keys (`force`). Only the active server
   * takes one. Where the keys are others, Vault seals itself.
   */
  public async restoreSnapshot(snapshot: Uint8Array): Promise<void> {
    await this.send("POST", "sys/storage/raft/snapshot-force", { body: snapshot }, restoreSeconds);
  }

  /** Whether this server knows an active one, as only an unsealed one can. */
  public async hasLeader(): Promise<boolean> {
    const { leader_address, is_self, ha_enabled } = (await this.request("GET", "sys/leader")) as Record<
      string,
      unknown
    >;
    return ha_enabled === false || is_self === true || (typeof leader_address === "string" && leader_address !== "");
  }

  /** Initialises Vault, which can be done once. */
  public async initialise(options: InitialiseOptions): Promise<VaultKeys> {
    const { shares, threshold, recoverySeal, pgpKeys, rootTokenPgpKey } = options;
    const prefix = recoverySeal ? "recovery" : "secret";
    const body = {
      [`${prefix}_shares`]: shares,
      [`${prefix}_threshold`]: threshold,
      ...(pgpKeys.length > 0 ? { [recoverySeal ? "recovery_pgp_keys" : "pgp_keys"]: pgpKeys } : {}),
      ...(rootTokenPgpKey === undefined ? {} : { root_token_pgp_key: rootTokenPgpKey }),
    };
    const made = (await this.send("PUT", "sys/init", { body }, onlyAnswerSeconds)) as {
      keys_base64?: string[];
      recovery_keys_base64?: string[];
      root_token: string;
    };
    const keyShares = (recoverySeal ? made.recovery_keys_base64 : made.keys_base64) ?? [];
    return { keyShares, rootToken: made.root_token };
  }

  /**
   * Waits until Vault answers, and says in which state it is then.
   *
   * @param timeout how long to wait for an answer; by default two minutes
   * @throws VaultUnusableError where Vault is sealed or not initialised; Error where it did not answer in time
   */
  public async waitUntilUsable(timeout?: Duration): Promise<VaultHealth> {
    const seconds = timeout?.toSeconds() ?? 120;
    proxyFor(this.connection.address); // waiting mends no variable
    return retry(() => this.usableHealth(), {
      seconds,
      backoff: new ExponentialBackoff({ initialDelay: 100, maxDelay: 1000 }),
      mayPass: (error) => !(error instanceof VaultUnusableError) && !(error instanceof VaultError && error.isRedirect),
      timedOut: (last) =>
        `Vault did not answer at ${this.connection.address} for ${seconds} s: ` +
        (last === undefined ? "no answer" : wordsOf(last)),
    });
  }

  private async usableHealth(): Promise<VaultHealth> {
    const health = await this.health();
    if (!health.initialized) {
      throw new VaultUnusableError("Vault is not initialised: run `vault operator init`, then try again", false);
    }
    if (health.sealed)
      throw new VaultUnusableError("Vault is sealed: run `vault operator unseal`, then try again", true);
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

  /**
   * Makes sure, without a token, that Vault answers here itself: Pulumi's provider would take its token to wherever it points.
   *
   * @throws VaultError where it points elsewhere
   */
  public async assertAnswersItself(): Promise<void> {
    try {
      await this.withToken("").request("GET", "auth/token/lookup-self");
    } catch (error) {
      // Nobody may look up no token: any other answer is Vault's own.
      if (error instanceof VaultError && error.isRedirect) throw error;
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
    return this.withToken(auth.client_token);
  }

  /** The same way to Vault, as somebody else. @param token may do what the calls need */
  public withToken(token: string): VaultClient {
    return new VaultClient({ ...this.connection, token });
  }

  /** Whether an auth mount is there, which needs no right: a login without role is refused by the mount itself, or by nobody. */
  public async hasAuthMount(mount: string): Promise<boolean> {
    try {
      await this.request("POST", `auth/${mount}/login`, { body: {} });
      return true;
    } catch (error) {
      if (!(error instanceof VaultError) || error.status >= 500) throw error;
      return error.status === 400;
    }
  }

  /** Lengthens the life of the client's own token by its period. */
  public async renewSelf(): Promise<void> {
    await this.request("POST", "auth/token/renew-self", { body: {} });
  }

  /** Ends the life of the client's own token. */
  public async revokeSelf(): Promise<void> {
    try {
      await this.request("POST", "auth/token/revoke-self");
    } catch (error) {
      if (!isUncertain(error) || (await this.isAlive())) throw error;
    }
  }

  /** Whether Vault still takes the client's own token; every token may ask that of itself. */
  private async isAlive(): Promise<boolean> {
    try {
      await this.request("GET", "auth/token/lookup-self");
      return true;
    } catch (error) {
      return !(error instanceof VaultError && error.status === 403);
    }
  }

  /** Node's own fetch trusts Node's CAs alone, and knows no proxy; that of undici, which it is made of, does. */
  private async fetch(url: string, request: RequestInit): Promise<Answer> {
    const tls = this.tlsOptions();
    const proxy = proxyFor(this.connection.address);
    if (tls === undefined && proxy === undefined) return fetch(url, request);
    const { Agent, fetch: fetchBy, ProxyAgent } = await import("undici");
    this.dispatcher ??=
      proxy === undefined
        ? new Agent({ connect: tls ?? {} })
        : new ProxyAgent({ uri: proxy, ...(tls === undefined ? {} : { requestTls: tls }) });
    return fetchBy(url, { ...(request as undici.RequestInit), dispatcher: this.dispatcher });
  }

  /** How Vault is to be trusted, and trusts who asks; undefined where Node's own way does. */
  private tlsOptions(): (SecureContextOptions & { readonly servername?: string }) | undefined {
    const { caCert, tlsServerName, clientCertificate } = this.connection;
    if (caCert === undefined && tlsServerName === undefined && clientCertificate === undefined) return undefined;
    return {
      ...(caCert === undefined ? {} : { ca: caCert }),
      ...(tlsServerName === undefined ? {} : { servername: tlsServerName }),
      ...clientCertificate,
    };
  }

  /**
   * Sends one request. No redirect is followed: the token, and what is written, are for this address alone. Where Vault has too
   * many requests (429, by a quota), which carries nothing out, it is asked again when it says so.
   *
   * @throws VaultError where Vault refuses or points elsewhere; NoAnswerError where it gives none in time
   */
  public async request(method: string, path: string, options: RequestOptions = {}): Promise<unknown> {
    return this.send(method, path, options, options.timeout?.toSeconds() ?? answerSeconds);
  }

  private async send(method: string, path: string, options: RequestOptions, seconds: number): Promise<unknown> {
    const { address } = this.connection;
    const name = `${method} ${path.split("?")[0]}`;
    const { response, text } = await this.turns.execute(() =>
      unlessBusy(() => this.exchange(method, path, name, options, seconds)),
    );
    const body = parseBody(text);
    if (!response.ok && !options.accept?.includes(response.status)) {
      const { errors } = body as { errors?: unknown };
      const location = response.headers.get("location");
      throw new VaultError(
        response.status,
        name,
        Array.isArray(errors) ? errors.map(String) : location === null ? [] : [redirectWords(location, address)],
      );
    }
    return body;
  }

  private async exchange(
    method: string,
    path: string,
    name: string,
    options: RequestOptions,
    seconds: number,
  ): Promise<Exchange> {
    const { address, token, vaultNamespace } = this.connection;
    // Unlike AbortSignal.timeout this keeps the process alive, which an answer by an unref'd port-forward does not.
    const late = new AbortController();
    const timer = setTimeout(() => {
      late.abort(new NoAnswerError("Vault", name, seconds));
    }, seconds * 1000);
    try {
      const response = await this.fetch(`${address}/v1/${encodeURI(path)}`, {
        method,
        headers: {
          "X-Vault-Token": token,
          "X-Vault-Request": "true",
          ...(method === "PATCH" ? { "Content-Type": "application/merge-patch+json" } : {}),
          ...(vaultNamespace === undefined ? {} : { "X-Vault-Namespace": vaultNamespace }),
        },
        ...(options.body === undefined ? {} : { body: contentOf(options.body) }),
        signal: late.signal,
        redirect: "manual",
      });
      return { response, text: await response.text() };
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The codes that it uses for states other than active would be errors otherwise. */
const healthPath = "sys/health?standbyok=true&perfstandbyok=true&sealedcode=200&uninitcode=200";

const connectionChecks = {
  address: url,
  token: secretText,
  vaultNamespace: optional(text),
  caCert: optional(secretText),
  tlsServerName: optional(text),
  clientCertificate: optional(shape<ClientCertificate>({ cert: secretText, key: secretText })),
};

function contentOf(body: object): string | Uint8Array<ArrayBuffer> {
  return body instanceof Uint8Array ? new Uint8Array(body) : JSON.stringify(body);
}

interface Exchange {
  readonly response: Answer;
  readonly text: string;
}

/** Asks again where Vault has too many requests, once it may have less, as it says itself. */
async function unlessBusy(exchange: () => Promise<Exchange>): Promise<Exchange> {
  const end = Date.now() + busySeconds * 1000;
  for (;;) {
    const exchanged = await exchange();
    const said = Number(exchanged.response.headers.get("retry-after")) || 0; // a proxy may say a date
    const waitMilliseconds = Math.max(said, 1) * 1000;
    if (exchanged.response.status !== 429 || Date.now() + waitMilliseconds > end) return exchanged;
    await sleep(waitMilliseconds);
  }
}

/** What both fetches have of a response. */
interface Answer extends Pick<Response, "ok" | "status" | "text"> {
  readonly headers: Pick<Headers, "get">;
}

function sealStatusOf(body: unknown): SealStatus {
  const status = body as {
    initialized: boolean;
    sealed: boolean;
    progress: number;
    t: number;
    recovery_seal?: boolean;
  };
  return {
    initialized: status.initialized,
    sealed: status.sealed,
    progress: status.progress,
    threshold: status.t,
    recoverySeal: status.recovery_seal === true,
  };
}

/** A body's JSON; nothing where it is none, as from a proxy on the way. */
function parseBody(text: string): unknown {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

/** Where an answer points, and what to do. Its own words may be anybody's: they are not shown. */
function redirectWords(location: string, address: string): string {
  const target = URL.canParse(location, address) ? new URL(location, address).origin : "an address that is none";
  return (
    `it points to ${target}, and a token is not sent on. A standby of Vault does so while it cannot reach the active ` +
    "server: try again. Else set Vault's address to the one that answers itself"
  );
}
