import { createPublicKey, type JsonWebKey, randomBytes, X509Certificate } from "node:crypto";
import type { Entra } from "./entra";
import { type AzureAnswer, type AzureRequest, keyVaultError } from "./http";

/** What an identity may do with secrets, keys and certificates; the names are those of Azure's data actions. */
export type DataAction =
  | "secrets/getSecret"
  | "secrets/readMetadata"
  | "secrets/setSecret"
  | "secrets/update"
  | "secrets/delete"
  | "secrets/recover"
  | "secrets/purge"
  | "keys/read"
  | "certificates/read";

/** Azure's own roles, as far as they reach what the stand-in holds. */
export const roles = {
  secretsUser: ["secrets/getSecret", "secrets/readMetadata"],
  secretsOfficer: [
    "secrets/getSecret",
    "secrets/readMetadata",
    "secrets/setSecret",
    "secrets/update",
    "secrets/delete",
    "secrets/recover",
    "secrets/purge",
  ],
  cryptoUser: ["keys/read"],
  certificateUser: ["certificates/read", "secrets/getSecret", "secrets/readMetadata"],
} as const satisfies Record<string, readonly DataAction[]>;

interface Attributes {
  enabled: boolean;
  created: number;
  updated: number;
  /** Seconds since 1970. */
  exp?: number;
  nbf?: number;
}

interface Version {
  readonly version: string;
  readonly attributes: Attributes;
  readonly value: string;
  contentType?: string;
  tags?: Record<string, string>;
}

/** An object of one name with its versions, the oldest first. */
interface Entry {
  readonly name: string;
  readonly versions: Version[];
}

interface Deleted extends Entry {
  readonly deletedAt: number;
  /** Until when Key Vault is still at it, in milliseconds since 1970. */
  readonly busyUntil: number;
}

const namePattern = /^[0-9a-zA-Z-]{1,127}$/;
const retentionDays = 90;
const pageSize = 25;
const largestValue = 25 * 1024;

/** A key vault with soft delete, whose access is by Azure's roles. */
export class KeyVault {
  private readonly secrets = new Map<string, Entry>();
  private readonly deleted = new Map<string, Deleted>();
  private readonly keys = new Map<string, { readonly version: string; readonly jwk: JsonWebKey }>();
  private readonly certificates = new Map<string, { readonly version: string; readonly pem: string }>();
  private readonly assignments = new Map<string, Set<DataAction>>();
  /** How long a delete and a recovery take, in milliseconds: both are answered before they are done. */
  public settleMilliseconds = 0;

  public constructor(
    public readonly name: string,
    private readonly tenantId: string,
    private readonly entra: Entra,
  ) {}

  /** Lets an identity do some things in the whole vault. */
  public grant(clientId: string, actions: readonly DataAction[]): void {
    this.assignments.set(clientId, new Set([...(this.assignments.get(clientId) ?? []), ...actions]));
  }

  public revoke(clientId: string): void {
    this.assignments.delete(clientId);
  }

  /** Writes a secret as somebody in Azure's portal. @returns its version */
  public set(name: string, value: string): string {
    return this.addVersion(name, value).version;
  }

  /** The current value, and the number of versions; undefined where there is no such secret. */
  public current(
    name: string,
  ): { readonly value: string; readonly version: string; readonly versions: number } | undefined {
    const entry = this.secrets.get(name.toLowerCase());
    const last = entry?.versions.at(-1);
    return last && { value: last.value, version: last.version, versions: entry!.versions.length };
  }

  public isDeleted(name: string): boolean {
    return this.deleted.has(name.toLowerCase());
  }

  public enable(name: string, enabled: boolean): void {
    this.secrets.get(name.toLowerCase())!.versions.at(-1)!.attributes.enabled = enabled;
  }

  public delete(name: string): void {
    const entry = this.secrets.get(name.toLowerCase())!;
    this.secrets.delete(name.toLowerCase());
    this.deleted.set(name.toLowerCase(), {
      ...entry,
      deletedAt: now(),
      busyUntil: Date.now() + this.settleMilliseconds,
    });
  }

  /** Recovers a secret as somebody in Azure's portal. */
  public restore(name: string): void {
    this.recover(name);
  }

