import { execFileSync, spawnSync } from "node:child_process";
import { inJsonLines, jobInJsonLines } from "../../constructs/json-lines";
import { shellCommand, shellWord } from "../../constructs/shell-command";

const hostile: readonly string[] = [
  "",
  " ",
  "two words",
  " around ",
  "'",
  "it's",
  "''",
  '"double"',
  "\\",
  "back\\slash\\'",
  "$HOME",
  "$(touch /tmp/owned)",
  "`id`",
  "${IFS}",
  "!!",
  "a;b",
  "a&&b",
  "a|b",
  "a>b",
  "a<b",
  "#comment",
  "~",
  "~root",
  "*",
  "?",
  "[a-z]",
  "{a,b}",
  "a\nb",
  "\n",
  "ends\n",
  "a\tb",
  "a\rb",
  "-n",
  "--help",
  "-",
  "--",
  "A=b",
  "ünïcode 日本 🙂",
  "\x1b[31m",
  "x".repeat(64 * 1024),
];

/** The words that a shell makes of a command line. */
function wordsOf(command: string): string[] {
  const program = "process.stdout.write(JSON.stringify(process.argv.slice(1)))";
  const line = `"$NODE" -e "$PROGRAM" -- ${command}`;
  const env = { NODE: process.execPath, PROGRAM: program, HOME: "/nowhere", PATH: "" };
  return JSON.parse(execFileSync("/bin/sh", ["-c", line], { env, encoding: "utf8" })) as string[];
}

test("a shell gives every word back as it was put in", () => {
  expect(wordsOf(shellCommand(...hostile))).toEqual(hostile);
});

test.each([
  "aidbox/client",
  "--context",
  "kind-aidbox",
  "app=a,b=c",
  "https://vault:8200",
  "client_secret=-",
  "50%",
  "a@b",
])("%s needs no quotes, and gets none", (word) => {
  expect(shellWord(word)).toBe(word);
});

test("each line that a script prints becomes a document of JSON, whatever is in it", () => {
  const lines = ["plain", "  around  ", 'say "no"', "back\\slash", "$HOME `id` $(id) %s %d", "é", "tab\there"];
  const script = `cat <<'END'\n${lines.join("\n")}\nEND\necho gone >&2`;
  const printed = execFileSync("sh", ["-c", inJsonLines(script)], { encoding: "utf8" });
  const documents = printed
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { time: string; message: string });
  expect(documents.map(({ message }) => message)).toEqual([...lines.slice(0, -1), "tabhere", "gone"]);
  for (const { time } of documents) expect(new Date(time).toISOString()).toMatch(/T/);
});

test.each([
  ["set -eu\necho begun\nfalse\necho never", 1, ["begun"]],
  ["echo begun\nexit 7", 7, ["begun"]],
  ["echo done # a comment at the end", 0, ["done"]],
])("a script that ends keeps its exit status beside it: %j", (script, status, messages) => {
  const ran = spawnSync("sh", ["-c", jobInJsonLines(script)], { encoding: "utf8" });
  const told = ran.stdout.split("\n").filter(Boolean);
  expect({ status: ran.status, stderr: ran.stderr }).toEqual({ status, stderr: "" });
  expect(told.map((line) => (JSON.parse(line) as { message: string }).message)).toEqual(messages);
});
