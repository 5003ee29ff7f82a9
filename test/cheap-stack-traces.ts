// Pulumi's SDK takes a stack trace at each of its promises, in case it should never end. Jest looks each line of each trace
// up in source maps, which took two thirds of the time of the suites that deploy.

// Jest sets it to 100.
Error.stackTraceLimit = 10;

const mapped = Error.prepareStackTrace.bind(Error);

Error.prepareStackTrace = (error, frames): unknown => {
  const isNote = error.message === "" && frames[0]?.getFileName()?.includes("/@pulumi/pulumi/") === true;
  return isNote ? String(error) : (mapped(error, frames) as unknown);
};
