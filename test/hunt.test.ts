import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { Hunt } from "./e2e/hunt";

const mark = "planted0123456789abcdef0123456789";

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const forms: [form: string, text: string][] = [
  ["raw", `before ${mark} after`],
  ["in JSON in JSON", JSON.stringify(JSON.stringify({ value: `"${mark}\n` }))],
  ["in a URL", `https://x/?y=${encodeURIComponent(`${mark} "`)}`],
  ["in hexadecimal", Buffer.from(`x${mark}`).toString("hex")],
  ...["", "a", "ab", "abc"].map((before): [string, string] => [
    `in base64 behind ${before.length} characters`,
    base64(`${before}${mark}\u001b[2J`),
  ]),
  ["in base64url", Buffer.from(`ÿ${mark}?`).toString("base64url")],
];

test.each(forms)("a hunt finds a mark %s", (_, text) => {
  const hunt = new Hunt([mark, "plantedanother0000"]);
  hunt.look("a log", text);
  expect(hunt.findings).toEqual([{ mark, place: "a log" }]);
});

test("a hunt finds nothing where nothing is", () => {
  const hunt = new Hunt([mark]);
  hunt.look("a log", `${mark.slice(0, -4)} ${base64("planted by somebody else")}`);
  expect(hunt.findings).toEqual([]);
});

test("a hunt finds a mark in what Helm keeps of a release, in files, and in processes", async () => {
  const hunt = new Hunt([mark]);
  hunt.lookAtRelease("a release", base64(gzipSync(JSON.stringify({ config: { token: mark } })).toString("base64")));
  const folder = mkdtempSync(join(tmpdir(), "hunt-"));
  writeFileSync(join(folder, "file"), mark);
  hunt.lookAtFiles(folder, 0);
  rmSync(folder, { recursive: true });
  const children: ChildProcess[] = [];
  const run = (name: string, args: string[], env: NodeJS.ProcessEnv): Promise<unknown> => {
    // A shell that waits for its input.
    const child = spawn("/bin/sh", ["-c", "read line", ...args], {
      argv0: name,
      env,
      stdio: ["pipe", "ignore", "ignore"],
    });
    children.push(child);
    return once(child, "spawn");
  };
  await Promise.all([
    run("first", [mark], {}),
    run("second", [], { TOKEN: mark }),
    run("meant", [], { TOKEN: mark, IS_MEANT: "1" }),
  ]);
  const stop = hunt.watchProcesses((environment) => environment.includes("IS_MEANT="), 10);
  for (let waited = 0; waited < 5000 && hunt.findings.length < 4; waited += 10) await sleep(10);
  stop();
  await Promise.all(children.map((child) => (child.stdin!.end(), once(child, "close"))));
  const places = hunt.findings.map(({ place }) => place).sort();
  expect(places).toEqual(
    ["a release", "arguments of first", "environment of second", `file ${join(folder, "file")}`].sort(),
  );
});
