import { type BuildResult, buildSync } from "esbuild";

const entries = ["infra/program/program.ts", "infra/cli/run-command-line.ts"];

// One build for both, which reads what they share once.
let built: NonNullable<BuildResult["metafile"]>;
beforeAll(() => {
  built = buildSync({
    entryPoints: entries,
    bundle: true,
    preserveSymlinks: true,
    platform: "node",
    metafile: true,
    write: false,
    outdir: "bundles",
    logLevel: "error",
    external: ["pulumi/package.json"],
  }).metafile;
});

test.each(entries)("%s, as one file, has no module of a cloud in it, and asks for none at its start", (entry) => {
  const bundle = Object.values(built.outputs).find(({ entryPoint }) => entryPoint === entry)!;
  const files = Object.keys(bundle.inputs);
  const asked = files.flatMap((file) => built.inputs[file]!.imports.map(({ path }) => path));
  const ofClouds = /(^|node_modules\/)(@azure|@azure-rest|@aws-sdk|@pulumi\/azure|@pulumi\/aws)/;
  expect([...files, ...asked].filter((path) => ofClouds.test(path))).toEqual([]);
  expect(asked.length).toBeGreaterThan(1000);
});
