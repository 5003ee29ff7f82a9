import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageNames } from "../../packages/build";
import { runTsc } from "../check-types";
import { PublishedPackages } from "../published-packages";
import { exampleOf, newerProgram, pulumiProgram, yamlProgram } from "../stranger-programs";
import { typescriptVersions } from "../typescript-versions";
import { root } from "./harness";

// Programs and declarations of the packed tarballs by each version of TypeScript that the documentation names. npm brings the
// versions; no cluster is needed.

const folder = mkdtempSync(join(tmpdir(), "typescript-versions-e2e-"));
const versions = [...new Set(Object.values(typescriptVersions).flat())].sort();
const aliasOf = (version: string): string => `typescript-${version}`;

/** Programs of each package; those of `.mts` are ES modules. */
const programs: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "aidbox-secrets": { "yaml.ts": yamlProgram(), "newer.ts": newerProgram, "yaml.mts": yamlProgram() },
  "cdk8s-pulumi": { "bridge.ts": exampleOf("cdk8s-pulumi.md"), "bridge.mts": exampleOf("cdk8s-pulumi.md") },
  "aidbox-secrets-stack": { "stack.ts": pulumiProgram, "stack.mts": pulumiProgram },
};

const resolutions = [
  { module: "commonjs", moduleResolution: "node10" },
  { module: "node16" },
  { module: "nodenext" },
  { module: "esnext", moduleResolution: "bundler" },
] as const;
const isNode10 = (resolution: object): boolean =>
  "moduleResolution" in resolution && resolution.moduleResolution === "node10";
let stranger: string;

beforeAll(() => {
  const aliases = versions.map((version) => `${aliasOf(version)}@npm:typescript@${version}`);
  const install = ["install", "--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts", ...aliases];
  execFileSync("npm", install, { timeout: 300_000 }); // without a registry npm itself waits for much longer
  stranger = PublishedPackages.make(folder).install("app", packageNames, ["cdk8s-plus-33"]);
  for (const [file, text] of Object.values(programs).flatMap((each) => Object.entries(each))) {
    writeFileSync(join(stranger, file), text);
  }
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe.each(versions)("TypeScript %s", (version) => {
  const packages = packageNames.filter((name) => typescriptVersions[name]!.includes(version));
  const major = Number(version.split(".")[0]);

  const known = resolutions.filter((each) => major < 7 || !isNode10(each)); // which 7 has no longer

  test.each(known)(`${packages.join(", ")}: $module $moduleResolution`, (resolution) => {
    const files = packages
      .flatMap((name) => Object.keys(programs[name]!))
      .filter((file) => resolution.module.startsWith("node") || !file.endsWith(".mts"));
    const said = runTsc(
      stranger,
      files,
      {
        ...resolution,
        ...(major === 6 && isNode10(resolution) ? { ignoreDeprecations: "6.0" } : {}),
        target: "ES2022",
        strict: true,
        noEmit: true,
        skipLibCheck: false,
        types: ["node"],
        typeRoots: [join(root, "node_modules/@types")],
      },
      join(folder, "node_modules", aliasOf(version), "bin/tsc"),
    );
    // Errors in the declarations of others are theirs.
    expect(said.filter((line) => !/^(\.\.\/)+\S*node_modules\//.test(line))).toEqual([]);
  });
});
