import type { Chart } from "cdk8s";
import { Size, Testing } from "cdk8s";
import { Cpu, type k8s } from "cdk8s-plus-28";
import { DevelopmentPostgres, type DevelopmentPostgresProps } from "../../../../constructs/kubernetes";
import { type SecretSpec, SecretTable } from "../../../../constructs/secrets";
import { VaultPaths, VaultStore } from "../../../../constructs/stores/vault";
import { fullTable, manifestOf } from "../fixtures";

const password: SecretSpec = { name: "password", path: "aidbox/database", environment: "BOX_DB_PASSWORD" };

export const everyProp: Required<DevelopmentPostgresProps> = {
  name: "box-postgres",
  image: "registry:5000/postgres:17.9",
  database: "fhir",
  user: "fhir-user",
  table: fullTable,
  store: new VaultStore({
    address: "https://vault.example.com",
    role: "box-database",
    audience: "vault-prod",
    paths: new VaultPaths({ kvMount: "teams/kv" }),
  }),
  from: [{ podLabels: { app: "fhir" } }, { namespaceLabels: { team: "reports" } }],
  storage: Size.mebibytes(512),
  storageClass: "fast",
  resources: { cpu: { request: Cpu.millis(250) }, memory: { limit: Size.gibibytes(2) } },
};

export const requiredProps: DevelopmentPostgresProps = {
  table: new SecretTable({ secrets: [{ name: "client-secret", path: "aidbox/client" }, password] }),
  store: new VaultStore({ address: "http://vault.vault:8200", role: "aidbox-database" }),
  from: [{ podLabels: { app: "aidbox" } }],
};

/** A PostgreSQL with the required props, and what a test changes of them. */
export function chartWith(change: Partial<DevelopmentPostgresProps> = {}): Chart {
  const chart = Testing.chart();
  new DevelopmentPostgres(chart, "postgres", { ...requiredProps, ...change });
  return chart;
}

/** The pod of the StatefulSet. */
export function podOf(chart: Chart): k8s.PodSpec {
  return manifestOf(chart, "StatefulSet").spec!.template.spec!;
}

export function containersOf(chart: Chart): k8s.Container[] {
  const { initContainers, containers } = podOf(chart);
  return [...initContainers!, ...containers];
}

/** A container of the pod, an init container too. */
export function containerOf(chart: Chart, name: string): k8s.Container {
  return containersOf(chart).find((container) => container.name === name)!;
}

/** The plain variables of a container, by name. */
export function environmentOf(chart: Chart, name: string): Record<string, string> {
  return Object.fromEntries((containerOf(chart, name).env ?? []).map((each) => [each.name, each.value!]));
}
