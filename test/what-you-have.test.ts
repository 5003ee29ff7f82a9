import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

// Each line of the page names the test that shows it.

const root = resolve(__dirname, "..");
const page = readFileSync(join(root, "docs/what-you-have.md"), "utf8");

/** Cells of the table's lines, without heads. A cell may have `\|`. */
const rows = page
  .split("\n")
  .filter((line) => line.startsWith("| ") && !/^[ |-]+$/.test(line) && !line.startsWith("| you have"))
  .map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

test("the page has rows", () => {
  expect(rows.length).toBeGreaterThan(2);
});

test.each(rows)("%s: %s", (_have, _write, done, shown = "") => {
  expect(done).not.toBe("");
  const [, file = "", title = ""] = /^`([^`]+)`: (.+)$/.exec(shown) ?? [];
  expect(existsSync(join(root, file))).toBe(true);
  const source = readFileSync(join(root, file), "utf8");
  expect({ shown, isThere: source.includes(`"${title}"`) }).toEqual({ shown, isThere: title !== "" });
});
