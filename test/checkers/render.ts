import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import type { Environment } from "../../infra/config/environment";
import { helmTemplate } from "../../infra/images/helm-template";
import type { PlannedRelease } from "../../infra/images/list-images";
import { type PlannedResource, recordPlan } from "../../infra/plan/record";

const release = "kubernetes:helm.sh/v3:Release";

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
  for (const each of releases as unknown as PlannedRelease[]) {
    const rendered = await helmTemplate(each);
    writeFileSync(join(folder, `${each.name}.yaml`), rendered.replaceAll(/^# Source: .*$/gm, "")); // kube-score takes it for a file's name
  }
}

function isObject({ type, inputs }: PlannedResource): boolean {
  return type.startsWith("kubernetes:") && type !== release && "kind" in inputs;
}

/** A Secret's values are no checker's business. */
function withoutValues(inputs: PlannedResource["inputs"]): object {
  return inputs.kind === "Secret" ? { ...inputs, data: undefined, stringData: undefined } : inputs;
}
