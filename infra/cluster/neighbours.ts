import { aidboxLabels, labelSelector } from "../../constructs/kubernetes/labels";
import { nothingNamed, outsideClaims } from "../config/claims";
import type { Environment } from "../config/environment";
import type { KubeApi } from "./kube-api";

/** An Aidbox of another stack, and what it has outside the cluster. */
interface Neighbour {
  readonly what: string;
  readonly variables: Readonly<Record<string, string>>;
}

/**
 * What a stack would share with an Aidbox of another stack of the cluster: a database or a host. What lies in another
 * cluster, or is told to the pods by a Secret, is not seen.
 *
 * @param ownerLabel label of the namespaces of stacks
 * @param owner its value for this stack
 */
export async function sharedWithNeighbours(
  api: KubeApi,
  environment: Environment,
  ownerLabel: string,
  owner: string,
): Promise<string[]> {
  const theirs = new Map<string, string>();
  for (const { what, variables } of await neighboursOf(api, ownerLabel, owner)) {
    for (const { kind, name } of outsideClaims({
      ...nothingNamed,
      aidbox: { name: undefined, environment: variables },
    })) {
      theirs.set(`${kind} ${name}`, what);
    }
  }
  return outsideClaims(environment)
    .filter(({ kind }) => kind === "database" || kind === "host")
    .flatMap(({ kind, name, from }) => {
      const what = theirs.get(`${kind} ${name}`);
      return what === undefined ? [] : [`The ${kind} ${name} belongs to ${what}: set ${from.key} to another`];
    });
}

async function neighboursOf(api: KubeApi, ownerLabel: string, owner: string): Promise<Neighbour[]> {
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const apps = api.config.makeApiClient(api.client.AppsV1Api);
  const { items: namespaces } = await core.listNamespace({ labelSelector: ownerLabel });
  const others = namespaces.flatMap(({ metadata }) => {
    const stack = metadata?.labels?.[ownerLabel];
    return stack === undefined || stack === owner ? [] : [{ stack, namespace: metadata!.name! }];
  });
  const found = await Promise.all(
    others.map(async ({ stack, namespace }) => {
      const { "app.kubernetes.io/name": name } = aidboxLabels("");
      const selector = labelSelector({ "app.kubernetes.io/name": name! });
      const { items } = await apps.listNamespacedDeployment({ namespace, labelSelector: selector });
      return items.map(({ metadata, spec }) => ({
        what: `Aidbox ${namespace}/${metadata!.name!} of the stack ${stack}`,
        variables: outsideVariables(spec?.template.spec?.containers.flatMap(({ env }) => env ?? []) ?? []),
      }));
    }),
  );
  return found.flat();
}

/** A host without a dot is one of the namespace, as the PostgreSQL for development is. */
function outsideVariables(
  env: readonly { readonly name: string; readonly value?: string }[],
): Readonly<Record<string, string>> {
  const all = Object.fromEntries(
    env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value] as const])),
  );
  const isLocal = (host: string): boolean => !/[.:]/.test(host);
  return Object.fromEntries(Object.entries(all).filter(([name, value]) => !name.endsWith("HOST") || !isLocal(value)));
}
