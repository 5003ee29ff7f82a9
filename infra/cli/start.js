// Runs the command line in a clone: that of the package is `main.js`, compiled by `npm run build`.
const { loadCommandLine } = require("./bundled");

const command = process.argv[2] ?? "";
loadCommandLine(/^[a-z:]+$/.test(command) ? command.replace(":", "-") : "help").main();
