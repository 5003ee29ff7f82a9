import { runInThisContext } from "node:vm";

// Pulumi's SDK takes a stack trace at each of its promises, in case it should never end. Jest looks each line of each trace
// up in source maps, which took two thirds of the time of the suites that deploy.

/** Jest's way to format one; it is that of Node's own realm, which holds where a test's has none. */
const { prepareStackTrace } = runInThisContext("Error") as {
  readonly prepareStackTrace: (error: Error, frames: NodeJS.CallSite[]) => unknown;
};
Error.prepareStackTrace = (error, frames): unknown => {
  const isNote = error.message === "" && frames[0]?.getFileName()?.includes("/@pulumi/pulumi/") === true;
  return isNote ? String(error) : prepareStackTrace(error, frames);
};
