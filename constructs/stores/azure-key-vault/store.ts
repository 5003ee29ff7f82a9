import { oneOf, optional, refuseProps, text, valuesOf, variant } from "../../check-props";
import { isPlaceholder } from "../../placeholder";
import {
  type Problem,
  type Secret,
  type SecretSource,
  type SecretSpec,
  type SecretStore,
  type SecretTable,
  type StoreIdentity,
} from "../../secrets";
import { clouds, objectName } from "./names";
import { type KeyVaultObject, keyVaultObject, type KeyVaultObjects } from "./object";
import {
  type KeyVaultIdentity,
  type KeyVaultLogin,
  keyVaultParameters,
  mountedObjectId,
  tokenAudiencesFor,
} from "./parameters";
import { findObjectProblems, findRowProblems, keyVaultNameProblem } from "./rules";

/** Which key vault, as whom, and how single secrets stand in it. */
export interface KeyVaultStoreProps extends KeyVaultLogin {
  /**
   * How single secrets stand in Key Vault, by the name of the table's secret.
   * @default - each is a secret of which the newest version counts
   */
  readonly objects?: KeyVaultObjects;
}

const checks = {
  keyVault: text,
  tenantId: text,
  identity: variant<KeyVaultIdentity, "type">("type", {
    workload: { clientId: text },
    node: { clientId: optional(text) },
    "service-principal": { secretName: text },
  }),
  cloud: optional(oneOf(...Object.keys(clouds))),
  objects: optional(valuesOf(keyVaultObject)),
};

function nameProblems({ keyVault }: KeyVaultStoreProps): Problem[] {
  const problem = isPlaceholder(keyVault) ? undefined : keyVaultNameProblem(keyVault);
  return problem === undefined ? [] : [{ key: "keyVault", message: `"${keyVault}": ${problem}` }];
}

/**
 * Azure Key Vault, read by Azure's CSI provider.
 * @example
 * ```ts
 * import { KeyVaultStore } from "aidbox-secrets/azure";
 *
 * export const store = new KeyVaultStore({
 *   keyVault: "aidbox-prod",
 *   tenantId: "11111111-1111-1111-1111-111111111111",
 *   identity: { type: "workload", clientId: "22222222-2222-2222-2222-222222222222" },
 * });
 * ```
 */
export class KeyVaultStore implements SecretStore {
  public readonly provider = "azure";
  public readonly title = "Azure Key Vault";
  public readonly sources: readonly SecretSource[] = ["managed", "seeded", "external"];
  public readonly mountsPathsWhole = false;
  public readonly tokenAudiences: readonly string[];
  /** Workload identity needs neither annotation nor label: the class has the client, and the driver brings the token. */
  public readonly identity: StoreIdentity;

  /** @throws Error that lists all that is wrong with the props */
  public constructor(private readonly props: KeyVaultStoreProps) {
    refuseProps("KeyVaultStore", props, checks, () => nameProblems(props));
    const { identity } = props;
    this.tokenAudiences = tokenAudiencesFor(identity);
    this.identity = identity.type === "service-principal" ? { nodePublishSecretName: identity.secretName } : {};
  }

  public validate(rows: readonly SecretSpec[]): readonly Problem[] {
    return [...findRowProblems(rows), ...findObjectProblems("objects", this.props.objects ?? {}, rows)];
  }

  public locate(secret: Secret): string {
    const { type = "secret" } = this.objectOf(secret);
    return `key vault ${this.props.keyVault}, ${type} ${objectName(secret)}`;
  }

  public parameters({ secrets }: SecretTable): Record<string, string> {
    return keyVaultParameters(this.props, secrets, this.props.objects);
  }

  public objectId(secret: Secret): string {
    return mountedObjectId(secret, this.objectOf(secret));
  }

  private objectOf({ pair, name }: Secret): KeyVaultObject {
    return this.props.objects?.[pair ?? name] ?? {};
  }
}
