import { everyKeyOf } from "../../config/all-keys";
import { ownCommand } from "../../config/command-line";
import type { Environment } from "../../config/environment";
import { compareKeys } from "../compare-keys";
import { BrokenLinkError, type Link } from "../link";
import type { OpenStore } from "../store-operator";

/** Rows with all keys of a path: which of them pods mount. */
export function keysLinks({ session, store }: OpenStore, configured: Environment): Link[] {
  return everyKeyOf(configured).map((row): Link => ({
    name: `keys ${row.keysOf!}`,
    checks: `pods mount each key of ${store.locate(row)}`,
    needs: ["vault"],
    check: async () => {
      const { place, there, added, gone } = await compareKeys(store, configured, session.environment, row);
      const up = ownCommand("up", configured);
      if (there.length === 0) {
        throw new BrokenLinkError(
          `${place} has no key, or is not there`,
          ownCommand("write", configured, `${row.keysOf!}/KEY`),
        );
      }
      if (gone.length > 0) {
        const cause = `${place} has no ${gone.join(", ")} any more, which pods mount: no new pod starts`;
        throw new BrokenLinkError(cause, `${up}, which takes the file away, or write the value again`);
      }
      const mounted = `${there.length - added.length} of ${there.length} keys are mounted`;
      return added.length === 0 ? mounted : `${mounted}, and ${added.join(", ")} by the next \`${up}\``;
    },
  }));
}
