import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseAllDocuments } from "yaml";
import type { VaultEnvironment } from "../infra/config/environment";
import { readEnvironment } from "../infra/config/environment-file";
import { recordPlan } from "../infra/plan/record";
import { writeYaml } from "../infra/stack/write-yaml";
import { ofVault } from "./infra/vault-environment";

const folder = resolve(__dirname, "../examples/environments");
const names = readdirSync(folder).flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []);

const chartsDir = process.env.CHARTS_DIR;
const cwd = process.cwd();
let written: string;
beforeAll(() => {
  delete process.env.CHARTS_DIR;
  written = mkdtempSync(join(tmpdir(), "examples-"));
  process.chdir(written); // `synth` writes to where it runs
});
afterAll(() => {
  process.chdir(cwd);
  rmSync(written, { recursive: true });
  if (chartsDir !== undefined) process.env.CHARTS_DIR = chartsDir;
});

const read = (name: string): VaultEnvironment => ofVault(readEnvironment(folder, name).environment);

test("each scenario has an example", () => {
  expect(names.sort()).toEqual(expect.arrayContaining(["external-vault", "ingress", "production", "tenants"]));
});

describe.each(names)("the example %s", (name) => {
  test("says in its first lines what it is, and is named beside the others", () => {
    expect(readFileSync(join(folder, `Pulumi.${name}.yaml`), "utf8")).toMatch(/^# \S.{20,}/);
    expect(readFileSync(join(folder, "README.md"), "utf8")).toContain(`(Pulumi.${name}.yaml)`);
  });

  test("is for production: no key allows what is unsafe", () => {
    const { development, allowPlaintext, vault } = read(name);
    expect({ development, allowPlaintext }).toEqual({ development: false, allowPlaintext: [] });
    expect(vault.mode).not.toBe("dev");
  });

  test("has this plan", async () => {
    const { resources } = await recordPlan(read(name));
    expect(resources.map(({ type, name: each }) => `${type} ${each}`).sort()).toMatchSnapshot();
  });

  test("has this YAML, which holds no secret", () => {
    const outdir = writeYaml(read(name));
    const objects = readdirSync(outdir).flatMap((file) =>
      parseAllDocuments(readFileSync(join(outdir, file), "utf8")).map(
        (document) => document.toJS() as { kind: string; metadata: { name: string; namespace?: string } },
      ),
    );
    expect(objects.map(({ kind }) => kind)).not.toContain("Secret");
    // What stands in each object is the constructs' to test.
    const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ""}/${metadata.name}`);
    expect(names.sort()).toMatchSnapshot();
  });
});
