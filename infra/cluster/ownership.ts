import { secretsStoreDriver } from "../../constructs/kubernetes/names";
import { ownCommand } from "../config/command-line";
import type { Environment } from "../config/environment";
import { namespacesOf, type StackNamespace } from "../config/namespaces";
import { storeReleases, tokenAudiencesOf } from "../config/stores/of-environment";
import type { StateResource } from "../state/stack-state";
import { hasRelease } from "../state/state-objects";
import { driverLabel, leastBoundOf, pollSeconds, running } from "./driver-rotation";
import { givenNamespaceClashes, unfitNamespace } from "./given-namespaces";
import type { ApiObjectSummary, KubeApi } from "./kube-api";
import { sharedWithNeighbours } from "./neighbours";

/** Label of what a stack makes and no second stack may touch; its value is the stack. */
export const ownerLabel = "aidbox-secrets/stack";

/** Label with the random mark of the state that a namespace belongs to. */
export const stateMarkLabel = "aidbox-secrets/state-mark";

/** Objects of the cluster that this stack would make, and somebody else has made. */
export class OwnershipError extends Error {
  public constructor(clashes: readonly string[]) {
    super(
      ["The cluster has objects already that this stack would make:", ...clashes.map((each) => `  ${each}`)].join("\n"),
    );
    this.name = "OwnershipError";
  }
}

/**
 * Looks, before anything is touched, whether what the stack would make is there already and somebody else's, and whether
 * what it relies on is there.
 *
 * @param owner value of the owner label of this stack
 * @param state what the stack has already: what was adopted has no label of the stack yet
 * @throws OwnershipError that lists every clash and how to resolve it
 */
export async function checkOwnership(
  api: KubeApi,
  environment: Environment,
  owner: string,
  state: readonly StateResource[] = [],
): Promise<void> {
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const storage = api.config.makeApiClient(api.client.StorageV1Api);
  const rbac = api.config.makeApiClient(api.client.RbacAuthorizationV1Api);
  const { csiDriver } = environment;
  const releases = storeReleases(environment);
  const wanted = tokenAudiencesOf(environment);

  const namespaceClashes = async (namespace: StackNamespace): Promise<readonly (string | undefined)[]> => {
    if (!namespace.create) return givenNamespaceClashes(api, environment, namespace, ownerLabel, owner, state);
    const { name, key, optionsKey } = namespace;
    const found = await api.find(core.readNamespace({ name }));
    const fix = `set ${key} to another name, or ${optionsKey}.create: false to use it`;
    return [describeClash(found, owner, `Namespace ${name}`, fix)];
  };
  const driverNamespaceClash = async (): Promise<string | undefined> => {
    const { install, namespace: name } = csiDriver;
    const isTold = namespacesOf(environment).some((each) => each.name === name);
    // Every cluster has this one, for such pods.
    if (!install || isTold || name === "kube-system") return undefined;
    return unfitNamespace(api, { name, key: "csiDriver.namespace", needs: "privileged" });
  };
  const pollOfDriver = async (): Promise<number | undefined> => {
    const apps = api.config.makeApiClient(api.client.AppsV1Api);
    const { items } = await apps.listDaemonSetForAllNamespaces({ labelSelector: driverLabel });
    const daemonSet = running(items);
    return daemonSet === undefined ? undefined : pollSeconds(daemonSet);
  };
  const driverClash = async (): Promise<string | undefined> => {
    const found = await api.find(storage.readCSIDriver({ name: secretsStoreDriver }));
    if (csiDriver.install) {
      if (isAdopted(found, state)) return undefined;
      return describeClash(
        found,
        owner,
        `CSIDriver ${secretsStoreDriver}`,
        `a cluster has one: set csiDriver.install: false to use it${adoptHint(found, environment)}`,
      );
    }
    if (found === undefined) return `CSIDriver ${secretsStoreDriver} is not there: set csiDriver.install: true`;
    const audiences = found.spec.tokenRequests?.map(({ audience }) => audience) ?? [];
    const hasAudiences = wanted.every((audience) => audiences.includes(audience));
    if (found.spec.requiresRepublish && hasAudiences) return undefined;
    const poll = hasAudiences ? await pollOfDriver() : undefined;
    if (poll !== undefined) return slowPoll(poll, environment);
    return (
      `CSIDriver ${secretsStoreDriver} is there, but without what this stack needs of it: install it with ` +
      [
        "enableSecretRotation=true",
        ...wanted.map((audience, index) => `tokenRequests[${index}].audience=${audience}`),
      ].join(" and ") +
      (environment.vault === undefined || wanted.length === 0
        ? ""
        : "; or, where its owner gives no tokens, set vault.csiProviderMakesTokens: true, and read what that opens")
    );
  };
  // The chart names its cluster-wide objects after the release alone, so two of one name cannot be, wherever they are.
  const releaseClash = async (name: string, own: string, key: string): Promise<string | undefined> => {
    const found = await api.find(rbac.readClusterRoleBinding({ name }));
    const namespace = found?.metadata?.annotations?.["meta.helm.sh/release-namespace"];
    if (found === undefined || namespace === own) return undefined;
    return `ClusterRoleBinding ${name} belongs to namespace ${namespace ?? "(none)"}: set ${key} to another name`;
  };

  const clashes = await Promise.all([
    ...namespacesOf(environment).map(namespaceClashes),
    driverNamespaceClash(),
    driverClash(),
    ...releases.clusterRoleBindings.map(({ key, name, namespace }) => releaseClash(name, namespace, key)),
  ]);
  const shared = await sharedWithNeighbours(api, environment, ownerLabel, owner);
  const found = [
    ...[...clashes.flat(), serversReleaseClash(environment, state)].filter((clash) => clash !== undefined),
    ...shared,
  ];
  if (found.length > 0) throw new OwnershipError(found);
}

