import { isJsonObject } from "../../../constructs/stores/vault/json-object";
import { FakeVault, healthy, type JsonObject, type VaultAnswer, type VaultRequest } from "../../mocks";

interface Version {
  readonly data: Readonly<Record<string, string>>;
  created_time: string;
  /** When it was or will be deleted. */
  deletion_time: string;
  destroyed: boolean;
}

interface Token {
  /** Capabilities by path; all of them for root. */
  readonly may: ReadonlyMap<string, readonly string[]> | "all";
  /** Seconds until its end; 0 where it has none. */
  readonly ttl: number;
}

/** A static role of the database engine. */
interface StaticRole {
  username: string;
  password: string;
  /** When Vault last changed the password; none where it never did. */
  rotatedAt: Date | undefined;
  /** What it makes. @default "password" */
  credentialType?: string;
}

/** Paths that Vault's default policy allows every token. */
const allowedToAll = ["sys/capabilities-self", "auth/token/lookup-self", "auth/token/revoke-self"];

const refused: VaultAnswer = { status: 403, body: { errors: ["1 error occurred:\n\t* permission denied\n\n"] } };
const nothingThere: VaultAnswer = { status: 404, body: { errors: [] } };

/** A Vault with versions, static roles, policies, tokens and a login, so that an operator's commands can be run against it. */
export class OperatedVault {
  /** What can be read beside secrets, by path: auth mounts' config and roles, policies. */
  public readonly entries = new Map<string, JsonObject>();
  public readonly tokens = new Map<string, Token>();
  public readonly staticRoles = new Map<string, StaticRole>();
  /** Answers in the place of this Vault where it returns something. */
  public intercept: FakeVault["intercept"];
  private readonly secrets = new Map<string, Version[]>();
  private logins = 0;
  /** By how much its clock is ahead of the real time. */
  public secondsAhead = 0;
  private rotations = 0;

  private constructor(
    private readonly fake: FakeVault,
    private readonly tokenOfPods: string,
  ) {
    fake.intercept = async (request) => (await this.intercept?.(request)) ?? this.answer(request);
  }

  /** @param tokenOfPods the one token of Kubernetes that logs in */
  public static async start(tokenOfPods: string): Promise<OperatedVault> {
    return new OperatedVault(await FakeVault.start(), tokenOfPods);
  }

  public get address(): string {
    return this.fake.address;
  }

  public get requests(): readonly VaultRequest[] {
    return this.fake.requests;
  }

  /** The requests that would change something, as `PATCH secret/data/aidbox/client`. */
  public get writes(): readonly string[] {
    return this.fake.writes
      .filter(({ path }) => path !== "sys/capabilities-self")
      .map(({ method, path }) => `${method} ${path}`);
  }

  /** Whether the answer to a request gets lost on its way, once the request was carried out. */
  public set loses(loses: FakeVault["loses"]) {
    this.fake.loses = loses;
  }

  public stop(): Promise<void> {
    return this.fake.stop();
  }

  /** Lets a token do what a policy says. */
  public allow(token: string, policy: string, ttl = 0): void {
    this.tokens.set(token, { may: parsePolicy(policy), ttl });
  }

  /** Writes a version as somebody else does. @returns its number */
  public put(path: string, data: Readonly<Record<string, unknown>>, createdAt = new Date()): number {
    const versions = this.secrets.get(path) ?? [];
    versions.push({
      data: data as Record<string, string>,
      created_time: createdAt.toISOString(),
      deletion_time: "",
      destroyed: false,
    });
    this.secrets.set(path, versions);
    return versions.length;
  }

  /** A version of a secret, by default the current one; a change of it is one of Vault's. */
  public version(path: string, number = this.secrets.get(path)?.length ?? 0): Version {
    const found = this.secrets.get(path)?.[number - 1];
    if (found === undefined) throw new Error(`There is no version ${number} of ${path} in the fake Vault`);
    return found;
  }

  /** What the current version holds. */
  public data(path: string): Readonly<Record<string, string>> {
    return this.version(path).data;
  }

  public lacks(path: string): boolean {
    return !this.secrets.has(path);
  }

  public remove(path: string): boolean {
    return this.secrets.delete(path);
  }

