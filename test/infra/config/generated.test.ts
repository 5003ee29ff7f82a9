import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { stringify } from "yaml";
import { ConfigError } from "../../../infra/config/config-error";
import type { Environment } from "../../../infra/config/environment";
import { readEnvironment } from "../../../infra/config/environment-file";
import { drawPicture } from "../../../infra/plan/picture";
import { recordPlan } from "../../../infra/plan/record";
import { waysOf } from "../../../infra/plan/ways";
import { type Config, mutationsOf, validConfig } from "./generated-config";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "generated-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function readText(text: string): Environment {
  const file = join(folder, "Pulumi.generated.yaml");
  rmSync(file, { force: true }); // a file that is written over waits for the disk
  writeFileSync(file, text);
  return readEnvironment(folder, "generated").environment;
}

function read(config: Config): Environment {
  const prefixed = Object.entries(config).map(([key, value]) => [`aidbox-secrets:${key}`, value] as const);
  return readText(stringify({ config: Object.fromEntries(prefixed) }));
}

/** What is wrong with a config; any other error than of config fails the test. */
function errorOf(action: () => unknown): ConfigError | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  return undefined;
}

// The same at each run, so that what passes here passes elsewhere; another seed tries others.
const runs = { seed: 13, numRuns: 400 };

test("400 valid configs are taken and drawn, and each twentieth is planned whole", async () => {
  const environments: Environment[] = [];
  fc.assert(
    fc.property(validConfig, (config) => {
      const environment = read(config);
      environments.push(environment);
      const { readers } = waysOf(environment);
      expect(readers).toHaveLength(1 + environment.tenants.length);
      expect(drawPicture(waysOf(environment))).toMatch(/^<svg [^]*<\/svg>\n$/);
    }),
    runs,
  );
  expect(environments.length).toBeGreaterThanOrEqual(400);
  for (const environment of environments.filter((_, index) => index % 20 === 0)) {
    const { resources } = await recordPlan(environment);
    expect(resources.map(({ type }) => type)).toContain("vault:index/policy:Policy");
  }
});

const fix = /\b(write|remove|leave|name|give|pin|use|move|look|set|add|rename|mean|put)\b/;
const problem = /^ {2}aidbox-secrets:(.+?)(?: \(line (\d+), column (\d+)\))?: (.+)$/;

test("400 configs with one thing wrong are refused, with key, value, fix, line and column", () => {
  const wrong = validConfig.chain((config) => fc.constantFrom(...mutationsOf(config)));
  fc.assert(
    fc.property(wrong, ({ changed, key, signs }) => {
      const error = errorOf(() => read(changed()));
      const [title, ...lines] = (error?.message ?? "").split("\n");
      expect(title).toBe('The config of environment "generated" (Pulumi.generated.yaml) is not valid:');
      const said = lines.map((line) => problem.exec(line)!);
      expect(said).not.toContain(null);
      const about = said.filter(([, told = ""]) => isNear(told, key)).map(([, , , , message = ""]) => message);
      const named = about.filter((message) => signs.some((sign) => message.includes(sign)));
      expect({ signs, about, isNamed: named.length > 0 }).toEqual({ signs, about, isNamed: true });
      for (const [line, , row, column, message] of said) {
        expect(message).toMatch(fix);
        expect(line).not.toMatch(/undefined|\[object|^ +at /);
        const isAbsent = message!.startsWith("is missing");
        if (!isAbsent) expect([Number(row) > 0, Number(column) > 0]).toEqual([true, true]);
      }
    }),
    runs,
  );
});

/** Whether a key is another, or one above or below it. */
function isNear(one: string, other: string): boolean {
  const below = (key: string, above: string): boolean =>
    key === above || (key.startsWith(above) && /^[.[]/.test(key.slice(above.length)));
  return below(one, other) || below(other, one);
}

test("200 texts and values of any kind end in an error of config, or in an environment", () => {
  const anything = fc.oneof(
    fc.string().map((text) => () => readText(text)),
    fc
      .string({
        unit: fc.constantFrom("config:", "\n", "  ", "- ", "{", "}", "&a ", "*a", "aidbox-secrets:", "x", ": ", "!!"),
      })
      .map((text) => () => readText(text)),
    fc.jsonValue().map((value) => () => readText(stringify(value))),
    fc
      .dictionary(
        fc.constantFrom("secrets", "vault", "aidbox", "tenants", "database", "rolls", "csiDriver", "namespaces"),
        fc.jsonValue(),
      )
      .map((config) => () => read(config)),
    validConfig.chain((config) =>
      fc.tuple(fc.constantFrom(...Object.keys(config)), fc.jsonValue()).map(
        ([key, value]) =>
          () =>
            read({ ...config, [key]: value }),
      ),
    ),
  );
  fc.assert(
    fc.property(anything, (run) => {
      errorOf(run);
    }),
    { ...runs, numRuns: 200 },
  );
});
