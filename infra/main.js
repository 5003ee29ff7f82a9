// Pulumi's own ts-node would take seconds of every `up` to check types; `npm test` checks them.
module.exports = require("./bundle").loadBundled("infra/program.ts").program;
