const { loadBundled } = require("../bundle");

/** Loads the command line from one file. @param {string} [use] what it is loaded for */
exports.loadCommandLine = (use) =>
  loadBundled("infra/cli/run-command-line.ts", {
    use,
    build: {
      external: ["pulumi/package.json"],
      // Pulumi's SDK loads them in half a second, to serialise functions; no resource of this stack has one.
      alias: { typescript: "./infra/cli/not-loaded.js", "@npmcli/arborist": "./infra/cli/not-loaded.js" },
      sourcemap: "external",
      sourcesContent: false,
    },
  });
