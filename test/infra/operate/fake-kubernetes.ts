import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { stringify } from "yaml";
import { type Answerer, answerWithin, type DirectRequest } from "../../within-process";

/** A Kubernetes object as JSON; a test may change it in place. */
export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    [key: string]: unknown;
  };
  [key: string]: unknown;
}

export interface KubernetesRequest {
  /** As RBAC names it: get, list, create, patch. */
  readonly verb: string;
  readonly group: string;
  /** With the subresource: `pods/exec`. */
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: object | undefined;
}

export interface KubernetesAnswer {
  readonly status: number;
  readonly body: object | string;
  readonly headers?: Readonly<Record<string, string>>;
}

type Incoming = Pick<IncomingMessage, "method" | "url" | "headers">;

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** What a program in a pod left behind. */
export interface Printed {
  readonly stdout?: string;
  readonly stderr?: string;
  /** @default 0 */
  readonly exitCode?: number;
}

type Asked = Pick<KubernetesRequest, "verb" | "group" | "resource" | "namespace" | "name">;

/** An API server of 127.0.0.1 with some objects, and pods whose files `sha256sum` can be run on. */
export class FakeKubernetes {
  public readonly requests: KubernetesRequest[] = [];
  /** Content of files by path, by pod. */
  public readonly files = new Map<string, Map<string, string>>();
  /** Roles and ClusterRoles of whoever asks; everything is allowed where undefined. */
  public roles: readonly object[] | undefined;
  /** What a driver's pod says at its port for metrics. */
  public metrics = "";
  /** What becomes of a command in a pod. */
  public execution: (pod: string) => "runs" | "is not in the image" | "loses its connection" | "never ends" = () =>
    "runs";
  /** What a program in a pod but `sha256sum` prints; undefined where the image has no such program. */
  public programs: (pod: string, command: readonly string[]) => Printed | undefined = () => undefined;
  /** Called once an object was created, as a controller notices it. */
  public onCreate: (object: KubernetesObject) => void = () => undefined;
  /** Pods whose command waits for the end of its input, as long as whoever started it is there. */
  public readonly leashed = new Set<string>();
  /** Called once a pod's status was patched, as kubelet notices it. */
  public onPodChange: (pod: string) => void = () => undefined;
  /** Called once a pod was deleted, as its StatefulSet notices it. */
  public onPodEnd: (pod: string) => void = () => undefined;
  /** Answers in the place of this API server where it returns something. */
  public intercept: ((request: KubernetesRequest) => KubernetesAnswer | undefined) | undefined;
  /** Makes the token of a ServiceAccount. */
  public makeToken: (namespace?: string, name?: string) => string = podToken;
  /** By how much its clock is ahead of the real time. */
  public secondsAhead = 0;
  /** Whether it takes requests and never answers one. */
  public isMute = false;
  /** Whether the answer to a request gets lost on its way, once the request was carried out. */
  public loses: ((request: KubernetesRequest) => boolean) | undefined;
  /** Whether each call has a connection, as where a test is about these. */
  public isRemote = false;
  private leave: (() => void) | undefined;
  /** How many connections were opened. */
  public connections = 0;
  private isClosing = false;
  private readonly objects = new Map<string, KubernetesObject>();
  private readonly folder = mkdtempSync(join(tmpdir(), "fake-kubernetes-"));
  private readonly sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => ["v5.channel.k8s.io", "v4.channel.k8s.io"].find((each) => offered.has(each)) ?? false,
  });
  private readonly server: Server = createServer((request, response) => {
    if (this.isClosing) {
      this.isClosing = false;
      request.socket.destroy();
      return;
    }
    void readBody(request).then((body) => {
      const { status, body: answer, headers } = this.answer(request, body);
      if (this.isMute) return;
      if (this.loses?.(this.requests.at(-1)!) === true) {
        request.socket.destroy();
        return;
      }
      response.writeHead(status, { ...this.headersOf(answer), ...headers });
      response.end(textOf(answer));
    });
  });

  private constructor() {
    this.server.on("connection", () => this.connections++);
    this.server.on("upgrade", (request, socket, head) => {
      this.upgrade(request, socket, head);
    });
  }

  /** @param context the one context of the kubeconfig */
  public static async start(context: string): Promise<FakeKubernetes> {
    const cluster = new FakeKubernetes();
    await new Promise<void>((resolve) => cluster.server.listen(0, "127.0.0.1", resolve));
    const kubeconfig = {
      apiVersion: "v1",
      kind: "Config",
      // The client refuses http:// without it.
      clusters: [{ name: "fake", cluster: { server: cluster.address, "insecure-skip-tls-verify": true } }],
      users: [{ name: "operator", user: { token: "operator's token for Kubernetes" } }],
      contexts: [{ name: context, context: { cluster: "fake", user: "operator" } }],
    };
    writeFileSync(cluster.kubeconfig, stringify(kubeconfig));
    cluster.leave = await answerWithin(cluster.address, (request) => cluster.direct(request));
    return cluster;
  }

  public get address(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  public get kubeconfig(): string {
    return join(this.folder, "kubeconfig");
  }

  /** The requests that would change something, as `patch pods/status aidbox-0`. */
  public get writes(): readonly string[] {
    const harmless = ["serviceaccounts/token", "selfsubjectaccessreviews"];
    return this.requests
      .filter(({ verb, resource }) => !["get", "list"].includes(verb) && !harmless.includes(resource))
      .map(({ verb, resource, name }) => `${verb} ${resource} ${name ?? ""}`);
  }

  public add(...objects: readonly KubernetesObject[]): void {
    for (const object of objects) this.objects.set(keyOf(object), structuredClone(object));
  }

  /** The one object of a kind and name; a change of it is one of the cluster's. */
  public object(kind: string, name: string): KubernetesObject {
    const found = [...this.objects.values()].find((each) => each.kind === kind && each.metadata.name === name);
    if (found === undefined) throw new Error(`There is no ${kind} ${name} in the fake cluster`);
    return found;
  }

  /** Changes an object as a merge patch does: null takes a key away. */
  public change(kind: string, name: string, patch: object): this {
    mergePatch(this.object(kind, name), patch as Record<string, unknown>);
    return this;
  }

  public delete(kind: string, name: string): this {
    this.objects.delete(keyOf(this.object(kind, name)));
    return this;
  }

  /** Closes a connection as the next request comes in it, which is not carried out: both ends cross. */
  public closeAtNextRequest(): void {
    this.isClosing = true;
  }

  /** Waits for the first request. */
  public async asked(): Promise<void> {
    while (this.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
  }

  public async stop(): Promise<void> {
    this.leave?.();
    rmSync(this.folder, { recursive: true });
    for (const socket of this.sockets.clients) socket.terminate();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private direct({ method, path, headers, body: text = "" }: DirectRequest): ReturnType<Answerer> {
    if (this.isRemote || this.isMute || this.loses !== undefined) return undefined;
    return () => {
      const incoming = { method, url: path, headers };
      const answer = this.answer(incoming, text === "" ? undefined : (JSON.parse(text) as object));
      const { status, body } = answer;
      return { status, headers: { ...this.headersOf(body), ...answer.headers }, body: textOf(body) };
    };
  }

  private headersOf(answer: KubernetesAnswer["body"]): Record<string, string> {
    const type = typeof answer === "string" ? "text/plain" : "application/json";
    return { "Content-Type": type, Date: new Date(Date.now() + this.secondsAhead * 1000).toUTCString() };
  }

  private answer(incoming: Incoming, body: object | undefined): KubernetesAnswer {
    const url = new URL(incoming.url!, this.address);
    const request = parse(incoming, url, body);
    this.requests.push(request);
    const intercepted = this.intercept?.(request);
    if (intercepted !== undefined) return intercepted;
    if (request.resource === "version") return { status: 200, body: { gitVersion: "v1.34.4" } };
    if (/^apis?\//.test(request.resource)) return this.discover(request.resource);
    if (request.resource === "selfsubjectaccessreviews") return this.review(body as AccessReview);
    if (!this.allows(request)) return status(403, `${subjectOf(request)} is forbidden: ${wordsOf(request)}`);
    if (request.resource === "pods/proxy") return { status: 200, body: this.metrics };
    if (request.verb === "list") return this.list(request);
    if (request.verb === "create" && request.name === undefined) return this.create(request);
    const found = this.objects.get(keyOfRequest(request));
    if (found === undefined) return status(404, `${request.resource} "${request.name ?? ""}" not found`);
    if (request.resource === "serviceaccounts/token") {
      return {
        status: 201,
        body: { ...request.body, status: { token: this.makeToken(request.namespace, request.name) } },
      };
    }
    if (request.verb === "delete") {
      this.objects.delete(keyOfRequest(request));
      this.onPodEnd(found.metadata.name);
    }
    if (request.verb === "patch") {
      mergePatch(found, request.body as Record<string, unknown>);
      if (request.resource === "pods/status") this.onPodChange(found.metadata.name);
    }
    return { status: 200, body: found };
  }

  private create({ namespace, body }: KubernetesRequest): KubernetesAnswer {
    const given = body as KubernetesObject;
    const object = { ...given, metadata: { ...given.metadata, ...(namespace === undefined ? {} : { namespace }) } };
    this.add(object);
    this.onCreate(object);
    return { status: 201, body: object };
  }

  private list({ group, resource, namespace, query }: KubernetesRequest): KubernetesAnswer {
    const wanted = (query.get("labelSelector") ?? "").split(",").filter(Boolean);
    const [, involved] = /involvedObject\.name=([^,]+)/.exec(query.get("fieldSelector") ?? "") ?? [];
    const isOf = ({ involvedObject }: KubernetesObject): boolean =>
      involved === undefined || (involvedObject as { name: string }).name === involved;
    const items = [...this.objects].flatMap(([key, object]) => {
      const { labels = {} } = object.metadata;
      const isOne = key.startsWith(`${group}/${resource}/${namespace === undefined ? "" : `${namespace}/`}`);
      return isOne && wanted.every((each) => labels[each.split("=")[0]!] === each.split("=")[1]) && isOf(object)
        ? [object]
        : [];
    });
    return { status: 200, body: { apiVersion: "v1", kind: "List", metadata: {}, items } };
  }

  /** The kinds of an API, as `apis/apps/v1`, of which there is an object. */
  private discover(path: string): KubernetesAnswer {
    const apiVersion = path.replace(/^apis?\//, "");
    const found = [...this.objects.values()].filter((each) => each.apiVersion === apiVersion);
    if (found.length === 0) return status(404, "the server could not find the requested resource");
    const resources = found.map(({ kind, metadata: { namespace } }) => ({
      kind,
      name: pluralOf(kind),
      namespaced: namespace !== undefined,
    }));
    return { status: 200, body: { kind: "APIResourceList", groupVersion: apiVersion, resources } };
  }

  private review({ spec: { resourceAttributes } }: AccessReview): KubernetesAnswer {
    const { verb, group = "", resource, subresource, namespace, name } = resourceAttributes;
    const full = subresource === undefined ? resource : `${resource}/${subresource}`;
    const allowed = this.allows({ verb, group, resource: full, namespace, name });
    return { status: 201, body: { spec: {}, status: { allowed } } };
  }

  private allows({ verb, group, resource, namespace, name }: Asked): boolean {
    if (this.roles === undefined) return true;
    return (this.roles as (KubernetesObject & { rules?: readonly Rule[] })[]).some(
      ({ kind, metadata, rules = [] }) =>
        (kind === "ClusterRole" || metadata.namespace === namespace) &&
        rules.some(
          (rule) =>
            rule.apiGroups.includes(group) &&
            rule.resources.includes(resource) &&
            rule.verbs.includes(verb) &&
            (rule.resourceNames === undefined || (name !== undefined && rule.resourceNames.includes(name))),
        ),
    );
  }

  /** A command in a pod, by a websocket. */
  private upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { status: code, body } = this.answer(incoming, undefined);
    if (code !== 200) {
      const text = JSON.stringify(body);
      socket.end(`HTTP/1.1 ${code} Refused\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
      return;
    }
    const { name = "", query } = this.requests.at(-1)!;
    this.sockets.handleUpgrade(incoming, socket, head, (client) => {
      this.execute(client, name, query.getAll("command"));
    });
  }

  private execute(client: WebSocket, pod: string, command: string[]): void {
    const [program, ...paths] = command;
    if (command.join(" ").startsWith("sh -c cat > /dev/null")) {
      this.leashed.add(pod);
      client.on("close", () => this.leashed.delete(pod));
      return;
    }
    const outcome = this.execution(pod);
    if (outcome === "loses its connection") {
      client.terminate();
      return;
    }
    if (outcome === "never ends") return;
    const send = (channel: number, text: string): void => {
      client.send(Buffer.concat([Buffer.from([channel]), Buffer.from(text)]));
    };
    const printed = this.programs(pod, command);
    if (printed !== undefined) {
      const { stdout = "", stderr = "", exitCode = 0 } = printed;
      if (stdout !== "") send(1, stdout);
      if (stderr !== "") send(2, stderr);
      send(3, ended(exitCode));
      client.close();
      return;
    }
    if (outcome === "is not in the image" || program !== "sha256sum") {
      const message = `exec: "${program ?? ""}": executable file not found in $PATH`;
      send(3, JSON.stringify({ status: "Failure", reason: "InternalError", message, code: 500 }));
      client.close();
      return;
    }
    const files = this.files.get(pod) ?? new Map<string, string>();
    const output = paths.flatMap((path) => {
      const content = files.get(path);
      if (content === undefined) send(2, `sha256sum: can't open '${path}': No such file or directory\n`);
      return content === undefined ? [] : [`${createHash("sha256").update(content).digest("hex")}  ${path}\n`];
    });
    const text = output.join("");
    // In two pieces, as a network may cut it.
    for (const piece of [text.slice(0, 70), text.slice(70)]) if (piece !== "") send(1, piece);
    send(3, ended(output.length === paths.length ? 0 : 1));
    client.close();
  }
}

function textOf(answer: KubernetesAnswer["body"]): string {
  return typeof answer === "string" ? answer : JSON.stringify(answer);
}

/** How the API server tells of a command's end. */
function ended(exitCode: number): string {
  if (exitCode === 0) return '{"metadata":{},"status":"Success"}';
  const causes = [{ reason: "ExitCode", message: String(exitCode) }];
  return JSON.stringify({ status: "Failure", reason: "NonZeroExitCode", details: { causes } });
}

interface AccessReview {
  readonly spec: {
    readonly resourceAttributes: {
      readonly verb: string;
      readonly group?: string;
      readonly resource: string;
      readonly subresource?: string;
      readonly namespace: string;
      readonly name?: string;
    };
  };
}

/** The token that the cluster makes for a ServiceAccount. */
export function podToken(namespace = "", name = ""): string {
  return `token of system:serviceaccount:${namespace}:${name}`;
}

function parse(incoming: Incoming, { pathname, searchParams }: URL, body: object | undefined): KubernetesRequest {
  const shape =
    /^\/apis?(?:\/([^/]+\.[^/]+|apps|batch))?\/v1(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?/;
  const [, group = "", namespace, resource = pathname.slice(1), name, subresource] = shape.exec(pathname) ?? [];
  const verbs: Record<string, string> = {
    GET: name === undefined ? "list" : "get",
    POST: "create",
    PATCH: "patch",
    DELETE: "delete",
  };
  return {
    verb: verbs[incoming.method!] ?? incoming.method!,
    group,
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    namespace,
    name: name === undefined ? undefined : decodeURIComponent(name),
    query: searchParams,
    headers: incoming.headers,
    body,
  };
}

function keyOf({ apiVersion, kind, metadata: { namespace, name } }: KubernetesObject): string {
  const group = apiVersion.includes("/") ? apiVersion.split("/")[0]! : "";
  return [group, pluralOf(kind), ...(namespace === undefined ? [] : [namespace]), name].join("/");
}

function pluralOf(kind: string): string {
  return `${kind.toLowerCase()}${kind.endsWith("s") ? "es" : "s"}`;
}

function keyOfRequest({ group, resource, namespace, name = "" }: Asked): string {
  return [group, resource.split("/")[0]!, ...(namespace === undefined ? [] : [namespace]), name].join("/");
}

/** An error as Kubernetes words it. */
function status(code: number, message: string): KubernetesAnswer {
  return { status: code, body: { apiVersion: "v1", kind: "Status", status: "Failure", message, code } };
}

function subjectOf({ resource, name }: Asked): string {
  const [plural = ""] = resource.split("/");
  return name === undefined ? plural : `${plural} "${name}"`;
}

function wordsOf({ verb, group, resource, namespace }: Asked): string {
  const where = namespace === undefined ? "at the cluster scope" : `in the namespace "${namespace}"`;
  return `User "operator" cannot ${verb} resource "${resource}" in API group "${group}" ${where}`;
}

/** https://www.rfc-editor.org/rfc/rfc7386 */
function mergePatch(target: Record<string, unknown>, patch: Record<string, unknown>): void {
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(target, key);
    else if (typeof value !== "object" || Array.isArray(value)) target[key] = value;
    else mergePatch((target[key] ??= {}) as Record<string, unknown>, value as Record<string, unknown>);
  }
}

async function readBody(request: IncomingMessage): Promise<object | undefined> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return text === "" ? undefined : (JSON.parse(text) as object);
}
