import { type Ahead, nodeLeaseNamespace, offBy, timed, toleratedSeconds } from "../clocks";
import { BrokenLinkError, type Link } from "../link";
import { allPermitted } from "../permission-denied";
import { aidboxPods } from "../pods";
import type { Session } from "../session";

/** The clocks by which ages are told here, and by which kubelet keeps tokens. */
export function clockLinks(session: Session): Link[] {
  return [
    {
      name: "clocks",
      checks: `this machine has the API server's time, within ${toleratedSeconds} s, and Aidbox's nodes by what their leases tell`,
      needs: ["cluster"],
      check: async () => {
        const [here, nodes] = await allPermitted([checkHere(session), checkNodes(session)] as const);
        return `${here}; ${nodes}`;
      },
    },
  ];
}

/** By how much this machine's clock is ahead of the API server's; undefined where that tells no time, as by a proxy on the way. */
export async function aheadOfCluster({ api, permitted }: Session): Promise<Ahead | undefined> {
  const version = api.config.makeApiClient(api.client.VersionApi);
  return (await timed(() => permitted(version.getCodeWithHttpInfo()), dateOf)).ahead;
}

async function checkHere(session: Session): Promise<string> {
  const ahead = await aheadOfCluster(session);
  if (ahead === undefined) return "the API server tells no time";
  const off = offBy(ahead);
  if (off === undefined) return "this machine's is right";
  throw new BrokenLinkError(
    `this machine's clock is ${off} the API server's: every age that is told here is wrong by that, and so are the ends ` +
      "of certificates and logins",
    "timedatectl set-ntp true",
  );
}

async function checkNodes(session: Session): Promise<string> {
  const names = new Set((await aidboxPods(session)).flatMap(({ spec }) => spec?.nodeName ?? []));
  const offs = await allPermitted([...names].map((name) => nodeOff(session, name)));
  const [first] = offs.filter((each) => each !== undefined);
  if (first === undefined) return `no lease of ${names.size} nodes tells otherwise`;
  throw new BrokenLinkError(
    `the clock of node ${first.name} is ${first.off} the API server's: kubelet keeps the pods' tokens by it, and what ` +
      "its pods note of a time is wrong",
    `on node ${first.name}: timedatectl set-ntp true`,
  );
}

/**
 * How far a node's clock is off, by the lease that kubelet renews every quarter of its duration. A clock that is ahead shows at
 * once. One that is behind shows when the lease looks ended: before that kubelet may only be late. Kubernetes does not see it,
 * since it counts from the moment in which it saw the renewal: the node stays ready.
 */
async function nodeOff(
  { api, permitted }: Session,
  name: string,
): Promise<{ readonly name: string; readonly off: string } | undefined> {
  const coordination = api.config.makeApiClient(api.client.CoordinationV1Api);
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const reference = { namespace: nodeLeaseNamespace, name };
  const found = await permitted(api.find(coordination.readNamespacedLeaseWithHttpInfo(reference)));
  const now = found === undefined ? undefined : dateOf(found)?.getTime();
  // The client leaves this one a text, whatever its type says.
  const renewed = new Date(found?.data.spec?.renewTime ?? "").getTime();
  if (found === undefined || now === undefined || Number.isNaN(renewed)) return undefined;
  const durationMilliseconds = (found.data.spec?.leaseDurationSeconds ?? 40) * 1000;
  const off = offBy({ least: renewed - now - 1000, most: renewed - now + durationMilliseconds });
  if (off === undefined) return undefined;
  const node = await permitted(api.find(core.readNode({ name })));
  const isReady = node?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True");
  return isReady === true ? { name, off } : undefined;
}

function dateOf({ headers }: { readonly headers: Readonly<Record<string, string>> }): Date | undefined {
  const date = new Date(headers.date ?? "");
  return Number.isNaN(date.getTime()) ? undefined : date;
}
