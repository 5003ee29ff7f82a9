import { Release } from "@pulumi/kubernetes/helm/v3/release";
import { chartSource } from "../../../../constructs/platform/helm-chart";
import { Vault, type VaultCsiProvider } from "../../../../constructs/platform/index";
import type { VaultStackArgs } from "../../stack-args";

/** Name of the resource that is the release of the servers of a Vault that is there already. */
export const serversReleaseResource = "vault-servers";

/**
 * The release of an external Vault's servers, which was adopted, without the CSI provider that came with it. All else of it
 * stays as whoever installed it wants it, also where the stack goes.
 *
 * @param provider the stack's own, whose pods wait on each node until the other one is gone
 */
export function deployServersRelease(
  { environment: { vault, charts }, kubernetes }: VaultStackArgs,
  provider: VaultCsiProvider | undefined,
): Release | undefined {
  if (vault.mode !== "external" || vault.serversRelease === undefined) return undefined;
  const { name, namespace } = vault.serversRelease;
  return new Release(
    serversReleaseResource,
    {
      ...chartSource(charts.store ?? Vault.defaultChart),
      name,
      namespace,
      skipAwait: true,
      // What it was installed with stays, and is written down nowhere: values may hold what is secret.
      reuseValues: true,
      values: { csi: { enabled: false } },
    },
    { provider: kubernetes, retainOnDelete: true, dependsOn: provider ?? [] },
  );
}
