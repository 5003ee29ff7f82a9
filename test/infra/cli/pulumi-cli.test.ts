import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { findInstalledPulumi, findPulumi, run, typed } from "../../../infra/cli/pulumi-cli";

let folder: string;
let path: string | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pulumi-cli-"));
  path = process.env.PATH;
});
afterEach(() => {
  process.env.PATH = path;
  rmSync(folder, { recursive: true });
});

/** A folder with a file `pulumi`. */
function withPulumi(name: string, mode = 0o755): string {
  const made = join(folder, name);
  mkdirSync(made, { recursive: true });
  writeFileSync(join(made, "pulumi"), "#!/bin/sh\n", { mode });
  return made;
}

const pathOf = (...folders: readonly string[]): string => folders.join(delimiter);

describe("findInstalledPulumi", () => {
  test("takes the first on PATH", () => {
    const [first, second] = [withPulumi("first"), withPulumi("second")];
    expect(findInstalledPulumi(pathOf(join(folder, "absent"), first, second))).toBe(join(first, "pulumi"));
  });

  test("passes over npm's downloaders, of this project and of those around it", () => {
    const downloaders = ["node_modules/.bin", "outer/node_modules/.bin"].map((name) => withPulumi(name));
    const installed = withPulumi("installed");
    expect(findInstalledPulumi(pathOf(...downloaders, installed))).toBe(join(installed, "pulumi"));
    expect(findInstalledPulumi(pathOf(...downloaders))).toBeUndefined();
  });

  test("passes over a file that cannot be run", () => {
    const installed = withPulumi("installed");
    expect(findInstalledPulumi(pathOf(withPulumi("text", 0o644), installed))).toBe(join(installed, "pulumi"));
  });

  test("finds none where PATH is empty", () => {
    expect(findInstalledPulumi(join(folder, "absent"))).toBeUndefined();
  });

  test("looks at this process's PATH", () => {
    process.env.PATH = withPulumi("installed");
    expect(findInstalledPulumi()).toBe(join(folder, "installed", "pulumi"));
  });
});

describe("findPulumi", () => {
  test("takes an installed one", () => {
    process.env.PATH = pathOf(withPulumi("node_modules/.bin"), withPulumi("installed"));
    expect(findPulumi()).toEqual({ file: join(folder, "installed", "pulumi"), args: [] });
    expect(typed(findPulumi())).toEqual(["pulumi"]);
  });

  test("else takes the downloader, run by this node", () => {
    process.env.PATH = withPulumi("node_modules/.bin");
    const { file, args } = findPulumi();
    expect(typed({ file, args })).toEqual(["npx", "pulumi"]);
    expect(file).toBe(process.execPath);
    expect(args.at(-1)).toMatch(/node_modules[/\\]pulumi[/\\]run\.js$/);
    expect(existsSync(args.at(-1)!)).toBe(true);
  });
});

describe("run", () => {
  const node = (script: string): Promise<number> =>
    run({ file: process.execPath, args: ["-e"] }, [script], { cwd: folder, env: {}, output: "ignore" });

  test.each([0, 3, 255])("gives the exit code %d", async (code) => {
    expect(await node(`process.exit(${code})`)).toBe(code);
  });

  test("gives 1 where a signal ended the program", async () => {
    expect(await node("process.kill(process.pid, 'SIGKILL')")).toBe(1);
  });

  test("leaves nobody listening for signals", async () => {
    const listeners = (): number[] =>
      (["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const).map((each) => process.listenerCount(each));
    const before = listeners();
    await node("");
    expect(listeners()).toEqual(before);
  });

  test("fails where there is no such program", async () => {
    const absent = { file: join(folder, "absent"), args: [] };
    await expect(run(absent, [], { cwd: folder, env: {}, output: "ignore" })).rejects.toThrow("ENOENT");
  });
});
