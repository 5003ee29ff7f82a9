import type { Environment } from "../config/environment";
import { howToRun } from "../config/own-package";
import type { LinkReport } from "../operate/link";
import { verify } from "../operate/verify";
import { exitCodes } from "./exit-codes";
import { colours, show, showProgress } from "./terminal";

/** Shows every link of the environment's chain; its exit code tells whether one is broken. */
export async function showVerification(environment: Environment, json: boolean): Promise<number> {
  const progress = await showProgress("checking the chain", json);
  const verification = await verify(environment, {
    onProgress: (done, all) => {
      progress.update(`checking the chain: ${done} of ${all} links`);
    },
  }).finally(progress.stop);
  show(verification, json, ({ links }) => [...links.map(format), summary(environment, links)].join("\n"));
  if (verification.links.some(({ state }) => state === "broken")) return exitCodes.broken;
  return verification.ok ? exitCodes.done : exitCodes.notAllChecked;
}

function format(report: LinkReport): string {
  const { name, checks } = report;
  const lines = (mark: string, ...more: string[]): string =>
    [`${mark} ${colours.bold(name)}: ${checks}`, ...more.map((line) => `    ${line}`)].join("\n");
  switch (report.state) {
    case "ok":
      return lines(colours.green("✔"), colours.dim(report.seen));
    case "broken":
      return lines(colours.red("✘"), colours.red(report.cause), `fix: ${report.fix}`);
    case "not permitted":
      return lines(colours.yellow("?"), colours.yellow(`you lack a right: ${report.right}`));
    case "not checked":
      return lines(colours.dim("-"), colours.dim(`not checked: behind ${report.behind.join(", ")}`));
  }
}

function summary({ name }: Environment, links: readonly LinkReport[]): string {
  const count = (state: LinkReport["state"]): number => links.filter((link) => link.state === state).length;
  const counts = [
    `${count("ok")} of ${links.length} links in order`,
    ...(["broken", "not permitted", "not checked"] as const)
      .filter((state) => count(state) > 0)
      .map((state) => `${count(state)} ${state}`),
  ];
  const lacks = count("not permitted") > 0 ? `\n\`${howToRun("rights")}\` prints all that the commands need.` : "";
  return `\nEnvironment "${name}": ${counts.join(", ")}${lacks}`;
}
