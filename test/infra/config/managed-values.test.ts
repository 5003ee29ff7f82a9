import { checkEnvironment } from "../../../infra/config/check-environment";
import { missingValueProblems, valuesFor } from "../../../infra/config/managed-values";

const managed = (path: string) => [{ name: "db-password", path, source: "managed" }];
const config = {
  development: true,
  kubeContext: "kind-aidbox",
  vault: { mode: "dev" },
  aidbox: { image: "healthsamurai/aidboxone:2605" },
};
const environment = checkEnvironment("test", {
  ...config,
  secrets: managed("first/db"),
  tenants: [{ name: "north", secrets: managed("north/db") }],
});
const [north] = environment.tenants;

it("gives each Aidbox its own value of a name, and none of another's", () => {
  const values = { "db-password": "of the first", north: { "db-password": "of north" } };
  expect(valuesFor(environment, values)).toEqual({ "db-password": "of the first" });
  expect(valuesFor(north!, values)).toEqual({ "db-password": "of north" });
  expect(valuesFor(north!, { "db-password": "of the first" })).toEqual({});
  expect(valuesFor({ tenant: "south" }, values)).toEqual({});
});

it("says every value that is missing, with the command that sets it", () => {
  expect(missingValueProblems(environment, {})).toEqual([
    {
      key: "values.db-password",
      message: "is missing: run `pulumi config set --secret --path aidbox-secrets:values.db-password`",
    },
    {
      key: "values.north.db-password",
      message: "is missing: run `pulumi config set --secret --path aidbox-secrets:values.north.db-password`",
    },
  ]);
  expect(missingValueProblems(environment, { "db-password": "a", north: { "db-password": "b" } })).toEqual([]);
});

it("says every value that is empty and may not be", () => {
  const { key, message } = missingValueProblems(environment, { "db-password": "", north: { "db-password": "b" } })[0]!;
  expect(key).toBe("values.db-password");
  expect(message).toMatch(/^is empty: run `.*`, or write mayBeEmpty: true for db-password$/);
  const [row] = managed("first/db");
  const lenient = checkEnvironment("test", { ...config, secrets: [{ ...row, mayBeEmpty: true }] });
  expect(missingValueProblems(lenient, { "db-password": "" })).toEqual([]);
});
