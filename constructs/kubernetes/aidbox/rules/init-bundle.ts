import type { Problem, SecretSpec } from "../../../secrets";

/** Variable with the URL of the Init Bundle. */
export const initBundleVariable = "BOX_INIT_BUNDLE";

/**
 * Where something else says the URL of an Init Bundle that this stack delivers.
 *
 * @param plain names of the plain settings
 * @param secrets rows of the table of secrets
 */
export function findInitBundleClashes(
  plain: readonly string[],
  secrets: readonly Pick<SecretSpec, "environment">[],
): Problem[] {
  const message = "is set by this stack, to the bundle of initBundle: leave it out, or leave out initBundle";
  const rows = secrets.flatMap(({ environment }, index) =>
    environment === initBundleVariable ? [{ key: `secrets[${index}].environment`, message }] : [],
  );
  return [
    ...(plain.includes(initBundleVariable) ? [{ key: `environment.${initBundleVariable}`, message }] : []),
    ...rows,
  ];
}
