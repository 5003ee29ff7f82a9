import { ownCommand } from "../config/command-line";
import type { Environment } from "../config/environment";
import { endsWithSecrets } from "../config/license";

/** What `up` says at its end where an Aidbox has no licence; empty where each has one. */
export function licenseNotice(environment: Environment): string {
  const lacking = [environment, ...environment.tenants].filter(endsWithSecrets);
  if (lacking.length === 0) return "";
  const owners = lacking.map(({ tenant }) => (tenant === undefined ? "Aidbox" : `the Aidbox of tenant ${tenant}`));
  const [first] = lacking as [Environment];
  const path = first.tenant === undefined ? "aidbox/license" : `${first.tenant}/license`;
  return [
    `There is no licence for ${owners.join(", ")}. The secrets are in the pod all the same: that is what was checked.`,
    "The real Aidbox asks for a licence when you open it in a browser. You cannot use it before, and its pod may not become ready.",
    "To give it one:",
    "  1. Make a development licence at https://aidbox.app, free of charge: type Dev, hosting Self-hosted.",
    `  2. Add this row to its secrets in Pulumi.${environment.name}.yaml:`,
    `     - { name: license, path: ${path}, environment: BOX_LICENSE, source: external }`,
    `  3. Run \`${ownCommand("up", environment)}\`. It stops, and prints the command that takes the licence. Then run \`up\` again.`,
  ].join("\n");
}
