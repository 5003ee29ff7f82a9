import { type Document, isAlias, isMap, isPair, isScalar, isSeq, type LineCounter, type Node, type Pair } from "yaml";
import { projectName } from "./project";

/** Where something stands in a file; both count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/**
 * Where a config key stands in its file. Of a key that is missing it is the nearest one above it.
 *
 * @param key as errors name it: `secrets[0].path`, `aidbox.podLabels.app.kubernetes.io/name`
 * @returns undefined where not even its first part stands there, as of a value that `--config` has set
 */
export function placeOf(document: Document, lines: LineCounter, key: string): Place | undefined {
  return placeOfWritten(document, lines, `${projectName}:${key}`);
}

/** The same of a key as the file writes it, with its prefix or without. */
export function placeOfWritten(document: Document, lines: LineCounter, written: string): Place | undefined {
  let node: unknown = document.get("config", true);
  let rest = written;
  let found: number | undefined;
  while (rest !== "") {
    const step = stepInto(resolved(document, node), rest);
    if (step === undefined) break;
    const offset = offsetOf(step.at);
    if (offset === undefined) return undefined; // set by this run
    found = offset;
    ({ node, rest } = step);
  }
  if (found === undefined) return undefined;
  const { line, col } = lines.linePos(found);
  return { line, column: col };
}

/** A place as errors write it behind a key. */
export function placeText(place: Place | undefined): string {
  return place === undefined ? "" : ` (line ${place.line}, column ${place.column})`;
}

interface Step {
  readonly at: unknown;
  readonly node: unknown;
  readonly rest: string;
}

/** One part further. Keys hold dots too, as labels do: the longest one that is there is meant. */
function stepInto(node: unknown, rest: string): Step | undefined {
  if (isSeq(node)) {
    const [whole, index] = /^\[(\d+)\]\.?/.exec(rest) ?? [];
    if (whole === undefined) return undefined;
    const item = node.items[Number(index)];
    return item === undefined ? undefined : { at: item, node: item, rest: rest.slice(whole.length) };
  }
  if (!isMap(node)) return undefined;
  const pairs = node.items.flatMap((pair) => (isPair(pair) ? [{ name: nameOf(pair), pair }] : []));
  const [longest] = pairs
    .filter(({ name }) => rest === name || (rest.startsWith(name) && /^[.[]/.test(rest.slice(name.length))))
    .sort((one, other) => other.name.length - one.name.length);
  if (longest === undefined) return undefined;
  const { name, pair } = longest;
  return { at: pair.key, node: pair.value, rest: rest.slice(name.length).replace(/^\./, "") };
}

function nameOf({ key }: Pair): string {
  return String(isScalar(key) ? key.value : key);
}

function resolved(document: Document, node: unknown): unknown {
  return isAlias(node) ? node.resolve(document) : node;
}

function offsetOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}
