import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { EnvironmentFile } from "../config/environment-file";
import { drawPicture } from "../plan/picture";
import { recordPlan } from "../plan/record";
import { findLacks } from "../plan/requirements";
import { loadOf } from "../plan/load";
import { planWarnings } from "../plan/warnings";
import { storeTitle } from "../config/stores";
import { formatTree } from "../plan/tree";
import { ownCommand } from "../config/command-line";
import { print, printJson } from "./terminal";
import { writeYaml } from "../stack/write-yaml";

/** Columns of the tree where the output is no terminal. */
const narrow = 80;

/**
 * Shows what `up` would create in an empty cluster, and writes its YAML and picture to `dist/`. Asks nothing outside this
 * machine.
 *
 * @param json whether to print the plan for machines instead
 */
export async function showPlan(file: EnvironmentFile, json: boolean): Promise<void> {
  const { environment } = file;
  const plan = await recordPlan(environment);
  const folder = writeYaml(environment);
  const picture = join(folder, "plan.svg");
  mkdirSync(folder, { recursive: true });
  writeFileSync(picture, await drawPicture(plan, environment));
  const lacks = await findLacks(file);
  const warnings = planWarnings(environment);
  const load = loadOf(environment);
  if (json) {
    const resources = plan.resources.map(({ urn, type, name, parent, dependencies }) => ({
      urn,
      type,
      name,
      parent,
      dependencies,
    }));
    printJson({
      environment: environment.name,
      resources,
      folder,
      picture,
      warnings,
      lacks,
      ...(load === undefined ? {} : { load }),
    });
    return;
  }
  print(`Environment "${environment.name}", cluster "${environment.kubeContext}": up would create\n`);
  print(formatTree(plan, process.stdout.columns || narrow));
  print(`\nA change in ${storeTitle(environment)} reaches the files within ${environment.rotationBoundSeconds} s.`);
  if (load !== undefined) print(`That is ${load}.`);
  for (const warning of warnings) print(`! ${warning}`);
  print(`Kubernetes YAML: ${folder}/*.k8s.yaml\nPicture:         ${picture}`);
  print(lacks.length === 0 ? "\nThis machine has what it takes to go live:" : "\nTo go live, this machine lacks:");
  for (const { what, howToGet } of lacks) print(`  - ${what}: ${howToGet}`);
  print(`  ${ownCommand("up", environment)}`);
}
