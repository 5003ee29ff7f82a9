import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "../config/environment";
import { drawPicture } from "../plan/picture";
import { recordPlan } from "../plan/record";
import { findLacks } from "../plan/requirements";
import { formatTree } from "../plan/tree";
import { writeYaml } from "../write-yaml";

/**
 * Shows what `up` would create in an empty cluster, and writes its YAML and picture to `dist/`. Asks nothing outside this
 * machine.
 *
 * @param json whether to print the plan for machines instead
 */
export async function showPlan(environment: Environment, json: boolean): Promise<void> {
  const plan = await recordPlan(environment);
  const folder = writeYaml(environment);
  const picture = join(folder, "plan.svg");
  mkdirSync(folder, { recursive: true });
  writeFileSync(picture, await drawPicture(plan, environment));
  const lacks = await findLacks(environment);
  if (json) {
    const resources = plan.resources.map(({ urn, type, name, parent, dependencies }) => ({
      urn,
      type,
      name,
      parent,
      dependencies,
    }));
    console.log(JSON.stringify({ environment: environment.name, resources, folder, picture, lacks }, undefined, 2));
    return;
  }
  console.log(`Environment "${environment.name}", cluster "${environment.kubeContext}": up would create\n`);
  console.log(await formatTree(plan));
  console.log(`\nA change in Vault reaches the files within ${environment.rotationBoundSeconds} s.`);
  console.log(`Kubernetes YAML: ${folder}/*.k8s.yaml\nPicture:         ${picture}`);
  console.log(
    lacks.length === 0 ? "\nThis machine has what it takes to go live:" : "\nTo go live, this machine lacks:",
  );
  for (const { what, howToGet } of lacks) console.log(`  - ${what}: ${howToGet}`);
  console.log(`  npm run up${environment.name === "dev" ? "" : ` -- --env ${environment.name}`}`);
}
