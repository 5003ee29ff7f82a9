import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { MissingPackagesError } from "../../../../constructs/stores/azure-key-vault";
import { azurePackages, loadAzurePackages } from "../../../../constructs/stores/azure-key-vault/packages";

const root = resolve(__dirname, "../../../..");
const read = (path: string): unknown => JSON.parse(readFileSync(join(root, path), "utf8"));

test("without Azure's SDK, the command that brings it is named", () => {
  const load = (): unknown => loadAzurePackages([tmpdir()]);
  expect(load).toThrow(MissingPackagesError);
  expect(load).toThrow(
    "Azure Key Vault needs @azure/identity and @azure/keyvault-secrets, which are not installed: run `npm run azure:install`",
  );
});

test("who has the package and no clone gets npm's own command", () => {
  expect(new MissingPackagesError(["@azure/identity"], false).message).toBe(
    "Azure Key Vault needs @azure/identity, which is not installed: run `npm install @azure/identity@4.13.1 " +
      "@azure/keyvault-secrets@4.11.2`",
  );
});

test("the versions are those of the lock file, and run on this project's Node", () => {
  const { packages } = read("constructs/stores/azure-key-vault/package-lock.json") as {
    packages: Record<string, { version: string; engines?: { node?: string } }>;
  };
  for (const [name, version] of Object.entries(azurePackages)) {
    expect(packages[`node_modules/${name}`]?.version).toBe(version);
  }
  const newer = Object.entries(packages).filter(([, { engines }]) => /\b2[1-9]\b/.test(engines?.node ?? ""));
  expect(newer.map(([name, { engines }]) => [name, engines])).toEqual([]);
});

test("a plain install brings nothing of Azure's", () => {
  const { packages } = read("package-lock.json") as { packages: Record<string, unknown> };
  expect(Object.keys(packages).filter((name) => name.includes("node_modules/@azure"))).toEqual([]);
});
