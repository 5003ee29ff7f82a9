import { Yaml } from "cdk8s";
import { oneOf, optional, refuseProps, shape, text, url, valuesOf, vaultPaths } from "../../check-props";
import type { Problem, Secret, SecretSource, SecretSpec, SecretStore, SecretTable } from "../../secrets";
import { findVaultObjectProblems, objectOf, type VaultObject, vaultObject, type VaultObjects } from "./object";
import { VaultPaths } from "./paths";
import { findVaultMountProblems, findVaultRowProblems } from "./rules";

/** Where and as whom the CSI provider reads (parameters of vault-csi-provider 1.7, which OpenBao's takes too). */
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
  /**
   * Name in Vault's certificate, where the address has another.
   * @default - the address' host
   */
  readonly tlsServerName?: string | undefined;
  /**
   * Files of the provider's container with the certificate by which it shows who asks, and its key.
   * @default - it shows none
   */
  readonly clientCertificate?:
    | {
        /** The certificate, PEM. */
        readonly certPath: string;
        /** Its key, PEM. */
        readonly keyPath: string;
      }
    | undefined;
}

/** Which Vault, as whom, and where the secrets lie. */
export interface VaultStoreProps extends VaultLogin {
  /** Where the secrets lie. @default - `secret` of KV v2, and `database` of the database engine */
  readonly paths?: VaultPaths;
  /** CSI provider that reads them: Vault's own, or OpenBao's, which takes the same parameters. @default "vault" */
  readonly provider?: "vault" | "openbao";
  /** How single secrets become files, by their names in the table. @default - each as text that all may read */
  readonly objects?: VaultObjects;
}

const checks = {
  address: url,
  role: text,
  audience: optional(text),
  authMount: optional(text),
  vaultNamespace: optional(text),
  caCertPath: optional(text),
  tlsServerName: optional(text),
  clientCertificate: optional(shape<NonNullable<VaultLogin["clientCertificate"]>>({ certPath: text, keyPath: text })),
  paths: optional(vaultPaths),
  provider: optional(oneOf("vault", "openbao")),
  objects: optional(valuesOf(vaultObject)),
};

/**
 * Vault, or OpenBao: KV v2, and static roles of the database engine.
 * @example
 * ```ts
 * import { VaultStore } from "aidbox-secrets/vault";
 *
 * export const store = new VaultStore({ address: "https://vault.example.com", role: "aidbox", authMount: "kubernetes" });
 * ```
 */
export class VaultStore implements SecretStore {
  public readonly title = "Vault";
  public readonly mountsPathsWhole = true;
  public readonly sources: readonly SecretSource[] = ["managed", "seeded", "external", "database"];
  public readonly provider: string;
  /** The mounts; policies are made from the same ones. */
  public readonly paths: VaultPaths;
  /** Audience that the pods' tokens have, and that Vault's role must ask for. */
  public readonly audience: string;

  /** @throws Error that lists all that is wrong with the props */
  public constructor(private readonly props: VaultStoreProps) {
    refuseProps("VaultStore", props, checks);
    this.provider = props.provider ?? "vault";
    this.paths = props.paths ?? new VaultPaths();
    this.audience = props.audience ?? "vault";
  }

  public get tokenAudiences(): readonly string[] {
    return [this.audience];
  }

  public validate(rows: readonly SecretSpec[]): Problem[] {
    const { kvMount, databaseMount } = this.paths;
    return [
      ...findVaultMountProblems({ kvMount, databaseMount, rows }),
      ...findVaultRowProblems(rows),
      ...findVaultObjectProblems("objects", this.props.objects ?? {}, rows),
    ];
  }

  public locate(secret: Secret): string {
    return `${this.paths.operator(secret)}, key ${secret.key}`;
  }

  public parameters(table: SecretTable): Record<string, string> {
    const { address, role, authMount, vaultNamespace, caCertPath, tlsServerName, objects = {} } = this.props;
    const { clientCertificate: client } = this.props;
    return {
      vaultAddress: address,
      roleName: role,
      audience: this.audience,
      vaultAuthMountPath: authMount ?? "kubernetes",
      ...(vaultNamespace === undefined ? {} : { vaultNamespace }),
      ...(caCertPath === undefined ? {} : { vaultCACertPath: caCertPath }),
      ...(tlsServerName === undefined ? {} : { vaultTLSServerName: tlsServerName }),
      ...(client === undefined
        ? {}
        : { vaultTLSClientCertPath: client.certPath, vaultTLSClientKeyPath: client.keyPath }),
      objects: Yaml.stringify(
        table.secrets.map((secret) => ({
          objectName: secret.file,
          secretPath: this.paths.data(secret),
          secretKey: secret.key,
          ...fileOptions(objectOf(objects, secret)),
        })),
      ),
    };
  }

  /** The provider's ids are the files' names; their versions are hashes of its own. */
  public objectId(secret: Secret): string {
    return secret.file;
  }
}

/** A mode is a number to the provider. */
function fileOptions({ encoding, permission }: VaultObject): object {
  return {
    ...(encoding === undefined ? {} : { encoding }),
    ...(permission === undefined ? {} : { filePermission: Number.parseInt(permission, 8) }),
  };
}
