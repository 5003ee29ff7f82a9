import { type ChildProcess, spawn } from "node:child_process";
import { createPublicKey, type JsonWebKey } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kubectl, nodeAddress, type Ran, run, succeed, waitUntil } from "./harness";
import { type StrictListener, strictListener } from "./strict-listener";

/** The public keys of the cluster's tokens, PEM. */
export async function signingKeys(): Promise<string[]> {
  const { keys } = JSON.parse(await kubectl("get", "--raw", "/openid/v1/jwks")) as { keys: JsonWebKey[] };
  return keys.map((key) => createPublicKey({ key, format: "jwk" }).export({ type: "spki", format: "pem" }).toString());
}

/** A Vault outside the cluster's pods, with TLS by a CA of its own: a process on its node, in dev mode. */
export class SecondVault {
  private constructor(
    private readonly process: ChildProcess,
    private readonly log: () => string,
    private readonly folder: string,
    /** URL as pods and this machine reach it. */
    public readonly address: string,
    /** The listener that asks who calls. */
    public readonly strict: StrictListener | undefined,
  ) {}

  public static readonly rootToken = "root-of-the-second-vault";

  /** @param strictPort of a listener that answers those alone who show a certificate of `strict.ca`; none where left out */
  public static async start(port: number, strictPort?: number): Promise<SecondVault> {
    const node = await nodeAddress();
    const folder = mkdtempSync(join(tmpdir(), "second-vault-"));
    const listen = [`-dev-listen-address=0.0.0.0:${port}`, `-dev-root-token-id=${SecondVault.rootToken}`];
    const tls = ["-dev-tls", `-dev-tls-san=${node}`, `-dev-tls-cert-dir=${folder}`];
    const strict = strictPort === undefined ? undefined : await strictListener(folder, node, strictPort);
    const listeners = strict === undefined ? [] : [`-config=${strict.config}`];
    const child = spawn("vault", ["server", ...tls, ...listeners, "-dev-no-store-token", ...listen], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    let log = "";
    child.stdout.on("data", (chunk: Buffer) => (log += chunk.toString()));
    const vault = new SecondVault(child, () => log, folder, `https://${node}:${port}`, strict);
    await waitUntil(async () => (await vault.command("status")).code === 0, 20);
    return vault;
  }

  /** CA of its certificate, PEM. */
  public get ca(): string {
    return readFileSync(this.caFile, "utf8");
  }

  /** The config's `vault` of an environment that uses it, by the jwt method at the auth mount `cluster`. */
  public async asExternal(): Promise<Record<string, unknown>> {
    const login = { method: "jwt", mount: "cluster", keys: { publicKeys: await signingKeys() } };
    return { mode: "external", address: this.address, ca: this.ca, login };
  }

  /** Runs Vault's command line against it. */
  public command(...args: string[]): Promise<Ran> {
    return run("vault", args, { env: this.variables });
  }

  /** Runs a command line of Vault's, as an operator copies it, in a shell. */
  public shell(command: string): Promise<string> {
    return succeed("sh", ["-c", command], { env: this.variables });
  }

  public async succeed(args: readonly string[], input?: string): Promise<string> {
    return succeed("vault", args, { env: this.variables, ...(input === undefined ? {} : { input }) });
  }

  /** Unseals it with the key that dev mode prints. */
  public async unseal(): Promise<void> {
    const key = /^Unseal Key: (\S+)$/m.exec(this.log())?.[1] ?? "";
    await this.succeed(["write", "sys/unseal", "key=-"], key);
  }

  public stop(): void {
    this.process.kill("SIGKILL");
    rmSync(this.folder, { recursive: true });
  }

  private get caFile(): string {
    return join(this.folder, "vault-ca.pem");
  }

  /** What its command line needs to reach it with all rights. */
  public get variables(): NodeJS.ProcessEnv {
    return { VAULT_ADDR: this.address, VAULT_CACERT: this.caFile, VAULT_TOKEN: SecondVault.rootToken };
  }
}