  public addKey(name: string, jwk: JsonWebKey): void {
    this.keys.set(name, { version: newVersion(), jwk });
  }

  /** A certificate is three things of one name: itself, its key, and a secret with the private key. */
  public addCertificate(name: string, certificate: string, privateKey: string): void {
    this.certificates.set(name, { version: newVersion(), pem: certificate });
    this.addKey(name, createPublicKey(privateKey).export({ format: "jwk" }));
    this.addVersion(name, `${privateKey}${certificate}`).contentType = "application/x-pem-file";
  }

  public answer(request: AzureRequest): AzureAnswer {
    const { query, path } = request;
    const client = this.authenticate(request);
    if ("status" in client) return client;
    if (query.get("api-version") === null) return keyVaultError(400, "BadParameter", "api-version must be specified");
    const [, kind = "", name = "", third = ""] = path.split("/");
    if (kind === "keys" || kind === "certificates") return this.publicObject(client.id, kind, name);
    if (name !== "" && !namePattern.test(name)) {
      return keyVaultError(400, "BadParameter", `The request URI contains an invalid name: ${name}`);
    }
    const route = this.routes(request, name, third)[`${request.method} ${routeOf(kind, name, third)}`];
    if (route === undefined) return keyVaultError(405, "BadParameter", `${request.method} is not allowed here`);
    try {
      this.authorize(client.id, route.needs);
      return route.answer();
    } catch (error) {
      if (error instanceof Refusal) return error.answer;
      throw error;
    }
  }

  /** What can be asked of secrets, and what one needs for it. */
  private routes(
    request: AzureRequest,
    name: string,
    version: string,
  ): Readonly<Record<string, { readonly needs: DataAction; readonly answer: () => AzureAnswer }>> {
    const body = (): SecretBody => JSON.parse(request.body) as SecretBody;
    return {
      "GET secret": { needs: "secrets/getSecret", answer: () => this.read(name, version) },
      "PUT secret": { needs: "secrets/setSecret", answer: () => this.write(name, body()) },
      "PATCH secret": { needs: "secrets/update", answer: () => this.update(name, version, body()) },
      "DELETE secret": { needs: "secrets/delete", answer: () => this.remove(name) },
      "GET versions": { needs: "secrets/readMetadata", answer: () => this.listVersions(request, name) },
      "GET secrets": { needs: "secrets/readMetadata", answer: () => this.listSecrets(request) },
      "GET deleted": { needs: "secrets/readMetadata", answer: () => this.showDeleted(name) },
      "POST recovery": { needs: "secrets/recover", answer: () => this.recover(name) },
      "DELETE deleted": { needs: "secrets/purge", answer: () => this.purge(name) },
    };
  }

  /** Who asks, or the answer to one who has not said so. */
  private authenticate({ headers }: AzureRequest): { readonly id: string } | AzureAnswer {
    const given = /^Bearer (.+)$/.exec(String(headers.authorization ?? ""))?.[1];
    const token = given === undefined ? undefined : this.entra.accessToken(given);
    const authority = `https://login.microsoftonline.com/${this.tenantId}`;
    const challenge = { "www-authenticate": `Bearer authorization="${authority}", resource="https://vault.azure.net"` };
    const refused = (message: string): AzureAnswer => ({
      ...keyVaultError(401, "Unauthorized", message),
      headers: challenge,
    });
    if (token === undefined) return refused("AKV10000: Request is missing a Bearer or PoP token.");
    if (token.audience !== "https://vault.azure.net") {
      return refused(`AKV10022: Invalid audience. Expected https://vault.azure.net, found: ${token.audience}.`);
    }
    if (token.tenantId !== this.tenantId) {
      const [expected, found] = [this.tenantId, token.tenantId].map((each) => `https://sts.windows.net/${each}/`);
      return refused(`AKV10032: Invalid issuer. Expected one of ${expected!}, found ${found!}.`);
    }
    return { id: token.clientId };
  }

  private authorize(clientId: string, action: DataAction): void {
    if (this.assignments.get(clientId)?.has(action) === true) return;
    const message = `Caller is not authorized to perform action on resource. Caller: appid=${clientId}; Action: 'Microsoft.KeyVault/vaults/${action}/action'; Vault: ${this.name}`;
    throw new Refusal(keyVaultError(403, "Forbidden", message, "ForbiddenByRbac"));
  }

