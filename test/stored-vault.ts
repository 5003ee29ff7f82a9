import { randomBytes } from "node:crypto";
import { VaultClient } from "../constructs/stores/vault";
import { FakeVault, type JsonObject, type ServerCertificate, type VaultAnswer, type VaultRequest } from "./mocks";

/** How a Vault with storage is, and behaves. */
export interface StoredVaultOptions {
  /** Names of its servers' pods. @default - one server */
  readonly pods?: readonly string[];
  /** Whether it unseals itself once it is initialised. @default false */
  readonly recoverySeal?: boolean;
  /** The servers' certificate. @default - plain HTTP */
  readonly tls?: ServerCertificate;
}

/** One server of a Vault with storage. */
export class StoredServer {
  /** How often it is still asked in vain for its seal's status before it has joined the others. */
  public joinsAfter = 0;
  public sealed = true;
  /** Whether it finds no active server, though it is unsealed. */
  public isLost = false;
  /** Key shares that it was given since it was sealed. */
  public given: string[] = [];
  /** How many shares it asks for until it starts anew, though what it holds asks for others. */
  public remembers: number | undefined;

  public constructor(
    public readonly pod: string,
    public readonly fake: FakeVault,
  ) {}

  /** What it was asked to do, as `POST sys/unseal`; without mere questions. */
  public get writes(): readonly string[] {
    return this.fake.writes.map(({ method, path }) => `${method} ${path}`);
  }
}

interface Rekeying {
  readonly shares: number;
  readonly threshold: number;
  /** Former shares, then those of the new ones that are given back. */
  given: string[];
  /** The new ones, once enough former ones were given. */
  made?: readonly string[];
}

const refused: VaultAnswer = { status: 403, body: { errors: ["permission denied", "invalid token"] } };

/** A Vault with storage: servers of 127.0.0.1 that are not initialised, or sealed, until somebody changes that. */
export class StoredVault {
  public readonly policies = new Map<string, string>();
  /** What each token was made of, by token. */
  public readonly tokens = new Map<string, JsonObject>();
  public readonly revoked: string[] = [];
  /** Auth mounts by path, and what was written below them. */
  public readonly authMounts = new Map<string, JsonObject>();
  public readonly authEntries = new Map<string, JsonObject>();
  /** Rate-limit quotas by name. */
  public readonly quotas = new Map<string, JsonObject>();
  /** Audit devices by name, with a slash at its end. */
  public readonly audit = new Map<string, JsonObject>();
  /** Key shares of an attempt to make a root token; none where there is none. */
  public rootAttempt: string[] | undefined;
  /** Key shares that are to take the place of others, and what was given for them; none where nobody changes them. */
  public rekeying: Rekeying | undefined;
  public keyShares: readonly string[] = [];
  /** The root token that it was initialised with, revoked or not. */
  public rootToken = "";
  public threshold = 0;
  /** Names of the snapshots that took the place of what it held. */
  public readonly restored: string[] = [];
  /** What the last change of its key shares was begun with. */
  public rekeyedWith: JsonObject | undefined;
  /** What it was initialised with. */
  public initialisedWith: JsonObject | undefined;
  /** Answers in the place of any server where it returns something. */
  public intercept: ((request: VaultRequest, server: StoredServer) => VaultAnswer | undefined) | undefined;

  private constructor(
    public readonly servers: readonly StoredServer[],
    private readonly recoverySeal: boolean,
  ) {
    for (const server of servers) {
      server.fake.intercept = (request) =>
        this.intercept?.(request, server) ?? this.answer(request, server) ?? { status: 404, body: { errors: [] } };
    }
  }

  public static async start(options: StoredVaultOptions = {}): Promise<StoredVault> {
    const { pods = ["vault-0"], recoverySeal = false, tls } = options;
    const servers = await Promise.all(pods.map(async (pod) => new StoredServer(pod, await FakeVault.start(0, tls))));
    return new StoredVault(servers, recoverySeal);
  }

  public get first(): StoredServer {
    return this.servers[0]!;
  }

  /** Whether a root token that was made of key shares lives. */
  public get hasGeneratedRoot(): boolean {
    return [...this.tokens.keys()].some((token) => token.startsWith("hvs.generated-"));
  }

  /** The servers as a command takes them. */
  public pods(caCert?: string): { readonly pod: string; readonly client: VaultClient }[] {
    return this.servers.map(({ pod, fake: { address } }) => ({
      pod,
      client: new VaultClient({ address, token: "", ...(caCert === undefined ? {} : { caCert }) }),
    }));
  }

