import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The version of this package, as its own `package.json` has it, in a clone and where it is installed. */
export function ownVersion(): string {
  return (JSON.parse(readFileSync(manifestAbove(__dirname), "utf8")) as { version: string }).version;
}

function manifestAbove(folder: string): string {
  const manifest = join(folder, "package.json");
  return existsSync(manifest) || dirname(folder) === folder ? manifest : manifestAbove(dirname(folder));
}
