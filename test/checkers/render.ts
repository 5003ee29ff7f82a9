import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import type { Environment } from "../../infra/config/environment";
import { type PlannedResource, recordPlan } from "../../infra/plan/record";

/** The least Kubernetes of the stack, which the charts are rendered for. */
const kubeVersion = "1.30.0";
const release = "kubernetes:helm.sh/v3:Release";

/** What a release says of its chart, as `up` gives it to Helm. */
interface ReleaseInputs {
  readonly name: string;
  readonly namespace: string;
  readonly chart: string;
  readonly version?: string;
  readonly repositoryOpts?: { readonly repo: string };
  readonly values: unknown;
}

/**
 * Writes all that `up` would bring to an empty cluster as Kubernetes YAML: the stack's own objects, and each chart as
 * `helm template` renders it with the values of the stack.
 *
 * @param folder made anew; gets `objects.yaml` and a file for each release, `vault.yaml`
 */
export async function render(environment: Environment, folder: string): Promise<void> {
  const { resources } = await recordPlan(environment);
  const releases = resources.filter(({ type }) => type === release).map(({ inputs }) => inputs);
  const objects = resources.filter(isObject).map(({ inputs }) => stringify(withoutValues(inputs)));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "objects.yaml"), objects.join("---\n"));
  for (const each of releases as unknown as ReleaseInputs[]) {
    writeFileSync(join(folder, `${each.name}.yaml`), renderChart(each));
  }
}

function isObject({ type, inputs }: PlannedResource): boolean {
  return type.startsWith("kubernetes:") && type !== release && "kind" in inputs;
}

/** A Secret's values are no checker's business. */
function withoutValues(inputs: PlannedResource["inputs"]): object {
  return inputs.kind === "Secret" ? { ...inputs, data: undefined, stringData: undefined } : inputs;
}

function renderChart({ name, namespace, chart, version, repositoryOpts, values }: ReleaseInputs): string {
  return execFileSync(
    "helm",
    [
      ...["template", name, chart, "--namespace", namespace, "--values", "-"],
      ...["--kube-version", kubeVersion, "--skip-tests"], // `up` runs no tests of charts
      ...(version === undefined ? [] : ["--version", version]),
      ...(repositoryOpts === undefined ? [] : ["--repo", repositoryOpts.repo]),
    ],
    { input: stringify(values), encoding: "utf8", maxBuffer: 64 * 1024 * 1024 },
  ).replaceAll(/^# Source: .*$/gm, ""); // which kube-score takes for the file's name
}
