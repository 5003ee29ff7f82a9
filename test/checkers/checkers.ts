import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseAllDocuments } from "yaml";
import type { Finding } from "./finding";

/** Checks a folder of Kubernetes YAML; how many checks passed, and what did not. */
export type Checker = (folder: string) => { readonly passed: number; readonly findings: Finding[] };

/** The checkers by name; each is a program that must be installed. */
export const checkers: Readonly<Record<string, Checker>> = {
  checkov,
  "kube-score": kubeScore,
  "pod-security": podSecurity,
};

interface CheckovResult {
  /** In the folder, with a slash before it. */
  readonly file_path: string;
  readonly check_id: string;
  readonly check_name: string;
  /** As `Deployment.namespace.name`, and of some checks with the pod's labels after it. */
  readonly resource: string;
}

function checkov(folder: string): ReturnType<Checker> {
  const output = run("checkov", [
    ...["--directory", folder, "--framework", "kubernetes", "--output", "json"],
    ...["--skip-download", "--soft-fail", "--compact"],
  ]);
  const { results } = JSON.parse(output) as { results: { passed_checks: unknown[]; failed_checks: CheckovResult[] } };
  return {
    passed: results.passed_checks.length,
    findings: results.failed_checks.map(({ check_id, check_name, resource, file_path }) => {
      const [kind = "", , name = ""] = resource.split(".");
      return { checker: "checkov", check: check_id, where: place(file_path, kind, name), says: check_name };
    }),
  };
}

/** Grades below this one are a warning or worse. */
const kubeScoreOk = 7;

interface KubeScoreObject {
  readonly file_name: string;
  readonly type_meta: { readonly kind: string };
  readonly object_meta: { readonly name: string };
  readonly checks: readonly {
    readonly check: { readonly id: string };
    readonly grade: number;
    readonly skipped: boolean;
    /** What is wrong; the path is the container's name. */
    readonly comments: readonly { readonly path: string; readonly summary: string }[];
  }[];
}

function kubeScore(folder: string): ReturnType<Checker> {
  const options = ["--output-format", "json", "--kubernetes-version", "v1.30", "--exit-one-on-warning=false"];
  const files = readdirSync(folder).map((file) => join(folder, file));
  const objects = JSON.parse(run("kube-score", ["score", ...options, ...files], [0, 1])) as KubeScoreObject[];
  const checks = objects.flatMap(({ file_name, type_meta, object_meta, checks }) =>
    checks
      .filter(({ skipped }) => !skipped)
      .map((each) => ({ ...each, where: place(file_name, type_meta.kind, object_meta.name) })),
  );
  const bad = checks.filter(({ grade }) => grade < kubeScoreOk);
  return {
    passed: checks.length - bad.length,
    findings: bad.flatMap(({ check, where, comments }) =>
      comments.map(({ path, summary }) => ({
        checker: "kube-score",
        check: `${check.id}: ${summary}`, // one check has several: a limit that is missing, a request
        where,
        says: path,
      })),
    ),
  };
}

interface Workload {
  readonly kind?: string;
  readonly metadata?: { readonly name: string };
  readonly spec?: {
    readonly template?: unknown;
    readonly jobTemplate?: { readonly spec: { readonly template: unknown } };
  };
}

/** The `restricted` level, by Kubernetes' own code. */
function podSecurity(folder: string): ReturnType<Checker> {
  const pods = readdirSync(folder)
    .flatMap((file) =>
      parseAllDocuments(readFileSync(join(folder, file), "utf8")).map((document) => ({
        file,
        ...((document.toJS() ?? {}) as Workload),
      })),
    )
    .map(({ file, kind = "", metadata, spec }) => ({
      where: place(file, kind, metadata?.name ?? ""),
      template: kind === "Pod" ? { metadata, spec } : (spec?.template ?? spec?.jobTemplate?.spec.template),
    }))
    .filter(({ template }) => template !== undefined);
  const input = JSON.stringify(pods.map(({ template }) => template));
  const output = run("go", ["-C", join(__dirname, "pod-security"), "run", "."], [0], input);
  const results = JSON.parse(output) as { passed: number; forbidden: { reason: string; detail: string }[] }[];
  return {
    passed: results.reduce((sum, { passed }) => sum + passed, 0),
    findings: results.flatMap(({ forbidden }, index) =>
      forbidden.map(({ reason, detail }) => ({
        checker: "pod-security",
        check: reason,
        where: pods[index]!.where,
        says: detail,
      })),
    ),
  };
}

/** A finding's `where`; a file has the name of the release that it is of. */
function place(file: string, kind: string, name: string): string {
  return `${basename(file, ".yaml")} ${kind}/${name}`;
}

function run(program: string, args: readonly string[], codes: readonly number[] = [0], input = ""): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    input,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error !== undefined) throw new Error(`${program} did not run: install it (docs/checkers.md)`, { cause: error });
  if (!codes.includes(status!)) throw new Error(`${program} ended with ${status}: ${stderr || stdout}`);
  return stdout;
}
