import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createServer } from "node:net";
import { promisify } from "node:util";
import { Duration } from "cdk8s";
import { VaultClient } from "../../constructs/stores/vault";

/** A real Vault on this machine, in dev mode: it needs the program `vault`, and no cluster. */
export class DevVault {
  public static readonly rootToken = "root-of-the-dev-vault";
  public readonly root: VaultClient;

  private constructor(
    private readonly process: ChildProcess,
    public readonly address: string,
  ) {
    this.root = this.as(DevVault.rootToken);
  }

  /** @param configs files of Vault's config, beside what dev mode has */
  public static async start(...configs: readonly string[]): Promise<DevVault> {
    const listen = `127.0.0.1:${await freePort()}`;
    const options = [
      "-dev-no-store-token",
      `-dev-root-token-id=${DevVault.rootToken}`,
      `-dev-listen-address=${listen}`,
      ...configs.map((file) => `-config=${file}`),
    ];
    const vault = new DevVault(spawn("vault", ["server", "-dev", ...options], { stdio: "ignore" }), `http://${listen}`);
    await vault.root.waitUntilUsable(Duration.seconds(30));
    return vault;
  }

  public as(token: string): VaultClient {
    return new VaultClient({ address: this.address, token });
  }

  /** A client whose token has one policy alone. */
  public async withPolicy(policy: string): Promise<VaultClient> {
    await this.root.request("PUT", "sys/policies/acl/of-the-test", { body: { policy } });
    const made = await this.root.request("POST", "auth/token/create", {
      body: { policies: ["of-the-test"], no_default_policy: true },
    });
    return this.as((made as { auth: { client_token: string } }).auth.client_token);
  }

  /** Runs a command line of Vault's, as an operator copies it, in a shell. */
  public async shell(command: string, input = ""): Promise<string> {
    const env = { PATH: process.env.PATH, VAULT_ADDR: this.address, VAULT_TOKEN: DevVault.rootToken };
    const running = promisify(execFile)("sh", ["-c", command], { env });
    running.child.stdin?.end(input);
    return (await running).stdout;
  }

  public stop(): void {
    this.process.kill();
  }
}

/** A TCP port of 127.0.0.1 that nobody has. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
