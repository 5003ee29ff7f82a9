import { createHash } from "node:crypto";
import { pageScript, pageStyle } from "./page-assets";
import { escapeXml } from "./svg";

/**
 * One HTML page that loads nothing, and runs no script but its own.
 *
 * @param body lines of what it shows
 * @param style what it adds to how all pages look
 */
export function htmlPage(title: string, body: readonly string[], style = ""): string {
  return [
    "<!doctype html>",
    '<html lang="en">',
    "<head>",
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src '${hashOf(pageScript)}'">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escapeXml(title)}</title>`,
    `<style>${pageStyle}${style}</style>`,
    "</head>",
    "<body>",
    ...body,
    `<script>${pageScript}</script>`,
    "</body>",
    "</html>",
    "",
  ].join("\n");
}

function hashOf(script: string): string {
  return `sha256-${createHash("sha256").update(script).digest("base64")}`;
}
