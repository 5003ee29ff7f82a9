import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Name under which the stack is published; a clone's `package.json` has another. */
const publishedName = "aidbox-secrets-stack";

/** The version of this package, as its own `package.json` has it, in a clone and where it is installed. */
export function ownVersion(): string {
  return ownManifest().version;
}

/** Whether this is the published package, and no clone: its commands begin with `npx`, and its project is not the user's. */
export function isInstalled(): boolean {
  return ownManifest().name === publishedName;
}

/** How to run one of this project's commands, for a text that names it: `npm run NAME`, or `npx aidbox-secrets NAME`. */
export function howToRun(name: string): string {
  return `${isInstalled() ? "npx aidbox-secrets" : "npm run"} ${name}`;
}

let known: { readonly name: string; readonly version: string } | undefined;

function ownManifest(): { readonly name: string; readonly version: string } {
  return (known ??= JSON.parse(readFileSync(manifestAbove(__dirname), "utf8")) as { name: string; version: string });
}

function manifestAbove(folder: string): string {
  const manifest = join(folder, "package.json");
  return existsSync(manifest) || dirname(folder) === folder ? manifest : manifestAbove(dirname(folder));
}
