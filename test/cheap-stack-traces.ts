// Pulumi's SDK takes a stack trace at each of its promises, in case it should never end. Jest looks each line of each trace
// up in source maps, which took two thirds of the time of the suites that deploy.

const format: (error: Error, frames: NodeJS.CallSite[]) => unknown = Error.prepareStackTrace.bind(Error);
Error.prepareStackTrace = (error, frames): unknown => {
  const isNote = error.message === "" && frames[0]?.getFileName()?.includes("/@pulumi/pulumi/") === true;
  return isNote ? String(error) : format(error, frames);
};
