// Compiles a TypeScript entry point and all that it imports into one file, and loads that with V8's code cache. Loading
// some 1,500 modules one by one takes a second and a half of every `up`, one file a fraction of that. It is made anew, in
// a second, when a source or the lock file has changed.
const { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } = require("node:fs");
const { createRequire, Module } = require("node:module");
const { dirname, join, resolve } = require("node:path");
const { Script } = require("node:vm");

const root = resolve(__dirname, "..");
const folder = join(root, "node_modules/.cache/aidbox-secrets");

/** Loads the module of an entry point, as `infra/program.ts`. */
function loadBundled(entry) {
  const bundle = join(folder, `${entry.replace(/\W/g, "-")}.js`);
  if (!isFresh(bundle)) build(entry, bundle);
  return run(bundle);
}

function run(bundle) {
  const cache = `${bundle}.cache`;
  const script = new Script(Module.wrap(readFileSync(bundle, "utf8")), {
    filename: bundle,
    cachedData: existsSync(cache) ? readFileSync(cache) : undefined,
  });
  // Made at the end, it holds every function that ran.
  if (script.cachedDataRejected !== false) process.once("exit", () => writeFileSync(cache, script.createCachedData()));
  const module = { exports: {} };
  const localRequire = createRequire(bundle);
  script.runInThisContext()(module.exports, localRequire, module, bundle, dirname(bundle));
  return module.exports;
}

function isFresh(bundle) {
  try {
    const recorded = JSON.parse(readFileSync(`${bundle}.json`, "utf8"));
    return Object.entries(recorded).every(([file, stamp]) => stampOf(file) === stamp);
  } catch {
    return false; // not made yet, or a source is gone
  }
}

function build(entry, bundle) {
  const temporary = `${bundle}.${process.pid}`;
  mkdirSync(dirname(bundle), { recursive: true });
  const { metafile } = require("esbuild").buildSync({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: temporary,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    // Pulumi's own process has loaded its SDK already, and there must be no second one.
    external: ["@pulumi/*", "pulumi/package.json"],
    minifyWhitespace: true,
    metafile: true,
    logLevel: "warning",
  });
  const sources = Object.keys(metafile.inputs).filter((file) => !file.includes("node_modules/"));
  const stamps = [...sources, "package-lock.json"].map((file) => [file, stampOf(file)]);
  rmSync(`${bundle}.cache`, { force: true });
  renameSync(temporary, bundle);
  writeFileSync(`${bundle}.json`, JSON.stringify(Object.fromEntries(stamps)));
}

function stampOf(file) {
  const { mtimeMs, size } = statSync(join(root, file));
  return `${mtimeMs} ${size}`;
}

module.exports = { loadBundled };
