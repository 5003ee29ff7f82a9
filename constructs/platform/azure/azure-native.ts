import { createRequire } from "node:module";
import { join } from "node:path";
import type * as pulumi from "@pulumi/pulumi";

type Made<Outputs extends string = never> = new (
  name: string,
  args: Record<string, unknown>,
  opts?: pulumi.CustomResourceOptions,
) => pulumi.CustomResource & { readonly [output in Outputs]: pulumi.Output<string> };

/** What of `@pulumi/azure-native` is used. */
export interface AzureNative {
  readonly keyvault: { readonly Vault: Made };
  readonly managedidentity: {
    readonly UserAssignedIdentity: Made<"clientId" | "principalId">;
    readonly FederatedIdentityCredential: Made;
  };
  readonly authorization: { readonly RoleAssignment: Made };
}

const packageName = "@pulumi/azure-native";

/** Pulumi's provider of Azure is not installed. */
export class MissingAzureNativeError extends Error {
  public constructor() {
    super(
      `A key vault of the stack's own needs ${packageName}, which is not installed: run \`npm install ${packageName}@3\``,
    );
    this.name = "MissingAzureNativeError";
  }
}

/**
 * Loads Pulumi's provider of Azure, which nobody needs whose key vault is there already.
 *
 * @param from folders from which it is looked for
 * @throws MissingAzureNativeError
 */
export function loadAzureNative(from: readonly string[] = [__dirname, process.cwd()]): AzureNative {
  for (const folder of from) {
    const load = createRequire(join(folder, "package.json"));
    try {
      load.resolve(packageName);
    } catch {
      continue;
    }
    return load(packageName) as AzureNative;
  }
  throw new MissingAzureNativeError();
}
