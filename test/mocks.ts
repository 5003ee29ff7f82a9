import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { runInThisContext } from "node:vm";
import * as pulumi from "@pulumi/pulumi";
import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb";
import { type Answerer, answerWithin, type DirectRequest } from "./within-process";

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = Readonly<Record<string, Json>>;

/** A resource as the engine was asked to register it; other resources by their names. */
export interface Registration {
  /** As the engine makes it: of the types of its parents, of its own, and of its name. */
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  /** A secret leaf shows as `secret(value)`, one that is not known yet as `unknown`. */
  readonly inputs: JsonObject;
  readonly parent: string;
  readonly provider: string;
  /** Resources it comes after: by dependsOn and by the Outputs among its inputs. */
  readonly dependsOn: readonly string[];
  readonly deletedWith: string;
  readonly deleteBeforeReplace: boolean;
  readonly replacementTrigger: Json | undefined;
  readonly ignoreChanges: readonly string[];
  readonly secretOutputs: readonly string[];
  /** Whether the engine refuses to delete it. */
  readonly protect: boolean;
  /** Whether the engine forgets it instead of deleting it. */
  readonly retainOnDelete: boolean;
  readonly replaceOnChanges: readonly string[];
  /** URNs that it had before, or names beside the same parent. */
  readonly aliases: readonly string[];
}

/** How a secret shows among recorded inputs. */
export function secret(value: Json): JsonObject {
  return { secret: value };
}

/** How what is not known yet shows among recorded inputs. */
export const unknown = "(unknown)";

export interface EngineOptions {
  /** Types that may be registered, with the outputs that the provider adds to the inputs. Any other type throws. */
  readonly types: Readonly<Record<string, JsonObject>>;
  /** Functions of providers that may be called, with what they return. Any other throws. @default - none */
  readonly calls?: Readonly<Record<string, JsonObject>>;
  /** Types that take their time: done once the promise is. @default - none */
  readonly slow?: Readonly<Record<string, Promise<unknown>>>;
  /** A first preview knows neither ids nor what providers add; a later one knows both. @default "up" */
  readonly run?: "up" | "first preview" | "later preview";
}

/** Stands in for Pulumi's engine. Start one before the resources of a test. */
export class Engine {
  private constructor(
    private readonly requests: () => readonly RegisterResourceRequest[],
    private readonly refusals: readonly string[],
  ) {}

  public static async start({ types, calls = {}, slow = {}, run = "up" }: EngineOptions): Promise<Engine> {
    const refusals: string[] = [];
    const refuse = (what: string): Error => {
      refusals.push(what);
      return new Error(`The test allows no ${what}`);
    };
    const mocks: pulumi.runtime.Mocks = {
      newResource: async ({ type, name, inputs }) => {
        const outputs = types[type];
        if (outputs === undefined) throw refuse(`resource of type ${type} (${name})`);
        await slow[type];
        if (run === "first preview") return { id: undefined, state: inputs as object };
        return { id: `${name}-id`, state: { ...(inputs as object), ...outputs } };
      },
      call: ({ token }) => {
        const result = calls[token];
        if (result === undefined) throw refuse(`call of ${token}`);
        return result;
      },
    };
    await pulumi.runtime.setMocks(mocks, "aidbox-secrets", "test", run !== "up");
    // Mocks are told neither parent nor dependencies, the monitor behind them is.
    const registerResource = jest.spyOn(pulumi.runtime.getMonitor()!, "registerResource");
    return new Engine(() => registerResource.mock.calls.map(([request]) => request), refusals);
  }

  /** What was registered so far, in that order. */
  public get registrations(): readonly Registration[] {
    return this.requests().map(readRegistration);
  }

  public get names(): readonly string[] {
    return this.registrations.map(({ name }) => name);
  }

  /** The one resource of a name. */
  public resource(name: string): Registration {
    return this.one(`of the name ${name}`, (each) => each.name === name);
  }

  /** The one resource of a type. */
  public resourceOf(type: string): Registration {
    return this.one(`of the type ${type}`, (each) => each.type === type);
  }

  private one(what: string, matches: (each: Registration) => boolean): Registration {
    const all = this.registrations;
    const found = all.filter(matches);
    if (found.length === 1) return found[0]!;
    const list = all.map(({ type, name }) => `  ${type} ${name}`);
    throw new Error([`There are ${found.length} resources ${what} among`, ...list].join("\n"));
  }

  /** Waits until all that the program declared is registered. Fails where something was that the test does not allow. */
  public async finished(): Promise<void> {
    await pulumi.runtime.disconnect();
    await settled(); // what was refused comes up in this test, not in the next
    if (this.refusals.length > 0) throw new Error(`The test allows no ${this.refusals.join(", no ")}`);
  }
}

