const { createRequire } = require("node:module");
const { default: runWithCircus } = require("jest-circus/runner");
const { tellSourceMaps } = require("./own-modules");

// Jest loads its own libraries anew for each test file too. What they keep of a file they keep in its global object, so one
// load serves them all; jest-circus itself keeps the file's tests.
module.exports = (globalConfig, config, environment, runtime, ...others) => {
  const own = runtime.requireInternalModule.bind(runtime);
  runtime.requireInternalModule = (from, to) =>
    to === undefined || to.startsWith(".") ? own(from, to) : createRequire(from)(to);
  tellSourceMaps(runtime.getSourceMaps());
  return runWithCircus(globalConfig, config, environment, runtime, ...others);
};
