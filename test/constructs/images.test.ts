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