  /** Changes the password of a static role, as the database engine does by itself. */
  public rotateRole(name: string, rotatedAt = new Date()): void {
    Object.assign(this.staticRole(name), { password: `hunter2 of rotation ${++this.rotations}`, rotatedAt });
  }

  /** A static role; a change of it is one of Vault's. */
  public staticRole(name: string): StaticRole {
    const found = this.staticRoles.get(name);
    if (found === undefined) throw new Error(`There is no static role ${name} in the fake Vault`);
    return found;
  }

  private answer(request: VaultRequest): VaultAnswer | undefined {
    const { method, headers, body } = request;
    const [path = "", query = ""] = decodeURI(request.path).split("?");
    if (path === "sys/health") {
      const seconds = Math.floor(Date.now() / 1000) + this.secondsAhead;
      return { status: 200, body: { ...healthy, server_time_utc: seconds } };
    }
    if (path.endsWith("/login")) return this.login(path, body as { role: string; jwt: string });
    const name = String(headers["x-vault-token"]);
    const token = this.tokens.get(name);
    if (token === undefined) return { status: 403, body: { errors: ["permission denied", "invalid token"] } };
    if (path === "sys/capabilities-self") {
      const [asked = ""] = (body as unknown as { paths: string[] }).paths;
      return { status: 200, body: { capabilities: capabilitiesOf(token, asked) } };
    }
    const isNew = method === "POST" && path.startsWith("secret/data/") && this.lacks(path.slice("secret/data/".length));
    const isList = new URLSearchParams(query).get("list") === "true";
    const reads = isList ? "list" : "read";
    const needed = { GET: reads, PATCH: "patch" }[method] ?? (isNew ? "create" : "update");
    const has = capabilitiesOf(token, path);
    if (!has.includes(needed) && !has.includes("root") && !allowedToAll.includes(path)) return refused;
    if (isList) return this.list(path);
    if (path === "auth/token/revoke-self") return { status: this.tokens.delete(name) ? 204 : 500, body: "" };
    if (path === "auth/token/lookup-self") return { status: 200, body: { data: { ttl: token.ttl } } };
    const [, part, role] = /^database\/(static-roles|static-creds|rotate-role)\/(.*)$/.exec(path) ?? [];
    if (role !== undefined) return this.database(part!, role);
    const [, kind, secret] = /^secret\/(data|metadata|subkeys)\/(.*)$/.exec(path) ?? [];
    if (secret === undefined) return this.read(path);
    if (kind === "metadata") return this.metadata(secret);
    const number = Number(new URLSearchParams(query).get("version") ?? 0);
    if (method === "GET") return this.content(kind === "subkeys", secret, number);
    return this.write(method, secret, body as unknown as Parameters<OperatedVault["write"]>[2]);
  }

  private login(path: string, { role, jwt }: { role: string; jwt: string }): VaultAnswer {
    const mount = path.replace(/\/login$/, "");
    if (!this.entries.has(`${mount}/role/${role}`)) {
      return { status: 400, body: { errors: [`invalid role name "${role}"`] } };
    }
    if (jwt !== this.tokenOfPods) return { status: 403, body: { errors: ["permission denied"] } };
    const token = `hvs.login-${++this.logins}`;
    this.allow(token, this.entries.get(`sys/policies/acl/${role}`)?.policy as string);
    return { status: 200, body: { auth: { client_token: token } } };
  }

  private list(path: string): VaultAnswer {
    const keys = [...this.entries.keys()].flatMap((each) =>
      each.startsWith(`${path}/`) && !each.slice(path.length + 1).includes("/") ? [each.slice(path.length + 1)] : [],
    );
    return keys.length === 0 ? nothingThere : { status: 200, body: { data: { keys } } };
  }

  private read(path: string): VaultAnswer {
    const entry = this.entries.get(path);
    if (entry !== undefined) return { status: 200, body: { data: entry } };
    const mount = path.split("/").slice(0, 2).join("/");
    const isMounted = mount === "sys/policies" || [...this.entries.keys()].some((each) => each.startsWith(`${mount}/`));
    return isMounted ? nothingThere : { status: 404, body: { errors: [`no handler for route "${path}"`] } };
  }

