import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Block, blocksOf } from "../page-blocks";
import { listEverything, root, run, story } from "./harness";
import { type Answer, commandsOf, Newcomer } from "./newcomer";

// The first hour: a fresh clone, a terminal, and each command of these pages in their order, taken from the pages as they are.
// What the terminal showed is kept in dist/walk.txt.

const walked = ["README.md", "docs/first-secret.md", "docs/on-call.md", "docs/access.md", "docs/commands.md"];

/** Commands that are not typed, and why; beside those that a page itself calls not run. */
const leftOut: Readonly<Record<string, string>> = {
  "npm ci": ".ci/run installs",
  "npm test": ".ci/run tests",
  "pulumi stack init dev && pulumi up": "there is a stack already; smoke.e2e.ts runs it",
};

/** Exit codes that a page announces. */
const announced: Readonly<Record<string, number>> = {
  // No audit device tells in development who read last.
  "npm run access": 6,
  "npm run --silent access -- --json > dist/access.json": 6,
  "npm run access -- --html dist/access.html": 6,
};

const kept = join(root, "dist/walk.txt");

const answers: readonly Answer[] = [
  { at: /Do you want to perform this (update|destroy)\?/, type: "yes\r" },
  { at: /which does not show:/, type: "a-private-key\r" },
];

describe("the first hour", () => {
  const step = story();
  let newcomer: Newcomer;
  let before: string[];

  beforeAll(async () => {
    mkdirSync(join(root, "dist"), { recursive: true });
    writeFileSync(kept, "");
    before = await listEverything();
    newcomer = await Newcomer.arrive();
  });
  afterAll(() => newcomer.leave());

  const type = async (command: string, code = announced[command] ?? 0): Promise<string> => {
    const typed = await newcomer.type(command, answers);
    appendFileSync(kept, `$ ${command}\n${typed.screen}\n`);
    if (typed.code !== code) throw new Error(`${command} ended with ${typed.code}, not ${code}:\n${typed.screen}`);
    return typed.screen;
  };

  const isLeftOut = ({ code, above }: Block): boolean => code in leftOut || above.startsWith("_Not run");

  /** What a person does at some commands beside typing them. */
  const typeBlock = async (block: Block): Promise<void> => {
    if (block.code.includes("npm run write -- okta-private-key")) return addSecret(block);
    if (block.code.includes("port-forward")) return callAidbox(block);
    for (const command of commandsOf(block)) await type(command);
  };

  /** `up` waits for the operator, and is run again once the value is written. */
  const addSecret = async (block: Block): Promise<void> => {
    const shown = blocksOf(block.page, "yaml").find(({ code }) => code.includes("okta-private-key"));
    newcomer.addRow(/- (\{ name: okta-private-key.*\})/.exec(shown!.code)![1]!);
    const [up, write] = commandsOf(block);
    expect(await type(up!, 3)).toContain(write);
    await type(write!);
    await type(up!);
  };

  const callAidbox = async ({ code }: Block): Promise<void> => {
    const typedSlowly = code.replace("8080 &\n", "8080 &\nsleep 3\n");
    expect(await type(`${typedSlowly}\nkill %1`)).toContain("HTTP/1.1 200");
  };

  for (const page of walked) {
    for (const block of blocksOf(page, "sh").filter((each) => !isLeftOut(each))) {
      step(`${page}: ${block.code}`, () => typeBlock(block));
    }
    step(`${page} leaves no file that git would take`, async () => {
      expect(["", " M Pulumi.dev.yaml\n"]).toContain(await newcomer.changes());
    });
  }

  step("destroy leaves nothing of the namespaces, and the clone is as it was but for the row", async () => {
    await type("npm run destroy");
    const left = (await listEverything()).filter((each) => !before.includes(each));
    expect(left.filter((each) => !each.includes("secrets-store.csi.x-k8s.io"))).toEqual([]);
    const { stdout } = await run("git", ["diff", "--stat"], { cwd: newcomer.clone });
    expect(stdout).toContain("1 file changed, 1 insertion(+)");
  });

  it("leaves out no command but those that it names", () => {
    const all = walked.flatMap((page) => blocksOf(page, "sh"));
    const unknown = Object.keys(leftOut).filter((code) => all.every((block) => block.code !== code));
    expect(unknown).toEqual([]);
    console.info(
      all
        .filter(isLeftOut)
        .map(({ page, code, above }) => `not typed: ${page}: ${code.split("\n")[0]}: ${leftOut[code] ?? above}`)
        .join("\n"),
    );
  });
});
