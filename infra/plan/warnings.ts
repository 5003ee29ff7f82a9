import { mostReplicas, rollHasGap } from "../../constructs/kubernetes/aidbox/roll";
import { everyKeyOf } from "../config/all-keys";
import type { Environment } from "../config/environment";
import { storeWarnings } from "../config/stores/of-environment";

/** What the config asks for and cannot be had whole, a sentence each. */
export function planWarnings(environment: Environment): string[] {
  return [...storeWarnings(environment), ...rollWarnings(environment), ...keysWarnings(environment)];
}

function keysWarnings(environment: Environment): string[] {
  return [environment, ...environment.tenants].flatMap((each) =>
    everyKeyOf(each).map(({ keysOf, path }) => {
      const whose = each.tenant === undefined ? "" : ` of tenants ${each.tenant}`;
      return `${keysOf!}${whose} is all keys of ${path}: \`up\` looks in Vault which there are, and the YAML here is without them`;
    }),
  );
}

function rollWarnings(environment: Environment): string[] {
  return [environment, ...environment.tenants].flatMap(({ tenant, aidbox }) => {
    if (!rollHasGap(aidbox)) return [];
    const whose = tenant === undefined ? "" : `tenants ${tenant}: `;
    const replicas = mostReplicas(aidbox);
    return [
      `${whose}aidbox.maxInstances ${aidbox.maxInstances} leaves no instance beside ${replicas} replicas: each roll stops all of ` +
        `them before it starts others, and nobody is served meanwhile. For rolls without a gap: maxInstances ${replicas + 1} or fewer replicas`,
    ];
  });
}
