import { mkdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Writes a CA to the file that Pulumi's Vault provider takes it from. Its path is the same in every run, since another one
 * would show as a change of the provider.
 *
 * @returns the path
 */
export function writeCaFile(owner: string, caCert: string): string {
  const folder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "aidbox-secrets");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `${owner}-vault-ca.pem`);
  writeFileSync(path, caCert, { mode: 0o644 });
  return path;
}
