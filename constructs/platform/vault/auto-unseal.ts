import { flag, optional, text, url, variant } from "../../check-props";

/** Where the key lies that unseals Vault without operators. Clouds' credentials come by workload identity. */
export type AutoUnseal =
  | {
      /** The transit engine of another Vault. */
      readonly type: "transit";
      /** URL of the Vault that holds the key. */
      readonly address: string;
      /** Name of the key in the engine. */
      readonly keyName: string;
      /** Path of the engine's mount. @default "transit" */
      readonly mountPath?: string;
      /**
       * Kubernetes Secret in Vault's namespace whose key `token` may encrypt and decrypt with the key; its key `ca.crt`
       * is the CA of that Vault where `trustsOwnCa`.
       */
      readonly tokenSecretName: string;
      /** @default - a CA that everybody trusts */
      readonly trustsOwnCa?: boolean;
    }
  | {
      /** AWS Key Management Service. */
      readonly type: "awskms";
      /** Region of the key, as `eu-central-1`. */
      readonly region: string;
      /** Id, ARN or alias of the key. */
      readonly kmsKeyId: string;
      /** IAM role of the servers' ServiceAccount (IRSA). @default - that of EKS Pod Identity, or the node's */
      readonly roleArn?: string;
    }
  | {
      /** A key of Azure Key Vault. */
      readonly type: "azurekeyvault";
      /** Tenant of Entra ID, a UUID. */
      readonly tenantId: string;
      /** Name of the key vault, without the host's rest. */
      readonly vaultName: string;
      /** Name of the key in it. */
      readonly keyName: string;
      /** Managed identity that trusts the servers' ServiceAccount (workload identity). @default - the node's */
      readonly clientId?: string;
    }
  | {
      /** Google Cloud Key Management Service. */
      readonly type: "gcpckms";
      /** Id of the Google Cloud project. */
      readonly project: string;
      /** Location of the key ring, as `europe-west3` or `global`. */
      readonly region: string;
      /** Name of the key ring. */
      readonly keyRing: string;
      /** Name of the key in it. */
      readonly cryptoKey: string;
      /** Google service account that the servers' ServiceAccount stands for. @default - what IAM binds to the latter itself */
      readonly serviceAccount?: string;
    };

/** What each seal has. */
export const autoUnseal = variant<AutoUnseal, "type">("type", {
  transit: {
    address: url,
    keyName: text,
    mountPath: optional(text),
    tokenSecretName: text,
    trustsOwnCa: optional(flag),
  },
  awskms: { region: text, kmsKeyId: text, roleArn: optional(text) },
  azurekeyvault: { tenantId: text, vaultName: text, keyName: text, clientId: optional(text) },
  gcpckms: { project: text, region: text, keyRing: text, cryptoKey: text, serviceAccount: optional(text) },
});

/** Folder with the CA of the Vault that holds the key of a transit seal. */
const sealFolder = "/vault/seal";

/** The CAs that everybody trusts, in the official image. */
const publicCas = "/etc/ssl/certs/ca-certificates.crt";

/** A seal whose key another Vault has. */
export type TransitSeal = AutoUnseal & { readonly type: "transit" };

/** The seal's part of a server's configuration, without credentials. */
export function sealConfig(seal: AutoUnseal): object {
  switch (seal.type) {
    case "transit":
      return {
        transit: {
          address: seal.address,
          key_name: seal.keyName,
          mount_path: `${seal.mountPath ?? "transit"}/`,
          // Without it, the seal would look for this Vault's CA, of VAULT_CACERT, in the other's certificate.
          ...(seal.address.startsWith("https:")
            ? { tls_ca_cert: seal.trustsOwnCa === true ? `${sealFolder}/ca.crt` : publicCas }
            : {}),
        },
      };
    case "awskms":
      return { awskms: { region: seal.region, kms_key_id: seal.kmsKeyId } };
    case "azurekeyvault":
      return { azurekeyvault: { tenant_id: seal.tenantId, vault_name: seal.vaultName, key_name: seal.keyName } };
    case "gcpckms":
      return {
        gcpckms: {
          project: seal.project,
          region: seal.region,
          key_ring: seal.keyRing,
          crypto_key: seal.cryptoKey,
        },
      };
  }
}

/** The seal's part of the chart's values for the servers: how they come by its credentials. */
export function sealParts(seal: AutoUnseal): {
  readonly volumes: readonly object[];
  readonly volumeMounts: readonly object[];
  readonly values: object;
} {
  const none = { volumes: [], volumeMounts: [] };
  const annotated = (annotation: string, value: string | undefined, further: object = {}): object =>
    value === undefined ? {} : { serviceAccount: { annotations: { [annotation]: value } }, ...further };
  switch (seal.type) {
    case "transit": {
      const items = [{ key: "ca.crt", path: "ca.crt" }];
      const { tokenSecretName: secretName } = seal;
      return {
        ...(seal.trustsOwnCa === true
          ? {
              volumes: [{ name: "seal", secret: { secretName, items } }],
              volumeMounts: [{ name: "seal", mountPath: sealFolder, readOnly: true }],
            }
          : none),
        values: { extraSecretEnvironmentVars: [{ envName: "VAULT_TOKEN", secretName, secretKey: "token" }] },
      };
    }
    // https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html
    case "awskms":
      return { ...none, values: annotated("eks.amazonaws.com/role-arn", seal.roleArn) };
    // https://azure.github.io/azure-workload-identity/docs/topics/service-account-labels-and-annotations.html
    case "azurekeyvault": {
      const further = { extraLabels: { "azure.workload.identity/use": "true" } };
      return { ...none, values: annotated("azure.workload.identity/client-id", seal.clientId, further) };
    }
    // https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity#kubernetes-sa-to-iam
    case "gcpckms":
      return { ...none, values: annotated("iam.gke.io/gcp-service-account", seal.serviceAccount) };
  }
}
