import { partsOf, variableOf } from "./keypair";
import type { SecretSpec } from "./secret";

/** A row that is one value. */
export interface ExpandedRow extends Omit<SecretSpec, "keypair" | "keys"> {
  /** Name of the keypair that it is a part of. @default - none */
  readonly pair?: string;
  /** Name of the row with keys that it is one of. @default - none */
  readonly keysOf?: string;
  /** Whether it stands for all keys at its path. @default false */
  readonly isEveryKey?: boolean;
}

/** What stands in the place of the keys that nobody has looked up yet; no secret has such a key. */
const everyKey = "*";

/** The rows that a row stands for: itself, the parts of a keypair, or one for each of its keys. */
export function expandRow({ keypair, keys, ...row }: SecretSpec): ExpandedRow[] {
  const { name, path, scope, source, file = name } = row;
  if (keys !== undefined) {
    return (keys === "all" ? [everyKey] : keys).map((key) => ({
      ...row,
      name: `${name}/${key}`,
      key,
      file: `${file}/${key}`,
      keysOf: name,
      ...(keys === "all" ? { isEveryKey: true } : {}),
    }));
  }
  if (keypair === undefined) return [row];
  return partsOf(keypair).map((part) => {
    const environment = variableOf(keypair, part);
    return {
      path,
      ...(scope === undefined ? {} : { scope }),
      ...(source === undefined ? {} : { source }),
      name: `${name}-${part}`,
      key: part,
      pair: name,
      ...(environment === undefined ? {} : { environment }),
    };
  });
}
