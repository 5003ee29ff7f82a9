import * as pulumi from "@pulumi/pulumi";
import { Provider as VaultProvider } from "@pulumi/vault/provider";
import { Duration } from "cdk8s";
import { passwordTable } from "../../../../constructs/kubernetes/index";
import { type Vault, VaultAccess } from "../../../../constructs/platform/index";
import { VaultClient, type VaultConnection } from "../../../../constructs/stores/vault/index";
import { writeCaFile } from "../../../certificates/ca-file";
import { clientCertificate } from "../../../certificates/client-certificate";
import type { ReachableVault } from "../../../cluster/vault-cluster";
import { ownCommand } from "../../../config/command-line";
import { postgresName, postgresRole } from "../../../config/database";
import type { VaultEnvironment } from "../../../config/environment";
import { valuesFor } from "../../../config/managed-values";
import { accessName, policyMark } from "../../../config/names";
import { seconds } from "../../../config/quantity";
import { loginMount, ownsAuthMount, podLogin } from "../../../config/stores/vault/login";
import { ownsKvMount, tlsServerName, vaultPaths } from "../../../config/stores/vault/server";
import { reportResult } from "../../../program/program-result";
import type { VaultStackArgs } from "../../stack-args";

/** What a first Aidbox has in Vault, on which those of tenants build. */
export interface FirstAccess {
  readonly provider: VaultProvider;
  readonly access: VaultAccess;
}

/**
 * @param vault none where it is there already
 * @param first the first Aidbox's, for a tenant; it has made the provider and the auth mount
 */
export function accessVault(
  { managedValues, externalVaultToken, vaultCommand, cluster, owner }: VaultStackArgs,
  environment: VaultEnvironment,
  vault: Vault | undefined,
  reachable: pulumi.Output<ReachableVault>,
  first?: FirstAccess,
): FirstAccess {
  const { vault: config, table } = environment;
  const token = pulumi.secret(vault?.devRootToken ?? externalVaultToken);
  const vaultNamespace = config.mode === "external" ? config.vaultNamespace : undefined;
  const connection = pulumi.all([reachable.address, token]).apply(async ([address, knownToken]) => {
    const known: VaultConnection = {
      address,
      token: knownToken,
      vaultNamespace,
      ...(cluster.vaultCa === undefined ? {} : { caCert: cluster.vaultCa }),
      tlsServerName: tlsServerName(environment),
      ...(config.mode === "external" ? { clientCertificate: clientCertificate() } : {}),
    };
    if (config.mode !== "dev" && first === undefined && !pulumi.runtime.isDryRun()) await keepAlive(known);
    return known;
  });
  const provider =
    first?.provider ??
    new VaultProvider("vault", {
      address: reachable.address,
      token,
      namespace: vaultNamespace,
      tlsServerName: tlsServerName(environment),
      ...(cluster.vaultCa === undefined ? {} : { caCertFile: writeCaFile(owner, cluster.vaultCa) }),
      // A child token would be one more thing to revoke, and needs a right that the stack needs for nothing else.
      skipChildToken: true,
    });
  const who = {
    namespace: environment.namespaces.aidbox,
    audience: config.audience,
    ttl: Duration.seconds(seconds(config.tokenTtl)),
  };
  const access = new VaultAccess(
    accessName(environment),
    {
      table,
      paths: vaultPaths(environment),
      login: podLogin(environment),
      role: { ...who, name: config.role, serviceAccount: environment.aidbox.name },
      readers:
        environment.database?.mode === "development"
          ? [
              {
                role: {
                  ...who,
                  name: postgresRole(environment),
                  serviceAccount: postgresName(environment.aidbox.name),
                },
                table: passwordTable(table),
              },
            ]
          : [],
      policyMark: policyMark(environment),
      authMount: first?.access.authMount ?? (ownsAuthMount(environment) ? undefined : loginMount(environment)),
      ownsKvMount: first === undefined && ownsKvMount(environment),
      casRequired: config.kvMount.casRequired ?? false,
      keepsValues: keepsValues(environment),
      managedValues: managedValues.apply((known) => valuesFor(environment, known)),
      connection,
      vaultCommand,
      writeCommand: (secret) => ownCommand("write", environment, secret),
      onMissingSecrets: () => {
        reportResult({ reason: "secrets-missing" });
      },
      resourceOptions: inVaultOptions(environment, vault, reachable),
    },
    { provider, dependsOn: first?.access ?? [] },
  );
  return { provider, access };
}

/** Options of what lies in the environment's Vault. */
export function inVaultOptions(
  { vault: { mode } }: VaultEnvironment,
  vault: Vault | undefined,
  reachable: pulumi.Output<ReachableVault>,
): Pick<pulumi.CustomResourceOptions, "deletedWith" | "replacementTrigger"> {
  if (vault === undefined) return {};
  return {
    // Vault goes with the stack, and its content with it, or stays in its volumes.
    deletedWith: vault.release,
    // A dev-mode Vault that restarted has another id, and nothing of what the state says.
    ...(mode === "dev" ? { replacementTrigger: reachable.clusterId } : {}),
  };
}

/** Whether values stay in Vault where the stack goes; what a stack for development made in a Vault of others goes with it. */
function keepsValues({ development, vault }: VaultEnvironment): boolean {
  return !(development && vault.mode === "external");
}

/** Renews the stack's token, where it is one that can be: each `up` gives it another period. */
async function keepAlive(connection: VaultConnection): Promise<void> {
  await new VaultClient(connection).renewSelf().catch(() => undefined);
}
