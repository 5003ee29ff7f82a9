import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parse } from "yaml";
import { findPulumi } from "../../infra/cli/pulumi-cli";
import { checkTypes } from "../check-types";
import { PublishedPackages } from "../published-packages";
import { root } from "./harness";
import { hasLanguageHost, languageHostsEnv } from "./language-hosts";

// Examples by Pulumi's own programs and from the packed tarballs. The kubernetes provider renders YAML, so no cluster is needed.

const testYaml = hasLanguageHost("yaml") ? test : test.skip;
const testPython = hasLanguageHost("python") ? test : test.skip;

const folder = mkdtempSync(join(tmpdir(), "languages-e2e-"));
const env = {
  ...process.env,
  PULUMI_BACKEND_URL: pathToFileURL(folder).href,
  PULUMI_CONFIG_PASSPHRASE: "for this test only",
  PULUMI_SKIP_UPDATE_CHECK: "true",
  ...languageHostsEnv,
};
let stranger: string;

function pulumi(cwd: string, ...more: string[]): { readonly code: number | null; readonly said: string } {
  const { file, args } = findPulumi();
  const { status, stdout, stderr } = spawnSync(file, [...args, ...more], { cwd, env, encoding: "utf8" });
  return { code: status, said: `${stdout}\n${stderr}` };
}

function succeed(cwd: string, ...args: string[]): string {
  const { code, said } = pulumi(cwd, ...args);
  if (code !== 0) throw new Error(`pulumi ${args.join(" ")} ended with ${code}:\n${said}`);
  return said;
}

/** The manifests that a program makes, by file. */
function rendered(project: string): Readonly<Record<string, string>> {
  const cwd = join(stranger, project);
  const target = join(folder, `rendered-${project}`);
  succeed(cwd, "stack", "init", "dev");
  succeed(cwd, "config", "set", "kubernetes:renderYamlToDirectory", target, "--stack", "dev");
  expect(succeed(cwd, "up", "--yes", "--skip-preview", "--stack", "dev")).toMatch(/policy *: "path/);
  expect(succeed(cwd, "up", "--yes", "--skip-preview", "--stack", "dev")).toContain("8 unchanged");
  const manifests = join(target, "1-manifest");
  return Object.fromEntries(readdirSync(manifests).map((file) => [file, readFileSync(join(manifests, file), "utf8")]));
}

beforeAll(() => {
  stranger = PublishedPackages.make(folder).installWithExamples("app", [
    "pulumi",
    "@pulumi/policy",
    "typescript",
    "@types/node",
  ]);
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

test("the component has a schema with plain inputs and named outputs", () => {
  const { stdout } = spawnSync(findPulumi().file, [...findPulumi().args, "package", "get-schema", "./component"], {
    cwd: stranger,
    env,
    encoding: "utf8",
  });
  const { resources } = JSON.parse(stdout.slice(stdout.indexOf("{"))) as {
    resources: Record<string, { properties: object; requiredInputs: string[]; isComponent: boolean }>;
  };
  const { properties, requiredInputs, isComponent } = resources["aidbox-components:index:Aidbox"]!;
  expect(isComponent).toBe(true);
  expect(Object.keys(properties)).toEqual(["deployment", "policy", "secretProviderClass", "service"]);
  expect(requiredInputs).toEqual(["image", "namespace", "secrets", "vaultAddress"]);
});

const byLanguage: Record<string, Readonly<Record<string, string>>> = {};

testYaml("a program in YAML makes Aidbox, and a second up changes nothing", () => {
  byLanguage.yaml = rendered("yaml");
  expect(Object.keys(byLanguage.yaml)).toHaveLength(5);
  const [deployment] = Object.keys(byLanguage.yaml).filter((file) => file.includes("deployment"));
  expect(parse(byLanguage.yaml[deployment!]!)).toMatchObject({ metadata: { name: "aidbox", namespace: "aidbox" } });
});

testPython("a program in Python does, with an SDK that pulumi makes of the component", () => {
  const cwd = join(stranger, "python");
  succeed(cwd, "install");
  const sdk = readFileSync(join(cwd, "sdks/aidbox-components/pulumi_aidbox_components/aidbox.py"), "utf8");
  expect(sdk).toMatch(/def secret_provider_class\(self\) -> pulumi\.Output\[.*str\]/);
  byLanguage.python = rendered("python");
  expect(byLanguage.python).toEqual(byLanguage.yaml ?? byLanguage.python);
});

test("`pulumi new` makes a program of the template that type-checks", () => {
  const args = [
    "--generate-only",
    "--yes",
    "--name",
    "clinic",
    "--description",
    "The clinic's Aidbox",
    "--dir",
    "clinic",
  ];
  succeed(stranger, "new", join(root, "examples/template"), ...args);
  const clinic = join(stranger, "clinic");
  expect(parse(readFileSync(join(clinic, "Pulumi.yaml"), "utf8"))).toMatchObject({
    name: "clinic",
    description: "The clinic's Aidbox",
    runtime: { name: "nodejs" },
  });
  expect(readFileSync(join(clinic, "package.json"), "utf8")).toContain('"name": "clinic"');
  const { compilerOptions } = JSON.parse(readFileSync(join(clinic, "tsconfig.json"), "utf8")) as {
    compilerOptions: object;
  };
  const typeRoots = [join(root, "node_modules/@types")];
  expect(checkTypes(clinic, ["index.ts"], { ...compilerOptions, typeRoots, noEmit: true })).toBe("");
});

test("`pulumi preview --policy-pack` refuses a plain secret and an image without a digest, and takes what is in order", () => {
  cpSync(join(root, "examples/programs/policy-pack"), join(stranger, "policy-pack"), { recursive: true });
  const cwd = join(stranger, "web");
  cpSync(join(root, "test/e2e/policy-pack-program"), cwd, { recursive: true });
  succeed(cwd, "stack", "init", "dev");
  const preview = (image: string, password: string): { readonly code: number | null; readonly said: string } => {
    succeed(cwd, "config", "set", "image", image, "--stack", "dev");
    succeed(cwd, "config", "set", "password", password, "--stack", "dev");
    return pulumi(cwd, "preview", "--stack", "dev", "--policy-pack", "../policy-pack");
  };
  const refused = preview("nginx:1.29", "swordfish");
  expect(refused.code).not.toBe(0);
  expect(refused.said).toContain("web: API_KEY holds a secret in plain text");
  expect(refused.said).toContain("web: nginx:1.29 has no digest");
  const taken = preview(`nginx@sha256:${"0".repeat(64)}`, "");
  expect(taken).toMatchObject({ code: 0 });
});
