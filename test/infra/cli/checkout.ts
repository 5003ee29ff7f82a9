import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { stringify } from "yaml";
import { runInProcess } from "./in-process";
import type { Ran } from "./ran";

const repository = resolve(__dirname, "../../..");

/** A folder in which the program runs, with a home and a PATH of its own, where a test sees all it writes. */
export class Checkout {
  private readonly folder = mkdtempSync(join(tmpdir(), "checkout-"));
  public readonly root = join(this.folder, "root");
  /** The only folder of the commands' PATH; empty. */
  public readonly bin = join(this.folder, "bin");
  private readonly kubeconfig = join(this.folder, "kubeconfig");

  /**
   * @param environments configs without the project's prefix, by name; beside that of dev
   * @param hasProgram whether there is a copy of the program too, for what changes it or names a file of it
   */
  public constructor(
    environments: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {},
    private readonly hasProgram = false,
  ) {
    mkdirSync(this.root);
    for (const each of ["package.json", "Pulumi.yaml"]) cpSync(join(repository, each), join(this.root, each));
    cpSync(join(repository, "test/environments/Pulumi.dev.yaml"), join(this.root, "Pulumi.dev.yaml"));
    for (const [name, config] of Object.entries(environments)) {
      const prefixed = Object.entries(config).map(([key, value]) => [`aidbox-secrets:${key}`, value] as const);
      writeFileSync(join(this.root, `Pulumi.${name}.yaml`), stringify({ config: Object.fromEntries(prefixed) }));
    }
    if (hasProgram) this.bringProgram();
    mkdirSync(this.bin);
    mkdirSync(join(this.folder, "home"));
    this.setContexts({});
  }

  /** What Node runs in a process of its own: the copy where there is one, else the repository's. */
  public get program(): string {
    return join(this.hasProgram ? this.root : repository, "infra/cli/start.js");
  }

  /** Brings the program and its packages. */
  private bringProgram(): void {
    // With their times to the nanosecond and the compiler's options, so that all copies and the clone share what one of them compiles.
    const sources = ["bridge", "constructs", "infra", "imports", "package-lock.json", "tsconfig.json"];
    const archive = ["--format=posix", "--exclude=node_modules", "-C", repository, "-cf", "-", ...sources];
    const packed = execFileSync("tar", archive, { maxBuffer: 2 ** 27 });
    execFileSync("tar", ["-C", this.root, "-xpf", "-"], { input: packed });
    for (const packages of ["node_modules", "constructs/stores/azure-key-vault/node_modules"]) {
      if (existsSync(join(repository, packages))) symlinkSync(join(repository, packages), join(this.root, packages));
    }
  }

  /** Writes the kubeconfig. @param servers URL of the API server by context */
  public setContexts(servers: Readonly<Record<string, string>>): void {
    const names = Object.keys(servers);
    const kubeconfig = {
      apiVersion: "v1",
      kind: "Config",
      // The client refuses plain HTTP but by this.
      clusters: names.map((name) => ({ name, cluster: { server: servers[name], "insecure-skip-tls-verify": true } })),
      users: [{ name: "nobody", user: {} }],
      contexts: names.map((name) => ({ name, context: { cluster: name, user: "nobody" } })),
    };
    writeFileSync(this.kubeconfig, stringify(kubeconfig));
  }

  /** Puts a program onto PATH that leaves a file `called` in the root. */
  public install(program: string): void {
    writeFileSync(join(this.bin, program), `#!/bin/sh\necho "$@" >> '${this.root}/called'\n`, { mode: 0o755 });
  }

  /**
   * Runs the command line within the process of the test, without a terminal.
   *
   * @param input what its standard input holds
   */
  public run(args: readonly string[], env: NodeJS.ProcessEnv = {}, input = ""): Promise<Ran> {
    return runInProcess(args, { cwd: this.root, env: this.env(env), input });
  }

  /** As `run`, in a process of its own, as a user does: some two hundred times as slow. */
  public spawn(args: readonly string[], env: NodeJS.ProcessEnv = {}, input = ""): Promise<Ran> {
    return this.start(args, env, input).ended;
  }

  /** As `spawn`, for who does something to it meanwhile. */
  public start(
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
    input = "",
  ): { readonly child: ChildProcess; readonly ended: Promise<Ran> } {
    const child = spawn(process.execPath, [this.program, ...args], { cwd: this.root, env: this.env(env) });
    const read = { stdout: "", stderr: "" };
    child.stdout.on("data", (chunk: Buffer) => (read.stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (read.stderr += chunk.toString()));
    child.stdin.on("error", () => undefined); // a command that never reads its input may be gone by now
    child.stdin.end(input);
    const ended = new Promise<Ran>((done, fail) => {
      child.on("error", fail);
      child.on("close", (code) => {
        done({ code: code ?? 1, ...read });
      });
    });
    return { child, ended };
  }

  private env(more: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
    return { PATH: this.bin, HOME: join(this.folder, "home"), KUBECONFIG: this.kubeconfig, ...more };
  }

  /** Content of each file in the root, without node_modules, and in the home. */
  public files(): Record<string, string> {
    return Object.fromEntries(
      filesIn(this.folder).map((file) => [relative(this.folder, file), readFileSync(file, "utf8")]),
    );
  }

  public dispose(): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** All files in a folder; not those behind links, which `readdirSync` follows since Node 22. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesIn(path);
    return entry.isFile() ? [path] : [];
  });
}
