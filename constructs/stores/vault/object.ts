import { oneOf, optional, shape, text } from "../../check-props";
import type { Problem, Secret, SecretSpec } from "../../secrets";
import { fileModeProblem } from "../file-mode";

/** How one secret of the table becomes a file, where that is not as text that all may read. */
export interface VaultObject {
  /**
   * How the bytes of the file are written in Vault, which holds text alone.
   * @default "utf-8", the text itself
   */
  readonly encoding?: "utf-8" | "base64" | "hex" | undefined;
  /**
   * Mode of the file, octal.
   * @default "0644"
   */
  readonly permission?: string | undefined;
}

/** What each part of one is. */
export const vaultObject = shape<VaultObject>({
  encoding: optional(oneOf("utf-8", "base64", "hex")),
  permission: optional(text),
});

/** Objects by the name of the table's secret. */
export type VaultObjects = Readonly<Record<string, VaultObject>>;

/** How a secret becomes a file; the parts of a keypair, and the keys of a row, do so as their row says. */
export function objectOf(
  objects: VaultObjects,
  { pair, keysOf, name }: Pick<Secret, "pair" | "keysOf" | "name">,
): VaultObject {
  return objects[pair ?? keysOf ?? name] ?? {};
}

/**
 * What is wrong with how secrets become files.
 *
 * @param key key of the config that has them, as `vault.objects`
 */
export function findVaultObjectProblems(key: string, objects: VaultObjects, rows: readonly SecretSpec[]): Problem[] {
  return Object.entries(objects).flatMap(([name, { encoding = "utf-8", permission }]): Problem[] => {
    const row = rows.find((each) => each.name === name);
    if (row === undefined) {
      const names = rows.map((each) => each.name).join(", ");
      return [{ key: `${key}.${name}`, message: `there is no such secret: write one of ${names}` }];
    }
    const { source = "external", keypair } = row;
    const problems: Problem[] = [];
    if (encoding !== "utf-8" && (source !== "external" || keypair !== undefined)) {
      const what = keypair === undefined ? source : "a keypair";
      const message = `"${encoding}": this stack writes text as it is, and the row is ${what}: make it external`;
      problems.push({ key: `${key}.${name}.encoding`, message });
    }
    const modeProblem = fileModeProblem(permission);
    if (modeProblem !== undefined) problems.push({ key: `${key}.${name}.permission`, message: modeProblem });
    return problems;
  });
}
