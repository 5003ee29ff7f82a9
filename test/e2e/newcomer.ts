import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import type { Block } from "../page-blocks";
import { currentContext, root, run, succeed } from "./harness";

/** What is typed where a text shows. */
export interface Answer {
  readonly at: RegExp;
  readonly type: string;
}

/** What a command in a terminal left behind. */
export interface Typed {
  readonly code: number;
  /** Of both outputs, without what steers the terminal. */
  readonly screen: string;
}

/** Somebody with a fresh clone, a home of their own and a terminal, whose kubeconfig has the cluster as `kind` calls it. */
export class Newcomer {
  private readonly folder = mkdtempSync(join(tmpdir(), "newcomer-"));
  public readonly clone = join(this.folder, "aidbox-secrets");
  private readonly env: NodeJS.ProcessEnv;

  private constructor() {
    const home = join(this.folder, "home");
    mkdirSync(home);
    const { PATH, CHARTS_DIR, PULUMI_IGNORE_AMBIENT_PLUGINS } = process.env;
    this.env = {
      PATH,
      CHARTS_DIR,
      PULUMI_IGNORE_AMBIENT_PLUGINS,
      HOME: home,
      PULUMI_HOME: process.env.PULUMI_HOME ?? join(homedir(), ".pulumi"),
      KUBECONFIG: join(this.folder, "kubeconfig"),
      TERM: "xterm",
      LANG: "C.UTF-8",
      npm_config_update_notifier: "false",
    };
  }

  /** Clones what is committed. What `npm ci` installs is that of the clone in which the test runs. */
  public static async arrive(): Promise<Newcomer> {
    const newcomer = new Newcomer();
    await succeed("git", ["clone", "--quiet", root, newcomer.clone]);
    symlinkSync(join(root, "node_modules"), join(newcomer.clone, "node_modules"));
    const kubeconfig = join(newcomer.folder, "kubeconfig");
    writeFileSync(kubeconfig, await succeed("kubectl", ["config", "view", "--raw", "--flatten", "--minify"]));
    const rename = ["config", "rename-context", await currentContext(), "kind-aidbox", "--kubeconfig", kubeconfig];
    await succeed("kubectl", rename);
    return newcomer;
  }

  /** Types a text into a shell, and the answers where it asks. */
  public type(text: string, answers: readonly Answer[]): Promise<Typed> {
    const script = join(this.folder, "typed.sh");
    writeFileSync(script, `stty cols 120 rows 40\n${text}\n`);
    const args = ["--quiet", "--return", "--flush", "--command", `bash -e ${script}`, "/dev/null"];
    const child = spawn("script", args, { cwd: this.clone, env: this.env, stdio: ["pipe", "pipe", "inherit"] });
    let screen = "";
    let seen = 0;
    const left = [...answers];
    child.stdout.on("data", (chunk: Buffer) => {
      screen += chunk.toString();
      const answer = left.find(({ at }) => at.test(screen.slice(seen)));
      if (answer === undefined) return;
      left.splice(left.indexOf(answer), 1);
      seen = screen.length;
      setTimeout(() => child.stdin.write(answer.type), 300); // a prompt shows before it listens
    });
    child.stdin.on("error", () => undefined);
    return new Promise((done, fail) => {
      child.on("error", fail);
      child.on("close", (code) => {
        done({ code: code ?? 1, screen: screen.replaceAll(/\p{Cc}\[[\d;?]*[A-Za-z]/gu, "").replaceAll("\r\n", "\n") });
      });
    });
  }

  /** Puts a row to the end of the table in `Pulumi.dev.yaml`. */
  public addRow(row: string): void {
    const file = join(this.clone, "Pulumi.dev.yaml");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace("aidbox-secrets:secrets:\n", `aidbox-secrets:secrets:\n    - ${row}\n`));
  }

  /** What git finds changed or new. */
  public async changes(): Promise<string> {
    return succeed("git", ["status", "--short"], { cwd: this.clone });
  }

  /** Removes the folder; a stack that is left is destroyed first. */
  public async leave(): Promise<void> {
    await run("node", ["infra/cli/start.js", "destroy", "--yes"], { cwd: this.clone, env: this.env });
    rmSync(this.folder, { recursive: true });
  }
}

/** A block's commands one by one where each is a line of npm's; else the block as one, which may hold variables and pipes. */
export function commandsOf({ code }: Block): string[] {
  const lines = code.split("\n");
  return lines.every((line) => line.startsWith("npm ")) ? lines : [code];
}
