import * as pulumi from "@pulumi/pulumi";
import { connectVaultCluster } from "../../cluster/vault-cluster";
import type { VaultEnvironment } from "../../config/environment";
import { vaultCommand } from "../../config/names";
import { NamesTakenError } from "../../operate/stores/vault/own-names";
import { VaultSession } from "../../operate/stores/vault/session";
import { checkStackAccess, StackRightsError } from "../../operate/stores/vault/stack-access";
import { assertNoDowngrade, DowngradeError } from "../../operate/stores/vault/version-step";
import type { VaultStackArgs } from "../../stack/stack-args";
import { chooseSealToken } from "../../stack/stores/vault/seal-token";
import type { StateResource } from "../../state/stack-state";
import { reportResult } from "../program-result";
import { mountedEnvironments } from "./mounted-environments";
import type { Preparation } from "./preparation";

/** What a stack of Vault's is deployed with, once it is known to have the rights that it needs. */
export async function prepareVault({
  environment,
  api,
  config,
  common,
  unprotected,
  state,
}: Preparation<VaultEnvironment>): Promise<VaultStackArgs> {
  const vaultToken = config.getSecret("vaultToken") ?? pulumi.secret(process.env.VAULT_TOKEN ?? "");
  const token = await new Promise<string>((resolve) => vaultToken.apply(resolve));
  const session = await VaultSession.open(environment, token === "" ? undefined : token);
  await checkVault(session, state);
  const mounted = await mountedEnvironments(session);
  for (const { notices, warnings } of mounted.values()) {
    for (const notice of notices) await pulumi.log.info(notice);
    for (const warning of warnings) await pulumi.log.warn(warning);
  }
  const cluster = await connectVaultCluster(api, environment, common.owner, state);
  return {
    ...common,
    environment,
    cluster,
    externalVaultToken: vaultToken,
    sealToken: chooseSealToken(
      environment,
      config.getSecret("sealToken"),
      process.env.VAULT_SEAL_TOKEN,
      cluster.sealToken,
    ),
    vaultCommand: vaultCommand(environment),
    unprotected,
    mounted: new Map([...mounted].map(([each, { environment: asMounted }]) => [each, asMounted])),
  };
}

/** Looks, before anything is touched, whether the stack may do in Vault what it is going to do there. */
async function checkVault(session: VaultSession, state: readonly StateResource[]): Promise<void> {
  try {
    await assertNoDowngrade(session);
    await checkStackAccess(session, `${pulumi.getProject()}/${pulumi.getStack()}`, state);
  } catch (error) {
    if (error instanceof StackRightsError) reportResult({ reason: "rights-missing" });
    if (error instanceof NamesTakenError) reportResult({ reason: "names-taken" });
    if (error instanceof DowngradeError) reportResult({ reason: "downgrade" });
    throw error;
  }
}
