import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buildPackages, packageNames } from "./build";

// What a stranger's `npm install` of each package brings, from its tarball: to docs/figures.json.

const folder = mkdtempSync(join(tmpdir(), "sizes-"));
const run = (file: string, args: readonly string[], cwd = folder): string =>
  execFileSync(file, args, { cwd, encoding: "utf8" });
const built = buildPackages(join(folder, "built"));
const packed = JSON.parse(run("npm", ["pack", ...Object.values(built), "--json", "--ignore-scripts"])) as {
  name: string;
  filename: string;
}[];

/** The tarballs of a package, and of those of this repository that it needs. */
function tarballsOf(name: string): string[] {
  const { dependencies = {} } = JSON.parse(readFileSync(join(built[name]!, "package.json"), "utf8")) as {
    dependencies?: object;
  };
  const needed = packed.filter((each) => each.name === name || each.name in dependencies);
  return needed.map(({ filename }) => join(folder, filename));
}

function measure(name: string): { readonly packages: number; readonly megabytes: number } {
  const stranger = join(folder, `with-${name}`);
  mkdirSync(stranger);
  run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", ...tarballsOf(name)], stranger);
  const { packages } = JSON.parse(readFileSync(join(stranger, "node_modules/.package-lock.json"), "utf8")) as {
    packages: Readonly<Record<string, { readonly inBundle?: boolean }>>;
  };
  // As npm counts them: what a package brings inside of itself is a part of it.
  const installed = Object.values(packages).filter(({ inBundle }) => inBundle !== true);
  const kibibytes = Number(run("du", ["-sk", "node_modules"], stranger).split("\t")[0]);
  return { packages: installed.length, megabytes: Math.round(kibibytes / 1024) };
}

const file = join(resolve(__dirname, ".."), "docs/figures.json");
const figures = JSON.parse(readFileSync(file, "utf8")) as object;
const measured = new Date().toISOString().slice(0, 10);
const packages = Object.fromEntries(packageNames.map((name) => [name, { measured, ...measure(name) }]));
writeFileSync(file, JSON.stringify({ ...figures, packages }));
execFileSync("npx", ["prettier", "--write", "--log-level", "warn", file], { stdio: "inherit" });
rmSync(folder, { recursive: true });
console.log(packages);
