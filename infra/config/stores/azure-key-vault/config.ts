import { expandRow, type Problem, type SecretSpec } from "../../../../constructs/secrets";
import { loadProblem } from "../../../../constructs/stores/azure-key-vault/load";
import type { KeyVaultObjects } from "../../../../constructs/stores/azure-key-vault/object";
import { findObjectProblems, findRowProblems } from "../../../../constructs/stores/azure-key-vault/rules";
import { seconds } from "../../quantity";
import { leastBoundSeconds } from "../../rotation-bound";
import { environmentSchema } from "../../schema";
import type { StoreConfig } from "../store-config";
import { publicationsOf } from "./publications";

type Fields = Readonly<Record<string, unknown>>;

/** Azure Key Vault, as the store of an environment. */
export const keyVaultConfig: StoreConfig<"azureKeyVault"> = {
  key: "azureKeyVault",
  title: "Azure Key Vault",
  mountPath: "/run/azure-secrets",
  csiProviderNamespace: "azure-csi-provider",
  chart: "csi-secrets-store-provider-azure",

  tableProblems(config, rows) {
    const objects = objectsIn(config);
    const ofObjects = objects === undefined ? [] : findObjectProblems("azureKeyVault.objects", objects, rows);
    return [...findRowProblems(rows), ...ofObjects, ...loadProblems(config, rows)];
  },

  crossProblems({ tenants, namespaces }) {
    return [
      ...(Array.isArray(tenants) && tenants.length > 0
        ? [
            {
              key: "tenants",
              message:
                "would read Key Vault by the one identity of azureKeyVault, and so each other's secrets: write an " +
                "environment of its own for each",
            },
          ]
        : []),
      ...(typeof namespaces === "object" && namespaces !== null && "vault" in namespaces
        ? [
            {
              key: "namespaces.vault",
              message: "is that of Vault's servers, and the store is Azure Key Vault: remove it",
            },
          ]
        : []),
    ];
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
