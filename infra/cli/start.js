// Runs the command line in a clone: that of the package is `main.js`, compiled by `npm run build`.
const { loadBundled } = require("../bundle");

const command = process.argv[2] ?? "";
loadBundled("infra/cli/main.ts", {
  use: /^[a-z:]+$/.test(command) ? command.replace(":", "-") : "help",
  build: {
    external: ["pulumi/package.json"],
    // Pulumi's SDK loads them in half a second, to serialise functions; no resource of this stack has one.
    alias: { typescript: "./infra/cli/not-loaded.js", "@npmcli/arborist": "./infra/cli/not-loaded.js" },
    sourcemap: "external",
    sourcesContent: false,
  },
});