  private find(name: string): Entry {
    const entry = this.secrets.get(name.toLowerCase());
    if (entry !== undefined) return entry;
    const message = `A secret with (name/id) ${name} was not found in this key vault. If you recently deleted this secret you may be able to recover it using the correct recovery command.`;
    throw new Refusal(keyVaultError(404, "SecretNotFound", message));
  }

  private findDeleted(name: string): Deleted {
    const entry = this.deleted.get(name.toLowerCase());
    if (entry !== undefined && entry.busyUntil <= Date.now()) return entry;
    throw new Refusal(keyVaultError(404, "SecretNotFound", `Deleted Secret not found: ${name}`));
  }

  private read(name: string, wanted: string): AzureAnswer {
    const { versions } = this.find(name);
    const version = wanted === "" ? versions.at(-1) : versions.find((each) => each.version === wanted);
    if (version === undefined) {
      return keyVaultError(
        404,
        "SecretNotFound",
        `A secret with (name/id) ${name}/${wanted} was not found in this key vault.`,
      );
    }
    const { enabled, nbf } = version.attributes;
    if (!enabled) {
      return keyVaultError(403, "Forbidden", "Operation get is not allowed on a disabled secret.", "SecretDisabled");
    }
    if (nbf !== undefined && nbf > now()) {
      return keyVaultError(
        403,
        "Forbidden",
        "Operation get is not allowed on a secret that is not yet valid.",
        "SecretNotYetValid",
      );
    }
    return { status: 200, body: this.shown(name, version) };
  }

  private write(name: string, body: SecretBody): AzureAnswer {
    const deleted = this.deleted.get(name.toLowerCase());
    if (deleted !== undefined) {
      const [message, code] =
        deleted.busyUntil > Date.now()
          ? [`Secret ${name} is currently being deleted.`, "ObjectIsBeingDeleted"]
          : [
              `Secret ${name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the secret can only be recovered or purged.`,
              "ObjectIsDeletedButRecoverable",
            ];
      return keyVaultError(409, "Conflict", message, code);
    }
    if (typeof body.value !== "string") return keyVaultError(400, "BadParameter", "Property value is missing");
    if (Buffer.byteLength(body.value) > largestValue) {
      return keyVaultError(400, "BadParameter", "The secret value is larger than 25 KB");
    }
    return { status: 200, body: this.shown(name, this.addVersion(name, body.value, body)) };
  }

  private update(name: string, wanted: string, body: SecretBody): AzureAnswer {
    const { versions } = this.find(name);
    const version = wanted === "" ? versions.at(-1)! : versions.find((each) => each.version === wanted);
    if (version === undefined)
      return keyVaultError(
        404,
        "SecretNotFound",
        `A secret with (name/id) ${name}/${wanted} was not found in this key vault.`,
      );
    Object.assign(version.attributes, body.attributes, { updated: now() });
    if (body.tags !== undefined) version.tags = body.tags;
    return { status: 200, body: this.shown(name, version, { value: false }) };
  }

  private remove(name: string): AzureAnswer {
    this.find(name);
    this.delete(name);
    return { status: 200, body: this.shownDeleted(this.deleted.get(name.toLowerCase())!) };
  }

  private recover(name: string): AzureAnswer {
    const { name: own, versions } = this.findDeleted(name);
    this.deleted.delete(name.toLowerCase());
    setTimeout(() => this.secrets.set(name.toLowerCase(), { name: own, versions }), this.settleMilliseconds);
    if (this.settleMilliseconds === 0) this.secrets.set(name.toLowerCase(), { name: own, versions });
    return { status: 200, body: this.shown(own, versions.at(-1)!, { value: false }) };
  }

  private showDeleted(name: string): AzureAnswer {
    return { status: 200, body: this.shownDeleted(this.findDeleted(name)) };
  }

  private purge(name: string): AzureAnswer {
    this.deleted.delete(this.findDeleted(name).name.toLowerCase());
    return { status: 204 };
  }

