import { stackPolicyName, writerPolicyName } from "../../../config/names";
import { isStored } from "../../../config/stores/vault/server";
import { enableAuditDevices } from "./audit-devices";
import { setLoginQuota } from "./login-quota";
import { setUpOperators, strangers } from "./operators";
import { policyOf } from "./own-names";
import { operatorPolicy } from "./rights";
import type { RootStep, RootWork } from "./root-step";
import { grantedPolicy } from "./stack-policy";

/** What comes before the root token's first other request. */
export const firstRootSteps: readonly RootStep[] = [{ ownVaultOnly: true, run: enableAuditDevices }];

/** What `vault:init` and `vault:grant` do by a root token, in this order, before they make the stack's token. */
export const rootSteps: readonly RootStep[] = [
  { ownVaultOnly: false, run: writePolicies },
  { ownVaultOnly: false, run: setUpOperatorLogins },
  { ownVaultOnly: true, run: setLoginQuota },
];

export async function runRootSteps(steps: readonly RootStep[], work: RootWork): Promise<void> {
  for (const { ownVaultOnly, run } of steps) {
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
