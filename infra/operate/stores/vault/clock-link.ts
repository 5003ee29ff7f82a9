import { between, offBy, timed, toleratedSeconds } from "../../clocks";
import { BrokenLinkError, type Link } from "../../link";
import { aheadOfCluster } from "../../links/clocks";
import type { VaultSession } from "./session";

/** How far Vault's clock may be off before it refuses tokens (measured with Vault 1.21.1: of 55 s none, of 65 s all), in seconds. */
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
        `Vault's clock is ${off} the API server's: from ${refusedSeconds} s on Vault refuses the pods' tokens`,
        "on the machine of Vault: timedatectl set-ntp true",
      );
    },
  };
}
