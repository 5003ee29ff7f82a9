import * as pulumi from "@pulumi/pulumi";
import {
  AzureLoginError,
  KeyVaultClient,
  KeyVaultError,
  MissingPackagesError,
} from "../../../constructs/stores/azure-key-vault";
import { objectName } from "../../../constructs/stores/azure-key-vault/names";
import { connectCluster } from "../../cluster/cluster";
import type { KeyVaultEnvironment } from "../../config/environment";
import { keyVaultProvider } from "../../config/stores/azure-key-vault/provider";
import type { KeyVaultStackArgs } from "../../stack/stack-args";
import { reportResult } from "../program-result";
import type { Preparation } from "./preparation";

/** What a stack of a key vault's is deployed with, once it is known that the vault answers to whoever runs it. */
export async function prepareKeyVault({
  environment,
  api,
  common,
  state,
}: Preparation<KeyVaultEnvironment>): Promise<KeyVaultStackArgs> {
  const keyVault = once(() => connect(environment));
  // A preview shows what would be made, and asks nobody for a login.
  if (!pulumi.runtime.isDryRun()) await assertAnswers(environment, keyVault);
  const cluster = await connectCluster(api, environment, keyVaultProvider(environment), state);
  return { ...common, environment, cluster, keyVault };
}

function connect({ azureKeyVault: { name, cloud } }: KeyVaultEnvironment): KeyVaultClient {
  return new KeyVaultClient({ keyVault: name, cloud, credential: { type: "ambient" } });
}

/** Looks, before anything is touched, whether the key vault lets the stack see the first secret. */
async function assertAnswers({ table }: KeyVaultEnvironment, keyVault: () => KeyVaultClient): Promise<void> {
  try {
    await keyVault().state(objectName(table.secrets[0]!));
  } catch (error) {
    const lacksRight = error instanceof KeyVaultError && (error.status === 401 || error.status === 403);
    if (lacksRight || error instanceof AzureLoginError || error instanceof MissingPackagesError) {
      reportResult({ reason: "rights-missing" });
    }
    throw error;
  }
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}
