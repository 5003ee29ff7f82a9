import { mkdtempSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "puppeteer-core";
import type { Environment } from "../../../infra/config/environment";
import { writePage } from "../../../infra/plan/page";
import { drawPicture } from "../../../infra/plan/picture";
import { recordPlan } from "../../../infra/plan/record";
import { waysOf } from "../../../infra/plan/ways";
import { findBrowser, startBrowser } from "./browser";
import { longNamed, ofKeyVault, ofOthers, sized } from "./planned-environments";

// What only a browser knows: how wide letters are, which colours a page gets, what keys do.

const executable = findBrowser();
if (executable === undefined) {
  writeSync(2, "SKIPPED browser.test.ts: no Chromium or Chrome on PATH; install one, or set CHROME_PATH\n");
}

const sizes = [1, 7, 50].flatMap((secrets) => [0, 3].map((tenants) => [secrets, tenants] as const));
const environments: [what: string, make: () => Environment][] = [
  ...sizes.map(([secrets, tenants]): [string, () => Environment] => [
    `${secrets} secrets, ${tenants} tenants`,
    () => sized(secrets, tenants),
  ]),
  ["long names", longNamed],
  ["Key Vault", ofKeyVault],
  ["parts of others", ofOthers],
];

const shown = environments.flatMap(([what, make]) => ["light", "dark"].map((scheme) => [what, scheme, make] as const));

(executable === undefined ? describe.skip : describe)("in a browser", () => {
  let browser: Browser;
  let folder: string;
  let page: Page;
  let problems: string[];

  beforeAll(async () => {
    browser = await startBrowser(executable!);
    folder = mkdtempSync(join(tmpdir(), "plan-"));
  });
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });
  async function openTab(): Promise<void> {
    page = await browser.newPage();
    page.on("console", (message) => problems.push(message.text()));
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("request", (request) => {
      if (!request.url().startsWith("file:")) problems.push(`asked for ${request.url()}`);
    });
  }
  beforeEach(() => {
    problems = [];
  });

  async function open(file: string, content: string): Promise<void> {
    writeFileSync(join(folder, file), content);
    await page.goto(pathToFileURL(join(folder, file)).href);
  }

  async function openPage(environment: Environment): Promise<void> {
    await open("plan.html", writePage(await recordPlan(environment), waysOf(environment), environment));
  }

  describe("the picture of", () => {
    beforeAll(openTab); // a tab is a process: pictures take one after another
    afterAll(() => page.close());

    test.each(shown)("%s has all texts within their boxes, and to be read: %s", async (_, scheme, make) => {
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
      await open("plan.svg", drawPicture(waysOf(make())));
      const { texts, leaving, faint } = await page.evaluate(look);
      expect(texts).toBeGreaterThan(10);
      expect(leaving).toEqual([]);
      expect(faint).toEqual([]);
      expect(problems).toEqual([]);
    });

    test("light and dark differ in their ground", async () => {
      const grounds = [];
      for (const value of ["light", "dark"]) {
        await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value }]);
        await open("plan.svg", drawPicture(waysOf(sized(1, 0))));
        grounds.push(await page.$eval(".ground", (ground) => getComputedStyle(ground).fill));
      }
      expect(grounds).toEqual(["rgb(255, 255, 255)", "rgb(13, 17, 23)"]);
    });
  });

  describe("the page", () => {
    beforeEach(openTab);
    afterEach(() => page.close());

    /** Waits until it is open, or closed: a browser tells of a new address a while later. */
    const waitUntilOpen = async (id: string, open = true): Promise<void> => {
      const isSo = (wanted: string, state: boolean): boolean =>
        (document.getElementById(wanted) as HTMLDetailsElement | null)?.open === state;
      await page.waitForFunction(isSo, {}, id, open);
    };

    test("goes from picture to secret to resource by clicks, and asks no network", async () => {
      await openPage(sized(2, 1));
      await page.click('.picture a[href="#secret.tenant-clinic-0.secret-1"] .cell');
      await waitUntilOpen("secret.tenant-clinic-0.secret-1");
      const policy = await page.$('[id="secret.tenant-clinic-0.secret-1"] a ::-p-text(Vault policy aidbox-clinic-0)');
      await policy!.click();
      const target = await page.evaluate(() => decodeURIComponent(location.hash.slice(1)));
      expect(target).toMatch(/^resource\.\d+$/);
      await waitUntilOpen(target);
      expect(await page.$eval(`[id="${target}"]`, (each) => each.checkVisibility())).toBe(true);
      expect(await page.$eval(`[id="${target}"]`, (each) => each.textContent)).toContain(
        "on the way toTenant clinic-0",
      );
      expect(problems).toEqual([]);
    });

    test("goes by keys alone", async () => {
      await openPage(sized(2, 0));
      const inPicture = (): Promise<string | null> => page.evaluate(() => document.activeElement!.getAttribute("href"));
      for (let tabs = 0; tabs < 30 && (await inPicture()) !== "#secret.aidbox.secret-0"; tabs++) {
        await page.keyboard.press("Tab");
      }
      await page.keyboard.press("Enter");
      await waitUntilOpen("secret.aidbox.secret-0");
      const focused = (): Promise<string> => page.evaluate(() => document.activeElement?.textContent ?? "");
      expect(await focused()).toContain("secret-0");
      await page.keyboard.press("Enter");
      await waitUntilOpen("secret.aidbox.secret-0", false);
      await page.keyboard.press("Tab");
      expect(await focused()).toContain("secret-1");
      await page.keyboard.press("Space");
      await waitUntilOpen("secret.aidbox.secret-1");
      await page.keyboard.press("/");
      await page.keyboard.type("secret-1");
      const visible = (): Promise<string[]> =>
        page.$$eval("section details", (all) =>
          all.filter((each) => each.checkVisibility()).map((each) => each.querySelector("summary")!.textContent),
        );
      expect(await visible()).toEqual([
        "secret-1 external secret/data/aidbox/secret-1 → /run/vault-secrets/secret-1",
        "Component vault-access ",
        "Vault policy aidbox reads secret/data/aidbox/secret-0, secret/data/aidbox/secret-1",
      ]);
      await page.keyboard.press("Escape");
      expect((await visible()).length).toBeGreaterThan(5);
      expect(problems).toEqual([]);
    });

    test("each link leads somewhere, and no id is there twice", async () => {
      await openPage(longNamed());
      const { dead, twice } = await page.evaluate(() => {
        const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
        const hrefs = [...document.querySelectorAll("a")].map((each) => each.getAttribute("href") ?? "");
        return {
          dead: hrefs.filter((href) => !ids.includes(href.slice(1))),
          twice: ids.filter((id, index) => ids.indexOf(id) !== index),
        };
      });
      expect({ dead, twice }).toEqual({ dead: [], twice: [] });
    });

    test.each([400, 1280])("is not wider than a window of %i", async (width) => {
      await page.setViewport({ width, height: 800 });
      await openPage(longNamed());
      await page.$$eval("details", (all) => {
        for (const each of all) each.open = true;
      });
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
    });

    test("can be read without its script", async () => {
      await page.setJavaScriptEnabled(false);
      await openPage(sized(2, 0));
      await page.click('[id="secret.aidbox.secret-1"] > summary');
      expect(await page.$eval('[id="secret.aidbox.secret-1"] ol', (each) => each.checkVisibility())).toBe(true);
    });
  });
});

