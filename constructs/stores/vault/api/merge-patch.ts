import { isJsonObject } from "../json-object";

/** A value has null inside, which a JSON merge patch takes for the order to delete. */
export class NullInsideError extends Error {}

/**
 * The JSON merge patch (RFC 7396) that makes one value of another, which Vault's PATCH would else merge with it.
 *
 * @throws NullInsideError
 */
export function mergePatch(from: unknown, to: unknown): unknown {
  if (to === null) throw new NullInsideError("it has null inside, which Vault's patch takes for the order to delete");
  if (!isJsonObject(to)) return to;
  const former = isJsonObject(from) ? from : {};
  return Object.fromEntries([
    ...Object.keys(former).map((key) => [key, null] as const),
    ...Object.entries(to).map(([key, value]) => [key, mergePatch(former[key], value)] as const),
  ]);
}
