import type { Chart } from "cdk8s";
import type { DeployedChart } from "../../../bridge/index";
import type { Environment } from "../../config/environment";
import { storeConfigOf } from "../../config/stores";
import type { StoreKey } from "../../config/stores/schemas";
import type { StackArgs } from "../stack-args";
import type { DeployedStore } from "../store-access";
import { deployAws } from "./aws/deploy";
import { deployKeyVault } from "./azure-key-vault/deploy";
import { deployVault } from "./vault/deploy";

/** Deploys a store, whose stack has what only it needs. */
interface StoreDeployer {
  deploy(args: StackArgs, namespaces: DeployedChart<Chart>): DeployedStore<Environment>;
}

const byKey: Readonly<Record<StoreKey, StoreDeployer>> = {
  vault: { deploy: deployVault },
  azureKeyVault: { deploy: deployKeyVault },
  awsSecrets: { deploy: deployAws },
};

/** The environment's store and its CSI provider, where the stack installs them, and each Aidbox's access. */
export function deployStore(args: StackArgs, namespaces: DeployedChart<Chart>): DeployedStore<Environment> {
  return byKey[storeConfigOf(args.environment).key].deploy(args, namespaces);
}
