import { execFile, spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parse, stringify } from "yaml";
import { findPulumi } from "../../infra/cli/pulumi-cli";
import type { FirstSecrets, StackSecrets } from "../../infra/operate/stores/vault/init";

export const root = resolve(__dirname, "../..");

/** What a command left behind. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, whatever its exit code. */
export function run(
  file: string,
  args: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string; readonly input?: string } = {},
): Promise<Ran> {
  return new Promise((done) => {
    const child = execFile(
      file,
      args,
      { cwd: options.cwd ?? root, env: { ...process.env, ...options.env }, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
        done({ code, stdout, stderr });
      },
    );
    child.stdin?.on("error", () => undefined); // a program that never reads its input may be gone by now
    child.stdin?.end(options.input ?? "");
  });
}

/** Runs a program that must succeed; its standard output. */
export async function succeed(...args: Parameters<typeof run>): Promise<string> {
  const ran = await run(...args);
  if (ran.code !== 0) {
    throw new Error(`${args[0]} ${args[1].join(" ")} ended with ${ran.code}:\n${ran.stdout}\n${ran.stderr}`);
  }
  return ran.stdout;
}

/** The Pulumi CLI and its arguments. */
function pulumi(args: readonly string[]): [string, string[]] {
  const found = findPulumi();
  return [found.file, [...found.args, ...args]];
}

export async function currentContext(): Promise<string> {
  return (await succeed("kubectl", ["config", "current-context"])).trim();
}

export function kubectl(...args: string[]): Promise<string> {
  return succeed("kubectl", args);
}

/** Address of the one node, which is this machine, as pods reach it. */
export function nodeAddress(): Promise<string> {
  return kubectl("get", "nodes", "-o", 'jsonpath={.items[0].status.addresses[?(@.type=="InternalIP")].address}');
}

/**
 * Options that override config values of an environment for one command, beside the test's context.
 *
 * @param config values by key; null takes a key away
 */
export async function overrides(config: Record<string, unknown> = {}, environment = "dev"): Promise<string[]> {
  const text = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
  const all = { kubeContext: await currentContext(), ...(environment === "dev" ? withOwnTable(config) : config) };
  return Object.entries(all).flatMap(([key, value]) => ["--config", `${key}=${text(value)}`]);
}

/** A table of a test's own has no row for the password of dev's PostgreSQL, so that goes too unless the test names one. */
function withOwnTable(config: Record<string, unknown>): Record<string, unknown> {
  return "secrets" in config ? { database: null, ...config } : config;
}

/** The row of the config's table that the guide's example is. */
export const clientSecret = {
  name: "client-secret",
  path: "aidbox/client",
  scope: { resourceType: "Client", id: "basic" },
  source: "seeded",
};

/** The row of the keypair that several pods share. */
export const authKeys = { name: "auth-keys", path: "aidbox/auth-keys", keypair: "ec", source: "seeded" };

/** What runs this project's command line, as `npm run` does; a former version may do it in another way. */
export function ownProgram(folder = root): readonly string[] {
  return existsSync(join(folder, "infra/cli/start.js"))
    ? ["infra/cli/start.js"]
    : ["--import", "tsx", "infra/cli/main.ts"];
}

/** One environment of a test: state, config and passphrase of its own in a temporary folder. */
export class TestStack {
  public readonly folder = mkdtempSync(join(tmpdir(), "aidbox-secrets-e2e-"));
  public readonly env = {
    PULUMI_BACKEND_URL: pathToFileURL(this.folder).href,
    PULUMI_CONFIG_PASSPHRASE: "for this test only",
    PULUMI_SKIP_UPDATE_CHECK: "true",
  };
  private readonly configFolder = join(this.folder, "config");
  public readonly configFile: string;

  private constructor(public readonly name: string) {
    this.configFile = join(this.configFolder, `Pulumi.${name}.yaml`);
  }

