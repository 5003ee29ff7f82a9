import { makeStacksFinite } from "../../../infra/program/finite-stacks";

const ofNode = Error as { prepareStackTrace?: (error: Error, frames: NodeJS.CallSite[]) => string };
const own = ofNode.prepareStackTrace;
afterEach(() => {
  ofNode.prepareStackTrace = own;
});

/** The stack of an error whose lines some source map has named so. */
function stackOf(...files: readonly string[]): string {
  ofNode.prepareStackTrace = (error) => [String(error), ...files.map((file) => `    at f (${file}:1:2)`)].join("\n");
  makeStacksFinite();
  makeStacksFinite();
  return String(new Error("refused").stack);
}

test.each([
  ["/app/node_modules/@pulumi/output.ts", "/app/node_modules/@pulumi/./output.ts"],
  ["/app/node_modules/index.ts", "/app/node_modules/./index.ts"],
  ["C:\\app\\node_modules\\@pulumi\\output.ts", "C:\\app\\node_modules\\@pulumi\\.\\output.ts"],
])("a file right below a folder of packages lies in a folder of its own: %s", (file, named) => {
  const lines = stackOf(file, file).split("\n").slice(1);
  // As Node looks for the end of a package's name: one that is not found has it begin anew.
  const [, name = ""] = /node_modules[\\/](@[^\\/]+[\\/])?(.*)/.exec(lines[0]!)!.slice(1);
  expect(name).toMatch(/^[^\\/]*[\\/]/);
  expect(lines).toEqual([`    at f (${named}:1:2)`, `    at f (${named}:1:2)`]);
});

test.each(["/app/node_modules/@pulumi/pulumi/output.js", "/app/node_modules/zod/index.js", "/app/src/node_modules.ts"])(
  "another is as it was: %s",
  (file) => {
    expect(stackOf(file)).toBe(`Error: refused\n    at f (${file}:1:2)`);
  },
);
