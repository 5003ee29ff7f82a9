import { Testing } from "cdk8s";
import {
  type PodSecurityLevel,
  PodSecurityNamespace,
  type PodSecurityNamespaceProps,
} from "../../../constructs/kubernetes";
import { manifestOf, yamlOf } from "./fixtures";

function chartWith(props: PodSecurityNamespaceProps) {
  const chart = Testing.chart();
  new PodSecurityNamespace(chart, "namespace", props);
  return chart;
}

const everyProp: Required<PodSecurityNamespaceProps> = {
  name: "aidbox",
  level: "restricted",
  labels: { owner: "aidbox-secrets" },
};

it("with every prop", () => {
  expect(yamlOf(chartWith(everyProp))).toMatchSnapshot();
});

it("with only the required props", () => {
  expect(yamlOf(chartWith({ name: "vault", level: "privileged" }))).toMatchSnapshot();
});

it.each<PodSecurityLevel>(["privileged", "baseline", "restricted"])("enforces and warns of the level %s", (level) => {
  expect(manifestOf(chartWith({ name: "aidbox", level }), "Namespace").metadata).toEqual({
    name: "aidbox",
    labels: { "pod-security.kubernetes.io/enforce": level, "pod-security.kubernetes.io/warn": level },
  });
});

it("further labels are added to those of the level", () => {
  expect(manifestOf(chartWith(everyProp), "Namespace").metadata.labels).toEqual({
    owner: "aidbox-secrets",
    "pod-security.kubernetes.io/enforce": "restricted",
    "pod-security.kubernetes.io/warn": "restricted",
  });
});

it("further labels cannot loosen the level", () => {
  const labels = { "pod-security.kubernetes.io/enforce": "privileged" };
  expect(manifestOf(chartWith({ ...everyProp, labels }), "Namespace").metadata.labels).toMatchObject({
    "pod-security.kubernetes.io/enforce": "restricted",
  });
});