  private database(part: string, name: string): VaultAnswer {
    const role = this.staticRoles.get(name);
    if (role === undefined) {
      if (part === "static-roles") return nothingThere;
      const error = part === "static-creds" ? `unknown role: ${name}` : "no static role found for role name";
      return { status: 400, body: { errors: [error] } };
    }
    if (part === "rotate-role") {
      this.rotateRole(name);
      return { status: 204, body: "" };
    }
    const { username, password, rotatedAt, credentialType = "password" } = role;
    const rotated: JsonObject = rotatedAt === undefined ? {} : { last_vault_rotation: rotatedAt.toISOString() };
    const account = { username, rotation_period: 86_400, ...rotated };
    const about = { db_name: "postgres", credential_type: credentialType };
    return { status: 200, body: { data: { ...account, ...(part === "static-creds" ? { password } : about) } } };
  }

  private metadata(path: string): VaultAnswer {
    const versions = this.secrets.get(path);
    if (versions === undefined) return nothingThere;
    const byNumber = Object.fromEntries(
      versions.map(({ created_time, deletion_time, destroyed }, index) => [
        String(index + 1),
        { created_time, deletion_time, destroyed },
      ]),
    );
    return { status: 200, body: { data: { current_version: versions.length, versions: byNumber } } };
  }

  /** @param wanted number of the version; 0, as Vault takes it, for the current one */
  private content(keysOnly: boolean, path: string, wanted: number): VaultAnswer {
    const versions = this.secrets.get(path) ?? [];
    const number = wanted === 0 ? versions.length : wanted;
    const version = versions[number - 1];
    if (version === undefined) return nothingThere;
    const isGone =
      version.destroyed || (version.deletion_time !== "" && Date.parse(version.deletion_time) < Date.now());
    const held = keysOnly ? Object.fromEntries(Object.keys(version.data).map((key) => [key, null])) : version.data;
    const data = { [keysOnly ? "subkeys" : "data"]: isGone ? null : held, metadata: { version: number } };
    return { status: isGone ? 404 : 200, body: { data } };
  }

  /** By `PATCH` beside the keys that are there, else in their place. */
  private write(
    method: string,
    path: string,
    { options, data }: { options: { cas: number }; data: Record<string, string> },
  ): VaultAnswer {
    const current = this.secrets.get(path)?.length ?? 0;
    if (method === "PATCH" && current === 0) return nothingThere;
    if (options.cas !== current) {
      return { status: 400, body: { errors: ["check-and-set parameter did not match the current version"] } };
    }
    const version = this.put(path, method === "PATCH" ? (merged(this.data(path), data) as JsonObject) : data);
    return { status: 200, body: { data: { version } } };
  }
}

/** RFC 7396. */
function merged(target: unknown, patch: unknown): unknown {
  if (!isJsonObject(patch)) return patch;
  const former = isJsonObject(target) ? target : {};
  const changed = Object.entries(patch).map(([key, value]) => [key, merged(former[key], value)]);
  return Object.fromEntries([...Object.entries(former), ...changed].filter(([key]) => patch[key as string] !== null));
}

function capabilitiesOf({ may }: Token, path: string): readonly string[] {
  if (may === "all") return ["root"];
  const matches = (pattern: string): boolean => {
    const [one, other] = [pattern.split("/"), path.split("/")];
    return one.length === other.length && one.every((part, index) => part === "+" || part === other[index]);
  };
  const wild = [...may.keys()].find(matches);
  return may.get(path) ?? may.get(wild ?? "") ?? ["deny"];
}

/** Capabilities by path of a policy in HCL, as this project writes them; further ones of a path are added. */
export function parsePolicy(text = ""): Map<string, string[]> {
  const rules = [...text.matchAll(/path "([^"]+)" \{\s*capabilities = \[([^\]]*)\]/g)];
  const capabilities = new Map<string, string[]>();
  for (const [, path = "", list = ""] of rules) {
    const named = [...list.matchAll(/"([^"]+)"/g)].map(([, each]) => each!);
    capabilities.set(path, [...(capabilities.get(path) ?? []), ...named]);
  }
  return capabilities;
}