  /** A snapshot of it, as far as anything here looks into one. */
  public snapshot(name: string): string {
    return JSON.stringify({ name, keyShares: this.keyShares, threshold: this.threshold });
  }

  /** Has a server start anew, sealed. */
  public restart(pod: string): void {
    const server = this.servers.find((each) => each.pod === pod)!;
    server.sealed = !this.recoverySeal;
    server.given = [];
    server.remembers = undefined;
  }

  /** Initialises it as somebody else does. @returns the root token */
  public initialise(shares = 5, threshold = 3): string {
    this.keyShares = Array.from({ length: shares }, () => randomBytes(33).toString("base64"));
    this.threshold = threshold;
    if (this.recoverySeal) for (const server of this.servers) server.sealed = false;
    const rootToken = `hvs.root-${randomBytes(6).toString("hex")}`;
    this.tokens.set(rootToken, { policies: ["root"] });
    this.rootToken = rootToken;
    return rootToken;
  }

  public async stop(): Promise<void> {
    await Promise.all(this.servers.map(({ fake }) => fake.stop()));
  }

  private answer({ method, path, body = {}, headers }: VaultRequest, server: StoredServer): VaultAnswer | undefined {
    switch (`${method} ${path.split("?")[0]!}`) {
      case "GET sys/health":
        return { status: 200, body: { ...this.stateOf(server), standby: server !== this.first, version: "2.0.4" } };
      case "GET sys/seal-status":
        if (server.joinsAfter > 0) server.joinsAfter -= 1;
        return { status: 200, body: this.sealStatus(server) };
      case "GET sys/leader":
        return this.leader(server);
      case "PUT sys/init":
        return this.init(body);
      case "POST sys/unseal":
        return this.unseal(server, body.key as string);
    }
    const token = String(headers["x-vault-token"]);
    if (server.sealed) return { status: 503, body: { errors: ["Vault is sealed"] } };
    if (path.startsWith("sys/generate-root/")) return this.generateRoot(`${method} ${path}`, body);
    if (path === "sys/storage/raft/snapshot-force" && this.tokens.has(token)) return this.restore(server, body);
    if (path.startsWith(`sys/rekey${this.recoverySeal ? "-recovery-key" : ""}/`) && this.tokens.has(token)) {
      return this.rekey(`${method} ${path.split("/").at(-1)!}`, body);
    }
    return this.tokens.has(token) ? this.administer(`${method} ${path}`, body, token) : refused;
  }

  /** As Vault 1.21.1 was seen to do: with other keys it seals itself, and asks for as many shares as before until it starts anew. */
  private restore(server: StoredServer, snapshot: JsonObject): VaultAnswer {
    if (server !== this.first) return { status: 307, body: "" };
    const { name, keyShares, threshold } = snapshot as { name: string; keyShares: string[]; threshold: number };
    this.restored.push(name);
    this.tokens.clear();
    if (keyShares[0] !== this.keyShares[0]) {
      for (const each of this.servers) Object.assign(each, { sealed: true, given: [], remembers: this.threshold });
    }
    this.keyShares = keyShares;
    this.threshold = threshold;
    return { status: 204, body: "" };
  }

  private stateOf(server: StoredServer): { initialized: boolean; sealed: boolean } {
    const initialized = this.keyShares.length > 0 && server.joinsAfter === 0;
    return { initialized, sealed: !initialized || server.sealed };
  }

  private sealStatus(server: StoredServer): JsonObject {
    const state = this.stateOf(server);
    return {
      type: this.recoverySeal ? "transit" : "shamir",
      ...state,
      t: state.initialized ? (server.remembers ?? this.threshold) : 0,
      n: state.initialized ? this.keyShares.length : 0,
      progress: server.given.length,
      ...(this.recoverySeal ? { recovery_seal: true } : {}),
    };
  }

  private leader(server: StoredServer): VaultAnswer {
    const { sealed } = this.stateOf(server);
    if (sealed) return { status: 503, body: { errors: ["Vault is sealed"] } };
    const isActive = !this.first.sealed && !server.isLost;
    return {
      status: 200,
      body: {
        ha_enabled: true,
        is_self: isActive && server === this.first,
        leader_address: isActive ? this.first.fake.address : "",
      },
    };
  }

