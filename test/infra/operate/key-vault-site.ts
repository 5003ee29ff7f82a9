import type { Secret } from "../../../constructs/secrets";
import { objectName } from "../../../constructs/stores/azure-key-vault/names";
import type { KeyVaultEnvironment } from "../../../infra/config/environment";
import { clientId, clientSecret, issuer, serviceAccountToken, strangerId, tenantId } from "../../azure/fixtures";
import { type KeyVault, roles } from "../../azure/key-vault";
import { AzureStandIn } from "../../azure/stand-in";
import { useStandIn } from "../../azure/use-stand-in";
import { checkKeyVaultEnvironment } from "../key-vault-environment";
import { addAidboxPod, addDeployed } from "./deployed";
import { FakeKubernetes } from "./fake-kubernetes";
import { actAs } from "./stores/azure-key-vault/operator-login";

const audience = "api://AzureADTokenExchange";

export const keyVaultConfig = {
  secrets: [
    { name: "client-secret", path: "aidbox/client", scope: { resourceType: "Client", id: "basic" }, source: "seeded" },
    { name: "admin-password", path: "aidbox/admin", environment: "BOX_ADMIN_PASSWORD" },
    { name: "auth-keys", path: "aidbox/auth-keys", keypair: "ec", source: "seeded" },
  ],
  azureKeyVault: { name: "aidbox-test", tenantId, identity: { type: "workload", clientId } },
};

/**
 * An environment of which all is in order: a key vault with its secrets, and a cluster whose two pods serve them. Its pods'
 * volumes are published at once when that is asked for, as the pods' identity may read.
 */
export class KeyVaultSite {
  private readonly ends: (() => void)[] = [];

  private constructor(
    public readonly environment: KeyVaultEnvironment,
    public readonly azure: AzureStandIn,
    public readonly vault: KeyVault,
    public readonly cluster: FakeKubernetes,
  ) {}

  /**
   * @param values by the name of the secret in the key vault
   * @param changes to the config
   */
  public static async start(
    values: Readonly<Record<string, string>>,
    changes: Record<string, unknown> = {},
  ): Promise<KeyVaultSite> {
    const environment = checkKeyVaultEnvironment({ ...keyVaultConfig, ...changes });
    const azure = await AzureStandIn.start();
    const vault = azure.addVault("aidbox-test", tenantId);
    const cluster = await FakeKubernetes.start(environment.kubeContext);
    const site = new KeyVaultSite(environment, azure, vault, cluster);
    const subject = "system:serviceaccount:aidbox:aidbox";
    azure.addIdentity({ clientId, tenantId, federated: [{ issuer, subject }] });
    azure.addIdentity({ clientId: strangerId, tenantId, clientSecret });
    vault.grant(clientId, roles.secretsUser);
    for (const [name, value] of Object.entries(values)) vault.set(name, value);
    cluster.makeToken = () => serviceAccountToken();
    const provider = { namespace: "azure-csi-provider", name: "azure-node", labels: { app: "azure" } };
    addDeployed(cluster, environment, provider, [audience]);
    cluster.onPodChange = (pod) => {
      site.publish(pod);
    };
    for (const pod of ["aidbox-a", "aidbox-b"]) {
      addAidboxPod(cluster, environment, pod);
      site.publish(pod);
    }
    // The operator: one who may look and write, and may not read.
    vault.grant(strangerId, ["secrets/readMetadata", "secrets/setSecret"]);
    site.ends.push(actAs(strangerId), useStandIn(azure));
    return site;
  }

  /** Writes the files of a pod, and what is synced, as the driver does: as they are in the key vault now. */
  public publish(pod: string): void {
    const { table } = this.environment;
    const valueOf = (secret: Secret): string => this.vault.current(objectName(secret))?.value ?? "";
    const files = table.secrets.map((secret) => [table.filePath(secret), valueOf(secret)] as const);
    this.cluster.files.set(pod, new Map(files));
    const { data } = this.cluster.object("Secret", "aidbox-environment") as unknown as {
      data: Record<string, string>;
    };
    for (const secret of table.synced) data[secret.environment] = Buffer.from(valueOf(secret)).toString("base64");
  }

  public async stop(): Promise<void> {
    for (const end of this.ends.reverse()) end();
    await Promise.all([this.azure.stop(), this.cluster.stop()]);
  }
}