  /** None where there is no such secret, which Key Vault tells apart from an empty list nowhere. */
  private listVersions(request: AzureRequest, name: string): AzureAnswer {
    const { versions } = this.secrets.get(name.toLowerCase()) ?? { versions: [] };
    return this.page(
      request,
      versions.map((version) => this.shown(name, version, { value: false })),
    );
  }

  private listSecrets(request: AzureRequest): AzureAnswer {
    const newest = [...this.secrets.values()].map(({ name, versions }) =>
      this.shown(name, versions.at(-1)!, { value: false, version: false }),
    );
    return this.page(request, newest);
  }

  private addVersion(name: string, value: string, { attributes, contentType, tags }: SecretBody = {}): Version {
    const entry = this.secrets.get(name.toLowerCase()) ?? { name, versions: [] };
    const version: Version = {
      version: newVersion(),
      value,
      attributes: { enabled: true, ...attributes, created: now(), updated: now() },
      ...(contentType === undefined ? {} : { contentType }),
      ...(tags === undefined ? {} : { tags }),
    };
    entry.versions.push(version);
    this.secrets.set(name.toLowerCase(), entry);
    return version;
  }

  private publicObject(clientId: string, kind: "keys" | "certificates", name: string): AzureAnswer {
    try {
      this.authorize(clientId, `${kind}/read`);
    } catch (error) {
      return (error as Refusal).answer;
    }
    const attributes = { enabled: true, created: now(), updated: now() };
    const certificate = this.certificates.get(name);
    if (kind === "certificates" && certificate !== undefined) {
      const cer = new X509Certificate(certificate.pem).raw.toString("base64");
      return { status: 200, body: { id: this.url(kind, name, certificate.version), cer, attributes } };
    }
    const key = this.keys.get(name);
    if (kind === "keys" && key !== undefined) {
      return { status: 200, body: { key: { kid: this.url(kind, name, key.version), ...key.jwk }, attributes } };
    }
    return keyVaultError(
      404,
      kind === "keys" ? "KeyNotFound" : "CertificateNotFound",
      `${name} was not found in this key vault.`,
    );
  }

  private shown(
    name: string,
    { version, attributes, value, contentType, tags }: Version,
    show: { readonly value?: boolean; readonly version?: boolean } = {},
  ): object {
    return {
      ...(show.value !== false ? { value } : {}),
      id: show.version !== false ? this.url("secrets", name, version) : this.url("secrets", name),
      attributes: { ...attributes, recoveryLevel: "Recoverable+Purgeable", recoverableDays: retentionDays },
      ...(contentType === undefined ? {} : { contentType }),
      ...(contentType === "application/x-pem-file" ? { kid: this.url("keys", name, version), managed: true } : {}),
      ...(tags === undefined ? {} : { tags }),
    };
  }

  private shownDeleted({ name, versions, deletedAt }: Deleted): object {
    return {
      recoveryId: this.url("deletedsecrets", name),
      deletedDate: deletedAt,
      scheduledPurgeDate: deletedAt + retentionDays * 24 * 3600,
      ...this.shown(name, versions.at(-1)!, { value: false }),
    };
  }

  private page({ path, query }: AzureRequest, all: readonly object[]): AzureAnswer {
    const size = Math.min(Number(query.get("maxresults") ?? pageSize), pageSize);
    const from = Number(query.get("$skiptoken") ?? 0);
    const next = `https://${this.name}.vault.azure.net${path}?api-version=${query.get("api-version")!}&$skiptoken=${from + size}`;
    return {
      status: 200,
      body: { value: all.slice(from, from + size), nextLink: from + size < all.length ? next : null },
    };
  }

  private url(...parts: readonly string[]): string {
    return [`https://${this.name}.vault.azure.net`, ...parts].join("/");
  }
}

function routeOf(kind: string, name: string, third: string): string {
  if (kind === "deletedsecrets") return third === "recover" ? "recovery" : "deleted";
  if (name === "") return "secrets";
  return third === "versions" ? "versions" : "secret";
}

interface SecretBody {
  readonly value?: unknown;
  readonly attributes?: Partial<Attributes>;
  readonly contentType?: string;
  readonly tags?: Record<string, string>;
}

class Refusal extends Error {
  public constructor(public readonly answer: AzureAnswer) {
    super("refused");
  }
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}

function newVersion(): string {
  return randomBytes(16).toString("hex");
}
