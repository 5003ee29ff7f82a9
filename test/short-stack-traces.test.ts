test("an error's stack trace tells its line in the source", () => {
  expect(new Error("so").stack).toMatch(/^Error: so\n +at .*\/test\/short-stack-traces\.test\.ts:2:\d+\)?\n/);
});
