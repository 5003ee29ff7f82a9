import { readFileSync, writeFileSync } from "node:fs";
import { configTable } from "./table";

// `npm run docs` puts the config table into its page; a test holds the two together.
const page = "docs/config.md";
const marks = /(<!-- config table: npm run docs -->\n)[\s\S]*?(\n<!-- end -->)/;
const text = readFileSync(page, "utf8");
if (!marks.test(text)) throw new Error(`${page} has no place for the config table`);
writeFileSync(
  page,
  text.replace(marks, (_, before: string, after: string) => `${before}\n${configTable()}\n${after}`),
);
