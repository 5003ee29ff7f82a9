import { checkEnvironment } from "../../infra/config/check-environment";
import type { Environment, KeyVaultEnvironment } from "../../infra/config/environment";

/** An environment's config, checked, whose store is a key vault. */
export function checkKeyVaultEnvironment(config: Readonly<Record<string, unknown>>): KeyVaultEnvironment {
  return ofKeyVault(
    checkEnvironment("azure", {
      kubeContext: "somewhere",
      aidbox: { image: "healthsamurai/aidboxone:2605" },
      ...config,
    }),
  );
}

/** An environment whose store is a key vault. @throws Error where it is another */
export function ofKeyVault(environment: Environment): KeyVaultEnvironment {
  if (environment.azureKeyVault === undefined) throw new Error(`The store of ${environment.name} is no key vault`);
  return environment;
}
