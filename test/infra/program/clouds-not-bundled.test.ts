import { resolve } from "node:path";
import { buildSync, type Metafile } from "esbuild";

const entries = ["infra/program/program.ts", "infra/cli/run-command-line.ts"];

// One build for both, which reads what they share once.
let inputs: Metafile["inputs"];
beforeAll(() => {
  inputs = buildSync({
    stdin: {
      contents: entries.map((entry) => `import "./${entry}";`).join("\n"),
      resolveDir: resolve(__dirname, "../../.."),
    },
    bundle: true,
    preserveSymlinks: true,
    platform: "node",
    metafile: true,
    write: false,
    outdir: "bundles",
    logLevel: "error",
    external: ["pulumi/package.json"],
    // Left out as in the command line's own file; a third of the time goes there.
    alias: { typescript: "./infra/cli/not-loaded.js", "@npmcli/arborist": "./infra/cli/not-loaded.js" },
  }).metafile.inputs;
});

/** Every file that comes with an entry, by whatever way. */
function filesOf(entry: string): readonly string[] {
  const found = new Set([entry]);
  for (const file of found) {
    for (const { path, external } of inputs[file]!.imports) if (external !== true) found.add(path);
  }
  return [...found];
}

test.each(entries)("%s, as one file, has no module of a cloud in it, and asks for none at its start", (entry) => {
  const files = filesOf(entry);
  const asked = files.flatMap((file) => inputs[file]!.imports.map(({ path }) => path));
  const ofClouds = /(^|node_modules\/)(@azure|@azure-rest|@aws-sdk|@pulumi\/azure|@pulumi\/aws)/;
  expect([...files, ...asked].filter((path) => ofClouds.test(path))).toEqual([]);
  expect(asked.length).toBeGreaterThan(1000);
});
