const { existsSync } = require("node:fs");

/** Azure's SDK, which a plain `npm ci` does not bring; `npm run azure:install` does. */
const hasAzurePackages = existsSync(
  `${__dirname}/constructs/stores/azure-key-vault/node_modules/@azure/keyvault-secrets`,
);

/** The examples import the packages by name, as strangers do. */
const packageEntries = ["aidbox-secrets", "aidbox-secrets-stack", "cdk8s-pulumi"].flatMap((name) =>
  Object.entries(require(`./packages/${name}.json`).exports)
    .filter(([entry]) => !entry.includes("*"))
    .map(([entry, file]) => [`^${name}${entry.slice(1)}$`, `<rootDir>/${file}`]),
);

/** @type {import("jest").Config} */
module.exports = {
  cacheDirectory: "<rootDir>/node_modules/.cache/jest",
  // By default one core is left over; on two that is half of them.
  maxWorkers: "100%",
  // A test that hangs fails after five minutes. Jest's own five seconds fail sound ones where other work holds the machine.
  testTimeout: 300_000,
  testEnvironment: "<rootDir>/test/jest/environment.js",
  testRunner: "<rootDir>/test/jest/runner.js",
  testSequencer: "<rootDir>/test/jest/sequencer.js",
  setupFiles: ["<rootDir>/test/forbid-own-environments.ts"],
  setupFilesAfterEnv: ["<rootDir>/test/short-stack-traces.ts"],
  moduleNameMapper: Object.fromEntries(packageEntries),
  testMatch: ["<rootDir>/test/**/*.test.ts"],
  testPathIgnorePatterns: [
    "/node_modules/",
    "<rootDir>/test/e2e/",
    ...(hasAzurePackages ? [] : ["\\.azure\\.test\\.ts$"]),
  ],
  transform: {
    // Types are checked once for everything by `tsc`, so each file is only compiled here.
    [`^${__dirname}/(bridge|constructs|imports|infra|packages)/.*\\.ts$`]: "<rootDir>/test/jest/loaded-by-node.js",
    "\\.ts$": ["ts-jest", { tsconfig: "tsconfig.json", diagnostics: false }],
    "/node_modules/.*\\.[cm]?js$": "<rootDir>/test/jest/loaded-by-node.js",
  },
  // What Jest gives to each test file must be that file's own.
  transformIgnorePatterns: ["/node_modules/(@jest|jest-[\\w-]+|expect)/"],
};
