import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { packageNames } from "../packages/build";
import { type Figures, figuresFile, measurementsPage, tableOf, testedWith, withTable } from "./figures";

const figures = JSON.parse(readFileSync(figuresFile, "utf8")) as Figures;
const page = readFileSync(measurementsPage, "utf8");

/** The cells of a page's first table, without the line below its head. */
function cellsIn(text: string): string[][] {
  const lines = /^\|[^]*?\|\n(?=\n)/m.exec(text)![0].trim().split("\n");
  const cells = lines.map((line) =>
    line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim()),
  );
  return cells.filter(([first]) => !/^-+$/.test(first!));
}

test("the page of measurements tells the figures of the file", () => {
  expect(cellsIn(page)).toEqual(tableOf(figures));
  expect(page.replace(/\s+/g, " ")).toContain(`On ${figures.cores === 2 ? "two" : figures.cores} cores`);
});

test("the page of the constructs tells what each package brings, as it was measured", () => {
  const page = readFileSync(join(resolve(__dirname, ".."), "docs/constructs.md"), "utf8").replace(/ +/g, " ");
  expect(Object.keys(figures.packages)).toEqual(packageNames);
  for (const [name, { packages, megabytes, measured }] of Object.entries(figures.packages)) {
    expect(page).toMatch(new RegExp(`\\| \`${name}\` \\| ${packages} \\| ${megabytes} \\| [^|]+ \\| ${measured} \\|`));
  }
});

test("README names the versions of the file", () => {
  expect(readFileSync(join(resolve(__dirname, ".."), "README.md"), "utf8")).toContain(testedWith(figures));
});

test("new figures take the place of the old ones, and nothing else of the page changes", () => {
  const newer: Figures = {
    ...figures,
    figures: { ...figures.figures, noOp: { measured: "2027-01-02", seconds: 1.5, beside: "3 s", ratio: 0.5 } },
  };
  const changed = withTable(page, newer);
  expect(cellsIn(changed)).toEqual(tableOf(newer));
  expect(cellsIn(changed)[3]).toEqual([
    "a no-op `pulumi up`",
    "1.5 s",
    "an empty Pulumi TypeScript program, not type-checked: 3 s",
    "0.5",
    "2027-01-02",
  ]);
  const rest = (text: string): string => text.replace(/^\|.*\n/gm, "");
  expect(rest(changed)).toBe(rest(page));
});

test("a figure that the file lacks is named", () => {
  expect(() => tableOf({ ...figures, figures: {} })).toThrow("lacks fromEmpty");
});
