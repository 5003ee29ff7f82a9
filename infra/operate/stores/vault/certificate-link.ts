import type { VaultEnvironment } from "../../../config/environment";
import { addressFromHere } from "../../../config/stores/vault/address";
import { isStored } from "../../../config/stores/vault/server";
import { BrokenLinkError, type Link } from "../../link";
import { renewCertificate } from "./hints";
import { servedCertificate } from "./served-certificate";
import { openServers } from "./servers";
import type { VaultSession } from "./session";

/** How long a certificate must still live, in days; `up` renews one of the stack's own 60 days before its end. */
const leastDays = 30;
const dayMilliseconds = 24 * 3600 * 1000;

/** Vault's certificate, where it has one. */
export function certificateLinks(session: VaultSession): Link[] {
  if (!servesTls(session.environment)) return [];
  return [
    {
      name: "certificate",
      checks: `Vault's certificate is to be trusted, and lives for ${leastDays} days more`,
      needs: ["vault"],
      check: () => checkCertificates(session),
    },
  ];
}

function servesTls({ vault }: VaultEnvironment): boolean {
  return isStored(vault) || (vault.mode === "external" && addressFromHere(vault).startsWith("https:"));
}

/** Each server takes a renewed certificate for itself. */
async function checkCertificates(session: VaultSession): Promise<string> {
  const { environment } = session;
  const { vault } = environment;
  const servers =
    vault.mode === "external" ? [{ pod: "Vault", address: addressFromHere(vault) }] : await openServers(session);
  const connection = await session.commonConnection();
  const ends = await Promise.all(
    servers.map(async ({ pod, address }) => {
      try {
        return { pod, end: new Date((await servedCertificate({ ...connection, address })).validTo) };
      } catch (error) {
        throw new BrokenLinkError(
          `the certificate of ${pod} is refused: ${(error as Error).message}`,
          renewCertificate(environment),
        );
      }
    }),
  );
  const first = ends.reduce((soonest, each) => (each.end < soonest.end ? each : soonest));
  const days = Math.floor((first.end.getTime() - Date.now()) / dayMilliseconds);
  const until = `until ${first.end.toISOString().slice(0, 10)}`;
  if (days < leastDays) {
    throw new BrokenLinkError(
      `the certificate of ${first.pod} lives for ${days} days more, ${until}`,
      renewCertificate(environment),
    );
  }
  return `trusted, ${until}`;
}
