import type { Problem } from "../../constructs/secrets";
import { shellCommand } from "../../constructs/shell-command";
import { projectName, secretKeys } from "./project";

/**
 * What of the keys that hold secrets is not encrypted in a stack's file.
 *
 * @param config the file's `config`, with prefixes
 */
export function unencryptedProblems(config: Readonly<Record<string, unknown>>): Problem[] {
  return secretKeys.flatMap((key) => plainLeaves(key, config[`${projectName}:${key}`]).map(refusal));
}

/**
 * What the engine says otherwise of a key than the stack needs: that one that holds secrets is plain, or another encrypted.
 *
 * @param keys the keys that are set, without prefix
 * @param encrypted those that are encrypted, of all projects
 */
export function encryptionProblems(keys: readonly string[], encrypted: readonly string[]): Problem[] {
  const isEncrypted = (key: string): boolean => encrypted.includes(`${projectName}:${key}`);
  return keys.flatMap((key): Problem[] => {
    if (secretKeys.includes(key)) return isEncrypted(key) ? [] : [refusal(key)];
    if (!isEncrypted(key)) return [];
    const message = `is encrypted, and the stack would show it in plain text: of encrypted keys it takes ${secretKeys.join(", ")} alone: write a row of secrets`;
    return [{ key, message }];
  });
}

function plainLeaves(key: string, node: unknown): string[] {
  if (node === undefined || node === null || isEncryptedValue(node)) return [];
  if (typeof node !== "object") return [key];
  return Object.entries(node).flatMap(([name, value]) => plainLeaves(`${key}.${name}`, value));
}

/** As Pulumi writes what it has encrypted. */
function isEncryptedValue(node: unknown): boolean {
  if (typeof node !== "object" || node === null) return false;
  const { secure, ...others } = node as { readonly secure?: unknown };
  return typeof secure === "string" && secure !== "" && Object.keys(others).length === 0;
}

function refusal(key: string): Problem {
  const path = key.includes(".") ? ["--path"] : [];
  const command = shellCommand("pulumi", "config", "set", "--secret", ...path, `${projectName}:${key}`);
  return {
    key,
    message:
      `is in plain text: run \`${command}\`, which reads the value from its input; where others may have read the file, ` +
      "with a new value",
  };
}
