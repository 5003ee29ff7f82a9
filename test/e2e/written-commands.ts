import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { findPulumi } from "../../infra/cli/pulumi-cli";
import { Checkout } from "../infra/cli/checkout";
import type { Block } from "../page-blocks";
import { expectExit, expectSuccess, ownProgram, type Ran, run, waitUntil } from "./harness";

/** What a command gets of its operator. */
export interface Given {
  /** Vault's token, in `VAULT_TOKEN`. @default - none */
  readonly token?: string;
  /** What is typed, or piped in. @default - nothing */
  readonly input?: string;
  /** With what a page's command ends. @default 0 */
  readonly exitCode?: number;
}

/** Commands that end with this are run again until it is over, as a person does. */
const lastCheck = "npm run verify -- --env prod";

/** Somebody with a clone of their own, whose environment `prod` is the test's; what a page says is run there as it is written. */
export class Operator {
  private readonly clone: Checkout;
  private readonly state = mkdtempSync(join(tmpdir(), "aidbox-secrets-e2e-"));
  private readonly left: Set<Block>;

  /** @param blocks the commands of the page that they go by */
  public constructor(
    config: Readonly<Record<string, unknown>>,
    private readonly blocks: readonly Block[],
  ) {
    this.clone = new Checkout({ prod: config }, true);
    this.left = new Set(blocks);
  }

  /** The commands that nobody has run yet. */
  public get notRun(): string[] {
    return [...this.left].map(({ code }) => code);
  }

  /** Runs one of this project's commands. */
  public command(name: string, args: readonly string[] = [], given: Given = {}): Promise<Ran> {
    return this.start("node", [...ownProgram(this.clone.root), name, ...args], given);
  }

  /** Vault's own command line. */
  public vault(args: readonly string[], given: Given = {}): Promise<Ran> {
    return this.command("vault", ["--env", "prod", "--", ...args], given);
  }

  /**
   * Runs a block of the page as it is written. Variables that the blocks above it in its section set are set.
   *
   * @param index which of the section's blocks, from 0
   * @returns what it printed
   */
  public async follow(heading: string, index: number, given: Given = {}): Promise<string> {
    const section = this.blocks.filter((each) => each.heading === heading);
    const block = section[index];
    if (block === undefined) throw new Error(`the page has no block ${index} below "${heading}"`);
    if (block.code === lastCheck) {
      await this.untilVerified(given.token ?? "");
      this.left.delete(block);
      return "";
    }
    const earlier = section.slice(0, index).flatMap(({ code }) => code.match(/^\w+=.*$/gm) ?? []);
    const lines = block.code.split("\n");
    const isChecked = lines.at(-1) === lastCheck;
    const script = [...earlier, ...(isChecked ? lines.slice(0, -1) : lines)].join("\n");
    const ran = await this.bash(script, given);
    expectExit(ran, given.exitCode ?? 0);
    if (isChecked) await this.untilVerified(given.token ?? given.input?.trim() ?? "");
    this.left.delete(block);
    return ran.stdout;
  }

  /** Runs the page's last command until it ends with 0; the seconds it took. */
  public untilVerified(token: string): Promise<number> {
    let said = "";
    return waitUntil(async () => {
      const ran = await this.bash(lastCheck, { token });
      said = ran.stdout;
      return ran.code === 0;
    }, 180).catch((error: unknown) => {
      throw new Error(`${error instanceof Error ? error.message : ""}: ${said}`);
    });
  }

  /** Ends all of it: production is protected from a `destroy` by mistake. */
  public async destroy(token: string): Promise<void> {
    const { file, args } = findPulumi();
    expectSuccess(await this.start(file, [...args, "state", "unprotect", "--all", "--yes", "--stack", "prod"], {}));
    expectSuccess(await this.command("destroy", ["--env", "prod", "--yes"], { token }));
  }

  public dispose(): void {
    this.clone.dispose();
    rmSync(this.state, { recursive: true });
  }

  private bash(script: string, given: Given): Promise<Ran> {
    return this.start("bash", ["-eo", "pipefail", "-c", script], given);
  }

  private start(file: string, args: readonly string[], { token = "", input = "" }: Given): Promise<Ran> {
    const env = {
      PULUMI_BACKEND_URL: pathToFileURL(this.state).href,
      PULUMI_CONFIG_PASSPHRASE: "for this test only",
      VAULT_TOKEN: token,
    };
    return run(file, args, { cwd: this.clone.root, env, input });
  }
}
