// Runs the command line in a clone: that of the package is `main.js`, compiled by `npm run build`.
const { engines } = require("../../package.json");
const { loadCommandLine } = require("./bundled");

const command = process.argv[2] ?? "";
try {
  loadCommandLine(/^[a-z:]+$/.test(command) ? command.replace(":", "-") : "help").main();
} catch (error) {
  if (error.code !== "MODULE_NOT_FOUND") throw error;
  const [missing] = error.message.split("\n");
  console.error(
    `A package is not installed (${missing}). Run \`npm ci\` in the folder of the clone, with Node ${engines.node}.`,
  );
  process.exitCode = 4; // this machine lacks something
}
