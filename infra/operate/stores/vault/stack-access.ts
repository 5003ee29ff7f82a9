import { Duration } from "cdk8s";
import { isMadeByStore } from "../../../../constructs/secrets";
import { type VaultClient, VaultError } from "../../../../constructs/stores/vault/api/client";
import { assertKvV2, NotKvV2Error, requiresCheckAndSet } from "../../../../constructs/stores/vault/api/kv-version";
import { vaultServerPods } from "../../../cluster/vault-server-pods";
import { ownCommand } from "../../../config/command-line";
import type { VaultEnvironment } from "../../../config/environment";
import { stackPolicyName } from "../../../config/names";
import { loginMount, ownsAuthMount } from "../../../config/stores/vault/login";
import { isStored, ownsKvMount, signsOwnCertificates, vaultPaths } from "../../../config/stores/vault/server";
import type { StateResource } from "../../../state/stack-state";
import { clusterId } from "./cluster-id";
import {
  NamesTakenError,
  othersKeys,
  policyOf,
  takenByCluster,
  takenPaths,
  takenPolicies,
  takenRoles,
} from "./own-names";
import type { VaultSession } from "./session";
import { clusterOf, contentRules, isCurrent } from "./stack-policy";

/** The stack's token may not do what the config needs. The message says how it comes to that. */
export class StackRightsError extends Error {
  public constructor(message: string) {
    super(message);
    this.name = "StackRightsError";
  }
}

/** How long a Vault that is there may take to answer, in seconds. */
const answerSeconds = 5;

/**
 * Makes sure, before anything is touched, that the stack's token may do what this config needs in Vault, and that Vault
 * has nothing of others under the stack's names. Where Vault cannot be used yet, `up` says so later.
 *
 * @param session with the stack's token
 * @param seededBy what marks paths that this stack has seeded
 * @param state what the stack has already, what it adopted among it
 * @throws StackRightsError, NamesTakenError
 */
export async function checkStackAccess(
  session: VaultSession,
  seededBy: string,
  state: readonly StateResource[] = [],
): Promise<void> {
  const { environment } = session;
  if (environment.vault.mode === "dev" || !(await isUsable(session))) return;
  if (!session.hasToken) {
    throw new StackRightsError(
      `A token for Vault is needed: set VAULT_TOKEN to the stack's, which ${grantCommand(environment)} makes`,
    );
  }
  const vault = await session.operatorVault();
  const policies = await policiesOf(vault, environment);
  await Promise.all([assertAuthMount(vault, environment), assertUsableMount(vault, environment)]);
  const taken = await Promise.all([
    takenPolicies(vault, environment, state),
    takenRoles(vault, environment, state),
    takenPaths(vault, environment, seededBy),
    othersKeys(vault, environment),
  ]);
  if (taken.flat().length > 0) throw new NamesTakenError(taken.flat());
  if (policies.includes("root")) return;
  const lacks = policies.includes(stackPolicyName(environment))
    ? await lacksOfPolicy(session, vault)
    : await lacksOfToken(vault, environment);
  if (lacks !== undefined) throw new StackRightsError(outdated(environment, lacks));
}

/** @throws Error where the auth mount of others is not there */
async function assertAuthMount(vault: VaultClient, environment: VaultEnvironment): Promise<void> {
  const mount = loginMount(environment);
  if (ownsAuthMount(environment) || (await vault.hasAuthMount(mount))) return;
  throw new Error(
    `auth/${mount} is not there, and vault.login.owned: false says that it is: write its path as vault.login.mount, or leave ` +
      "owned out, and the stack makes it. Nothing was touched.",
  );
}

/** @throws NotKvV2Error; Error where the mount asks for what Pulumi's provider does not send */
async function assertUsableMount(vault: VaultClient, environment: VaultEnvironment): Promise<void> {
  const paths = [environment, ...environment.tenants].flatMap(({ table }) => table.paths);
  const ofKv = paths.filter((path) => !isMadeByStore(path));
  if (ofKv[0] === undefined) return;
  const { kvMount } = vaultPaths(environment);
  await assertKvV2(vault, kvMount, ofKv[0].path).catch((error: unknown) => {
    const isYetToMake = error instanceof NotKvV2Error && error.isAbsent && ownsKvMount(environment);
    if (!isYetToMake) throw error;
  });
  const managed = ofKv.filter(({ source }) => source === "managed");
  if (
    managed.length === 0 ||
    environment.vault.kvMount.casRequired === true ||
    (await requiresCheckAndSet(vault, kvMount)) !== true
  )
    return;
  throw new Error(
    `${kvMount} takes no write without a version (cas_required), and ${managed.map(({ path }) => path).join(", ")} of source managed ` +
      "would be written without one: write vault.kvMount.casRequired: true. Nothing was touched.",
  );
}