  /**
   * @param name of the stack
   * @param changes config values beside those of the dev environment, by key; null takes a key away
   */
  public static async create(name = "dev", changes: Record<string, unknown> = {}): Promise<TestStack> {
    const stack = new TestStack(name);
    cpSync(join(root, "Pulumi.yaml"), join(stack.configFolder, "Pulumi.yaml"));
    stack.writeConfig(parse(readFileSync(join(root, "Pulumi.dev.yaml"), "utf8")) as StackFile, {
      kubeContext: await currentContext(),
      ...withOwnTable(changes),
    });
    await succeed(...pulumi(["stack", "init", name]), { cwd: stack.configFolder, env: stack.env });
    return stack;
  }

  /** Sets config values, by key; null takes a key away. */
  public configure(changes: Record<string, unknown>): void {
    this.writeConfig(parse(readFileSync(this.configFile, "utf8")) as StackFile, changes);
  }

  /** Sets a secret config value. */
  public async setSecret(path: string, value: string): Promise<void> {
    await succeed(...pulumi(["config", "set", "--secret", "--path", path, ...this.target()]), {
      env: this.env,
      input: value,
    });
  }

  /** Runs one of Pulumi's operations without asking. */
  public pulumi(operation: string, ...args: string[]): Promise<Ran> {
    return this.pulumiAs({}, operation, ...args);
  }

  /** As `pulumi`, with other variables, or by the program in another folder, as another version of it. */
  public pulumiAs(
    options: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string },
    operation: string,
    ...args: string[]
  ): Promise<Ran> {
    const unasked = operation === "preview" ? [] : ["--yes", "--skip-preview"];
    const { env, cwd = root } = options;
    return run(...pulumi([operation, ...this.target(), ...unasked, ...args]), { env: { ...this.env, ...env }, cwd });
  }

  /** Runs `up`; what it did with each resource, as Pulumi calls it. */
  public async upBySteps(env: NodeJS.ProcessEnv = {}): Promise<{ readonly ran: Ran; readonly steps: readonly Step[] }> {
    const log = join(this.folder, "events.jsonl");
    rmSync(log, { force: true });
    // Pulumi has the option for its own developers.
    const ran = await this.pulumiAs({ env: { ...env, PULUMI_DEBUG_COMMANDS: "true" } }, "up", "--event-log", log);
    const events = readFileSync(log, "utf8").split("\n").filter(Boolean);
    const steps = events.flatMap((line): Step[] => {
      const { resourcePreEvent } = JSON.parse(line) as { resourcePreEvent?: { metadata: Step } };
      return resourcePreEvent === undefined ? [] : [resourcePreEvent.metadata];
    });
    return { ran, steps };
  }

  /** Runs `up` and kills all of it with SIGKILL after a time; its lock is taken away, as `pulumi cancel` does. */
  public async upKilledAfter(milliseconds: number): Promise<void> {
    const child = spawn(...pulumi(["up", ...this.target(), "--yes", "--skip-preview"]), {
      cwd: root,
      env: { ...process.env, ...this.env },
      stdio: "ignore",
      detached: true,
    });
    await new Promise((done) => setTimeout(done, milliseconds));
    process.kill(-child.pid!, "SIGKILL");
    await succeed(...pulumi(["cancel", "--yes", "--stack", this.name]), { env: this.env });
  }

  /** Runs one of this project's own commands on the dev environment, with this stack's state. */
  public command(name: string, ...args: string[]): Promise<Ran> {
    return this.commandAs({}, name, ...args);
  }

  /** As `command`, with other variables, an input, or by the program in another folder, as another version of it. */
  public commandAs(
    options: { readonly env?: NodeJS.ProcessEnv; readonly input?: string; readonly cwd?: string },
    name: string,
    ...args: string[]
  ): Promise<Ran> {
    const { env, input = "", cwd = root } = options;
    return run("node", [...ownProgram(cwd), name, ...args], { env: { ...this.env, ...env }, input, cwd });
  }

  /** As `command`, ended by a signal as soon as it tells a line on standard error. */
  public commandEndedBy(signal: NodeJS.Signals, line: string, name: string, ...args: string[]): Promise<Ran> {
    return new Promise((done) => {
      // As npm runs it: the signal reaches the program itself.
      const child = spawn("node", [...ownProgram(), name, ...args], {
        cwd: root,
        env: { ...process.env, ...this.env },
      });
      let [stdout, stderr] = ["", ""];
      child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
      child.stderr.on("data", (chunk: Buffer) => {
        const wasThere = stderr.includes(`${line}\n`);
        stderr += chunk.toString();
        if (!wasThere && stderr.includes(`${line}\n`)) child.kill(signal);
      });
      child.on("close", (code) => {
        done({ code: code ?? 128 + constants.signals[signal], stdout, stderr });
      });
    });
  }

  /** Runs a command line as somebody would paste it, with this stack's state; `npm run` becomes the command itself. */
  public shell(line: string, options: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
    const quoted = options.map((option) => `'${option}'`).join(" ");
    const own = line.replace(/npm run (\w+)(?: --)?/g, `node ${ownProgram().join(" ")} $1 ${quoted}`);
    return run("sh", ["-c", own], { env: { ...this.env, ...env } });
  }

  public async exportState(...args: string[]): Promise<string> {
    return succeed(...pulumi(["stack", "export", "--stack", this.name, ...args]), { env: this.env });
  }

  public async outputs(): Promise<Record<string, unknown>> {
    const json = await succeed(...pulumi(["stack", "output", "--json", "--stack", this.name]), { env: this.env });
    return JSON.parse(json) as Record<string, unknown>;
  }

  /** Takes the protection away from what holds values. */
  public unprotect(): Promise<Ran> {
    return run(...pulumi(["state", "unprotect", "--all", "--yes", "--stack", this.name]), { env: this.env });
  }

  /** Destroys what is there, protected or not, and removes the folder. */
  public async dispose(env: NodeJS.ProcessEnv = {}): Promise<void> {
    await this.unprotect();
    await this.pulumiAs({ env }, "destroy");
    rmSync(this.folder, { recursive: true });
  }

  private target(): string[] {
    return ["--stack", this.name, "--config-file", this.configFile];
  }

  private writeConfig(file: StackFile, changes: Record<string, unknown>): void {
    const prefixed = Object.entries(changes).map(([key, value]) => [`aidbox-secrets:${key}`, value] as const);
    const config = Object.entries({ ...file.config, ...Object.fromEntries(prefixed) });
    const kept = config.filter(([, value]) => value !== null);
    writeFileSync(this.configFile, stringify({ ...file, config: Object.fromEntries(kept) }));
  }
}

