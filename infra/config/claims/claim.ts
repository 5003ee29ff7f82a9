import type { Problem } from "../../../constructs/secrets";

/** A name that is made from the config and that nobody else may have. */
export interface Claim {
  /** What has the name, as `Vault policy`. Names of two kinds are never the same. */
  readonly kind: string;
  /** Within what the name must be the only one of its kind: `cluster`, `namespace aidbox`, `Vault`, `KV mount secret`. */
  readonly scope: string;
  readonly name: string;
  /** Namespace without which it would not be made: where two want that one, they want all of it. */
  readonly namespace?: string;
  /** Whose it is, as `tenant north`. */
  readonly owner: string;
  readonly from: Origin;
}

/** The config key that decides on a name. */
export interface Origin {
  readonly key: string;
  /** What it says, or would by default. */
  readonly value: string;
  /** How to get to another name. */
  readonly fix: string;
}

/**
 * What is wrong where two want one name.
 *
 * @returns one problem for two keys, however many names clash by them
 */
export function findClashes(claims: readonly Claim[]): Problem[] {
  const first = new Map<string, Claim>();
  const told = new Set<string>();
  const shared = new Set<string | undefined>(); // namespaces
  return claims.flatMap((claim): Problem[] => {
    const id = JSON.stringify([claim.kind, claim.scope, claim.name]);
    const other = first.get(id);
    if (other === undefined) first.set(id, claim);
    if (other === undefined || other.owner === claim.owner || shared.has(claim.namespace)) return [];
    if (claim.kind === "Namespace") shared.add(claim.name);
    const pair = JSON.stringify([claim.from.key, other.from.key]);
    if (told.has(pair)) return [];
    told.add(pair);
    return [{ key: claim.from.key, message: describe(claim, other) }];
  });
}

function describe({ kind, name, from }: Claim, other: Claim): string {
  const what = from.value === name ? `is the ${kind}` : `makes the ${kind} "${name}", which is that`;
  return `"${from.value}": ${what} of ${other.owner} too (${other.from.key}): ${from.fix}`;
}
