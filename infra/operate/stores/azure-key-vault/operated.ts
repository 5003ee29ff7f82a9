import { missingAzurePackages } from "../../../../constructs/stores/azure-key-vault/packages";
import type { KeyVaultEnvironment } from "../../../config/environment";
import { keyVaultProvider } from "../../../config/stores/azure-key-vault/provider";
import { keyVaultLogin } from "../../../stack/stores/azure-key-vault/store";
import { UnreachableError } from "../../errors";
import { Session } from "../../session";
import type { OperatedStore } from "../../store-operator";
import { KeyVaultClients, PodIdentityError } from "./clients";
import { KeyVaultOperator } from "./operator";
import { keyVaultRights } from "./rights";
import { keyVaultClassLines, keyVaultStations } from "./stations";

/** Azure Key Vault, as an operator's commands know it. */
export const operatedKeyVault: OperatedStore<KeyVaultEnvironment> = {
  csiProvider: (environment) => {
    const release = keyVaultProvider(environment);
    return {
      title: "Azure's provider",
      // AKS's add-on calls its own so.
      label: "app=secrets-store-provider-azure",
      ...(release === undefined ? {} : { daemonSet: { namespace: release.namespace, name: release.releaseName } }),
    };
  },
  helmReleases: (environment) => {
    const release = keyVaultProvider(environment);
    return release === undefined ? [] : [release];
  },
  stations: keyVaultStations,
  classLines: keyVaultClassLines,
  writes: ({ azureKeyVault }, { pair, name }) => {
    const { type = "secret", version } = azureKeyVault.objects[pair ?? name] ?? {};
    return type === "secret" && version === undefined;
  },
  rights: keyVaultRights,
  open: async (environment) => {
    const lack = missingAzurePackages();
    if (lack !== undefined) throw new UnreachableError(lack.message);
    const session = await Session.connect(environment);
    const pod = {
      token: (audience: string) => tokenOf(session, audience),
      secret: (name: string) => session.secretBesidePods(name),
    };
    const clients = new KeyVaultClients(keyVaultLogin(environment), pod);
    return { session, store: new KeyVaultOperator(environment, clients) };
  },
};

async function tokenOf(session: Session<KeyVaultEnvironment>, audience: string): Promise<string> {
  const { namespaces, aidbox } = session.environment;
  const token = await session.api.find(session.podToken(audience));
  if (token !== undefined) return token;
  throw new PodIdentityError(`ServiceAccount ${namespaces.aidbox}/${aidbox.name} is gone`);
}
