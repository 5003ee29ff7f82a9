import type { Secret } from "../../../constructs/secrets";
import type { Environment } from "../environment";
import { storeConfigOf } from ".";
import type { StoreReleases } from "./store-releases";

/** Where a secret lies in the environment's store: a path of Vault's API, or a name in the key vault. */
export function locate(environment: Environment, secret: Secret): string {
  return storeConfigOf(environment).locate(environment, secret);
}

/** What of the store an Aidbox reads: paths of Vault, or names in the key vault. */
export function readablePaths(environment: Environment): string[] {
  const store = storeConfigOf(environment);
  return environment.table.paths.flatMap((path) => store.readablePaths(environment, path));
}

/** What the store's releases have in the cluster that nobody else may have. */
export function storeReleases(environment: Environment): StoreReleases {
  return storeConfigOf(environment).releases(environment);
}

/** Audiences of the pod tokens that the driver must hand to the store's CSI provider. */
export function tokenAudiencesOf(environment: Environment): readonly string[] {
  return storeConfigOf(environment).tokenAudiences(environment);
}

/** What is less safe than it could be, a sentence each. */
export function storeWarnings(environment: Environment): readonly string[] {
  return storeConfigOf(environment).warnings?.(environment) ?? [];
}
