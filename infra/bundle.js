// Compiles a TypeScript entry point and all that it imports into one file, and loads that with V8's code cache. Loading
// some 1,500 modules one by one takes a second and a half of every `up`, one file a fraction of that. It is made anew, in
// a second, when a source or the lock file has changed.
const {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} = require("node:fs");
const { createHash } = require("node:crypto");
const { createRequire } = require("node:module");
const { basename, dirname, join, resolve } = require("node:path");
const { Script } = require("node:vm");

const root = resolve(__dirname, "..");
const folder = join(root, "node_modules/.cache/aidbox-secrets");

/**
 * Loads the module of an entry point, as `infra/program/program.ts`. Where no file can be written, its modules are loaded one by one.
 *
 * @param {string} entry
 * @param {object} [options]
 * @param {string} [options.use] what it is loaded for; each use has a code cache of its own, of what it runs
 * @param {import("esbuild").BuildOptions} [options.build] further options of the compiler
 */
function loadBundled(entry, { use = "all", build = {} } = {}) {
  let bundle;
  try {
    bundle = recorded(entry) ?? make(entry, build);
  } catch (error) {
    if (error.syscall === undefined) throw error; // a source does not compile
    require("tsx/cjs");
    return require(join(root, entry));
  }
  return run(bundle, use);
}

function run(bundle, use) {
  const cache = `${bundle}.${use}.cache`;
  const isRecorded = existsSync(cache);
  const script = new Script(readFileSync(bundle, "latin1"), {
    // Where it lies: a code cache keeps the name that it was made with, by whichever link.
    filename: realpathSync(bundle),
    cachedData: isRecorded ? readFileSync(cache) : codeOfAnotherUse(bundle),
  });
  if (!isRecorded || script.cachedDataRejected !== false) {
    // Made at the end of what went well, it holds every function that its use runs.
    process.once("exit", (code) => {
      if (code === 0) writeWhole(cache, script.createCachedData());
    });
  }
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(bundle), module, bundle, dirname(bundle));
  return module.exports;
}

/** What a use begins with that never went well yet: most of what they run is the same. */
function codeOfAnotherUse(bundle) {
  const name = basename(bundle);
  // That of all is the tests' own, whose workers have other options: V8 would refuse it.
  const isOfAnother = (file) => file.startsWith(`${name}.`) && file.endsWith(".cache") && file !== `${name}.all.cache`;
  try {
    const other = readdirSync(dirname(bundle)).find(isOfAnother);
    return other === undefined ? undefined : readFileSync(join(dirname(bundle), other));
  } catch {
    return undefined; // another process has made the file anew meanwhile
  }
}

/** The file that was made of an entry point, unless a source has changed since. */
function recorded(entry) {
  try {
    const { bundle, stamps } = JSON.parse(readFileSync(recordOf(entry), "utf8"));
    const isFresh = Object.entries(stamps).every(([file, stamp]) => stampOf(file) === stamp);
    return isFresh && existsSync(join(folder, bundle)) ? join(folder, bundle) : undefined;
  } catch {
    return undefined; // not made yet, or a source is gone
  }
}

/** Compiles an entry point. @returns the file, named by its content: a code cache of another one would be taken for its own */
function make(entry, options) {
  const started = Date.now();
  const { metafile, outputFiles } = require("esbuild").buildSync({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: join(folder, "bundle.js"),
    write: false,
    bundle: true,
    preserveSymlinks: true, // where node_modules is one, the result is the same
    platform: "node",
    format: "cjs",
    target: "node20",
    minifyWhitespace: true,
    legalComments: "none", // so that it is ASCII
    banner: { js: "(function (exports, require, module, __filename, __dirname) {" },
    footer: { js: "})" },
    metafile: true,
    logLevel: "warning",
    ...options,
  });
  const code = outputFiles.find(({ path }) => path.endsWith(".js"));
  const name = basename(recordOf(entry), ".json");
  const bundle = `${name}.${createHash("sha256").update(code.contents).digest("hex").slice(0, 16)}.js`;
  mkdirSync(folder, { recursive: true });
  const isFormer = (file) => new RegExp(`^${name}\\.\\w{16}\\.js`).test(file) && !file.startsWith(bundle);
  for (const file of readdirSync(folder).filter(isFormer)) rmSync(join(folder, file), { force: true });
  for (const { path, contents } of outputFiles)
    writeWhole(join(folder, path.endsWith(".map") ? `${bundle}.map` : bundle), contents);

  const sources = Object.keys(metafile.inputs).filter((file) => !file.includes("node_modules/"));
  const files = [...sources, "package-lock.json"];
  // One that was changed meanwhile may be in it as it was before.
  if (files.every((file) => statSync(join(root, file)).mtimeMs < started)) {
    const stamps = Object.fromEntries(files.map((file) => [file, stampOf(file)]));
    writeWhole(recordOf(entry), JSON.stringify({ bundle, stamps }));
  }
  return join(folder, bundle);
}

function recordOf(entry) {
  return join(folder, `${entry.replace(/\W/g, "-")}.json`);
}

function stampOf(file) {
  const { mtimeMs, size } = statSync(join(root, file));
  return `${mtimeMs} ${size}`;
}

/** Writes a file that others may read meanwhile. */
function writeWhole(file, content) {
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, content);
  renameSync(temporary, file);
}

module.exports = { loadBundled };
