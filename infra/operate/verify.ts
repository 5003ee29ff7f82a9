import type { VaultEnvironment } from "../config/environment";
import { checkLinks, type LinkReport } from "./link";
import { ageLinks } from "./links/ages";
import { aidboxLinks } from "./links/aidbox";
import { certificateLinks } from "./stores/vault/certificate-link";
import { keypairLinks } from "./links/keypairs";
import { platformLinks } from "./links/platform";
import { type CurrentValues, type PodLoginHolder, vaultLinks } from "./stores/vault/links";
import { endLogin } from "./stores/vault/pod-login";
import { Session } from "./session";

/** What `verify` found, link by link. */
export interface Verification {
  readonly environment: string;
  /** Whether every link was checked and is in order. */
  readonly ok: boolean;
  readonly links: readonly LinkReport[];
}

/** Follows the progress of `verify`. */
export interface VerifyOptions {
  /** Vault token of the operator. @default `VAULT_TOKEN`, else dev mode's root token from its Secret */
  readonly vaultToken?: string;
  /** Called with the number of links that are done, and of all. */
  readonly onProgress?: (done: number, all: number) => void;
}

/**
 * Walks the chain from Vault to Aidbox and says which link is broken, why, and what fixes it. Changes nothing but that it
 * logs in to Vault once, and ends that login.
 */
export async function verify(environment: VaultEnvironment, options: VerifyOptions = {}): Promise<Verification> {
  const session = await Session.open(environment, options.vaultToken);
  const values: CurrentValues = new Map();
  const pod: PodLoginHolder = {};
  const links = [
    ...platformLinks(session),
    ...vaultLinks(session, values, pod),
    ...certificateLinks(session),
    ...keypairLinks(session, values),
    ...ageLinks(session),
    ...aidboxLinks(session, values),
  ];
  let done = 0;
  const reports = await checkLinks(links, () => options.onProgress?.(++done, links.length)).finally(() =>
    endLogin(pod.login),
  );
  return { environment: environment.name, ok: reports.every(({ state }) => state === "ok"), links: reports };
}
