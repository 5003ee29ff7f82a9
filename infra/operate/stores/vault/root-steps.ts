import type { VaultClient } from "../../../../constructs/stores/vault/api/client";
import type { VaultEnvironment } from "../../../config/environment";
import { stackPolicyName, writerPolicyName } from "../../../config/names";
import { isStored } from "../../../config/stores/vault/server";
import { setUpOperators, strangers } from "./operators";
import { policyOf } from "./own-names";
import { operatorPolicy } from "./rights";
import { grantedPolicy } from "./stack-policy";

/** With what a step works. */
export interface RootWork {
  /** Has a root token, or one of an administrator of a Vault of others. */
  readonly root: VaultClient;
  readonly environment: VaultEnvironment;
  /** What tells the environment's cluster from any other. */
  readonly cluster: string;
  /** Takes what a person should know. */
  readonly tell: (text: string) => void;
}

/** Something in Vault that the stack's own token may not do, or not change. */
export interface RootStep {
  /** Whether a Vault of others, which has administrators, is left without it. */
  readonly ownVaultOnly: boolean;
  /** Can be run again: what is there already is brought up to date. */
  readonly run: (work: RootWork) => Promise<void>;
}

/** What `vault:init` and `vault:grant` do by a root token, in this order, before they make the stack's token. */
const rootSteps: readonly RootStep[] = [
  { ownVaultOnly: false, run: writePolicies },
  { ownVaultOnly: false, run: setUpOperatorLogins },
];

export async function runRootSteps(work: RootWork): Promise<void> {
  for (const { ownVaultOnly, run } of rootSteps) {
    if (!ownVaultOnly || isStored(work.environment.vault)) await run(work);
  }
}

async function writePolicies({ root, environment, cluster }: RootWork): Promise<void> {
  const name = stackPolicyName(environment);
  const former = await policyOf(root, name);
  const policies = [
    [name, grantedPolicy(environment, cluster, former)],
    ...[environment, ...environment.tenants].map((each) => [writerPolicyName(each), operatorPolicy(each, "writer")]),
  ] as const;
  for (const [each, policy] of policies) await root.request("PUT", `sys/policies/acl/${each}`, { body: { policy } });
}

async function setUpOperatorLogins({ root, environment, tell }: RootWork): Promise<void> {
  await setUpOperators(root, environment);
  for (const user of await strangers(root, environment)) {
    tell(`user ${user} is not in vault.operators.users, and can still log in: delete it by hand`);
  }
}
