import { execFileSync, spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Command } from "commander";
import { parse } from "yaml";
import { commandLine } from "../infra/cli/command-line";
import { checkEnvironment } from "../infra/config/check-environment";
import { ownKeys } from "../infra/config/project";
import { Checkout } from "./infra/cli/checkout";
import { type Block, blocksOf, textOf } from "./page-blocks";

// What a page of documentation says must hold: its commands run in a test, or a line above them says that and why they do
// not; its config is taken; its links lead somewhere.

const root = resolve(__dirname, "..");
const pages = [
  ...readdirSync(root),
  ...["docs", "packages", "examples", "examples/environments"].flatMap((folder) =>
    readdirSync(join(root, folder)).map((file) => `${folder}/${file}`),
  ),
].filter((file) => file.endsWith(".md"));

const testFiles = new Set(
  readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" }).map((file) => basename(file)),
);

const blocks = pages.flatMap((page) => blocksOf(page, "sh"));
const runsIn = ({ above }: Block): string | undefined => /^<!-- runs in (\S+) -->$/.exec(above)?.[1];
const runsHere = blocks.filter(({ above }) => above === "<!-- runs here -->");

test("README is short, and names the command that tests the project", () => {
  expect(textOf("README.md").split("\n").length).toBeLessThanOrEqual(150);
  expect(textOf("README.md")).toContain("\nnpm test\n");
});

test.each(["README.md", "docs/first-secret.md"])(
  "%s installs what its commands need before the first of them",
  (page) => {
    const [first] = blocksOf(page, "sh");
    expect(first!.code).toBe("npm ci");
  },
);

test.each(blocks)("of the commands of $page it is said where they run: $code", (block) => {
  const isMarked = runsIn(block) !== undefined || runsHere.includes(block) || /^_Not run\b.+\._/.test(block.above);
  expect({ above: block.above, isMarked }).toEqual({ above: block.above, isMarked: true });
});

test("no block of commands goes without a language, by which it would go unseen", () => {
  for (const page of pages.filter((each) => each !== "docs/first-up.md" && each !== "docs/checkers.md")) {
    const fences = textOf(page).match(/^```.*$/gm) ?? [];
    expect({ page, opened: fences.filter((_, index) => index % 2 === 0) }).not.toEqual({
      page,
      opened: expect.arrayContaining(["```"]) as string[],
    });
    const known = blocksOf(page, "\\w+").length;
    expect({ page, known }).toEqual({ page, known: fences.length / 2 });
  }
});