function readRegistration(request: RegisterResourceRequest): Registration {
  return {
    urn: urnOf(request),
    type: request.getType(),
    name: request.getName(),
    inputs: decode((request.getObject()?.toJavaScript() ?? {}) as Json) as JsonObject,
    parent: nameOf(request.getParent()),
    provider: nameOf(request.getProvider()),
    dependsOn: request.getDependenciesList().map(nameOf),
    deletedWith: nameOf(request.getDeletedwith()),
    deleteBeforeReplace: request.getDeletebeforereplace(),
    replacementTrigger: decode(request.getReplacementTrigger()?.toJavaScript() as Json | undefined),
    ignoreChanges: request.getIgnorechangesList(),
    secretOutputs: request.getAdditionalsecretoutputsList(),
    protect: request.getProtect() ?? false,
    retainOnDelete: request.getRetainondelete() ?? false,
    replaceOnChanges: request.getReplaceonchangesList(),
    aliases: request.getAliasesList().map((each) => each.getUrn() || `name ${each.getSpec()?.getName()}`),
  };
}

function urnOf(request: RegisterResourceRequest): string {
  const parentType = request.getParent().split("::")[2];
  const isRoot = parentType === undefined || parentType === "pulumi:pulumi:Stack";
  const types = isRoot ? request.getType() : `${parentType}$${request.getType()}`;
  return `urn:pulumi:test::aidbox-secrets::${types}::${request.getName()}`;
}

/** Name of the resource of a URN, or of a provider's reference (URN::id). */
function nameOf(urn: string): string {
  return urn.split("::")[3] ?? "";
}

function decode<T extends Json | undefined>(value: T): Json | T {
  if (typeof value !== "object" || value === null) return value === pulumi.runtime.unknownValue ? unknown : value;
  if (Array.isArray(value)) return (value as readonly Json[]).map(decode);
  const { [pulumi.runtime.specialSigKey]: signature, ...rest } = value as JsonObject;
  if (signature === pulumi.runtime.specialSecretSig) return secret(decode(rest.value ?? null));
  if (signature === pulumi.runtime.specialOutputValueSig)
    return rest.value === undefined ? unknown : decode(rest.value);
  return Object.fromEntries(Object.entries(rest).map(([key, item]) => [key, decode(item)]));
}

/** The value of an Output, once it is there; undefined where it is unknown. */
export function promiseOf<T>(output: pulumi.Output<T>): Promise<T> {
  return (output as unknown as { promise: () => Promise<T> }).promise(); // missing in the SDK's types alone
}

/** Lets everything happen that waits for nothing from outside. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Something that a test opens when it wants to. */
export class Gate {
  public open: () => void = () => undefined;
  public readonly opened = new Promise<void>((resolve) => (this.open = resolve));
}

/** Waits for something from outside, as an answer to a request; for less time than a test has. */
export async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 60_000; !condition(); await new Promise((resolve) => setTimeout(resolve, 5))) {
    if (Date.now() > end) throw new Error(`Not true after 60 s: ${String(condition)}`);
  }
}

/**
 * The errors with which a program ends: like node, Pulumi ends it at a rejection that nobody handles. Jest would take
 * such a rejection for a failure of the test.
 *
 * @param program done when the errors have happened
 */
export async function errorsOf(program: () => Promise<unknown>): Promise<unknown[]> {
  const process = runInThisContext("process") as NodeJS.Process; // the real one; a test has a copy without events
  const listeners = process.rawListeners("unhandledRejection") as NodeJS.UnhandledRejectionListener[];
  const errors = new Set<unknown>();
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", (error) => errors.add(error));
  try {
    await program();
    await settled();
  } finally {
    process.removeAllListeners("unhandledRejection");
    for (const listener of listeners) process.on("unhandledRejection", listener);
  }
  return [...errors];
}

/** Their messages. */
export async function failuresOf(program: () => Promise<unknown>): Promise<string[]> {
  return (await errorsOf(program)).map((error) => (error instanceof Error ? error.message : String(error)));
}

/** The error with which something fails. */
export async function errorOf(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error("It did not fail");
}

export interface VaultRequest {
  readonly method: string;
  /** Path below /v1, with the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: JsonObject | undefined;
}

export interface VaultAnswer {
  readonly status: number;
  /** @default - none */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: JsonObject | string;
}

type MaybeAnswer = VaultAnswer | undefined;

interface KvSecret {
  readonly version: number;
  /** None where the version was deleted. */
  readonly data?: Readonly<Record<string, string>>;
}

/** A server's certificate and its key, PEM. */
export interface ServerCertificate {
  readonly cert: string;
  readonly key: string;
  /** CA of clients' certificates, PEM; with `requestCert` and `rejectUnauthorized` nobody else is answered. */
  readonly ca?: string;
  readonly requestCert?: boolean;
  readonly rejectUnauthorized?: boolean;
}