  private init(body: JsonObject): VaultAnswer {
    if (this.keyShares.length > 0) return { status: 400, body: { errors: ["Vault is already initialized"] } };
    const prefix = this.recoverySeal ? "recovery" : "secret";
    const [shares, threshold] = [body[`${prefix}_shares`], body[`${prefix}_threshold`]];
    if (typeof shares !== "number" || typeof threshold !== "number") {
      return { status: 400, body: { errors: ["shares and threshold do not apply to this type of seal"] } };
    }
    this.initialisedWith = body;
    const rootToken = this.initialise(shares, threshold);
    const keys = this.keyShares;
    return {
      status: 200,
      body: {
        ...(this.recoverySeal
          ? { keys: [], keys_base64: [], recovery_keys_base64: keys }
          : { keys: keys.map((each) => Buffer.from(each, "base64").toString("hex")), keys_base64: keys }),
        root_token: rootToken,
      },
    };
  }

  private unseal(server: StoredServer, key: string): VaultAnswer {
    if (!this.stateOf(server).initialized) return { status: 400, body: { errors: ["Vault is not initialized"] } };
    if (!/^[A-Za-z0-9+/]+=*$/.test(key)) {
      return { status: 400, body: { errors: ["'key' must be a valid hex or base64 string"] } };
    }
    if (server.sealed && !server.given.includes(key)) server.given.push(key);
    if (server.given.length < (server.remembers ?? this.threshold))
      return { status: 200, body: this.sealStatus(server) };
    const areRight = server.remembers === undefined && server.given.every((each) => this.keyShares.includes(each));
    server.given = [];
    if (!areRight) return { status: 400, body: { errors: ["Unseal failed, invalid key"] } };
    server.sealed = false;
    return { status: 200, body: this.sealStatus(server) };
  }

  private generateRoot(request: string, { key, nonce }: JsonObject): VaultAnswer {
    const nonceOfAttempt = "nonce-of-the-attempt";
    const otp = "one-time-password-one-time";
    const status = (more: object): VaultAnswer => ({
      status: 200,
      body: { started: this.rootAttempt !== undefined, required: this.threshold, nonce: nonceOfAttempt, ...more },
    });
    switch (request) {
      case "GET sys/generate-root/attempt":
        return status({});
      case "PUT sys/generate-root/attempt":
        this.rootAttempt = [];
        return status({ otp });
      case "DELETE sys/generate-root/attempt":
        this.rootAttempt = undefined;
        return { status: 204, body: "" };
    }
    if (nonce !== nonceOfAttempt || this.rootAttempt === undefined) return { status: 400, body: { errors: ["nonce"] } };
    this.rootAttempt.push(key as string);
    if (this.rootAttempt.length < this.threshold) return status({ complete: false, progress: this.rootAttempt.length });
    const areRight = this.rootAttempt.every((each) => this.keyShares.includes(each));
    this.rootAttempt = undefined;
    if (!areRight) return { status: 400, body: { errors: ["invalid key"] } };
    const token = `hvs.generated-${this.tokens.size}`;
    this.tokens.set(token, { policies: ["root"] });
    const encoded = Buffer.from(Buffer.from(token).map((byte, index) => byte ^ otp.charCodeAt(index)));
    return status({ complete: true, encoded_token: encoded.toString("base64").replaceAll("=", "") });
  }

  /** As Vault 1.21.1 was seen to do, with `require_verification`. */
  private rekey(request: string, body: JsonObject): VaultAnswer {
    const failed = (error: string): VaultAnswer => ({ status: 400, body: { errors: [error] } });
    if (request === "PUT init") {
      if (this.rekeying !== undefined) return failed("rekey already in progress");
      this.rekeying = { shares: body.secret_shares as number, threshold: body.secret_threshold as number, given: [] };
      this.rekeyedWith = body;
      return { status: 200, body: { started: true, nonce: "nonce-of-the-rekey" } };
    }
    const { rekeying } = this;
    if (rekeying === undefined) return failed("no rekey in progress");
    if (request === "DELETE init") {
      if (body.nonce !== "nonce-of-the-rekey") return failed("invalid request");
      this.rekeying = undefined;
      return { status: 204, body: "" };
    }
    const isVerify = request === "PUT verify";
    if (body.nonce !== (isVerify ? "nonce-to-verify" : "nonce-of-the-rekey")) return failed("incorrect nonce supplied");
    rekeying.given.push(body.key as string);
    const [wanted, needed] = isVerify ? [rekeying.made!, rekeying.threshold] : [this.keyShares, this.threshold];
    if (rekeying.given.length < needed) return { status: 200, body: { progress: rekeying.given.length } };
    const areRight = rekeying.given.every((each) => wanted.includes(each));
    rekeying.given = [];
    if (!areRight) return failed("rekey verification failed; incorrect key shares supplied");
    if (!isVerify) {
      rekeying.made = Array.from({ length: rekeying.shares }, () => randomBytes(33).toString("base64"));
      const more = { keys_base64: rekeying.made, verification_nonce: "nonce-to-verify" };
      return { status: 200, body: { complete: true, verification_required: true, ...more } };
    }
    Object.assign(this, { keyShares: rekeying.made, threshold: rekeying.threshold, rekeying: undefined });
    return { status: 200, body: { complete: true } };
  }