test.each(pages)("what %s writes to a file or pipes on begins with no banner of npm", (page) => {
  const lines = blocksOf(page, "sh").flatMap(({ code }) => code.replaceAll("\\\n", " ").split("\n"));
  const feeding = lines.filter((line) => /\bnpm (run|start|test)\b[^|>]*[|>]|<\(npm /.test(line));
  expect(feeding.filter((line) => !/ (--silent|-s) /.test(line))).toEqual([]);
});

test.each(blocks.filter((block) => runsIn(block) !== undefined))("$page: a test runs $code", (block) => {
  const file = readFileSync(join(root, runsIn(block)!), "utf8");
  if (file.includes(`blocksOf("${block.page}", "sh")`)) return; // it fails where one of the page's is left out
  for (const { name } of ownCommandsIn(block.code)) {
    expect({ name, runs: new RegExp(`["'\`]${name}["'\`]|npm (run )?${name}\\b|check "${name}"`).test(file) }).toEqual({
      name,
      runs: true,
    });
  }
});

test.each(pages)("what %s has written into the clone is no file of the project's: git leaves it out", (page) => {
  const ignored = textOf(".gitignore").split("\n");
  const written = blocksOf(page, "sh").flatMap(({ code }) =>
    [...code.matchAll(/ > ([\w.-]+)(?= |$)/gm)].map(([, file = ""]) => file),
  );
  const isLeftOut = (file: string): boolean =>
    ignored.includes(`/${file}`) || ignored.includes(`/*${file.slice(file.lastIndexOf("."))}`);
  expect(written.filter((file) => !isLeftOut(file))).toEqual([]);
});

interface OwnCommand {
  readonly name: string;
  readonly args: readonly string[];
}

/** The calls of this project's own scripts in a text. */
function ownCommandsIn(text: string): OwnCommand[] {
  const calls = text
    .replaceAll("\\\n", " ")
    .matchAll(/npm (?:run(?: --silent| -s)? |(?=start|test))([a-z:0-9]+)((?: [^\n|>&`;]*)?)/g);
  return [...calls].map(([, name = "", rest = ""]) => {
    const args = rest.replace(/ #.*$/, "").trim().split(/\s+/).filter(Boolean);
    return { name, args: args[0] === "--" ? args.slice(1) : args };
  });
}

const { scripts } = JSON.parse(textOf("package.json")) as { scripts: Record<string, string> };
const commands = new Map(commandLine().commands.map((command) => [command.name(), command]));

function commandOf({ name }: OwnCommand): Command | undefined {
  return commands.get(/start\.js (\S+)$/.exec(scripts[name] ?? "")?.[1] ?? "");
}

test.each(pages)("%s names scripts that there are, with options that they take", (page) => {
  const wrong = ownCommandsIn(textOf(page)).flatMap((call) => {
    if (/^[A-Z]+$/.test(call.name)) return [];
    if (scripts[call.name] === undefined) return [`npm run ${call.name}`];
    const known = commandOf(call);
    const options = call.args.slice(0, call.args.includes("--") ? call.args.indexOf("--") : undefined);
    return options
      .filter((word) => /^--\w/.test(word))
      .filter((word) => known?.options.every(({ long }) => long !== word) === true)
      .map((word) => `npm run ${call.name} -- ${word}`);
  });
  expect(wrong).toEqual([]);
});

describe("in a clone without a cluster", () => {
  let clone: Checkout;
  beforeAll(() => {
    clone = new Checkout({}, true);
    for (const name of ["staging", "prod"]) {
      const file = `Pulumi.${name}.yaml`;
      writeFileSync(join(clone.root, file), readFileSync(join(root, "test/environments", file)));
    }
  });
  afterAll(() => {
    clone.dispose();
  });

  const { PATH, HOME } = process.env;
  const env = { PATH, HOME, KUBECONFIG: "/nowhere", npm_config_update_notifier: "false" };
  const codes = [...new Set(runsHere.map(({ code }) => code))];
  // A line with no other sign of the shell's than a file to write to goes to the command line itself, ten times as fast.
  const isPlain = (code: string): boolean =>
    code !== "npm start" && code.split("\n").every((line) => /^[\w :./-]+( > [\w.-]+)?$/.test(line));
  const [writing] = codes.filter((code) => code.includes(" > "));
  const inShell = codes.filter((code) => !isPlain(code) || code === writing);

  function expectWhole(file: string, written: string): void {
    expect(written).not.toContain("aidbox-secrets@");
    if (/\.(json|yaml)$/.test(file)) expect(() => parse(written.split("---\n")[0]!) as unknown).not.toThrow();
  }

  test.each(codes.filter((code) => !inShell.includes(code)))("this runs as it is written: %s", async (code) => {
    for (const line of code.split("\n")) {
      const [command = "", file] = line.split(" > ");
      const [call] = ownCommandsIn(command);
      const { code: status, stdout, stderr } = await clone.run([commandOf(call!)!.name(), ...call!.args], env);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      if (file !== undefined) expectWhole(file, stdout);
    }
  });

  test.each(inShell)("this runs in a shell as it is written: %s", (code) => {
    const { status, stderr } = spawnSync("sh", ["-ec", code], { cwd: clone.root, env, encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    for (const [, file = ""] of code.matchAll(/> (\S+)$/gm)) {
      expectWhole(file, readFileSync(join(clone.root, file), "utf8"));
      rmSync(join(clone.root, file));
    }
  });
});

test("the documented script makes PEM of a cluster's JWKS, as config wants it", () => {
  const [, script = ""] = /node -e '\n([^]*?)'\n```/.exec(textOf("docs/own-vault.md"))!;
  const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const jwks = JSON.stringify({
    keys: [{ ...publicKey.export({ format: "jwk" }), kid: "1", use: "sig", alg: "RS256" }],
  });
  const pem = execFileSync(process.execPath, ["-e", script], { input: jwks, encoding: "utf8" });
  expect(pem.trim()).toBe(publicKey.export({ type: "spki", format: "pem" }).toString().trim());
});

/** What a config must have beside what a page shows. */
const least = {
  development: true,
  kubeContext: "kind-aidbox",
  secrets: [
    { name: "client-secret", path: "aidbox/client", scope: { resourceType: "Client", id: "basic" } },
    { name: "auth-keys", path: "aidbox/auth-keys", keypair: "rsa", source: "seeded" },
  ],
  vault: { mode: "dev" },
};

const configs = pages
  .flatMap((page) => blocksOf(page, "yaml"))
  .filter(({ code }) => code.includes("aidbox-secrets:") && !code.includes("file: resources/"));

test.each(configs)("$page: this config is taken: $code", ({ code }) => {
  const shown = ownKeys(parse(code) as Record<string, unknown>);
  const aidbox = { image: "healthsamurai/aidboxone:2605", ...(shown.aidbox as object | undefined) };
  expect(checkEnvironment("dev", { ...least, ...shown, aidbox }).kubeContext).toBe("kind-aidbox");
});

test.each(pages)("each file and folder of the repository that %s names is there", (page) => {
  const named = [...textOf(page).matchAll(/`((?:constructs|docs|examples|imports|infra|test)\/[\w./-]*)`/g)];
  expect(named.map(([, path = ""]) => path).filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

/** As GitHub makes it of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(" ", "-");

test("README leads to each page", () => {
  const docs = pages.filter((page) => page.startsWith("docs/") && page !== "docs/first-up.md");
  expect(docs.filter((page) => !textOf("README.md").includes(`](${page})`))).toEqual([]);
});

test.each(pages)("each file that %s names is there", (page) => {
  const named = [...textOf(page).matchAll(/`([\w./-]+)`/g)].map(([, name = ""]) => name);
  const missing = named.filter((name) => {
    if (/^[\w.-]+\.(test|e2e)\.ts$/.test(name)) return !testFiles.has(name);
    return /^(infra|constructs|bridge|test|examples|packages|imports)\//.test(name) && !existsSync(join(root, name));
  });
  expect(missing).toEqual([]);
});

test.each(pages)("each link of %s leads somewhere", (page) => {
  const links = [...textOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
  const broken = links.filter((link) => {
    if (/^(https?|mailto):/.test(link)) return false;
    const [path = "", anchor] = link.split("#");
    const file = path === "" ? join(root, page) : join(root, dirname(page), path);
    if (!existsSync(file)) return true;
    if (anchor === undefined || !file.endsWith(".md")) return false;
    const headings = readFileSync(file, "utf8").matchAll(/^#+ (.*)$/gm);
    return ![...headings].some(([, heading = ""]) => anchorOf(heading) === anchor);
  });
  expect(broken).toEqual([]);
});
