// tsx compiles the program in milliseconds; Pulumi's own ts-node would take seconds of every `up` to check types.
require("tsx/cjs");
module.exports = require("./program").program;
