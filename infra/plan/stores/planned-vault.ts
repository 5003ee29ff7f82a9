import * as pulumi from "@pulumi/pulumi";
import type { VaultCluster } from "../../cluster/vault-cluster";
import { ownCommand } from "../../config/command-line";
import type { VaultEnvironment } from "../../config/environment";
import { vaultCommand } from "../../config/names";
import { configuredCa, isStored, signsOwnCertificates } from "../../config/stores/vault/server";
import type { Lack } from "../lack";
import type { PlannedStore } from "./planned-store";
import { vaultStations } from "./vault";

/** What a plan knows of Vault. */
export const plannedVault: PlannedStore<VaultEnvironment> = {
  args: (environment, common) => ({
    ...common,
    environment,
    cluster: {
      ...common.cluster,
      reachVault: unreachable,
      movesCsiProvider: false,
      prepareCsiProvider: unreachable,
      certificates: plannedCertificates(environment),
      vaultCa: configuredCa(environment),
      sealToken: undefined,
    },
    externalVaultToken: pulumi.secret(""),
    sealToken: pulumi.secret(""),
    vaultCommand: vaultCommand(environment),
  }),
  stations: vaultStations,
  lacks: tokenLacks,
};

/** The cluster alone knows which certificates there are; a plan shows the objects, and no content. */
function plannedCertificates({ vault }: VaultEnvironment): VaultCluster["certificates"] {
  const none = { cert: "", key: "" };
  return signsOwnCertificates(vault) ? { ca: none, server: none, former: "", trusted: "" } : undefined;
}

/** There is no Vault yet: whoever asks for it in a first preview has taken an unknown value for a known one. */
function unreachable(): Promise<never> {
  return Promise.reject(new Error("The program reached for Vault in a plan"));
}

function tokenLacks(environment: VaultEnvironment, isSet: (key: string, variable: string) => boolean): Lack[] {
  const { vault } = environment;
  const lacks: Lack[] = [];
  if (vault.mode !== "dev" && !isSet("vaultToken", "VAULT_TOKEN")) {
    const grant = `\`${ownCommand("vault:grant", environment)}\``;
    const howToGet = isStored(vault)
      ? `after the first \`up\`, \`${ownCommand("vault:init", environment)}\` makes one: set VAULT_TOKEN to it`
      : `${grant}, with a token of Vault's administrator, makes one: set VAULT_TOKEN to it`;
    lacks.push({ what: "a token for Vault", howToGet });
  }
  if (isStored(vault) && vault.seal?.type === "transit" && !isSet("sealToken", "VAULT_SEAL_TOKEN")) {
    const howToGet = "set VAULT_SEAL_TOKEN; later runs keep what the cluster has";
    lacks.push({ what: `a token for ${vault.seal.address}, which holds the key of the seal`, howToGet });
  }
  return lacks;
}
