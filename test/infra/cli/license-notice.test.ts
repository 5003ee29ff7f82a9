import { licenseNotice } from "../../../infra/cli/license-notice";
import { checkEnvironment } from "../../../infra/config/check-environment";

const client = { name: "client-secret", path: "aidbox/client", source: "seeded" };
const license = { name: "license", path: "aidbox/license", environment: "BOX_LICENSE", source: "external" };
const dev = {
  development: true,
  kubeContext: "kind-aidbox",
  secrets: [client],
  vault: { mode: "dev" },
  aidbox: { image: "healthsamurai/aidboxone:2605" },
};
const notice = (config: object, name = "dev"): string => licenseNotice(checkEnvironment(name, { ...dev, ...config }));

test("without a licence up says what was checked, what Aidbox will do, and how to get one", () => {
  expect(notice({})).toBe(
    `There is no licence for Aidbox. The secrets are in the pod all the same: that is what was checked.
The real Aidbox asks for a licence when you open it in a browser. You cannot use it before, and its pod may not become ready.
To give it one:
  1. Make a development licence at https://aidbox.app, free of charge: type Dev, hosting Self-hosted.
  2. Add this row to its secrets in Pulumi.dev.yaml:
     - { name: license, path: aidbox/license, environment: BOX_LICENSE, source: external }
  3. Run \`npm run up\`. It stops, and prints the command that takes the licence. Then run \`up\` again.`,
  );
});

test.each<[what: string, config: object]>([
  ["a row of its table", { secrets: [client, license] }],
  ["a row with the former name", { secrets: [client, { ...license, environment: "AIDBOX_LICENSE" }] }],
  ["variables of a Secret of others", { aidbox: { ...dev.aidbox, environmentFrom: { secrets: ["theirs"] } } }],
  ["variables of a ConfigMap of others", { aidbox: { ...dev.aidbox, environmentFrom: { configMaps: ["theirs"] } } }],
])("says nothing where it comes by %s", (_, config) => {
  expect(notice(config)).toBe("");
});

test("nor outside development, where it waits for Aidbox itself", () => {
  const vault = { mode: "external", address: "https://vault.example.com", login: { method: "kubernetes" } };
  expect(notice({ development: undefined, vault }, "prod")).toBe("");
});

test("names each Aidbox that lacks one, and the environment", () => {
  const tenants = [
    { name: "north", secrets: [{ ...license, path: "north/license" }] },
    { name: "south", secrets: [{ ...client, path: "south/client" }] },
  ];
  expect(notice({ tenants }, "clinics")).toContain(
    "There is no licence for Aidbox, the Aidbox of tenant south. The secrets",
  );
  expect(notice({ tenants }, "clinics")).toContain("in Pulumi.clinics.yaml:");
  expect(notice({ tenants }, "clinics")).toContain("Run `npm run up -- --env clinics`.");
});

test("the row that it shows is one that the config takes", () => {
  const [, row] = /^ {5}- (\{.*\})$/m.exec(notice({}))!;
  expect(row).toBe(
    `{ ${Object.entries(license)
      .map(([key, value]) => `${key}: ${value}`)
      .join(", ")} }`,
  );
});
