import { readFileSync, writeFileSync } from "node:fs";
import { configTable } from "./config/table";

// `npm run docs` puts the config table into the README; a test holds the two together.
const marks = /(<!-- config table: npm run docs -->\n)[\s\S]*?(\n<!-- end -->)/;
const readme = readFileSync("README.md", "utf8");
if (!marks.test(readme)) throw new Error("README.md has no place for the config table");
writeFileSync(
  "README.md",
  readme.replace(marks, (_, before: string, after: string) => `${before}\n${configTable()}\n${after}`),
);