/** Whether there is a Vault that serves. */
export async function isUsable(session: VaultSession): Promise<boolean> {
  const { api, environment } = session;
  if (isStored(environment.vault)) {
    const { namespace, labelSelector } = vaultServerPods(environment);
    const core = api.config.makeApiClient(api.client.CoreV1Api);
    const { items } = await core.listNamespacedPod({ namespace, labelSelector, fieldSelector: "status.phase=Running" });
    if (items.length === 0) return false;
    if (signsOwnCertificates(environment.vault) && (await session.vaultCa()) === undefined) return false;
  }
  const vault = await session.anonymousVault();
  return vault.waitUntilUsable(Duration.seconds(answerSeconds)).then(
    () => true,
    () => false,
  );
}

async function policiesOf(vault: VaultClient, environment: VaultEnvironment): Promise<readonly string[]> {
  try {
    const { policies = [] } = ((await vault.read("auth/token/lookup-self")) ?? {}) as { policies?: string[] };
    return policies;
  } catch (error) {
    if (!(error instanceof VaultError) || error.status !== 403) throw error;
    throw new StackRightsError(
      `Vault refuses the stack's token: it has ended, or was revoked. ${grantCommand(environment)} makes another`,
    );
  }
}

/** What is wrong with the policy of a token that `vault:grant` made; undefined where nothing is. */
async function lacksOfPolicy(session: VaultSession, vault: VaultClient): Promise<string | undefined> {
  const { environment } = session;
  const name = stackPolicyName(environment);
  const granted = await policyOf(vault, name);
  if (granted === undefined) return `its policy ${name} is of an older version, and gives it all of Vault`;
  const cluster = clusterOf(granted);
  if (cluster !== undefined && cluster !== (await clusterId(session.api))) {
    throw new NamesTakenError([takenByCluster(name)]);
  }
  return isCurrent(environment, granted) ? undefined : `its policy ${name} is of another config, or of another version`;
}

/** What a token of somebody else's making lacks; undefined where nothing, or it may not be asked. */
async function lacksOfToken(vault: VaultClient, environment: VaultEnvironment): Promise<string | undefined> {
  const rules = contentRules(environment);
  let found: Record<string, unknown>;
  try {
    const paths = [...new Set(rules.map(({ path }) => path))];
    found = (await vault.request("POST", "sys/capabilities-self", { body: { paths } })) as Record<string, unknown>;
  } catch (error) {
    if (error instanceof VaultError && error.status === 403) return undefined;
    throw error;
  }
  const lacks = rules.flatMap(({ path, capabilities }) => {
    const given = Array.isArray(found[path]) ? (found[path] as unknown[]) : [];
    const missing = given.includes("root") ? [] : capabilities.filter((each) => !given.includes(each));
    return missing.length === 0 ? [] : [`${missing.join(", ")} on ${path}`];
  });
  return lacks.length === 0 ? undefined : `it lacks ${lacks.join("; ")}`;
}

function outdated(environment: VaultEnvironment, lacks: string): string {
  const how = isStored(environment.vault)
    ? "Key shares, as many as unseal Vault, bring it up to date"
    : "A token of Vault's administrator on standard input brings it up to date";
  return [
    `The stack's token may not do what this config needs in Vault: ${lacks}. Nothing was touched.`,
    `${how}; the stack's token stays the same one:`,
    `  ${grantCommand(environment, "--no-tokens")}`,
  ].join("\n");
}

function grantCommand(environment: VaultEnvironment, ...options: string[]): string {
  return ownCommand("vault:grant", environment, ...(isStored(environment.vault) ? ["--shares"] : []), ...options);
}
