import * as pulumi from "@pulumi/pulumi";
import { each, flag, given, optional, refuseProps, shape, text } from "../../check-props";
import type { Problem } from "../../secrets";
import { workloadIdentityAudience } from "../../stores/azure-key-vault/parameters";
import { type AzureNative, loadAzureNative } from "./azure-native";

/** A key vault, and the pods that read it. */
export interface AzureKeyVaultArgs {
  /** Name of the key vault, which no other on earth may have. */
  readonly keyVault: string;
  /** Tenant of Entra ID whose identities may read it, a UUID. */
  readonly tenantId: string;
  /** Resource group that is there already. */
  readonly resourceGroup: string;
  /** @default - that of the resource group */
  readonly location?: string;
  /** Issuer of the cluster's tokens: `az aks show --query oidcIssuerProfile.issuerUrl`. */
  readonly issuer: pulumi.Input<string>;
  /** ServiceAccounts whose pods read the vault, at most 20: a managed identity takes no more federated credentials. */
  readonly serviceAccounts: readonly {
    /** Its namespace. */
    readonly namespace: string;
    /** Name of the ServiceAccount, as Aidbox's own. */
    readonly name: string;
  }[];
  /**
   * Whether nobody may purge what is deleted, before its 90 days are over; it cannot be switched off again.
   * @default true
   */
  readonly purgeProtection?: boolean;
  /** Whether the vault, and the values in it, stay in Azure when the stack goes. @default true */
  readonly keepsValues?: boolean;
  /** Pulumi's provider of Azure. @default - it is looked for in node_modules */
  readonly azure?: AzureNative;
}

/** Azure's own role that reads values. Source: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/security */
const secretsUser = "4633458b-17de-408a-b874-0445c86b69e6";

const mostCredentials = 20;

const checks = {
  keyVault: text,
  tenantId: text,
  resourceGroup: text,
  location: optional(text),
  issuer: given,
  serviceAccounts: each(shape<AzureKeyVaultArgs["serviceAccounts"][number]>({ namespace: text, name: text })),
  purgeProtection: optional(flag),
  keepsValues: optional(flag),
  azure: optional(given),
};

function problemsOf({ serviceAccounts: { length } }: AzureKeyVaultArgs): Problem[] {
  if (length <= mostCredentials) return [];
  const fix = `a managed identity takes ${mostCredentials}: make another AzureKeyVault`;
  return [{ key: "serviceAccounts", message: `are ${length}, and ${fix}` }];
}

/**
 * A key vault for one stack, and a managed identity by which its Aidbox pods read it: workload identity, with no password
 * anywhere. By Pulumi's provider of Azure, which is an optional peer.
 *
 * @throws Error that lists all that is wrong with the props; MissingAzureNativeError
 */
export class AzureKeyVault extends pulumi.ComponentResource {
  /** Client id of the identity, for a class's `clientID`. */
  public readonly clientId: pulumi.Output<string>;
  /** Resolved once the pods' identity may read. */
  public readonly ready: pulumi.Output<unknown>;

  public constructor(name: string, args: AzureKeyVaultArgs, opts?: pulumi.ComponentResourceOptions) {
    refuseProps(`AzureKeyVault ${name}`, args, checks, () => problemsOf(args));
    super("aidbox-secrets:platform:AzureKeyVault", name, {}, opts);
    const { keyVault, tenantId, resourceGroup, issuer, serviceAccounts } = args;
    const { keyvault, managedidentity, authorization } = args.azure ?? loadAzureNative();
    const place = {
      resourceGroupName: resourceGroup,
      ...(args.location === undefined ? {} : { location: args.location }),
    };
    const vault = new keyvault.Vault(
      `${name}-vault`,
      {
        ...place,
        vaultName: keyVault,
        properties: {
          tenantId,
          sku: { family: "A", name: "standard" },
          enableRbacAuthorization: true,
          enableSoftDelete: true,
          softDeleteRetentionInDays: 90,
          // Azure refuses false: left out, it is off.
          ...((args.purgeProtection ?? true) ? { enablePurgeProtection: true } : {}),
        },
      },
      { parent: this, retainOnDelete: args.keepsValues ?? true },
    );
    const identity = new managedidentity.UserAssignedIdentity(
      `${name}-identity`,
      { ...place, resourceName: `${keyVault}-aidbox` },
      { parent: this },
    );
    // Azure makes them one after the other alone, and answers 409 otherwise.
    const credentials: pulumi.Resource[] = [];
    for (const serviceAccount of serviceAccounts) {
      const subject = `system:serviceaccount:${serviceAccount.namespace}:${serviceAccount.name}`;
      credentials.push(
        new managedidentity.FederatedIdentityCredential(
          `${name}-${serviceAccount.namespace}-${serviceAccount.name}`,
          {
            resourceGroupName: resourceGroup,
            resourceName: `${keyVault}-aidbox`,
            federatedIdentityCredentialResourceName: `${serviceAccount.namespace}-${serviceAccount.name}`,
            issuer,
            subject,
            audiences: [workloadIdentityAudience],
          },
          { parent: this, dependsOn: [identity, ...credentials.slice(-1)] },
        ),
      );
    }
    const assignment = new authorization.RoleAssignment(
      `${name}-reader`,
      {
        principalId: identity.principalId,
        // Without it, Azure looks for the new principal in a directory that may not know it yet.
        principalType: "ServicePrincipal",
        roleDefinitionId: `/providers/Microsoft.Authorization/roleDefinitions/${secretsUser}`,
        scope: vault.id,
      },
      { parent: this },
    );
    this.clientId = identity.clientId;
    this.ready = pulumi.all([assignment, ...credentials].map(({ urn }) => urn));
    this.registerOutputs();
  }
}
