import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { issueCa, issueServer } from "../../infra/certificates/issue";
import { nodeAddress } from "./harness";

const repository = "platform/infrastructure.git";
const author = ["-c", "user.name=test", "-c", "user.email=test@example.com"];

/** A Git repository on the node with one branch, `main`, by HTTPS as a forge serves it: Git's own CGI program behind a CA of its own. */
export class GitServer {
  private constructor(
    private readonly server: Server,
    private readonly folder: string,
    /** Folder for the files of the next commit. */
    public readonly worktree: string,
    /** URL as pods reach it. */
    public readonly url: string,
    /** CA of its certificate, PEM. */
    public readonly ca: string,
  ) {}

  public static async start(): Promise<GitServer> {
    const folder = mkdtempSync(join(tmpdir(), "git-server-"));
    mkdirSync(join(folder, "platform"));
    const init = ["init", "--quiet", "--initial-branch=main", `--separate-git-dir=${join(folder, repository)}`];
    const worktree = join(folder, "worktree");
    execFileSync("git", [...init, worktree]);
    const node = await nodeAddress();
    const ca = await issueCa("git server");
    const server = createServer(await issueServer(ca, { dns: ["git-server"], ip: [node] }), (request, response) => {
      serve(folder, request, response);
    });
    await new Promise<void>((listening) => server.listen(0, node, listening));
    const { port } = server.address() as AddressInfo;
    return new GitServer(server, folder, worktree, `https://${node}:${port}/${repository}`, ca.cert);
  }

  /** Commits all that is in the worktree. @returns the commit */
  public commit(message: string): string {
    this.git("add", "--all", "--force");
    this.git(...author, "commit", "--quiet", "--message", message);
    return this.git("rev-parse", "HEAD").trim();
  }

  public async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
    rmSync(this.folder, { recursive: true });
  }

  private git(...args: string[]): string {
    return execFileSync("git", ["-C", this.worktree, ...args], { encoding: "utf8" });
  }
}

/** Has Git's CGI program answer. */
function serve(folder: string, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, search } = new URL(request.url ?? "/", "https://localhost");
  const { "content-type": type, "content-encoding": encoding, "git-protocol": protocol } = request.headers;
  const env = {
    PATH: process.env.PATH,
    GIT_PROJECT_ROOT: folder,
    GIT_HTTP_EXPORT_ALL: "1",
    REQUEST_METHOD: request.method,
    PATH_INFO: pathname,
    QUERY_STRING: search.slice(1),
    CONTENT_TYPE: type,
    HTTP_CONTENT_ENCODING: encoding,
    GIT_PROTOCOL: protocol?.toString(),
  };
  const child = spawn("git", ["http-backend"], { env, stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.on("error", () => undefined); // it may have answered without reading
  request.pipe(child.stdin);
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.on("close", () => {
    const answer = Buffer.concat(chunks);
    const end = answer.indexOf("\r\n\r\n");
    const headers = answer
      .subarray(0, end)
      .toString()
      .split("\r\n")
      .map((line) => line.split(": ") as [string, string]);
    const { Status: status = "200 OK", ...rest } = Object.fromEntries(headers);
    response.writeHead(Number.parseInt(status), rest);
    response.end(answer.subarray(end + 4));
  });
}
