import { aFunction, optional, refuseArguments, shape } from "../../constructs/check-props";
import { unmountedSecrets } from "../cluster/mounted-secrets";
import { withKeys } from "../config/all-keys";
import { checkedEnvironment } from "../config/checked-environment";
import { ownCommand } from "../config/command-line";
import type { Environment } from "../config/environment";
import { withoutSecrets } from "../config/optional";
import { asDeployed } from "./as-deployed";
import { BrokenLinkError, checkLinks, type Link, type LinkReport, secretLink } from "./link";
import { ageLinks } from "./links/ages";
import { aidboxLinks } from "./links/aidbox";
import { clockLinks } from "./links/clocks";
import { keypairLinks } from "./links/keypairs";
import { keysLinks } from "./links/keys";
import { platformLinks } from "./links/platform";
import { releaseLinks } from "./links/releases";
import { openChecks } from "./option-checks";
import type { CurrentValues, OpenOptions } from "./store-operator";
import { openStore } from "./stores";

/** What `verify` found, link by link. */
export interface Verification {
  /** Name of the environment, as `dev`. */
  readonly environment: string;
  /** Whether every link was checked and is in order. */
  readonly ok: boolean;
  /** From the CSI driver to Aidbox, in the order of the chain. */
  readonly links: readonly LinkReport[];
}

/** Follows the progress of `verify`. */
export interface VerifyOptions extends OpenOptions {
  /** Called with the number of links that are done, and of all. */
  readonly onProgress?: (done: number, all: number) => void;
}

const verifyOptions = shape<VerifyOptions>({ ...openChecks, onProgress: optional(aFunction) });

/**
 * Walks the chain from the store to Aidbox and says which link is broken, why, and what fixes it. Changes nothing but that it
 * logs in to the store once, and ends that login.
 * @example
 * ```ts
 * import { readEnvironment, verify } from "aidbox-secrets-stack/operate";
 *
 * // Pulumi.prod.yaml of this folder.
 * void verify(readEnvironment(".", "prod").environment).then(({ ok, links }) => {
 *   for (const link of links) console.log(JSON.stringify(link));
 *   process.exitCode = ok ? 0 : 1;
 * });
 * ```
 */
export async function verify(configured: Environment, options: VerifyOptions = {}): Promise<Verification> {
  refuseArguments(
    "verify",
    { environment: configured, options },
    { environment: checkedEnvironment, options: verifyOptions },
  );
  // Where the class cannot be read, its link says so.
  const environment = await asDeployed(configured).catch(() => withKeys(configured, new Map()));
  const opened = await openStore(environment, options);
  const { session, store } = opened;
  const values: CurrentValues = new Map();
  const unmounted = await unmountedSecrets(session.api, environment).catch(() => []);
  const asMounted = { session: session.of(withoutSecrets(environment, unmounted)), store };
  const ofStore = store.links(values).map((link) => optionalLink(link, environment, unmounted));
  const links = [
    ...platformLinks(session),
    ...releaseLinks(session),
    ...clockLinks(session),
    ...ofStore,
    ...keysLinks(opened, configured),
    ...keypairLinks(opened, values),
    ...ageLinks(opened),
    ...aidboxLinks(asMounted, ofStore, values),
  ];
  let done = 0;
  const reports = await checkLinks(links, () => options.onProgress?.(++done, links.length)).finally(() =>
    store.close(),
  );
  return { environment: environment.name, ok: reports.every(({ state }) => state === "ok"), links: reports };
}

/** The link of an optional secret that no pod mounts: without a value all is in order, and with one it is to be mounted. */
function optionalLink(link: Link, environment: Environment, unmounted: readonly string[]): Link {
  const name = unmounted.find((each) => secretLink({ name: each }) === link.name);
  if (name === undefined) return link;
  return {
    ...link,
    check: async () => {
      try {
        return `${await link.check()}; optional, and mounted by the next \`${ownCommand("up", environment)}\``;
      } catch (error) {
        if (error instanceof BrokenLinkError) return `optional, and pods go without it: ${error.message}`;
        throw error;
      }
    },
  };
}