/** What Pulumi does with a resource: `same`, `create`, `update`, `replace`, `delete` and so on. */
export interface Step {
  readonly op: string;
  readonly urn: string;
  readonly type: string;
}

interface StackFile {
  readonly config: Record<string, unknown>;
}

/** Steps of one story: what comes after one that failed would fail for its reason alone, and slowly, so it is not tried. */
export function story(): (name: string, step: () => Promise<void>) => void {
  let failed: string | undefined;
  return (name, step) => {
    test(name, async () => {
      if (failed !== undefined) throw new Error(`not tried, since an earlier step failed: ${failed}`);
      failed = name;
      await step();
      failed = undefined;
    });
  };
}

/** What a command told for machines, one document a line. */
export function documents(ran: Ran): object {
  const lines = ran.stdout.split("\n").filter(Boolean);
  return Object.assign({}, ...lines.map((line) => JSON.parse(line) as object)) as object;
}

/**
 * Makes a root token from key shares, as an administrator does.
 *
 * @param vault Vault's command line with the arguments, and an input
 */
export async function makeRootToken(
  vault: (args: readonly string[], input?: string) => Promise<Ran>,
  keyShares: readonly string[],
): Promise<string> {
  const generate = async (args: readonly string[], input?: string): Promise<string> => {
    const ran = await vault(["operator", "generate-root", ...args], input);
    expectSuccess(ran);
    return ran.stdout.trim();
  };
  const { nonce, otp } = JSON.parse(await generate(["-format=json", "-init"])) as { nonce: string; otp: string };
  let encoded = "";
  for (const share of keyShares) {
    const told = await generate(["-format=json", `-nonce=${nonce}`, "-"], share);
    encoded = (JSON.parse(told) as { encoded_token: string }).encoded_token;
  }
  return generate([`-decode=${encoded}`, `-otp=${otp}`]);
}

/** All that `vault:init --json` tells. */
export type Initialisation = FirstSecrets & StackSecrets;

