const { createHash } = require("node:crypto");

// Puts a module as Node itself has it, which is loaded once, in the place of one that each test file would load.
const asNodeHasIt = (path) =>
  `module.exports = globalThis[Symbol.for("aidbox-secrets: require")](${JSON.stringify(path)});`;

module.exports = {
  process: (_source, path) => ({ code: asNodeHasIt(path) }),
  getCacheKey: (_source, path) => createHash("sha256").update(asNodeHasIt(path)).digest("hex"),
};
