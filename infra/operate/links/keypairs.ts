import { type Keypair, signsTokens } from "../../../constructs/secrets";
import { certificateEnd, findKeypairProblems } from "../../../constructs/secrets/keypair-values";
import { ownCommand } from "../../config/command-line";
import { BrokenLinkError, type Link } from "../link";
import { PermissionDeniedError } from "../permission-denied";
import type { CurrentValues, OpenStore } from "../store-operator";

/** Life that is left to a certificate below which its renewal is due, in days. */
export const leastCertificateDays = 30;
const dayMilliseconds = 24 * 3600 * 1000;

/**
 * The table's keypairs: each half belongs to the other, and Aidbox can use them.
 *
 * @param values the current values, as pods read them
 */
export function keypairLinks(opened: OpenStore, values: CurrentValues): Link[] {
  return opened.session.environment.table.keypairs.map((keypair): Link => ({
    name: `keypair ${keypair.name}`,
    checks: signsTokens(keypair.kind)
      ? `the parts of ${keypair.name} are of one pair, with which Aidbox starts`
      : `the certificate of ${keypair.name} belongs to its private key, and lives for ${leastCertificateDays} days or more`,
    needs: ["access"],
    check: () => checkKeypair(opened, keypair, values),
  }));
}

async function checkKeypair(opened: OpenStore, keypair: Keypair, values: CurrentValues): Promise<string> {
  if (values.size === 0) throw new PermissionDeniedError("that of the login, whose values are looked at");
  const byPart = Object.fromEntries(keypair.secrets.map(({ name, key }) => [key, values.get(name)?.toString()]));
  const problems = findKeypairProblems(keypair.kind, byPart);
  if (problems.length > 0) throw new BrokenLinkError(problems.join("; "), await writeAnew(opened, keypair));
  const end = certificateEnd(byPart.certificate ?? "");
  if (end === undefined) return "all parts match";
  const days = (end.getTime() - Date.now()) / dayMilliseconds;
  if (days >= leastCertificateDays) return `both halves match, the certificate ends at ${end.toISOString()}`;
  throw new BrokenLinkError(
    `the certificate ends at ${end.toISOString()}, in ${days.toFixed(0)} days`,
    await writeAnew(opened, keypair),
  );
}

async function writeAnew({ session, store }: OpenStore, keypair: Keypair): Promise<string> {
  if (keypair.source === "seeded") return ownCommand("rotate", session.environment, keypair.name);
  return store.writePairCommand(keypair);
}
