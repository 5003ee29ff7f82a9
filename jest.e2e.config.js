/** @type {import("jest").Config} */
module.exports = {
  ...require("./jest.config.js"),
  maxWorkers: 1, // they share one cluster
  testMatch: ["<rootDir>/test/e2e/**/*.e2e.ts"],
  setupFiles: [], // they deploy the environments as they are delivered
  testPathIgnorePatterns: ["/node_modules/"],
  testTimeout: 15 * 60 * 1000,
  bail: 1,
};
