import { CustomResource as KubernetesCustomResource } from "@pulumi/kubernetes/apiextensions/customResource";
import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap";
import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import * as pulumi from "@pulumi/pulumi";
import { type Check, each, given, oneOf, optional, refuseArguments, refuseProps, shape, text } from "../../check-props";
import { vaultTlsNames } from "../../stores/vault/names";

/** Where Vault's certificate comes from. */
export type CertificateSource =
  | {
      /** Issued by whoever runs the program. */
      readonly caCert: pulumi.Input<string>;
      /** Private key of the CA, PEM. It is kept in the cluster, for renewals. */
      readonly caKey: pulumi.Input<string>;
      /** Former CAs, PEM, kept beside the CA's key: who can write the ConfigMap of `trusted` is not trusted by that. */
      readonly former?: string;
      /** The CA, and former ones whose certificates may still be in use, PEM. */
      readonly trusted: pulumi.Input<string>;
      /** The servers' certificate, PEM. */
      readonly cert: pulumi.Input<string>;
      /** Private key of that certificate, PEM. */
      readonly key: pulumi.Input<string>;
    }
  | {
      /** Issuer of cert-manager, which renews the certificate too. */
      readonly certManager: {
        /** Name of the issuer, which is there already. */
        readonly name: string;
        /** An `Issuer` must lie in Vault's namespace. */
        readonly kind: "Issuer" | "ClusterIssuer";
      };
      /** CA of that issuer, and former ones whose certificates may still be in use, PEM. */
      readonly trusted: pulumi.Input<string>;
    };

/** DNS names and addresses that a certificate is for. */
export interface ServerNames {
  /** As `vault.vault.svc`; a `*` stands for one label. */
  readonly dns: readonly string[];
  /** As `127.0.0.1`. */
  readonly ip: readonly string[];
}

/** Key of the former CAs in the Secret of the CA's key. */
export const formerCasKey = "former.crt";

/** Whose certificate, for which names, and who issues it. */
export interface VaultTlsArgs {
  /** Name of the Vault release, after which all is named. */
  readonly releaseName: string;
  /** Must exist. */
  readonly namespace: string;
  /** cert-manager, or PEM texts of whoever runs the program. */
  readonly source: CertificateSource;
  /** DNS names and addresses by which the servers are reached. */
  readonly names: ServerNames;
}

/** Names and addresses by which the servers of a release are reached: by pods, by each other and by a port-forward. */
export function vaultServerNames(releaseName: string, namespace: string): ServerNames {
  refuseArguments("vaultServerNames", { releaseName, namespace }, { releaseName: text, namespace: text });
  const service = [`${releaseName}.${namespace}`, `${releaseName}.${namespace}.svc`, releaseName];
  return {
    dns: [...service, `*.${releaseName}-internal.${namespace}.svc`, "localhost"],
    ip: ["127.0.0.1"],
  };
}

/** By what is missing alone: no message may show a private key. */
const pem = shape<Extract<CertificateSource, { caKey: unknown }>>({
  caCert: given,
  caKey: given,
  former: optional(given),
  trusted: given,
  cert: given,
  key: given,
});
const ofCertManager = shape<Extract<CertificateSource, { certManager: unknown }>>({
  certManager: shape({ name: text, kind: oneOf("Issuer", "ClusterIssuer") }),
  trusted: given,
});
const source: Check = (value) =>
  (typeof value === "object" && value !== null && "certManager" in value ? ofCertManager : pem)(value);

const checks = {
  releaseName: text,
  namespace: text,
  source,
  names: shape<ServerNames>({ dns: each(text), ip: each(text) }),
};
/**
 * The certificate of Vault's servers as a Secret, and its CA as a ConfigMap for those who trust it.
 *
 * @throws Error that lists all that is wrong with the props
 */
export class VaultTls extends pulumi.ComponentResource {
  /** Secret with `tls.crt` and `tls.key`. */
  public readonly secretName: string;
  /** ConfigMap with the CAs to trust, `ca.crt`. */
  public readonly caConfigMapName: string;

  public constructor(name: string, args: VaultTlsArgs, opts?: pulumi.ComponentResourceOptions) {
    refuseProps(`VaultTls ${name}`, args, checks);
    super("aidbox-secrets:platform:VaultTls", name, {}, opts);
    const { source, namespace, releaseName } = args;
    const names = vaultTlsNames(releaseName);
    const tlsSecret = (id: string, secretName: string, data: Record<string, pulumi.Input<string>>): void => {
      new Secret(
        id,
        {
          metadata: { name: secretName, namespace },
          type: "kubernetes.io/tls",
          data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, pulumi.secret(encode(value))])),
        },
        { parent: this },
      );
    };
    if ("certManager" in source) {
      new KubernetesCustomResource(
        `${name}-certificate`,
        {
          apiVersion: "cert-manager.io/v1",
          kind: "Certificate",
          metadata: { name: names.server, namespace },
          spec: {
            secretName: names.server,
            dnsNames: args.names.dns,
            ipAddresses: args.names.ip,
            issuerRef: { ...source.certManager, group: "cert-manager.io" },
            privateKey: { algorithm: "ECDSA", size: 256, rotationPolicy: "Always" },
          },
        },
        { parent: this },
      );
    } else {
      tlsSecret(`${name}-ca-key`, names.caKey, {
        "tls.crt": source.caCert,
        "tls.key": source.caKey,
        ...((source.former ?? "") === "" ? {} : { [formerCasKey]: source.former! }),
      });
      tlsSecret(`${name}-server`, names.server, { "tls.crt": source.cert, "tls.key": source.key });
    }
    this.secretName = names.server;
    new ConfigMap(
      `${name}-ca`,
      { metadata: { name: names.ca, namespace }, data: { "ca.crt": source.trusted } },
      { parent: this },
    );
    this.caConfigMapName = names.ca;
    this.registerOutputs();
  }
}

function encode(value: pulumi.Input<string>): pulumi.Output<string> {
  return pulumi.output(value).apply((text) => Buffer.from(text).toString("base64"));
}
