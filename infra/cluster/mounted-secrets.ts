import { parse } from "yaml";
import { objectNames } from "../../constructs/kubernetes/names";
import type { Environment } from "../config/environment";
import { hasOptional } from "../config/optional";
import { storeOf } from "../stack/stores";
import type { KubeApi } from "./kube-api";

/** The table's optional secrets that the SecretProviderClass in the cluster has not, by name; all where there is no class. */
export async function unmountedSecrets(api: KubeApi, environment: Environment): Promise<readonly string[]> {
  if (!hasOptional(environment)) return [];
  const { table, aidbox, namespaces } = environment;
  const custom = api.config.makeApiClient(api.client.CustomObjectsApi);
  const found = (await api.find(
    custom.getNamespacedCustomObject({
      group: "secrets-store.csi.x-k8s.io",
      version: "v1",
      plural: "secretproviderclasses",
      namespace: namespaces.aidbox,
      name: objectNames(aidbox.name, storeOf(environment).provider).secretProviderClass,
    }),
  )) as { spec?: { parameters?: { objects?: string } } } | undefined;
  const objects = parse(found?.spec?.parameters?.objects ?? "[]") as { readonly objectName?: string }[] | null;
  const mounted = new Set((objects ?? []).map(({ objectName }) => objectName));
  return table.secrets.flatMap(({ name, file, optional }) => (optional === true && !mounted.has(file) ? [name] : []));
}
