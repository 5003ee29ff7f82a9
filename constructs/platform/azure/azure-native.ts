import { createRequire } from "node:module";
import { join } from "node:path";
import type * as pulumi from "@pulumi/pulumi";

/** The class of one kind of Azure's resources. */
export type AzureResource<Outputs extends string = never> = new (
  name: string,
  args: Record<string, unknown>,
  opts?: pulumi.CustomResourceOptions,
) => pulumi.CustomResource & { readonly [output in Outputs]: pulumi.Output<string> };

/** What of `@pulumi/azure-native` is used. */
export interface AzureNative {
  /** Its namespace `keyvault`, which makes the key vault. */
  readonly keyvault: {
    /** A key vault. */
    readonly Vault: AzureResource;
  };
  /** Its namespace `managedidentity`, which makes the pods' identity. */
  readonly managedidentity: {
    /** A managed identity. */
    readonly UserAssignedIdentity: AzureResource<"clientId" | "principalId">;
    /** A ServiceAccount whose tokens stand for the identity. */
    readonly FederatedIdentityCredential: AzureResource;
  };
  /** Its namespace `authorization`, which lets the identity read. */
  readonly authorization: {
    /** A role for the identity in the vault. */
    readonly RoleAssignment: AzureResource;
  };
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
