import { Yaml } from "cdk8s";
import type { Secret } from "../../secrets";
import { type AzureCloud, clouds, objectName } from "./names";
import type { KeyVaultObject, KeyVaultObjects, ObjectType } from "./object";

/** As whom the CSI provider reads. */
export type KeyVaultIdentity =
  | {
      /** The pod's own, by a token of its ServiceAccount: no other pod has it. */
      readonly type: "workload";
      /** Client id of a managed identity or an app with a federated credential for the ServiceAccount. */
      readonly clientId: string;
    }
  | {
      /** UNSAFE: one of the node's. Every pod of the node that reaches the metadata service has it too. */
      readonly type: "node";
      /** Client id of a user-assigned managed identity. @default - the node's system-assigned one */
      readonly clientId?: string;
    }
  | {
      /** UNSAFE: an app by its password, for whoever reads the Kubernetes Secret. */
      readonly type: "service-principal";
      /** Kubernetes Secret beside the pods with the keys `clientid` and `clientsecret`. */
      readonly secretName: string;
    };

/** Which key vault, and as whom. */
export interface KeyVaultLogin {
  /** Name of the key vault, as `aidbox-prod`: 3 to 24 letters, digits and dashes. */
  readonly keyVault: string;
  /** Tenant of Entra ID, a UUID. */
  readonly tenantId: string;
  /** `workload` alone keeps other pods out. */
  readonly identity: KeyVaultIdentity;
  /** @default "public" */
  readonly cloud?: AzureCloud;
}

/** Audience of the pod's token that Entra ID takes in place of a password; one of the driver's `tokenRequests`. */
export const workloadIdentityAudience = "api://AzureADTokenExchange";

/** The provider's words for the types of objects. */
const providersTypes: Readonly<Record<ObjectType, string>> = { secret: "secret", key: "key", certificate: "cert" };

/**
 * Parameters of a SecretProviderClass of provider `azure`. All are texts, also flags; `objects` is YAML whose list holds YAML
 * again, one text for each object.
 *
 * Source: https://github.com/Azure/secrets-store-csi-driver-provider-azure/blob/v1.8.2/pkg/provider/types/types.go
 */
export function keyVaultParameters(
  { keyVault, tenantId, identity, cloud }: KeyVaultLogin,
  secrets: readonly Secret[],
  objects: KeyVaultObjects = {},
): Record<string, string> {
  return {
    keyvaultName: keyVault,
    tenantID: tenantId,
    ...(cloud === undefined || cloud === "public" ? {} : { cloudName: clouds[cloud].providersName }),
    ...identityParameters(identity),
    objects: Yaml.stringify({
      array: secrets.map((secret) => Yaml.stringify(objectEntry(secret, objects[secret.pair ?? secret.name]))),
    }),
  };
}

function identityParameters(identity: KeyVaultIdentity): Record<string, string> {
  switch (identity.type) {
    case "workload":
      return { clientID: identity.clientId };
    case "node":
      return {
        useVMManagedIdentity: "true",
        ...(identity.clientId === undefined ? {} : { userAssignedIdentityID: identity.clientId }),
      };
    case "service-principal":
      return {};
  }
}

/** What `objects` says of a secret. */
export function objectEntry(secret: Secret, object: KeyVaultObject = {}): Record<string, string> {
  const { type = "secret", version, format, encoding, permission } = object;
  return {
    objectName: objectName(secret),
    objectType: providersTypes[type],
    objectAlias: secret.file,
    ...(version === undefined ? {} : { objectVersion: version }),
    ...(format === undefined ? {} : { objectFormat: format }),
    ...(encoding === undefined ? {} : { objectEncoding: encoding }),
    ...(permission === undefined ? {} : { filePermission: permission }),
  };
}

/** By which name the status of a mount has a secret; its version there is Key Vault's own. */
export function mountedObjectId(secret: Secret, { type = "secret" }: KeyVaultObject = {}): string {
  return `${providersTypes[type]}/${objectName(secret)}`;
}

/** Audiences of the pod tokens that the driver must hand to the provider. */
export function tokenAudiencesFor({ type }: KeyVaultIdentity): readonly string[] {
  return type === "workload" ? [workloadIdentityAudience] : [];
}

/** Who beside Aidbox has the identity, in words for a warning; undefined where nobody has. */
export function identityWarning(identity: KeyVaultIdentity): string | undefined {
  switch (identity.type) {
    case "workload":
      return undefined;
    case "node":
      return (
        "UNSAFE: Aidbox reads Key Vault by an identity of its node. Every pod of that node can use it, and read the same " +
        "secrets. Use identity: { type: workload }"
      );
    case "service-principal":
      return (
        `UNSAFE: Aidbox reads Key Vault by the password in the Kubernetes Secret ${identity.secretName}. Whoever reads that ` +
        "Secret can read the same secrets, from anywhere. Use identity: { type: workload }"
      );
  }
}
