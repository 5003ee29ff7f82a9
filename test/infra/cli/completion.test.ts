import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Checkout } from "./checkout";
import type { Ran } from "./ran";

let checkout: Checkout;
beforeAll(() => {
  checkout = new Checkout({ staging: { kubeContext: "staging" } });
});
afterAll(() => {
  checkout.dispose();
});

/** What a shell is offered after some words, the last of which is begun. */
async function offered(...words: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await checkout.run(["complete", "--", ...words]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout.split("\n").flatMap((line) => /^([^:\t]+)\t/.exec(line)?.[1] ?? []);
}

test.each([
  { words: ["ver"], offers: ["verify"] },
  { words: ["up", "--env", ""], offers: ["dev", "staging"] },
  { words: ["rotate", ""], offers: ["client-secret"] },
  { words: ["rights", "--role", "r"], offers: ["rotator"] },
])("after $words a shell is offered $offers", async ({ words, offers }) => {
  expect(await offered(...words)).toEqual(expect.arrayContaining(offers));
});

test("bash takes the script, and completes by it", async () => {
  const script = await checkout.run(["completion", "bash"]);
  expect({ code: script.code, stderr: script.stderr }).toEqual({ code: 0, stderr: "" });
  const command = `#!/bin/sh\nexec '${process.execPath}' '${checkout.program}' "$@"\n`;
  writeFileSync(join(checkout.bin, "aidbox-secrets"), command, { mode: 0o755 });
  const typed = [
    "_get_comp_words_by_ref() { cur=stat words=(aidbox-secrets stat); }", // of bash-completion, which the script needs
    script.stdout,
    "__aidbox_secrets_complete",
    'echo "${COMPREPLY[@]}"',
  ].join("\n");
  const env = { ...process.env, PATH: `${checkout.bin}:${process.env.PATH ?? ""}` };
  const { stdout } = spawnSync("bash", ["-c", typed], { cwd: checkout.root, env, encoding: "utf8" });
  expect(stdout.trim()).toBe("status");
});

test.each(["zsh", "fish"])("%s gets a script of its own", async (shell) => {
  const { code, stdout }: Ran = await checkout.run(["completion", shell]);
  expect(code).toBe(0);
  expect(stdout).toContain(`# ${shell} completion for aidbox-secrets`);
});
