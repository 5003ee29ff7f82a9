import { spawn } from "node:child_process";
import { stringify } from "yaml";
import type { PlannedRelease } from "./list-images";

/** The least Kubernetes of the stack, which charts are rendered for. */
const kubeVersion = "1.30.0";

/** This machine has no Helm. */
export class NoHelmError extends Error {}

/**
 * A release's chart as Helm renders it, hooks too, without a cluster.
 *
 * @throws NoHelmError; Error with what Helm says
 */
export function helmTemplate(release: PlannedRelease): Promise<string> {
  const { name, namespace, chart, version, repositoryOpts, values } = release;
  const args = [
    ...["template", name, chart, "--namespace", namespace, "--values", "-"],
    ...["--kube-version", kubeVersion, "--skip-tests"], // `up` runs no tests of charts
    ...(repositoryOpts?.repo === undefined ? [] : ["--repo", repositoryOpts.repo]),
    ...(version === undefined ? [] : ["--version", version]),
  ];
  return new Promise((done, fail) => {
    const child = spawn("helm", args, { stdio: ["pipe", "pipe", "pipe"] });
    let [told, failure] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => (told += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (failure += chunk.toString()));
    child.stdin.on("error", () => undefined); // it may end before it has read all
    child.on("error", (error: NodeJS.ErrnoException) => {
      fail(error.code === "ENOENT" ? new NoHelmError("helm is not on PATH") : error);
    });
    child.on("close", (code) => {
      if (code === 0) done(told);
      else fail(new Error(`The chart of ${namespace}/${name} cannot be rendered: ${failure.trim()}${wayOut(failure)}`));
    });
    child.stdin.end(stringify(values));
  });
}

/** What helps where Helm did not reach a chart's repository. */
function wayOut(failure: string): string {
  return /\bdial tcp\b|cannot be reached|handshake|timeout|deadline exceeded/i.test(failure)
    ? "\nWithout a way to the repositories, set CHARTS_DIR to a folder with the charts: docs/commands.md#without-a-network"
    : "";
}
