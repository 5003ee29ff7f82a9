// For `--require`: has a process that a test starts load TypeScript as the tests do.
require("./own-modules").loadOwnModules();
