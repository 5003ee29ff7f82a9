import { oneOf, optional, shape, text } from "../../check-props";

/** What an object of Key Vault is. */
export type ObjectType = "secret" | "key" | "certificate";

/** How one secret of the table stands in Key Vault, where that is not as a plain secret of which the newest version counts. */
export interface KeyVaultObject {
  /**
   * What it is. A key's file has its public half; a certificate's file has the certificate alone. A certificate with its
   * private key is a `secret` of the certificate's name.
   * @default "secret"
   */
  readonly type?: ObjectType;
  /**
   * One version for good.
   * @default - the newest
   */
  readonly version?: string;
  /**
   * Of a secret that belongs to a certificate: `pem`, or `pfx`, base64.
   * @default "pem"
   */
  readonly format?: "pem" | "pfx";
  /**
   * How the bytes of the file are written in Key Vault, which holds text alone.
   * @default "utf-8", the text itself
   */
  readonly encoding?: "utf-8" | "base64" | "hex";
  /**
   * Mode of the file, octal.
   * @default "0644"
   */
  readonly permission?: string;
}

/** What each part of one is. */
export const keyVaultObject = shape<KeyVaultObject>({
  type: optional(oneOf("secret", "key", "certificate")),
  version: optional(text),
  format: optional(oneOf("pem", "pfx")),
  encoding: optional(oneOf("utf-8", "base64", "hex")),
  permission: optional(text),
});

/** Objects by the name of the table's secret. */
export type KeyVaultObjects = Readonly<Record<string, KeyVaultObject>>;
