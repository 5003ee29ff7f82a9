/**
 * Versions of TypeScript with which programs that import a package, and the package's declarations, type-check; the oldest first.
 * What was measured with them: `test/e2e/typescript-versions.e2e.ts`.
 */
export const typescriptVersions: Readonly<Record<string, readonly string[]>> = {
  "aidbox-secrets": ["5.0.4", "5.4.5", "5.9.3", "6.0.3", "7.0.2"],
  "cdk8s-pulumi": ["5.0.4", "5.4.5", "5.9.3", "6.0.3", "7.0.2"],
  // Its declarations import types of an ES module by `resolution-mode`, which came with 5.3.
  "aidbox-secrets-stack": ["5.4.5", "5.9.3", "6.0.3", "7.0.2"],
};

/** The row of the documentation's table for a package. */
export function typescriptCell(name: string): string {
  return (typescriptVersions[name] ?? []).map((version) => version.replace(/\.\d+$/, "")).join(", ");
}
