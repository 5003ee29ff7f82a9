import type { LastRead } from "../../../access/store-readers";

/** How many reads of a path are told. */
const most = 5;

/**
 * Who read which path last, by the lines of a Vault's log that its audit device for standard output wrote.
 *
 * @returns the newest reads first, by path; undefined where no line is of an audit device
 */
export function lastReadsIn(log: string): ReadonlyMap<string, readonly LastRead[]> | undefined {
  const entries = log.split("\n").flatMap((line) => entryIn(line) ?? []);
  if (entries.length === 0) return undefined;
  const reads = new Map<string, LastRead[]>();
  for (const { time, type, auth, request, error } of entries) {
    if (type !== "response" || request.operation !== "read" || (error ?? "") !== "") continue;
    const path = String(request.path);
    reads.set(path, [...(reads.get(path) ?? []), { who: whoOf(auth), at: new Date(time) }]);
  }
  for (const [path, found] of reads) reads.set(path, newest(found));
  return reads;
}

interface Entry {
  readonly time: string;
  readonly type: string;
  readonly auth?: Auth;
  readonly request: { readonly operation?: unknown; readonly path?: unknown };
  readonly error?: string;
}

interface Auth {
  readonly display_name?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

function entryIn(line: string): Entry | undefined {
  const start = line.indexOf("{"); // a device may write a prefix
  if (start === -1 || !line.includes('"request"')) return undefined;
  try {
    const entry = JSON.parse(line.slice(start)) as Partial<Entry>;
    const isEntry = typeof entry.request === "object" && !Number.isNaN(Date.parse(entry.time ?? ""));
    return isEntry ? (entry as Entry) : undefined;
  } catch {
    return undefined; // a line of the server's own, or one that was cut
  }
}

function whoOf({ display_name: name = "", metadata = {} }: Auth = {}): string {
  const { service_account_namespace: namespace, service_account_name: account, username } = metadata;
  if (namespace !== undefined && account !== undefined) return `ServiceAccount ${namespace}/${account}`;
  return (username ?? name) || "somebody";
}

/** The newest read of each reader. */
function newest(reads: readonly LastRead[]): LastRead[] {
  const byReader = new Map<string, LastRead>();
  for (const read of reads) {
    const known = byReader.get(read.who);
    if (known === undefined || known.at < read.at) byReader.set(read.who, read);
  }
  return [...byReader.values()].sort((one, other) => other.at.getTime() - one.at.getTime()).slice(0, most);
}
