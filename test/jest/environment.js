const { AsyncLocalStorage } = require("node:async_hooks");
const { tmpdir } = require("node:os");
const { join } = require("node:path");
const { setTimeout: sleep } = require("node:timers/promises");
const vm = require("node:vm");
const { TestEnvironment } = require("jest-environment-node");

// By itself Jest gives each test file a realm of its own, and loads into it all that the file needs: nine tenths of the time
// went there. Here all files of a worker have Node's own realm. So Node loads a package, and a module of the project, once for
// all of them (`loaded-by-node.js`), also an ES module, and an error or an array of theirs is one to the tests too. Modules of
// the tests are loaded anew for each file. `jest.mock` reaches those alone: `jest.spyOn` does the rest.

const shared = new WeakSet();
const { compileFunction, constants } = vm;
const loadedByNode = { importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER };

// Node says of that constant that it is experimental.
const { emitWarning } = process;
process.emitWarning = (warning, ...rest) => {
  if (!String(warning).includes("USE_MAIN_CONTEXT_DEFAULT_LOADER")) emitWarning.call(process, warning, ...rest);
};

vm.compileFunction = (code, parameters, options) =>
  compileFunction(
    code,
    parameters,
    shared.has(options?.parsingContext) ? { ...options, ...loadedByNode, parsingContext: undefined } : options,
  );

/** Node's own, for what is loaded once for all files; in a test file `require` is Jest's, and so is that of `createRequire`. */
globalThis[Symbol.for("aidbox-secrets: require")] = require;

// A storage that was once entered follows each promise from then on, until it is disabled. Jest makes one for each file.
const entered = new Set();
for (const enter of ["run", "enterWith"]) {
  const own = AsyncLocalStorage.prototype[enter];
  AsyncLocalStorage.prototype[enter] = function (...args) {
    entered.add(this);
    return own.apply(this, args);
  };
}

/** Not while this file is loaded: Jest puts the file of `loaded-by-node.js` in the place of a package then. */
function changePackages() {
  // Pulumi's SDK takes a stack trace at each of its promises, in case one never ends; Jest looks each line of it up in source maps.
  require("@pulumi/pulumi/runtime/debuggable").debuggablePromise = (promise) => promise;
  require("@pulumi/pulumi").Resource.callsites = () => []; // and one for each resource, to tell the engine where it was made
  // By itself each app of a test leaves a folder of its own; none writes into it.
  const { App, Testing } = require("cdk8s");
  const outdir = join(tmpdir(), "cdk8s.outdir");
  Testing.app = (props) => new App({ outdir, ...props });
}

const { console: ownConsole } = globalThis;

let known = 0;
const openServers = () => process.getActiveResourcesInfo().filter((kind) => kind === "TCPServerWrap").length;

/** A server that a test leaves open keeps its worker alive: Jest kills that in the end, and does not say why. */
async function assertServersClosed(testPath) {
  for (let waited = 0; openServers() > known && waited < 2000; waited += 50) await sleep(50);
  const left = openServers() - known;
  if (left <= 0) return;
  known += left; // so that the next file is not blamed for them
  throw new Error(`${testPath} leaves ${left} servers open: close each where it is opened`);
}

module.exports = class extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    require("./own-modules").loadOwnModules();
    changePackages();
    require("esbuild"); // it builds in the folder in which it is loaded, and a command in a test may be in another
    this.testPath = context.testPath;
    const { projectConfig } = config;
    const global = globalThis;
    this.global = global;
    shared.add(this.getVmContext());
    // As the class above makes them, for this realm.
    this.moduleMocker = new this.moduleMocker.constructor(global);
    this.fakeTimers = undefined; // the legacy ones
    this.fakeTimersModern = new this.fakeTimersModern.constructor({ config: projectConfig, global });
  }

  async teardown() {
    await super.teardown();
    for (const storage of entered) storage.disable();
    entered.clear();
    globalThis.console = ownConsole; // the runner gives each file one of its own
    // So that the next file's tests are not told to this one's handlers too, and all that it held can go.
    for (const symbol of Object.getOwnPropertySymbols(globalThis)) {
      if (!["EVENT_HANDLERS", "JEST_STATE_SYMBOL"].includes(symbol.description)) continue;
      Reflect.deleteProperty(globalThis, symbol);
    }
    await assertServersClosed(this.testPath);
  }
};
