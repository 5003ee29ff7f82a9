import { Duration, Testing } from "cdk8s";
import { PostgresChart, type PostgresChartProps } from "../../../../constructs/kubernetes";
import { manifestOf, manifestsOf, yamlOf } from "../fixtures";
import { everyProp as everyPostgresProp, requiredProps as requiredPostgresProps } from "./fixtures";

const { name: everyName, ...everyOtherProp } = everyPostgresProp;

const everyProp: Required<PostgresChartProps> = {
  namespace: "prod",
  name: everyName,
  labels: { team: "health" },
  disableResourceNameHashes: true,
  postgres: everyOtherProp,
  republisher: { interval: Duration.seconds(25), image: "registry:5000/curl:8.17.0" },
};

const requiredProps: PostgresChartProps = { namespace: "aidbox", postgres: requiredPostgresProps };

function chartWith(props: PostgresChartProps): PostgresChart {
  return new PostgresChart(Testing.app(), "postgres", props);
}

it.each([
  { variant: "with every prop", props: everyProp },
  { variant: "with only the required props", props: requiredProps },
])("$variant", ({ props }) => {
  expect(yamlOf(chartWith(props))).toMatchSnapshot();
});

it.each([
  { props: requiredProps, name: "aidbox-postgres" },
  { props: everyProp, name: "box-postgres" },
])("$name lies in the given namespace, with all its parts under its name", ({ props, name }) => {
  const namespaced = manifestsOf(chartWith(props)).filter(({ kind }) => !kind.startsWith("ValidatingAdmission"));
  for (const { metadata } of namespaced) {
    expect(metadata.namespace).toBe(props.namespace);
    expect(metadata.name).toMatch(new RegExp(`^${name}(-|$)`));
  }
  expect(manifestOf(chartWith(props), "StatefulSet").metadata.name).toBe(name);
});

describe("the Republisher", () => {
  it("is left out by default", () => {
    expect(yamlOf(chartWith(requiredProps))).not.toContain("republish");
  });

  it("is for the pod of PostgreSQL alone", () => {
    const chart = chartWith(everyProp);
    const { env } = manifestOf(chart, "Deployment", "box-postgres-republisher").spec!.template.spec!.containers[0]!;
    const { labels } = manifestOf(chart, "StatefulSet").spec!.template.metadata!;
    const selector = env!.find(({ name }) => name === "SELECTOR")!.value!;
    expect(selector).toBe("app.kubernetes.io/name=postgres,app.kubernetes.io/instance=box-postgres");
    for (const each of selector.split(",")) {
      const [label, value] = each.split("=") as [string, string];
      expect(labels![label]).toBe(value);
    }
  });
});
