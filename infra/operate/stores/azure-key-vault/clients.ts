import {
  KeyVaultClient,
  type KeyVaultCredential,
  type KeyVaultLogin,
  type Transport,
} from "../../../../constructs/stores/azure-key-vault";
import { workloadIdentityAudience } from "../../../../constructs/stores/azure-key-vault/parameters";
import { PermissionDeniedError } from "../../permission-denied";

/** What the pods log in with is not there. */
export class PodIdentityError extends Error {
  public constructor(message: string) {
    super(message);
    this.name = "PodIdentityError";
  }
}

/** What an operator's session must bring to read a key vault as a pod does. */
export interface PodCredentials {
  /** A token of the pods' ServiceAccount for an audience. @throws PodIdentityError where there is no such one */
  readonly token: (audience: string) => Promise<string>;
  /** Content of a Kubernetes Secret beside the pods; empty where there is none. */
  readonly secret: (name: string) => Promise<Readonly<Record<string, string>>>;
}

/** A key vault as the operator sees it, and as a pod does; neither logs in before it is asked. */
export class KeyVaultClients {
  private asOperator: KeyVaultClient | undefined;
  private asPod: Promise<KeyVaultClient> | undefined;

  public constructor(
    private readonly login: KeyVaultLogin,
    private readonly pod: PodCredentials,
    private readonly transport: Transport = {},
  ) {}

  /** As whoever runs the command: `az login`, or AZURE_CLIENT_ID and its kind. @throws MissingPackagesError */
  public operator(): KeyVaultClient {
    this.asOperator ??= this.connect({ type: "ambient" });
    return this.asOperator;
  }

  /** @throws PodIdentityError; PermissionDeniedError where the pods' identity is one that only their node has; MissingPackagesError */
  public async asPods(): Promise<KeyVaultClient> {
    this.asPod ??= this.podCredential().then((credential) => this.connect(credential));
    return this.asPod;
  }

  private connect(credential: KeyVaultCredential): KeyVaultClient {
    const { keyVault, cloud } = this.login;
    return new KeyVaultClient({
      keyVault,
      credential,
      transport: this.transport,
      ...(cloud === undefined ? {} : { cloud }),
    });
  }

  private async podCredential(): Promise<KeyVaultCredential> {
    const { tenantId, identity } = this.login;
    switch (identity.type) {
      case "workload": {
        const { clientId } = identity;
        // Asked for here: what the cluster refuses would be told as Entra ID's refusal. It lives as long as a command.
        const token = await this.pod.token(workloadIdentityAudience);
        return { type: "assertion", tenantId, clientId, assertion: () => Promise.resolve(token) };
      }
      case "service-principal": {
        const { clientid = "", clientsecret = "" } = await this.pod.secret(identity.secretName);
        if (clientid === "" || clientsecret === "") {
          throw new PodIdentityError(`Secret ${identity.secretName} has not both clientid and clientsecret`);
        }
        return { type: "password", tenantId, clientId: clientid, clientSecret: clientsecret };
      }
      case "node":
        throw new PermissionDeniedError("the identity of Aidbox's node, which only a pod of that node has");
    }
  }
}
