import { expandRow, type Problem, type SecretSpec } from "../../../../constructs/secrets";
import { describeLoad, loadProblem } from "../../../../constructs/stores/azure-key-vault/load";
import { csiProviderName, objectName } from "../../../../constructs/stores/azure-key-vault/names";
import type { KeyVaultObjects } from "../../../../constructs/stores/azure-key-vault/object";
import { identityWarning, tokenAudiencesFor } from "../../../../constructs/stores/azure-key-vault/parameters";
import { findObjectProblems, findRowProblems } from "../../../../constructs/stores/azure-key-vault/rules";
import type { KeyVaultEnvironment } from "../../environment";
import { optionalProblems } from "../../optional";
import { seconds } from "../../quantity";
import { leastBoundSeconds } from "../../rotation-bound";
import { environmentSchema } from "../../schema";
import { besideVaultProblems } from "../beside-vault";
import type { StoreConfig } from "../store-config";
import { keyVaultReleases } from "./provider";
import { publicationsOf } from "./publications";

type Fields = Readonly<Record<string, unknown>>;

/** Azure Key Vault, as the store of an environment. */
export const keyVaultConfig: StoreConfig<KeyVaultEnvironment> = {
  key: "azureKeyVault",
  title: "Azure Key Vault",
  mountPath: "/run/azure-secrets",
  csiProviderNamespace: "azure-csi-provider",
  chart: "csi-secrets-store-provider-azure",
  csiProvider: { title: "Azure's CSI provider", name: csiProviderName },

  tableProblems(config, rows) {
    const objects = objectsIn(config);
    const ofObjects = objects === undefined ? [] : findObjectProblems("azureKeyVault.objects", objects, rows);
    return [
      ...findRowProblems(rows),
      ...optionalProblems("Azure Key Vault", rows),
      ...ofObjects,
      ...loadProblems(config, rows),
    ];
  },

  crossProblems: (config) => besideVaultProblems(config, { key: "azureKeyVault", title: "Azure Key Vault" }),

  locate: ({ azureKeyVault }, secret) => `${azureKeyVault.name}/${objectName(secret)}`,
  readablePaths: (_, { secrets }) => secrets.map((secret) => objectName(secret)),
  releases: keyVaultReleases,
  tokenAudiences: ({ azureKeyVault }) => tokenAudiencesFor(azureKeyVault.identity),
  warnings: ({ azureKeyVault }) => {
    const warning = identityWarning(azureKeyVault.identity);
    return warning === undefined ? [] : [warning];
  },
  load: ({ azureKeyVault, table, aidbox, rotationBoundSeconds }) => {
    const publications = publicationsOf(table.secrets.length, aidbox, rotationBoundSeconds);
    return describeLoad(publications, azureKeyVault.identity.type === "workload");
  },
  stays: ({ azureKeyVault, table }) => {
    const names = table.secrets.map((secret) => objectName(secret)).join(", ");
    return `These stay in key vault ${azureKeyVault.name}, whatever Pulumi says above: ${names}`;
  },
};

/** The objects, where they are well-formed. */
function objectsIn({ azureKeyVault }: Fields): KeyVaultObjects | undefined {
  const { objects } = Object(azureKeyVault) as { objects?: unknown };
  const { shape } = environmentSchema.shape.azureKeyVault.unwrap();
  return shape.objects.safeParse(objects).data;
}

/** Why Key Vault would not serve what the bound asks of it. */
function loadProblems({ aidbox, rotationBound }: Fields, rows: readonly SecretSpec[]): Problem[] {
  const { shape } = environmentSchema;
  const known = shape.aidbox.safeParse(aidbox).data;
  const bound = shape.rotationBound.safeParse(rotationBound).data;
  if (known === undefined || bound === undefined || seconds(bound) < leastBoundSeconds) return [];
  const problem = loadProblem(publicationsOf(rows.flatMap(expandRow).length, known, seconds(bound)));
  if (problem === undefined) return [];
  const fix = "write a longer bound, fewer replicas or fewer secrets";
  return [{ key: "rotationBound", message: `"${bound}": publishes ${problem}: ${fix}` }];
}
