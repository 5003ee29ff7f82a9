import * as pulumi from "@pulumi/pulumi";
import { nameOf, type StateResource } from "./stack-state";

class Kept extends pulumi.CustomResource {}

/**
 * Declares once more resources that the config no longer has, just as the state has them, so that this update writes
 * into the state that what they stand for stays. The next update forgets them.
 */
export function declareKept(resources: readonly StateResource[], opts: pulumi.CustomResourceOptions): void {
  for (const resource of resources) {
    new Kept(
      resource.type,
      `kept/${nameOf(resource)}`,
      {},
      {
        ...opts,
        aliases: [resource.urn],
        ignoreChanges: Object.keys(resource.inputs).filter((key) => !key.startsWith("__")),
        retainOnDelete: true,
      },
    );
  }
}
