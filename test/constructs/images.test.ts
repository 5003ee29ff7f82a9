import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { imageFrom } from "../../constructs/images";

const registry = "registry.example.com:5000/mirror";

it.each([
  ["docker.io/curlimages/curl:8.17.0", "curlimages/curl:8.17.0"],
  ["healthsamurai/aidboxone:2605", "healthsamurai/aidboxone:2605"],
  ["postgres:17.9", "library/postgres:17.9"],
  ["docker.io/postgres:17.9", "library/postgres:17.9"],
  ["docker.io/library/postgres:17.9", "library/postgres:17.9"],
  [
    `registry.k8s.io/sig-storage/livenessprobe@sha256:${"0a".repeat(32)}`,
    `sig-storage/livenessprobe@sha256:${"0a".repeat(32)}`,
  ],
  ["localhost/own:1", "own:1"],
  ["localhost:5001/own:1", "own:1"],
  ["mcr.microsoft.com/oss/v2/azure/provider", "oss/v2/azure/provider"],
])("%s comes from a registry as %s", (image, name) => {
  expect(imageFrom(image, { registry })).toBe(`${registry}/${name}`);
  expect(imageFrom(image)).toBe(image);
  expect(imageFrom(`${registry}/${name}`, { registry })).toBe(`${registry}/${name}`);
});

test("each chart and image that is installed by default is on the page of upgrades, at its version and with a reason", () => {
  const root = join(__dirname, "../..");
  const sources = ["platform", "kubernetes", "stores/vault"].flatMap((folder) =>
    readdirSync(join(root, "constructs", folder), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .map((file) => readFileSync(join(root, "constructs", folder, file), "utf8")),
  );
  const text = sources.join("\n");
  const charts = [...text.matchAll(/repository: "https:.*",\s+name: "(.+)",\s+version: "(.+)"/g)];
  const images = [...text.matchAll(/(?:\?\? |image = |Image = )"([a-z0-9./-]+):([\d.]+)"/g)];
  const pinned = [
    ...charts.map(([, name, version]) => `chart ${name!} ${version!}`),
    ...images.map(([, name, version]) => `image ${name!} ${version!}`),
  ];
  const page = readFileSync(join(root, "docs/upgrade.md"), "utf8");
  const rows = [...page.matchAll(/^\| ((?:chart|image) \S+) +\| (\S+) +\| (.{20,}) \|$/gm)];
  expect(rows.map(([, part, version]) => `${part!} ${version!}`).sort()).toEqual([...new Set(pinned)].sort());
  expect(rows).toHaveLength(7);
});
