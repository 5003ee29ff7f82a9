import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(__dirname, "..");

/** The text of a page of the documentation. @param page its path from the repository's root */
export function textOf(page: string): string {
  return readFileSync(join(root, page), "utf8");
}

/** A fenced block of a page. */
export interface Block {
  readonly page: string;
  /** The heading of the section that it stands in; empty above the first. */
  readonly heading: string;
  readonly code: string;
  /** The paragraph or comment right above it. */
  readonly above: string;
}

/** The fenced blocks of a page in one language, from its top to its bottom. */
export function blocksOf(page: string, language: string): Block[] {
  const text = textOf(page);
  const found = text.matchAll(new RegExp(`(?:^|\\n)([^\\n]*)\\n\\n\`\`\`${language}\\n([^]*?)\\n\`\`\``, "g"));
  return [...found].map(({ index, 1: above = "", 2: code = "" }) => {
    const [, heading = ""] = [...text.slice(0, index).matchAll(/^##+ (.*)$/gm)].at(-1) ?? [];
    return { page, heading, code, above };
  });
}
