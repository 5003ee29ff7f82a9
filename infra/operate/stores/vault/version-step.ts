import { Vault } from "../../../../constructs/platform/index";
import type { VaultHealth } from "../../../../constructs/stores/vault/api/client";
import { vaultServerPods } from "../../../cluster/vault-server-pods";
import { waitUntil } from "../../../cluster/wait-until";
import { isStored, signsOwnCertificates } from "../../../config/stores/vault/server";
import type { VaultSession } from "./session";

/** A version of Vault that must not take the place of the one that runs. The message says how to go on. */
export class DowngradeError extends Error {
  public constructor(message: string) {
    super(message);
    this.name = "DowngradeError";
  }
}

/** How long a server may take to answer, in seconds. */
const answerSeconds = 5;

/**
 * Makes sure, before anything is touched, that Vault's servers do not get an earlier version than they run: it may not be able to
 * read what the later one has stored. Steps forward may be as large as they like. Tags that are no version are not compared.
 *
 * @see https://developer.hashicorp.com/vault/docs/upgrade
 * @throws DowngradeError
 */
export async function assertNoDowngrade(session: VaultSession): Promise<void> {
  const { vault } = session.environment;
  if (!isStored(vault)) return;
  const { key, tag } = wantedTag(vault);
  const wanted = versionOf(tag);
  if (wanted === undefined) return;
  const health = await healthOf(session);
  const running = versionOf(health?.version ?? "");
  if (health?.initialized !== true || running === undefined || !isEarlier(wanted, running)) return;
  throw new DowngradeError(
    `${key}: "${tag}" is earlier than Vault ${health.version}, which runs, and may not be able to read what that one has stored: ` +
      `write ${running.join(".")} or later. Nothing was touched. The way back is a snapshot of before (docs/upgrade.md)`,
  );
}

/** The tag of the servers' image, and the key that says it. */
function wantedTag({ image, values }: VaultSession["environment"]["vault"] & { readonly image?: string | undefined }): {
  readonly key: string;
  readonly tag: string;
} {
  const { server } = Object(values) as { server?: { image?: { tag?: unknown } } | null };
  const tag = server?.image?.tag;
  if (typeof tag === "string") return { key: "vault.values.server.image.tag", tag };
  const full = image ?? Vault.defaultImage;
  return { key: "vault.image", tag: full.slice(full.lastIndexOf(":") + 1) };
}

/** A server's state, sealed or not; undefined where none answers, which `up` says later. */
async function healthOf(session: VaultSession): Promise<VaultHealth | undefined> {
  const { api, environment } = session;
  const { namespace, labelSelector } = vaultServerPods(environment);
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const { items } = await core.listNamespacedPod({ namespace, labelSelector, fieldSelector: "status.phase=Running" });
  if (items.length === 0) return undefined;
  if (signsOwnCertificates(environment.vault) && (await session.vaultCa()) === undefined) return undefined;
  const vault = await session.anonymousVault();
  let health: VaultHealth | undefined;
  const answers = async (): Promise<boolean> => {
    health = await vault.health().catch(() => undefined);
    return health !== undefined;
  };
  await waitUntil(answers, Date.now() + answerSeconds * 1000);
  return health;
}

type Version = readonly [major: number, minor: number, patch: number];

/** The version that a text begins with, as `1.21.1+ent`. */
function versionOf(text: string): Version | undefined {
  const [, major, minor, patch] = /^v?(\d+)\.(\d+)\.(\d+)(?![\d.])/.exec(text) ?? [];
  return patch === undefined ? undefined : [Number(major), Number(minor), Number(patch)];
}

function isEarlier(one: Version, other: Version): boolean {
  const difference = one.map((part, index) => part - other[index]!).find((each) => each !== 0);
  return (difference ?? 0) < 0;
}
