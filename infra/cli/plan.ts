import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ownCommand } from "../config/command-line";
import type { EnvironmentFile } from "../config/environment-file";
import { storeConfigOf, storeTitle } from "../config/stores";
import { writePage } from "../plan/page";
import { drawPicture } from "../plan/picture";
import { recordPlan } from "../plan/record";
import { findMissingPermissions } from "../plan/requirements";
import { formatTree } from "../plan/tree";
import { planWarnings } from "../plan/warnings";
import { waysOf } from "../plan/ways";
import { writeYaml } from "../stack/write-yaml";
import { print, printJson } from "./terminal";

/** Columns of the tree where the output is no terminal. */
const narrow = 80;

/** What is asked of a plan beside the environment. */
export interface PlanOptions {
  /** Whether to print it for machines. */
  readonly json: boolean;
  /** File of the picture. @default - `plan.svg` beside the YAML */
  readonly svg?: string | undefined;
  /** File of the page. @default - `plan.html` beside the YAML */
  readonly html?: string | undefined;
}

/**
 * Shows what `up` would create in an empty cluster, and writes its YAML, picture and page. Asks nothing outside this machine.
 */
export async function showPlan(file: EnvironmentFile, { json, ...files }: PlanOptions): Promise<void> {
  const { environment } = file;
  const plan = await recordPlan(environment);
  const folder = writeYaml(environment);
  const ways = waysOf(environment);
  const picture = files.svg ?? join(folder, "plan.svg");
  const page = files.html ?? join(folder, "plan.html");
  writeInto(picture, drawPicture(ways));
  writeInto(page, writePage(plan, ways, environment));
  const lacks = await findMissingPermissions(file);
  const warnings = planWarnings(environment);
  const load = storeConfigOf(environment).load?.(environment);
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
      page,
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
  print(`Kubernetes YAML: ${folder}/*.k8s.yaml\nPicture:         ${picture}\nPage:            ${page}`);
  if (lacks.length > 0) {
    print("\nTo go live, this machine lacks:");
    for (const { what, howToGet } of lacks) print(`  - ${what}: ${howToGet}`);
  }
  print(lacks.length > 0 ? "\nThen deploy it:" : "\nThis machine has what it takes. Deploy it:");
  print(`  ${ownCommand("up", environment)}`);
}

function writeInto(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
