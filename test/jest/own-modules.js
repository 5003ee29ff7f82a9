const { createHash } = require("node:crypto");
const { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } = require("node:fs");
const { basename, join, resolve } = require("node:path");
const Module = require("node:module");

// Has Node load the project's TypeScript, which is compiled once for each text of a file.

const root = resolve(__dirname, "../..");
const cache = join(root, "node_modules/.cache/own-modules");

/** The file of each loaded file's source map. */
const sourceMaps = new Map();
let ofTestFile = sourceMaps;

/** @param known what is looked up for the stack traces of a test file */
exports.tellSourceMaps = (known) => {
  ofTestFile = known;
  for (const [path, map] of sourceMaps) known.set(path, map);
};

/** Everything that the compiled text depends on but the source. */
const { version } = require("typescript/package.json");
const settings = createHash("sha256").update(version);
for (const file of [__filename, join(root, "tsconfig.json")]) settings.update(readFileSync(file));

/** Writes a file that another worker may read or write at the same time. */
function write(file, text) {
  const own = `${file}.${process.pid}`;
  writeFileSync(own, text);
  renameSync(own, file);
}

function compile(source, path, compiled) {
  const ts = require("typescript"); // slow to load, and only for what changed
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  const { outputText, sourceMapText } = ts.transpileModule(source, { fileName: path, compilerOptions: options });
  write(`${compiled}.map`, sourceMapText);
  write(compiled, outputText.replace(/\n\/\/# sourceMappingURL=.*$/, ""));
}

exports.loadOwnModules = () => {
  mkdirSync(cache, { recursive: true });
  Module._extensions[".ts"] = (module, path) => {
    const source = readFileSync(path, "utf8");
    const compiled = join(cache, `${settings.copy().update(basename(path)).update(source).digest("hex")}.js`);
    if (!existsSync(compiled)) compile(source, path, compiled);
    for (const maps of [sourceMaps, ofTestFile]) maps.set(path, `${compiled}.map`);
    module._compile(readFileSync(compiled, "utf8"), path);
  };
};