/** An operation of Pulumi that changed nothing. */
export function expectUnchanged(ran: Ran): void {
  expectExit(ran, 0);
  const changes = changesIn(ran.stdout);
  expect({ changes, said: changes.length === 0 ? "" : ran.stdout }).toEqual({ changes: [], said: "" });
}

export function expectSuccess(ran: Ran): void {
  expectExit(ran, 0);
}

/** What a command said is shown where it ended otherwise. */
export function expectExit(ran: Ran, code: number): void {
  expect({ code: ran.code, said: ran.code === code ? "" : ran.stdout + ran.stderr }).toEqual({ code, said: "" });
}

/** The lines of an operation's summary that say what changed. */
function changesIn(stdout: string): string[] {
  const summary = stdout.slice(stdout.lastIndexOf("Resources:"));
  return summary.split("\n").filter((line) => /^\s+(\+|-|~|\+-)\s?\d+ /.test(line));
}

/** Names of every API object of the cluster, but for events, which nobody removes. */
export async function listEverything(): Promise<string[]> {
  const kinds = (await kubectl("api-resources", "--verbs=list", "-o", "name")).split("\n").filter(Boolean);
  const listings = await Promise.all(
    kinds
      .filter((kind) => !kind.startsWith("events"))
      .map(async (kind) => {
        const format = 'jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name}{"\\n"}{end}';
        const names = await kubectl("get", kind, "--all-namespaces", "-o", format);
        return names
          .split("\n")
          .filter(Boolean)
          .map((name) => `${kind} ${name}`);
      }),
  );
  return listings.flat().sort();
}

/**
 * Waits until the cluster has nothing that it had not before, but for the driver's definitions, which Helm leaves, and the key
 * that Vault's provider makes for itself at its first mount.
 */
export async function expectNothingLeft(before: readonly string[]): Promise<void> {
  const stays = /^(customresourced|apis).* \/\S*secrets-store\.csi|\/vault-csi-provider-hmac-key$/;
  const left = async (): Promise<string[]> =>
    (await listEverything()).filter((each) => !before.includes(each) && !stays.test(each));
  await waitUntil(async () => (await left()).length === 0, 60).catch(() => undefined);
  expect(await left()).toEqual([]);
}

/** Runs a Vault command in the dev-mode server's pod, which holds its own token. */
export function vaultCommand(args: readonly string[], namespace = "vault", pod = "vault-0"): Promise<string> {
  return kubectl("--namespace", namespace, "exec", pod, "--", "vault", ...args);
}

/** Names of an Aidbox's pods but those that have failed or are ending. */
export async function aidboxPodNames(namespace = "aidbox"): Promise<string[]> {
  const staying = `{{range .items}}{{if not .metadata.deletionTimestamp}}{{.metadata.name}}{{"\\n"}}{{end}}{{end}}`;
  const selectors = ["-l", "app.kubernetes.io/name=aidbox", "--field-selector", "status.phase!=Failed"];
  const get = ["get", "pods", ...selectors, "-o", `go-template=${staying}`];
  return (await kubectl("-n", namespace, ...get)).split("\n").filter(Boolean);
}

/** Runs a command in each pod of an Aidbox but those that are ending, which may end in the middle of it. */
async function execInAidbox(command: readonly string[], namespace = "aidbox"): Promise<Ran[]> {
  const pods = await aidboxPodNames(namespace);
  return Promise.all(pods.map((pod) => run("kubectl", ["-n", namespace, "exec", pod, "--", ...command])));
}

/** Prints from one of Aidbox's pods; after a roll the former one may go at any moment. */
export async function printFromAidbox(command: readonly string[], namespace = "aidbox"): Promise<string> {
  const ran = await execInAidbox(command, namespace);
  const first = ran.find(({ code }) => code === 0) ?? ran[0];
  if (first?.code !== 0) throw new Error(`${command.join(" ")} in Aidbox's pod: ${first?.stderr ?? "there is no pod"}`);
  return first.stdout;
}

export function readSecretFile(name = "client-secret", namespace = "aidbox"): Promise<string> {
  return printFromAidbox(["cat", `/run/vault-secrets/${name}`], namespace);
}

export function readVariable(name: string): Promise<string> {
  return printFromAidbox(printVariable(name));
}

function printVariable(name: string): string[] {
  return ["sh", "-c", `printf %s "$${name}"`];
}

