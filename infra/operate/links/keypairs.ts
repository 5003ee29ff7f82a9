import { vaultPaths } from "../../config/stores/vault/server";
import { certificateEnd, findKeypairProblems, type Keypair, signsTokens } from "../../../constructs/secrets";
import { writeKeypairCommand } from "../../../constructs/stores/vault/keypair-command";
import type { VaultEnvironment } from "../../config/environment";
import { vaultCommand } from "../../config/names";
import { ownCommand } from "../../config/command-line";
import { BrokenLinkError, type Link } from "../link";
import { MissingRightError } from "../missing-right";
import type { Session } from "../session";
import type { CurrentValues } from "../stores/vault/links";

/** Life that is left to a certificate below which its renewal is due, in days. */
export const leastCertificateDays = 30;
const dayMilliseconds = 24 * 3600 * 1000;

/**
 * The table's keypairs: each half belongs to the other, and Aidbox can use them.
 *
 * @param values the current values, as pods read them
 */
export function keypairLinks({ environment }: Session, values: CurrentValues): Link[] {
  return environment.table.keypairs.map((keypair): Link => ({
    name: `keypair ${keypair.name}`,
    checks: signsTokens(keypair.kind)
      ? `the parts of ${keypair.name} are of one pair, with which Aidbox starts`
      : `the certificate of ${keypair.name} belongs to its private key, and lives for ${leastCertificateDays} days or more`,
    needs: ["access"],
    check: () => Promise.resolve(checkKeypair(environment, keypair, values)),
  }));
}

function checkKeypair(environment: VaultEnvironment, keypair: Keypair, values: CurrentValues): string {
  if (values.size === 0) throw new MissingRightError("that of the login, whose values are looked at");
  const byPart = Object.fromEntries(keypair.secrets.map(({ name, key }) => [key, values.get(name)]));
  const problems = findKeypairProblems(keypair.kind, byPart);
  const fix =
    keypair.source === "seeded"
      ? ownCommand("rotate", environment, keypair.name)
      : writeKeypairCommand(vaultCommand(environment), vaultPaths(environment).kvMount, keypair);
  if (problems.length > 0) throw new BrokenLinkError(problems.join("; "), fix);
  const end = certificateEnd(byPart.certificate ?? "");
  if (end === undefined) return "all parts match";
  const days = (end.getTime() - Date.now()) / dayMilliseconds;
  if (days >= leastCertificateDays) return `both halves match, the certificate ends at ${end.toISOString()}`;
  throw new BrokenLinkError(`the certificate ends at ${end.toISOString()}, in ${days.toFixed(0)} days`, fix);
}
