// Pulumi's own ts-node would take seconds of every `up` to check types; `npm test` checks them.
const { loadBundled } = require("./bundle");

// Pulumi's own process has loaded its SDK already, and there must be no second one.
module.exports = loadBundled("infra/program.ts", { build: { external: ["@pulumi/*", "pulumi/package.json"] } }).program;