/** Runs in the browser: which texts leave the box that they begin in, and which are hard to tell from it. */
function look(): { texts: number; leaving: string[]; faint: string[] } {
  const luminance = (colour: string): number => {
    const [r = 0, g = 0, b = 0] = (/(\d+), (\d+), (\d+)/.exec(colour) ?? [])
      .slice(1)
      .map((part) => Number(part) / 255)
      .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one: string, other: string): number => {
    const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  };
  const boxes = [...document.querySelectorAll("rect:not(.pile):not(.sign):not(.lane)")].map((rect) => ({
    fill: getComputedStyle(rect).fill,
    area: (rect as SVGGraphicsElement).getBBox(),
  }));
  const all = [...document.querySelectorAll("text")];
  const leaving: string[] = [];
  const faint: string[] = [];
  for (const text of all) {
    const { x, y, width, height } = text.getBBox();
    const around = boxes
      .filter(({ area }) => x >= area.x - 1 && x <= area.x + area.width && y >= area.y && y <= area.y + area.height)
      .sort((a, b) => a.area.width * a.area.height - b.area.width * b.area.height);
    const [inner] = around;
    const words = text.lastChild?.textContent ?? "";
    if (
      inner === undefined ||
      x + width > inner.area.x + inner.area.width ||
      y + height > inner.area.y + inner.area.height
    ) {
      leaving.push(words);
    }
    if (inner !== undefined && contrast(getComputedStyle(text).fill, inner.fill) < 4.5) faint.push(words);
  }
  return { texts: all.length, leaving, faint };
}