/** A release that the state has not would be installed anew, over servers that are there. */
function serversReleaseClash(environment: Environment, state: readonly StateResource[]): string | undefined {
  const { vault } = environment;
  if (vault?.mode !== "external" || vault.serversRelease === undefined) return undefined;
  const { name: releaseName, namespace } = vault.serversRelease;
  if (hasRelease(state, { namespace, releaseName })) return undefined;
  const fix = `take it over by \`${ownCommand("adopt", environment)}\`, or leave vault.serversRelease out`;
  return `Helm release ${namespace}/${releaseName} is not in the stack's state: ${fix}`;
}

/** Why a driver that polls by itself does not keep the bound; undefined where it does. */
function slowPoll(poll: number, { rotationBoundSeconds }: Environment): string | undefined {
  const least = leastBoundOf(poll);
  if (rotationBoundSeconds >= least) return undefined;
  return (
    `CSIDriver ${secretsStoreDriver} looks for new values every ${poll} s, and nothing has it look sooner: ` +
    `write rotationBound: ${least}s or more`
  );
}

const helmRelease = "meta.helm.sh/release-name";
const helmNamespace = "meta.helm.sh/release-namespace";

/** Whether the release that an object is of is in the stack's state. */
function isAdopted(found: ApiObjectSummary | undefined, state: readonly StateResource[]): boolean {
  const annotations = found?.metadata?.annotations ?? {};
  const { [helmRelease]: releaseName, [helmNamespace]: namespace } = annotations;
  return releaseName !== undefined && namespace !== undefined && hasRelease(state, { namespace, releaseName });
}

/** How the stack takes over what somebody installed by Helm, and no other stack. */
function adoptHint(found: ApiObjectSummary | undefined, environment: Environment): string {
  const { labels, annotations } = found?.metadata ?? {};
  if (labels?.[ownerLabel] !== undefined || annotations?.[helmRelease] === undefined) return "";
  return `; or, where it was installed by hand, take it over by \`${ownCommand("adopt", environment)}\``;
}

function describeClash(
  found: ApiObjectSummary | undefined,
  owner: string,
  what: string,
  fix: string,
): string | undefined {
  const actual = found?.metadata?.labels?.[ownerLabel];
  if (found === undefined || actual === owner) return undefined;
  return `${what} belongs to ${actual === undefined ? "somebody else" : `the stack ${actual}`}: ${fix}`;
}
