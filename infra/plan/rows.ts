import type { SecretSource } from "../../constructs/secrets";
import type { Way } from "./ways";

/** A line of the picture: one secret's way, or those of a group. */
export interface Row {
  readonly source: SecretSource;
  readonly ways: readonly Way[];
  /** The path that all of a group begin with, as `aidbox/`. @default - it is no group, or they have none in common */
  readonly folder?: string;
}

/**
 * A reader's ways as rows: each its own where there is room, else by source and folder, the widest folder that there is room
 * for.
 *
 * @param room number of rows; there may be as many as there are sources, four, where it is less
 */
export function rowsOf(ways: readonly Way[], room: number): Row[] {
  if (ways.length <= room) return ways.map((way) => ({ source: way.secret.source, ways: [way] }));
  const finest = [folderOf, firstFolderOf].map((folder) => grouped(ways, folder)).find((rows) => rows.length <= room);
  return finest ?? grouped(ways, () => "");
}

function folderOf({ secret: { path } }: Way): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}

function firstFolderOf({ secret: { path } }: Way): string {
  return path.slice(0, path.indexOf("/") + 1);
}

function grouped(ways: readonly Way[], folder: (way: Way) => string): Row[] {
  const groups = new Map<string, Way[]>();
  for (const way of ways) {
    const key = JSON.stringify([way.secret.source, folder(way)]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [way]);
    else group.push(way);
  }
  return [...groups.values()].map((group): Row => {
    const [first] = group as [Way, ...Way[]];
    const { source } = first.secret;
    if (group.length === 1) return { source, ways: group };
    return { source, ways: group, ...(folder(first) === "" ? {} : { folder: folder(first) }) };
  });
}
