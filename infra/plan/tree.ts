import { describe, describeInLine } from "./describe";
import type { Plan, PlannedResource } from "./record";

/** Siblings of one kind that are told one by one; of more, as of a thousand secrets, the rest is counted. */
const told = 20;

/** How much further the second line of a text begins. */
const hanging = "    ";

/**
 * The plan's resources as an indented tree, components with what they are made of.
 *
 * @param columns width that no line passes
 */
export function formatTree({ resources }: Plan, columns: number): string {
  const children = new Map<string | undefined, PlannedResource[]>();
  for (const resource of shown(resources)) {
    const siblings = children.get(resource.parent);
    if (siblings === undefined) children.set(resource.parent, [resource]);
    else siblings.push(resource);
  }
  const linesBelow = (parent: string | undefined, indent: string): string[] => {
    const branches = branchesOf(children.get(parent) ?? []);
    return branches.flatMap(({ line, urn }, index) => {
      const isLast = index === branches.length - 1;
      const rest = `${indent}${isLast ? "   " : "│  "}`;
      const [first = "", ...others] = wrap(line, columns - rest.length);
      return [
        `${indent}${isLast ? "└─ " : "├─ "}${first}`,
        ...others.map((each) => `${rest}${each}`),
        ...(urn === undefined ? [] : linesBelow(urn, rest)),
      ];
    });
  };
  return linesBelow(undefined, "").join("\n");
}

/** All but the stack itself, which every plan has. */
export function shown(resources: readonly PlannedResource[]): PlannedResource[] {
  return resources.filter(({ type }) => type !== "pulumi:pulumi:Stack");
}

/** A line of the tree, and whose; of nobody where it counts the rest of a kind. */
interface Branch {
  readonly line: string;
  readonly urn?: string;
}

function branchesOf(siblings: readonly PlannedResource[]): Branch[] {
  const counts = new Map<string, number>();
  for (const each of siblings) {
    const { kind } = describe(each);
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  const seen = new Map<string, number>();
  return siblings.flatMap((each): Branch[] => {
    const { kind } = describe(each);
    const before = seen.get(kind) ?? 0;
    seen.set(kind, before + 1);
    const count = counts.get(kind)!;
    if (count <= told || before < told - 1) return [{ line: describeInLine(each), urn: each.urn }];
    return before === told - 1 ? [{ line: `and ${count - before} more: ${kind}` }] : [];
  });
}

/** A text in lines of at most `columns`, all but the first of which hang; a word that fits into none is cut. */
function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    let rest = line.trim() === "" ? `${line}${word}` : `${line} ${word}`;
    if (rest.length > columns && line.trim() !== "") {
      lines.push(line);
      rest = `${hanging}${word}`;
    }
    while (rest.length > columns) {
      lines.push(rest.slice(0, columns));
      rest = `${hanging}${rest.slice(columns)}`;
    }
    line = rest;
  }
  return [...lines, line];
}
