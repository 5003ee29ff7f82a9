import * as debuggable from "@pulumi/pulumi/runtime/debuggable";

test("an error's stack trace tells its line in the source", () => {
  expect(new Error("so").stack).toMatch(/^Error: so\n +at .*\/test\/cheap-stack-traces\.test\.ts:4:\d+\)?\n/);
});

test("one that Pulumi's SDK notes at a promise is not looked up", () => {
  const { debuggablePromise } = debuggable as unknown as { debuggablePromise: (promise: Promise<void>) => unknown };
  const promise = Promise.resolve();
  debuggablePromise(promise);
  expect(promise).toHaveProperty("_debugStackTrace", "Error");
});