  /** What a token may do; any may do everything. */
  private administer(request: string, body: JsonObject, token: string): VaultAnswer | undefined {
    const [, policy] = /^PUT sys\/policies\/acl\/(.+)$/.exec(request) ?? [];
    if (policy !== undefined) {
      this.policies.set(policy, body.policy as string);
      return { status: 204, body: "" };
    }
    const [, read] = /^GET sys\/policies\/acl\/(.+)$/.exec(request) ?? [];
    if (read !== undefined) {
      const text = this.policies.get(read);
      return text === undefined
        ? { status: 404, body: { errors: [] } }
        : { status: 200, body: { data: { policy: text } } };
    }
    if (request === "GET auth/token/lookup-self") {
      return { status: 200, body: { data: { policies: this.tokens.get(token)?.policies ?? [] } } };
    }
    if (request === "POST auth/token/create-orphan") {
      const made = `hvs.made-${this.tokens.size}`;
      this.tokens.set(made, body);
      return { status: 200, body: { auth: { client_token: made, lease_duration: 2_764_800, renewable: true } } };
    }
    if (request === "POST auth/token/revoke-self") {
      this.tokens.delete(token);
      this.revoked.push(token);
      return { status: 204, body: "" };
    }
    if (request === "GET auth/token/lookup-self") return { status: 200, body: { data: {} } };
    const [, verb, quota] = /^(GET|POST) sys\/quotas\/rate-limit\/(.+)$/.exec(request) ?? [];
    if (quota !== undefined) return this.rateLimit(verb!, quota, body);
    if (request === "GET sys/audit") return { status: 200, body: { data: Object.fromEntries(this.audit) } };
    const [, device] = /^PUT sys\/audit\/(.+)$/.exec(request) ?? [];
    if (device !== undefined) {
      this.audit.set(`${device}/`, body);
      return { status: 204, body: "" };
    }
    if (request === "GET sys/auth") {
      return { status: 200, body: { data: Object.fromEntries(this.authMounts) } };
    }
    const [, method, path = ""] = /^(\w+) ((?:sys\/)?auth\/(?!token\/).+)$/.exec(request) ?? [];
    if (method !== undefined) return this.authMethod(method, path, body);
    if (request === "POST auth/token/renew-self") return { status: 200, body: { auth: { client_token: token } } };
    return undefined;
  }

  private rateLimit(verb: string, name: string, body: JsonObject): VaultAnswer {
    if (verb === "GET") {
      const found = this.quotas.get(name);
      return found === undefined
        ? { status: 404, body: { errors: [] } }
        : { status: 200, body: { data: { ...found, interval: 1 } } };
    }
    const path = body.path as string;
    const [, mount] = /^auth\/(.+)\/login$/.exec(path)!;
    if (!this.authMounts.has(`${mount}/`)) {
      return { status: 400, body: { errors: [`invalid mount path "${path}/"`] } };
    }
    this.quotas.set(name, body);
    return { status: 204, body: "" };
  }

  private authMethod(method: string, path: string, body: JsonObject): VaultAnswer | undefined {
    if (path.startsWith("sys/auth/")) {
      this.authMounts.set(`${path.slice("sys/auth/".length)}/`, body);
      return { status: 204, body: "" };
    }
    if (path.endsWith("/secret-id")) return { status: 200, body: { data: { secret_id: "secret-id-of-the-role" } } };
    if (path.endsWith("/role-id")) return { status: 200, body: { data: { role_id: "id-of-the-role" } } };
    if (method === "POST") {
      this.authEntries.set(path, { ...this.authEntries.get(path), ...body });
      return { status: 204, body: "" };
    }
    const folder = path.replace("?list=true", "/");
    const keys = [...this.authEntries.keys()].filter((each) => each.startsWith(folder));
    if (path.endsWith("?list=true") && keys.length > 0) {
      return { status: 200, body: { data: { keys: keys.map((each) => each.slice(folder.length)) } } };
    }
    const entry = this.authEntries.get(path);
    return entry === undefined ? undefined : { status: 200, body: { data: entry } };
  }
}
