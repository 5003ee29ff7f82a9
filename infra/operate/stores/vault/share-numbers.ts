import { InvalidRequestError } from "../../errors";

/** How many key shares are made, and for whom. */
export interface ShareNumbers {
  /** Number of key shares. @default 5, or that of the PGP keys */
  readonly shares?: number | undefined;
  /** How many of them unseal Vault, or recover it where it unseals itself. @default 3, or all where they are fewer */
  readonly threshold?: number | undefined;
  /** Public PGP keys, base64, one for each share: Vault encrypts each share for its holder. @default - none */
  readonly pgpKeys?: readonly string[] | undefined;
}

/** The numbers with their defaults. */
export interface CheckedShareNumbers {
  readonly shares: number;
  readonly threshold: number;
  readonly pgpKeys: readonly string[] | undefined;
}

/** @throws InvalidRequestError where they do not fit each other */
export function assertShareNumbers({ shares: wanted, threshold: least, pgpKeys }: ShareNumbers): CheckedShareNumbers {
  const shares = wanted ?? pgpKeys?.length ?? 5;
  const threshold = least ?? Math.min(3, shares);
  if (pgpKeys !== undefined && pgpKeys.length !== shares) {
    throw new InvalidRequestError(`${pgpKeys.length} PGP keys for ${shares} shares: give one for each`);
  }
  if (shares < 1 || threshold < 1 || threshold > shares || (shares > 1 && threshold === 1)) {
    throw new InvalidRequestError(
      `a threshold of ${threshold} does not fit ${shares} shares: it must be 2 or more, and no more than the shares`,
    );
  }
  return { shares, threshold, pgpKeys };
}
