import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { writePage } from "../../../infra/plan/page";
import { recordPlan } from "../../../infra/plan/record";
import { waysOf } from "../../../infra/plan/ways";
import { findBrowser, startBrowser } from "./browser";
import { documented, drawDocumented, pictures } from "./documented-pictures";

// `npm run docs:pictures`: writes the pictures of the documentation, and takes those of the page in a browser.

async function takePage(): Promise<void> {
  const executable = findBrowser();
  if (executable === undefined) throw new Error("no Chromium or Chrome on PATH: install one, or set CHROME_PATH");
  const environment = documented("production");
  const folder = mkdtempSync(join(tmpdir(), "page-"));
  const browser = await startBrowser(executable);
  try {
    const file = join(folder, "plan.html");
    writeFileSync(file, writePage(await recordPlan(environment), waysOf(environment), environment));
    const page = await browser.newPage();
    await page.setViewport({ width: 1280, height: 960 });
    for (const value of ["light", "dark"]) {
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value }]);
      await page.goto(`${pathToFileURL(file).href}#secret.aidbox.license`);
      await page.screenshot({ path: join(pictures, `page-${value}.png`), optimizeForSpeed: false });
    }
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true });
  }
}

mkdirSync(pictures, { recursive: true });
for (const name of ["dev", "tenants"] as const) writeFileSync(join(pictures, `plan-${name}.svg`), drawDocumented(name));
void takePage();
