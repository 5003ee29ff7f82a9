import { runInThisContext } from "node:vm";

// Pulumi's SDK takes a stack trace at each of its promises, in case it should never end. Jest looks each line of each trace
// up in source maps, which took two thirds of the time of the suites that deploy.

/** Jest has its way to format a trace in Node's own realm, which holds where that of the test has none. */
const outer = runInThisContext("Error") as typeof Error;

Error.prepareStackTrace = (error, frames): unknown => {
  const isNote = error.message === "" && frames[0]?.getFileName()?.includes("/@pulumi/pulumi/") === true;
  return isNote ? String(error) : outer.prepareStackTrace(error, frames);
};
