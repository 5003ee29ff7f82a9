import { execFileSync } from "node:child_process";
import { join, resolve } from "node:path";
import { buildPackages } from "./build";

// What a stranger's tools make of each package as it is published. Both are run by npx: nothing else needs them.
const checks = [
  ["publint@0.3.25", "run", "--strict"],
  ["@arethetypeswrong/cli@0.18.5", "--pack"], // node10, node16 as CommonJS and as ES modules, bundler
];
for (const folder of Object.values(buildPackages(join(resolve(__dirname, ".."), "lib")))) {
  for (const check of checks) execFileSync("npx", ["--yes", ...check, folder], { stdio: "inherit" });
}
