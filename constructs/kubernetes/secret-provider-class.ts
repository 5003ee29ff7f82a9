import { Yaml } from "cdk8s";
import { Construct } from "constructs";
import {
  SecretProviderClass,
  type SecretProviderClassSpecSecretObjects,
} from "../../imports/secrets-store.csi.x-k8s.io";
import type { SecretTable } from "../secrets";

/** Where and as whom the Vault CSI provider reads (parameters of vault-csi-provider 1.7). */
export interface VaultLogin {
  /** URL of Vault as seen from the provider's pods, as `http://vault.vault:8200`. */
  readonly address: string;
  /** Vault role of the login. */
  readonly role: string;
  /**
   * Audience of the pod's token; the same as the role's, and one of the driver's `tokenRequests`.
   * @default "vault"
   */
  readonly audience?: string;
  /**
   * Path of the auth mount, without `auth/`; a `kubernetes` or a `jwt` one, they take the same login.
   * @default "kubernetes"
   */
  readonly authMount?: string;
  /**
   * Namespace of Vault Enterprise or HCP Vault.
   * @default - none
   */
  readonly vaultNamespace?: string;
  /**
   * File of the provider's container that holds the CA of Vault's certificate.
   * @default - the image's own CAs
   */
  readonly caCertPath?: string;
}

export interface VaultSecretProviderClassProps {
  /** @default "aidbox-vault-secrets" */
  readonly name?: string;
  readonly table: SecretTable;
  readonly vault: VaultLogin;
  /** Name of the Kubernetes Secret that takes what must be environment. */
  readonly syncedSecretName: string;
}

/** Tells the Secrets Store CSI driver what to fetch from Vault for the table, and what to sync to a Kubernetes Secret. */
export class VaultSecretProviderClass extends Construct {
  public readonly name: string;

  public constructor(scope: Construct, id: string, props: VaultSecretProviderClassProps) {
    super(scope, id);
    const { table, vault } = props;
    this.name = props.name ?? "aidbox-vault-secrets";
    new SecretProviderClass(this, "class", {
      metadata: { name: this.name },
      spec: {
        provider: "vault",
        parameters: {
          vaultAddress: vault.address,
          roleName: vault.role,
          audience: vault.audience ?? "vault",
          vaultAuthMountPath: vault.authMount ?? "kubernetes",
          ...(vault.vaultNamespace === undefined ? {} : { vaultNamespace: vault.vaultNamespace }),
          ...(vault.caCertPath === undefined ? {} : { vaultCACertPath: vault.caCertPath }),
          objects: Yaml.stringify(
            table.secrets.map((secret) => ({
              objectName: secret.file,
              secretPath: table.dataPath(secret),
              secretKey: secret.key,
            })),
          ),
        },
        secretObjects: syncedObjects(table, props.syncedSecretName),
      },
    });
  }
}

function syncedObjects(table: SecretTable, secretName: string): SecretProviderClassSpecSecretObjects[] | undefined {
  if (table.synced.length === 0) return undefined;
  return [
    {
      secretName,
      type: "Opaque",
      data: table.synced.map((secret) => ({
        objectName: secret.file,
        key: secret.environment,
      })),
    },
  ];
}
