import { between, offBy, timed, toleratedSeconds } from "../../clocks";
import { BrokenLinkError, type Link } from "../../link";
import { aheadOfCluster } from "../../links/clocks";
import type { VaultSession } from "./session";

/**
 * How far Vault's clock may be behind before it refuses tokens as not valid yet, in seconds. Measured with Vault 1.21.1, by the
 * methods kubernetes and jwt: of 55 s none, of 65 s all. As long after its end by Vault's clock it takes a token too.
 */
const refusedSeconds = 60;

/** Vault's clock, by which it takes a pod's token for valid. */
export function clockLink(session: VaultSession): Link {
  return {
    name: "vault clock",
    checks: `Vault has the API server's time, within ${toleratedSeconds} s`,
    needs: ["vault"],
    check: async () => {
      const vault = await session.anonymousVault();
      const [{ ahead: ofVault }, ofCluster] = await Promise.all([
        timed(
          () => vault.time(),
          (time) => time,
        ),
        aheadOfCluster(session),
      ]);
      if (ofVault === undefined || ofCluster === undefined) {
        return `${ofVault === undefined ? "Vault" : "the API server"} tells no time`;
      }
      const off = offBy(between(ofCluster, ofVault));
      if (off === undefined) return "right";
      throw new BrokenLinkError(
        `Vault's clock is ${off} the API server's: ${effectOf(off)}`,
        "on the machine of Vault: timedatectl set-ntp true",
      );
    },
  };
}

function effectOf(off: string): string {
  return off.endsWith("behind")
    ? `from ${refusedSeconds} s on Vault refuses the pods' tokens, as not valid yet`
    : "Vault takes the pods' tokens for ended before they are";
}