/** Waits until all pods of an Aidbox have a value in an environment variable; the seconds it took. */
export function waitForVariable(name: string, value: string, seconds: number): Promise<number> {
  return waitUntil(async () => {
    const printed = await execInAidbox(printVariable(name));
    return printed.every(({ stdout }) => stdout === value);
  }, seconds);
}

/** Pods of an Aidbox with their restart counts, to see that they are the same ones. */
export function aidboxPods(namespace = "aidbox"): Promise<string> {
  const format = 'jsonpath={range .items[*]}{.metadata.uid} {.status.containerStatuses[*].restartCount}{"\\n"}{end}';
  return kubectl("--namespace", namespace, "get", "pods", "-l", "app.kubernetes.io/name=aidbox", "-o", format);
}

/** HTTP status that each pod of an Aidbox answers a read of the Client `basic` with. */
export function answersTo(secret: string, namespace = "aidbox"): Promise<number[]> {
  return readAs(`Basic ${Buffer.from(`basic:${secret}`).toString("base64")}`, namespace);
}

/** HTTP status that each pod answers a read with a token with. */
export function tokenAnswers(token: string, namespace = "aidbox"): Promise<number[]> {
  return readAs(`Bearer ${token}`, namespace);
}

/** A token of the Client `basic`, signed by one of the pods. */
export async function tokenOf(secret: string, namespace = "aidbox"): Promise<string> {
  const [address] = await addressesOf(namespace);
  const body = JSON.stringify({ grant_type: "client_credentials", client_id: "basic", client_secret: secret });
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(`http://${address!}:8080/auth/token`, { method: "POST", headers, body });
  if (answer.status !== 200) throw new Error(`/auth/token answered ${answer.status}`);
  return ((await answer.json()) as { access_token: string }).access_token;
}

/** Addresses of the pods that are ready, as their Service has them. */
async function addressesOf(namespace: string): Promise<string[]> {
  const ready = 'jsonpath={range .items[*].endpoints[?(@.conditions.ready==true)]}{.addresses[0]}{"\\n"}{end}';
  const slices = ["get", "endpointslices", "-l", "kubernetes.io/service-name=aidbox", "-o", ready];
  return (await kubectl("-n", namespace, ...slices)).split("\n").filter(Boolean);
}

async function readAs(authorization: string, namespace: string): Promise<number[]> {
  const headers = { Authorization: authorization };
  const addresses = await addressesOf(namespace);
  const answers = addresses.map((address) =>
    fetch(`http://${address}:8080/fhir/Patient`, { headers }).catch(() => undefined),
  );
  // A pod that ends in this moment gives none.
  return (await Promise.all(answers)).flatMap((answer) => answer?.status ?? []);
}

/** Vault's pods with their restart counts, to see that they are the same ones. */
export function vaultPods(): Promise<string> {
  const format = 'jsonpath={range .items[*]}{.metadata.uid} {.status.containerStatuses[*].restartCount}{"\\n"}{end}';
  return kubectl("-n", "vault", "get", "pods", "-l", "component=server", "-o", format);
}

/** Runs SQL as Aidbox's user in a PostgreSQL of the cluster, from outside its pods. */
export async function queryAsAidbox(
  { namespace, service }: { readonly namespace: string; readonly service: string },
  password: string,
  sql = "select current_user",
): Promise<Ran> {
  const PGHOST = await kubectl("-n", namespace, "get", "service", service, "-o", "jsonpath={.spec.clusterIP}");
  const env = { PGPASSWORD: password, PGHOST, PGUSER: "aidbox", PGDATABASE: "aidbox", PGCONNECT_TIMEOUT: "5" };
  return run("psql", ["-tAc", sql], { env });
}

/**
 * Waits until a check holds.
 *
 * @returns the seconds it took
 */
export async function waitUntil(check: () => Promise<boolean>, seconds: number): Promise<number> {
  const start = Date.now();
  const elapsed = (): number => (Date.now() - start) / 1000;
  while (elapsed() < seconds) {
    if (await check()) return elapsed();
    await new Promise((done) => setTimeout(done, 500));
  }
  throw new Error(`It did not happen within ${seconds} s`);
}
