import { mergePatch, NullInsideError } from "../../../../../constructs/stores/vault/api/merge-patch";

it.each<[from: unknown, to: unknown, patch: unknown]>([
  ["old", "new", "new"],
  [{ a: 1 }, "new", "new"],
  ["old", { a: 1 }, { a: 1 }],
  [undefined, [null], [null]],
  [{ a: 1, b: { c: 2, d: 3 } }, { b: { d: 4 } }, { a: null, b: { c: null, d: 4 } }],
])("from %j to %j it is %j", (from, to, patch) => {
  expect(mergePatch(from, to)).toEqual(patch);
});

it("refuses null, which would delete", () => {
  expect(() => mergePatch({}, { a: { b: null } })).toThrow(NullInsideError);
});
