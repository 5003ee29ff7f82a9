import { Testing } from "cdk8s";
import { checkEnvironment } from "../../../infra/config/check-environment";
import { ConfigError } from "../../../infra/config/config-error";
import { aidboxChart } from "../../../infra/stack/charts";
import { environmentOf } from "../../constructs/kubernetes/fixtures";

function config(rolls: unknown, change: object = {}): Record<string, unknown> {
  return {
    development: true,
    kubeContext: "kind-aidbox",
    secrets: [
      { name: "license", path: "aidbox/license", environment: "BOX_LICENSE" },
      { name: "password", path: "aidbox/db", environment: "BOX_DB_PASSWORD" },
    ],
    vault: { mode: "dev" },
    aidbox: { image: "healthsamurai/aidboxone:2605" },
    rolls,
    ...change,
  };
}

function problemsOf(rolls: unknown, change: object = {}): string[] {
  try {
    checkEnvironment("dev", config(rolls, change));
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ key, message }) => `${key}: ${message}`);
    throw error;
  }
  throw new Error("the config was taken for a valid one");
}

function republisherOf(rolls: unknown): Record<string, unknown> {
  const chart = aidboxChart(Testing.app(), checkEnvironment("dev", config(rolls)));
  const variables = Object.entries(environmentOf(chart, "aidbox-republisher"));
  return Object.fromEntries(
    variables.filter(([name]) => name.startsWith("ROLL_")).map(([name, { value }]) => [name, value]),
  );
}

const common = {
  ROLL_DEPLOYMENT: "aidbox",
  ROLL_CLASS: "aidbox-vault-secrets",
  ROLL_OBJECTS: "license password",
  ROLL_AT_ONCE: "password",
};

it("rolls at once by default", () => {
  expect(republisherOf(undefined)).toEqual({ ...common, ROLL_BATCH: "0", ROLL_FROM: "", ROLL_TO: "" });
});

it("tells the Republisher the batch and the window, and what cannot wait", () => {
  const rolls = { batch: "5m", quietWindow: { from: "23:30", to: "02:00" } };
  expect(republisherOf(rolls)).toEqual({ ...common, ROLL_BATCH: "300", ROLL_FROM: "1410", ROLL_TO: "120" });
  expect(republisherOf({ batch: "2h" })).toMatchObject({ ROLL_BATCH: "7200", ROLL_FROM: "" });
});

const time = "write a time of the day in UTC, as 01:30";

it.each([
  {
    rolls: { batch: "0s" },
    problem: 'rolls.batch: "0s": write the time as a whole number above 0 with its unit: 90s, 5m or 1h',
  },
  { rolls: { quietWindow: { from: "24:00", to: "02:00" } }, problem: `rolls.quietWindow.from: "24:00": ${time}` },
  { rolls: { quietWindow: { from: "1:00", to: "02:00" } }, problem: `rolls.quietWindow.from: "1:00": ${time}` },
  { rolls: { quietWindow: { from: "01:00" } }, problem: `rolls.quietWindow.to: is missing: ${time}` },
  {
    rolls: { quietWindow: { from: "01:00", to: "01:00" } },
    problem: 'rolls.quietWindow: from "01:00" to "01:00": is 0 minutes: write a window of 10 or more',
  },
  {
    rolls: { quietWindow: { from: "23:55", to: "00:04" } },
    problem: 'rolls.quietWindow: from "23:55" to "00:04": is 9 minutes: write a window of 10 or more',
  },
  { rolls: "at night", problem: 'rolls: "at night": write { batch, quietWindow }' },
])("refuses $rolls", ({ rolls, problem }) => {
  expect(problemsOf(rolls)).toEqual([problem]);
});

it("refuses a schedule that nobody keeps", () => {
  expect(problemsOf({ batch: "5m" }, { rotationBound: "90s" })).toEqual([
    "rolls: is kept by the Republisher, which a rotationBound of 90s leaves out: write a bound below 90s, or leave rolls out",
  ]);
});
