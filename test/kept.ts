import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(__dirname, "..");
/** How long what nobody uses is kept, in milliseconds. */
const unusedMilliseconds = 3_600_000;
const cache = join(root, "node_modules/.cache/kept-for-tests");

/** All files of some folders and files of the clone, but for packages that are installed there. */
function filesOf(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    if (!statSync(join(root, path)).isDirectory()) return [path];
    const inside = readdirSync(join(root, path)).filter((name) => name !== "node_modules");
    return filesOf(inside.map((name) => join(path, name)));
  });
}

/**
 * Brings a folder that depends on nothing but the text of some files of the clone: made the first time, and from then on copied,
 * as Jest does with what it has compiled. Whoever changes one of the files, or a version in `package-lock.json`, has it made anew.
 *
 * @param sources files and folders of the clone
 * @param target where it comes to; absent
 * @param make fills a folder that it is handed
 */
export function bringKept(sources: readonly string[], target: string, make: (folder: string) => void): void {
  const key = createHash("sha256").update(process.version);
  for (const file of filesOf(["package-lock.json", ...sources]).sort()) {
    key
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update("\0");
  }
  const kept = join(cache, key.digest("hex"));
  if (!existsSync(kept)) {
    // Outside of the clone, whose packages would be found from within.
    mkdirSync(target, { recursive: true });
    make(target);
    keep(target, kept);
    return;
  }
  utimesSync(kept, new Date(), new Date());
  cpSync(kept, target, { recursive: true, verbatimSymlinks: true });
}

function keep(made: string, kept: string): void {
  mkdirSync(cache, { recursive: true });
  for (const former of readdirSync(cache).map((name) => join(cache, name))) {
    if (Date.now() - statSync(former).mtimeMs > unusedMilliseconds) rmSync(former, { recursive: true, force: true });
  }
  const own = mkdtempSync(join(cache, "copied-"));
  cpSync(made, own, { recursive: true, verbatimSymlinks: true });
  try {
    renameSync(own, kept);
  } catch {
    rmSync(own, { recursive: true }); // another run was quicker
  }
}
