import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import type * as pulumi from "@pulumi/pulumi";
import { type CertificateSource, vaultServerNames, VaultTls } from "../../../../constructs/platform/index";
import { sealTokenSecretName } from "../../../config/names";
import { isStored } from "../../../config/stores/vault/server";
import { sealTokenResource } from "../../../state/value-holders";
import type { VaultStackArgs } from "../../stack-args";

/** The token with which Vault reaches another one that holds the key of its seal. */
export function deploySealToken(
  { environment, kubernetes, sealToken }: VaultStackArgs,
  namespaces: pulumi.Resource,
): Secret | undefined {
  const { vault } = environment;
  if (!isStored(vault) || vault.seal?.type !== "transit") return undefined;
  const token = sealToken.apply((known) => Buffer.from(known).toString("base64"));
  return new Secret(
    sealTokenResource,
    {
      metadata: { name: sealTokenSecretName(vault.release), namespace: environment.namespaces.vault },
      data: {
        token,
        ...(vault.seal.ca === undefined ? {} : { "ca.crt": Buffer.from(vault.seal.ca).toString("base64") }),
      },
    },
    // The cluster may be the only one to have it. It goes with its namespace.
    { provider: kubernetes, dependsOn: namespaces, retainOnDelete: true },
  );
}

/** The certificate and the CA of a Vault of the stack's own, where it has any. */
export function deployTls(
  { environment, cluster, kubernetes }: VaultStackArgs,
  namespaces: pulumi.Resource,
): VaultTls | undefined {
  const { vault } = environment;
  const { vault: namespace } = environment.namespaces;
  const { certificates } = cluster;
  const certManager = isStored(vault) ? vault.certManager : undefined;
  const source = ((): CertificateSource | undefined => {
    if (certificates !== undefined) {
      const { ca, server, former, trusted } = certificates;
      return { caCert: ca.cert, caKey: ca.key, cert: server.cert, key: server.key, former, trusted };
    }
    if (certManager !== undefined) {
      return { certManager: { name: certManager.issuer, kind: certManager.kind }, trusted: certManager.ca };
    }
    return undefined;
  })();
  if (source === undefined) return undefined;
  return new VaultTls(
    "vault-tls",
    { releaseName: vault.release, namespace, source, names: vaultServerNames(vault.release, namespace) },
    { provider: kubernetes, dependsOn: namespaces },
  );
}
