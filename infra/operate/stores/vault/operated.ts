import { csiProviderName } from "../../../../constructs/stores/vault/names";
import type { VaultEnvironment } from "../../../config/environment";
import { csiProviderRelease } from "../../../config/stores/vault/server";
import type { OperatedStore } from "../../store-operator";
import { VaultOperator } from "./operator";
import { vaultRights } from "./rights";
import { outdatedNotice } from "./server-revisions";
import { VaultSession } from "./session";
import { vaultClassLines, vaultStations } from "./stations";

/** Vault, as an operator's commands know it. */
export const operatedVault: OperatedStore<VaultEnvironment> = {
  csiProvider: (environment) => {
    const { namespace, releaseName } = csiProviderRelease(environment);
    const isOpenBao = environment.vault.provider === "openbao";
    return {
      title: isOpenBao ? "the OpenBao provider" : "the Vault provider",
      label: `app.kubernetes.io/name=${isOpenBao ? "openbao" : "vault"}-csi-provider`,
      ...(environment.vault.csiProvider ? { daemonSet: { namespace, name: csiProviderName(releaseName) } } : {}),
    };
  },
  helmReleases: (environment) => {
    const { namespace, releaseName } = csiProviderRelease(environment);
    const { vault, namespaces } = environment;
    return [
      ...(vault.csiProvider ? [{ namespace, releaseName }] : []),
      ...(vault.mode === "external" ? [] : [{ namespace: namespaces.vault, releaseName: vault.release }]),
    ];
  },
  stations: vaultStations,
  classLines: vaultClassLines,
  rights: vaultRights,
  noticeAfterUp: async (environment) => outdatedNotice(await VaultSession.open(environment)),
  open: async (environment, { vaultToken }) => {
    const session = await VaultSession.open(environment, vaultToken);
    return { session, store: new VaultOperator(session) };
  },
};
