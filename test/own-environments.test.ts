import { copyFileSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(__dirname, "..");

test.each(["Pulumi.dev.yaml", "Pulumi.acme.yaml"])("no test can read %s of the clone", (name) => {
  expect(() => readFileSync(join(root, name), "utf8")).toThrow("belongs to whoever works here");
  expect(() => {
    copyFileSync(join(root, name), join(root, "dist", name));
  }).toThrow("belongs to whoever works here");
});

test("the project's file and the tests' own environments can be read", () => {
  expect(readFileSync(join(root, "Pulumi.yaml"), "utf8")).toContain("name: aidbox-secrets");
  expect(readFileSync(join(root, "test/environments/Pulumi.dev.yaml"), "utf8")).toContain("kubeContext");
});