function vaultRequest(method: string, url: string, headers: VaultRequest["headers"], text = ""): VaultRequest {
  const body = text.startsWith("{") ? (JSON.parse(text) as JsonObject) : undefined;
  return { method, path: url.replace(/^\/v1\//, ""), headers, body };
}

function textOf(body: VaultAnswer["body"]): string {
  return typeof body === "string" ? body : JSON.stringify(body);
}

/** A Vault of 127.0.0.1 with its health and one KV v2 mount, `secret`. */
export class FakeVault {
  public readonly requests: VaultRequest[] = [];
  public readonly secrets = new Map<string, KvSecret>();
  /** Answers in the place of this Vault where it returns something. */
  public intercept: ((request: VaultRequest) => MaybeAnswer | Promise<MaybeAnswer>) | undefined;
  /** Whether the answer to a request gets lost on its way, once the request was carried out. */
  public loses: ((request: VaultRequest) => boolean) | undefined;
  private readonly server: Server;
  private leave: (() => void) | undefined;

  private constructor(private readonly tls: ServerCertificate | undefined) {
    const respond = (request: IncomingMessage, response: ServerResponse): void => {
      void this.receive(request).then((received) =>
        this.carryOut(received).then(({ status, headers, body }) => {
          if (this.loses?.(received) === true) request.socket.destroy();
          else response.writeHead(status, headers).end(textOf(body));
        }),
      );
    };
    this.server = tls === undefined ? createServer(respond) : createSecureServer(tls, respond);
  }

  /**
   * @param port a free one where left out
   * @param tls its certificate; plain HTTP where left out
   */
  public static async start(port = 0, tls?: ServerCertificate): Promise<FakeVault> {
    const vault = new FakeVault(tls);
    await new Promise<void>((resolve) => vault.server.listen(port, "127.0.0.1", resolve));
    if (tls === undefined) vault.leave = await answerWithin(vault.address, (request) => vault.direct(request));
    return vault;
  }

  public get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  public get address(): string {
    return `${this.tls === undefined ? "http" : "https"}://127.0.0.1:${this.port}`;
  }

  /** The requests that would change something. */
  public get writes(): readonly VaultRequest[] {
    return this.requests.filter(({ method }) => method !== "GET");
  }

  /** Answers the first requests with these, the others as usual, and the question for the mount. */
  public answerFirst(...answers: readonly VaultAnswer[]): void {
    const left = [...answers];
    this.intercept = ({ path }) => (path.startsWith("sys/internal/ui/mounts/") ? undefined : left.shift());
  }

  public async stop(): Promise<void> {
    this.leave?.();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private direct({ method, path, headers, body }: DirectRequest): ReturnType<Answerer> {
    if (this.loses !== undefined) return undefined;
    return async () => {
      const answer = await this.carryOut(vaultRequest(method, path, headers, body));
      return { status: answer.status, headers: answer.headers, body: textOf(answer.body) };
    };
  }

  private async receive(incoming: IncomingMessage): Promise<VaultRequest> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    return vaultRequest(incoming.method!, incoming.url!, incoming.headers, Buffer.concat(chunks).toString());
  }

  private async carryOut(request: VaultRequest): Promise<VaultAnswer> {
    this.requests.push(request);
    return (await this.intercept?.(request)) ?? this.answer(request);
  }

  private answer({ method, path, body }: VaultRequest): VaultAnswer {
    if (path.startsWith("sys/health")) return { status: 200, body: healthy };
    if (path === "sys/internal/ui/mounts/secret") return { status: 200, body: { data: kvV2 } };
    const [, kind, name] = /^secret\/(subkeys|data)\/(.*)$/.exec(path) ?? [];
    if (name === undefined) return { status: 404, body: { errors: [`no handler for route "${path}"`] } };
    const present = this.secrets.get(name);
    if (method === "GET" && kind === "subkeys") return subkeys(present);
    if (method === "GET") return { status: 403, body: { errors: ["nobody is to read a value"] } };

    const { options, data } = body as unknown as { options: { cas: number }; data: Record<string, string> };
    if (options.cas !== (present?.version ?? 0)) {
      return { status: 400, body: { errors: ["check-and-set parameter did not match the current version"] } };
    }
    if (method === "PATCH" && present?.data === undefined) return { status: 404, body: { errors: [] } };
    const version = options.cas + 1;
    this.secrets.set(name, { version, data: { ...(method === "PATCH" ? present?.data : {}), ...data } });
    return { status: 200, body: { data: { version } } };
  }
}

const kvV2 = { path: "secret/", type: "kv", options: { version: "2" } };

/** What /sys/health answers where all is well. */
export const healthy = {
  initialized: true,
  sealed: false,
  standby: false,
  version: "2.0.4",
  cluster_id: "1b4f0e98",
};

function subkeys(present: KvSecret | undefined): VaultAnswer {
  if (present === undefined) return { status: 404, body: { errors: [] } };
  const keys = present.data && Object.fromEntries(Object.keys(present.data).map((key) => [key, null]));
  return {
    status: keys === undefined ? 404 : 200,
    body: { data: { subkeys: keys ?? null, metadata: { version: present.version } } },
  };
}
