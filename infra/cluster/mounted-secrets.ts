import { parse } from "yaml";
import { objectNames } from "../../constructs/kubernetes/names";
import { everyKeyOf, type FoundKeys } from "../config/all-keys";
import type { Environment } from "../config/environment";
import { hasOptional } from "../config/optional";
import { storeConfigOf } from "../config/stores";
import { storeOf } from "../stack/stores";
import type { KubeApi } from "./kube-api";

/** The table's optional secrets that the SecretProviderClass in the cluster has not, by name; all where there is no class. */
export async function unmountedSecrets(api: KubeApi, environment: Environment): Promise<readonly string[]> {
  if (!hasOptional(environment)) return [];
  const mounted = new Set((await mountedObjects(api, environment)).map(({ objectName }) => objectName));
  return environment.table.secrets.flatMap(({ name, file, optional }) =>
    optional === true && !mounted.has(file) ? [name] : [],
  );
}

/** The keys that the SecretProviderClass in the cluster has, of each row with all keys; none where there is no class. */
export async function mountedKeys(api: KubeApi, environment: Environment): Promise<FoundKeys> {
  const rows = everyKeyOf(environment);
  if (rows.length === 0) return new Map();
  const objects = await mountedObjects(api, environment);
  return new Map(
    rows.map((row) => {
      const path = storeConfigOf(environment).locate(environment, row);
      const keys = objects.flatMap(({ objectName, secretPath, secretKey = "" }) =>
        secretPath === path && objectName === row.file.replace(/\*$/, secretKey) ? [secretKey] : [],
      );
      return [row.keysOf!, keys] as const;
    }),
  );
}

interface MountedObject {
  readonly objectName?: string;
  readonly secretPath?: string;
  readonly secretKey?: string;
}

async function mountedObjects(api: KubeApi, environment: Environment): Promise<readonly MountedObject[]> {
  const { aidbox, namespaces } = environment;
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
  return (parse(found?.spec?.parameters?.objects ?? "[]") as readonly MountedObject[] | null) ?? [];
}
