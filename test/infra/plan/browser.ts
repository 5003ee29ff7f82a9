import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { runInThisContext } from "node:vm";
import type { Browser, launch } from "puppeteer-core";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

/** Chromium or Chrome of this machine: `CHROME_PATH`, or the first on PATH; undefined where there is none. */
export function findBrowser({ CHROME_PATH, PATH = "" } = process.env): string | undefined {
  if (CHROME_PATH !== undefined && CHROME_PATH !== "") return CHROME_PATH;
  const files = PATH.split(delimiter).flatMap((folder) => names.map((name) => join(folder, name)));
  return files.find((file) => existsSync(file));
}

/** Starts it, without a window. Its sandbox needs a user of its own, which a CI's container has not; the pages are our own. */
export function startBrowser(executablePath: string): Promise<Browser> {
  const node = runInThisContext("process") as NodeJS.Process; // Jest cannot load what a module imports once it needs it
  const puppeteer = node.getBuiltinModule("node:module").createRequire(__filename)("puppeteer-core") as {
    readonly launch: typeof launch;
  };
  return puppeteer.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}
