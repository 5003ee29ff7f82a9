import * as packages from "../../constructs/stores/azure-key-vault/packages";
import type { AzureStandIn } from "./stand-in";

type Packages = ReturnType<typeof packages.loadAzurePackages>;

/**
 * Has each client of Azure's SDK in this process connect by a stand-in: the process read its variables for proxy and CA long
 * ago. Where it gave no agent of its own, that is.
 *
 * @returns what ends it
 */
export function useStandIn(azure: AzureStandIn): () => void {
  const { secrets, identity } = packages.loadAzurePackages();
  const agent = azure.agent();
  const bySdk = {
    secrets: {
      SecretClient: class extends secrets.SecretClient {
        public constructor(...[url, credential]: ConstructorParameters<Packages["secrets"]["SecretClient"]>) {
          super(url, credential, { agent });
        }
      },
    },
    identity: {
      DefaultAzureCredential: class extends identity.DefaultAzureCredential {
        public constructor(options = {}) {
          super({ ...options, agent });
        }
      },
      ClientAssertionCredential: class extends identity.ClientAssertionCredential {
        public constructor(...[tenant, client, assertion, options]: Assertion) {
          super(tenant, client, assertion, { ...options, agent });
        }
      },
      ClientSecretCredential: class extends identity.ClientSecretCredential {
        public constructor(...[tenant, client, password, options]: Password) {
          super(tenant, client, password, { ...options, agent });
        }
      },
    },
  };
  const spy = jest.spyOn(packages, "loadAzurePackages").mockReturnValue(bySdk);
  return () => {
    spy.mockRestore();
  };
}

type Assertion = ConstructorParameters<Packages["identity"]["ClientAssertionCredential"]>;
type Password = ConstructorParameters<Packages["identity"]["ClientSecretCredential"]>;
