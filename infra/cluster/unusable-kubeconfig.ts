import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

/** A kubeconfig that is there and cannot be read. */
export class UnusableKubeconfigError extends Error {
  public constructor(files: string, reason: string) {
    super(`the kubeconfig ${files} cannot be read: ${reason}: mend it, or set KUBECONFIG to another`);
    this.name = "UnusableKubeconfigError";
  }
}

/** What an error says of the kubeconfig that was loaded; undefined where there is none, or an empty one. */
export function unusableKubeconfig(error: unknown): UnusableKubeconfigError | undefined {
  const files = (process.env.KUBECONFIG || join(homedir(), ".kube/config")).split(delimiter).filter(Boolean);
  if (codeOf(error) === "ENOENT" || files.every(isBlank)) return undefined;
  return new UnusableKubeconfigError(files.join(" and "), reasonOf(error));
}

function reasonOf(error: unknown): string {
  // Of a YAML error the whole message shows lines of the file, which may hold a token.
  const { reason, mark } = Object(error) as { readonly reason?: string; readonly mark?: { readonly line: number } };
  if (reason !== undefined && mark !== undefined) return `it is no YAML (${reason}, line ${mark.line + 1})`;
  const code = codeOf(error);
  return code === undefined ? "its content is not that of a kubeconfig" : `the system says ${code}`;
}

function codeOf(error: unknown): string | undefined {
  const { code } = Object(error) as { readonly code?: unknown };
  return typeof code === "string" ? code : undefined;
}

function isBlank(file: string): boolean {
  try {
    return readFileSync(file, "utf8").trim() === "";
  } catch {
    return false;
  }
}
