import { closeSync, fsyncSync, linkSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";

/** Writes a file that only its owner reads, in the place of the one that is there; at no moment is there a part of it. */
export function replaceFile(path: string, text: string): void {
  const temporary = writeBeside(path, text);
  renameSync(temporary, path);
}

/** Writes a file that only its owner reads, whole, where there is none; one that is there, or that another makes meanwhile, stays. */
export function makeFileOnce(path: string, text: string): void {
  const temporary = writeBeside(path, text);
  try {
    linkSync(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(temporary);
  }
}

function writeBeside(path: string, text: string): string {
  const temporary = `${path}.${process.pid}`;
  const file = openSync(temporary, "w", 0o600);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return temporary;
}
