import { checkEnvironment } from "../../../infra/config/check-environment";
import { rowsOf } from "../../../infra/plan/rows";
import { type Way, waysOf } from "../../../infra/plan/ways";

function ways(paths: readonly string[], source = "seeded"): readonly Way[] {
  const environment = checkEnvironment("dev", {
    development: true,
    kubeContext: "kind-aidbox",
    secrets: paths.map((path, index) => ({ name: `secret-${index}`, path, source })),
    vault: { mode: "dev" },
    aidbox: { image: "healthsamurai/aidboxone:2605" },
  });
  return waysOf(environment).readers[0]!.ways;
}

const told = (some: readonly Way[], room: number): unknown[] =>
  rowsOf(some, room).map(({ ways: own, folder }) => (folder === undefined ? own.length : [folder, own.length]));

test("gives each way a row where there is room", () => {
  expect(told(ways(["a/1", "a/2", "b/1"]), 3)).toEqual([1, 1, 1]);
});

test("groups by folder, the widest that there is room for", () => {
  const paths = ["a/x/1", "a/x/2", "a/y/1", "a/y/2", "b/1", "b/2"];
  expect(told(ways(paths), 3)).toEqual([
    ["a/x/", 2],
    ["a/y/", 2],
    ["b/", 2],
  ]);
  expect(told(ways(paths), 2)).toEqual([
    ["a/", 4],
    ["b/", 2],
  ]);
  expect(told(ways(paths), 1)).toEqual([6]);
});

test("keeps sources apart, also where there is no room", () => {
  const some = [...ways(["a/1", "a/2"]), ...ways(["a/3", "a/4"], "external")];
  expect(rowsOf(some, 1).map(({ source, ways: own }) => [source, own.length])).toEqual([
    ["seeded", 2],
    ["external", 2],
  ]);
});

test("leaves one alone in its folder a way of its own", () => {
  expect(told(ways(["a/1", "b/1", "b/2", "b/3"]), 2)).toEqual([1, ["b/", 3]]);
});

test("loses none", () => {
  const paths = Array.from({ length: 3000 }, (_, index) => `folder-${index % 70}/${index}`);
  const rows = rowsOf(ways(paths), 32);
  expect(rows.length).toBeLessThanOrEqual(32);
  expect(rows.flatMap((row) => row.ways)).toHaveLength(3000);
});
