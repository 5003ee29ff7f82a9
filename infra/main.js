// Pulumi hands the config over decrypted, in a variable. Its SDK keeps what it read there, and no child process is to have it.
require("@pulumi/pulumi").runtime.allConfig();
delete process.env.PULUMI_CONFIG;

// Pulumi's own ts-node would take seconds of every `up` to check types; `npm test` checks them.
const { loadBundled } = require("./bundle");

// Pulumi's own process has loaded its SDK already, and there must be no second one.
module.exports = loadBundled("infra/program/program.ts", {
  build: { external: ["@pulumi/*", "pulumi/package.json"] },
}).program;
