import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { succeed } from "./harness";

/** Somebody with a PGP key, in a keyring of their own. */
export class KeyHolder {
  private constructor(
    private readonly home: string,
    /** The public key, as `gpg --export --armor` writes it. */
    public readonly publicKeyFile: string,
  ) {}

  public static async create(name: string): Promise<KeyHolder> {
    const home = mkdtempSync(join(tmpdir(), "gnupg-"));
    const holder = new KeyHolder(home, join(home, "public.asc"));
    await holder.gpg(["--passphrase", "", "--quick-generate-key", `${name}@keys.example`, "default", "default", "1d"]);
    writeFileSync(holder.publicKeyFile, await holder.gpg(["--armor", "--export"]));
    return holder;
  }

  /** Decrypts a key share as Vault hands it out, base64. */
  public async decrypt(share: string): Promise<string> {
    const file = join(this.home, "share");
    writeFileSync(file, Buffer.from(share, "base64"));
    return this.gpg(["--decrypt", file]);
  }

  public dispose(): void {
    rmSync(this.home, { recursive: true });
  }

  private gpg(args: readonly string[]): Promise<string> {
    return succeed("gpg", ["--homedir", this.home, "--batch", "--quiet", ...args]);
  }
}
