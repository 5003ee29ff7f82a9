import { checkEnvironment } from "../../../infra/config/check-environment";
import { ConfigError } from "../../../infra/config/config-error";

function check(...secrets: readonly object[]) {
  return checkEnvironment("dev", {
    development: true,
    kubeContext: "kind-aidbox",
    secrets,
    vault: { mode: "dev" },
    aidbox: { image: "healthsamurai/aidboxone:2605" },
  });
}

it.each([
  ["90d", 90 * 86_400],
  ["36h", 36 * 3600],
  ["45s", 45],
])("a row's maxAge %s is %d seconds", (maxAge, seconds) => {
  const { table } = check({ name: "one", path: "aidbox/one", maxAge }, { name: "two", path: "aidbox/two" });
  expect(table.secrets.map(({ maxAge }) => maxAge?.toSeconds())).toEqual([seconds, undefined]);
});

it.each<{ rows: readonly object[]; problem: string }>([
  {
    rows: [{ name: "one", path: "aidbox/one", maxAge: "3 months" }],
    problem: 'secrets[0].maxAge: "3 months": write the greatest age as a whole number with its unit: 90d or 12h',
  },
  {
    rows: [
      { name: "one", path: "aidbox/one", maxAge: "90d" },
      { name: "two", path: "aidbox/one" },
    ],
    problem:
      'secrets[0].path: "aidbox/one": is that of secrets[1] too, and the store knows the age of a path alone, not that of one: ' +
      "give it a path of its own, or leave its greatest age out",
  },
])("is refused with $rows", ({ rows, problem }) => {
  let error: unknown;
  try {
    check(...rows);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(ConfigError);
  expect((error as ConfigError).problems.map(({ key, message }) => `${key}: ${message}`)).toEqual([problem]);
});
