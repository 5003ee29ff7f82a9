type PrepareStackTrace = (error: Error, frames: NodeJS.CallSite[]) => unknown;

const ofNode = Error as { prepareStackTrace?: PrepareStackTrace };
const isFinite = Symbol.for("aidbox-secrets: finite stacks");

/**
 * Has no line of an error's stack end in a file right below `node_modules` or below a scope in it, as `node_modules/@pulumi/output.ts`,
 * which Pulumi's source maps make of its `output.js`. Pulumi prints an error in colours, and Node's `util.inspect` never comes to
 * the end of such a line: it takes 4 GB and 20 s until no longer text can be, at each `up` that fails within an output. Measured with
 * Node 20.20.2, 22.22.0, 22.23.3 and 24.9.0; 20.19.0, 24.21.0 and 26.12.1 are in order.
 */
export function makeStacksFinite(): void {
  const { prepareStackTrace } = ofNode;
  // Pulumi's own process has one, of source-map-support; without it no name is mapped.
  if (prepareStackTrace === undefined || isFinite in prepareStackTrace) return;
  const finite: PrepareStackTrace = (error, frames) => {
    const stack = prepareStackTrace(error, frames);
    if (typeof stack !== "string") return stack;
    return stack.replace(/([\\/])node_modules\1(?:@[^\\/\n]+\1)?(?=[^@\\/\n][^\\/\n]*$)/gm, "$&.$1");
  };
  ofNode.prepareStackTrace = Object.assign(finite, { [isFinite]: true });
}
