import { buildSync } from "esbuild";

test.each(["infra/program/program.ts", "infra/cli/run-command-line.ts"])(
  "%s, as one file, has no module of a cloud in it, and asks for none at its start",
  (entry) => {
    const { metafile } = buildSync({
      entryPoints: [entry],
      bundle: true,
      preserveSymlinks: true,
      platform: "node",
      metafile: true,
      write: false,
      outfile: "bundle.js",
      logLevel: "error",
      external: ["pulumi/package.json"],
    });
    const ofClouds = /(^|node_modules\/)(@azure|@azure-rest|@aws-sdk|@pulumi\/azure|@pulumi\/aws)/;
    const asked = Object.values(metafile.inputs).flatMap(({ imports }) => imports.map(({ path }) => path));
    expect([...Object.keys(metafile.inputs), ...asked].filter((path) => ofClouds.test(path))).toEqual([]);
    expect(asked.length).toBeGreaterThan(1000);
  },
);
