import { join, resolve } from "node:path";
import { loadAzurePackages, usualFolders } from "../../../../constructs/stores/azure-key-vault/packages";

const root = resolve(__dirname, "../../../..");

test("in a clone it is found by the bundled program too, which Pulumi runs in a folder below", () => {
  const from = usualFolders(join(root, "node_modules/.cache"), join(root, "infra"));
  expect(loadAzurePackages(from).secrets.SecretClient).toBeInstanceOf(Function);
});
