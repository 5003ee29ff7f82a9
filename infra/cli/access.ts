import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import CliTable from "cli-table3";
import { visibleIn } from "../../constructs/visible";
import { ownCommand } from "../config/command-line";
import type { Environment } from "../config/environment";
import { storeTitle } from "../config/stores";
import { type AccessEvidence, type Origin, readAccess, type SecretEvidence, type Way } from "../operate/access";
import { inWords } from "../operate/age";
import { accessPage } from "./access-page";
import { exitCodes } from "./exit-codes";
import { colours, print, show, showProgress } from "./terminal";
import { replaceFile } from "./whole-file";

export interface AccessOptions {
  readonly json: boolean;
  /** File of the page. @default - it is printed, and no page is written */
  readonly html?: string | undefined;
}

/** Shows who can read each secret; its exit code tells whether all of it could be looked at. */
export async function showAccess(environment: Environment, { json, html }: AccessOptions): Promise<number> {
  const progress = await showProgress(`looking at ${storeTitle(environment)} and the cluster`, json);
  const evidence = await readAccess(environment).finally(progress.stop);
  if (html === undefined) show(evidence, json, (shown) => format(environment, shown));
  else {
    mkdirSync(dirname(html), { recursive: true });
    replaceFile(html, accessPage(visibleIn(evidence)));
    if (json) show({ page: html }, json, String);
    else print(html);
  }
  return evidence.notRead.length === 0 ? exitCodes.done : exitCodes.notAllChecked;
}

type StoreLine = Omit<AccessEvidence["changers"][number], "may" | "controls"> & { readonly pods?: readonly string[] };

const marks: Readonly<Record<Origin, string>> = {
  stack: "made by this stack",
  kubernetes: "Kubernetes' own",
  rights: "as `rights` prints it",
  others: "by others",
};

function format(environment: Environment, evidence: AccessEvidence): string {
  const { store, at, secrets, changers, ways, nodePods, nodes, controls, notRead, cannotKnow } = evidence;
  const own = nodePods.filter(({ origin }) => origin !== "others");
  return [
    colours.bold(`Environment "${environment.name}", ${store}, at ${at.toISOString()}: who can read what`),
    ...secrets.flatMap(formatSecret),
    "",
    colours.bold(`Who can change who reads, in ${storeTitle(environment)}`),
    ...changers.map((changer) => formatStoreLine(changer, changer.controls, `${changer.may.join("; ")}; `)),
    ...(changers.length === 0 ? ["  nobody, by the policies that were read"] : []),
    "",
    colours.bold("Besides them, by way of Kubernetes"),
    ...formatWays(ways),
    "",
    colours.bold("Pods that reach what others on their node have"),
    ...nodePods
      .filter(({ origin }) => origin === "others")
      .map(({ pod, node, ways: by, isBeside, controls: names }) =>
        warned(`${pod} ${by.join(", ")}, on node ${node}${isBeside ? ", beside pods that read secrets" : ""}`, names),
      ),
    ...(own.length === 0 ? [] : [plainly(`not by others: ${own.map(({ pod }) => pod).join(", ")}`)]),
    ...(nodePods.length === 0 ? ["  none"] : []),
    plainly(`nodes that have the files: ${nodes.join(", ") || "none"}`),
    "",
    ...section("What could not be read", notRead),
    ...section("What this cannot know", cannotKnow),
    colours.bold("The controls, and what they ask for"),
    controlTable(controls),
    ...(notRead.length > 0
      ? [`All that this command needs: ${ownCommand("rights", environment, "--role", "auditor")}`]
      : []),
  ].join("\n");
}

function formatSecret({
  secret,
  path,
  version,
  rotatedAt,
  maxAgeSeconds,
  readers,
  lastReads,
  controls,
}: SecretEvidence): string[] {
  const age = rotatedAt === undefined ? "no live value" : `${ageOf(rotatedAt)} old, of ${rotatedAt.toISOString()}`;
  const most = maxAgeSeconds === undefined ? "" : `, may grow ${inWords(maxAgeSeconds)} old`;
  return [
    "",
    `${colours.bold(secret)}: ${path}${version === undefined ? "" : `, version ${version}`}, ${age}${most} ${refs(controls.age)}`,
    ...readers.map((reader) => formatStoreLine(reader, controls.readers)),
    ...(readers.length === 0 ? ["  nobody, by the policies that were read"] : []),
    ...(lastReads === undefined
      ? []
      : [
          plainly(
            `last read ${lastReads.map(({ who, at }) => `by ${who} at ${at.toISOString()}`).join(", ") || "by nobody, in the log that was read"}`,
            controls.lastReads,
          ),
        ]),
  ];
}

/** Somebody who may do something by the store's rules. */
function formatStoreLine(
  { who, by, policies, certain, conditions, origin, pods = [] }: StoreLine,
  controls: readonly string[],
  what = "",
): string {
  const how = [
    `${what}${by}, policy ${policies.join(", ")}`,
    ...conditions,
    ...(pods.length === 0 ? [] : [`pods ${pods.join(", ")}`]),
  ].join("; ");
  const line = `${certain ? "" : "perhaps "}${who} (${how}), ${marks[origin]}`;
  return origin === "others" ? warned(line, controls) : plainly(line, controls);
}

/** Others' one by one; the rest, which is long and the same in every cluster, in a line each. */
function formatWays(ways: readonly Way[]): string[] {
  const reached = [...new Set(ways.map(({ reaches }) => reaches))];
  return reached.flatMap((reaches) => {
    const here = ways.filter((each) => each.reaches === reaches);
    const names = (origin: Origin): string[] => [
      ...new Set(here.filter((each) => each.origin === origin).map(({ who }) => who)),
    ];
    return [
      `to ${colours.bold(reaches)}, which has ${here[0]!.secrets.join(", ")}`,
      ...here
        .filter(({ origin }) => origin === "others")
        .map(({ who, may, by, controls }) =>
          warned(`${who} ${may.map(({ words }) => words).join("; ")}, by ${by}`, controls),
        ),
      ...(["rights", "stack", "kubernetes"] as const).flatMap((origin) => {
        const all = names(origin);
        return all.length === 0 ? [] : [plainly(`${marks[origin]}: ${all.join(", ")}`)];
      }),
    ];
  });
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [colours.bold(title), ...lines.map((line) => `  - ${line}`), ""];
}

function controlTable(controls: AccessEvidence["controls"]): string {
  const table = new CliTable({ style: { head: [], border: [], compact: true } });
  for (const { control, asks } of controls) table.push([control, asks]);
  return table.toString();
}

function warned(text: string, controls: readonly string[]): string {
  return `  ${colours.yellow("!")} ${text} ${refs(controls)}`;
}

function plainly(text: string, controls: readonly string[] = []): string {
  return `  ${colours.dim("-")} ${text}${controls.length === 0 ? "" : ` ${refs(controls)}`}`;
}

function refs(controls: readonly string[]): string {
  return colours.dim(`[${controls.join(", ")}]`);
}

function ageOf(since: Date): string {
  return inWords((Date.now() - since.getTime()) / 1000);
}
