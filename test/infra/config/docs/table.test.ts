import { readFileSync } from "node:fs";
import { configTable } from "../../../../infra/config/docs/table";

test("the page's config table is the one drawn from the schema (npm run docs)", () => {
  const readme = readFileSync("docs/config.md", "utf8");
  const table = /<!-- config table: npm run docs -->\n\n([\s\S]*?)\n\n<!-- end -->/.exec(readme)?.[1];
  expect(table).toBe(configTable());
});
