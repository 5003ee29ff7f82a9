import { createHash } from "node:crypto";
import { ConfigMap } from "cdk8s-plus-28";
import { Construct } from "constructs";
import { optional, refuseProps, secretTable, text } from "../check-props";
import type { SecretTable } from "../secrets";

/** The secrets that Aidbox is told of. */
export interface VaultConfigProps {
  /** @default "aidbox-vault-config" */
  readonly name?: string;
  /** Only rows with a scope come into the file. */
  readonly table: SecretTable;
}

/**
 * Aidbox's vault-config.json (Aidbox 2602 and later, `BOX_VAULT_CONFIG`): which file holds which named secret, and which
 * resource may use it. Secrets without a scope are left out of it.
 *
 * @throws Error that lists all that is wrong with the props
 */
export class VaultConfig extends Construct {
  /** Key of the content in the ConfigMap, and so its file's name in the pod. */
  public static readonly file = "vault-config.json";
  /** To be mounted in Aidbox's container; `BOX_VAULT_CONFIG` is its file's path. */
  public readonly configMap: ConfigMap;
  /** SHA-256 of the content. Aidbox reads the file once, at its start, so a changed checksum must roll the pods. */
  public readonly checksum: string;

  public constructor(scope: Construct, id: string, props: VaultConfigProps) {
    super(scope, id);
    refuseProps(this.node.path, props, { name: optional(text), table: secretTable });
    const content = JSON.stringify(vaultConfig(props.table), undefined, 2);
    this.checksum = createHash("sha256").update(content).digest("hex");
    this.configMap = new ConfigMap(this, "config", {
      metadata: { name: props.name ?? "aidbox-vault-config" },
      data: { [VaultConfig.file]: content },
    });
  }
}

function vaultConfig(table: SecretTable): object {
  const scoped = table.secrets.flatMap((secret) =>
    secret.scope === undefined
      ? []
      : [
          [
            secret.name,
            {
              path: table.filePath(secret),
              scope: {
                resource_type: secret.scope.resourceType,
                ...(secret.scope.id === undefined ? {} : { id: secret.scope.id }),
              },
            },
          ] as const,
        ],
  );
  return { secret: Object.fromEntries(scoped) };
}
