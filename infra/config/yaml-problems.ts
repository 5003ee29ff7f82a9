import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  type LineCounter,
  visit,
  type YAMLError,
} from "yaml";

const otherColumn = "begins in another column than the lines that it belongs to: indent it as they are";
const noKey = "neither a key nor a value: write a key, a colon and a space";

/** Why a file's YAML cannot be taken, each with its place and what to write, without those that follow from another. */
export function yamlProblems(document: Document, lines: LineCounter): string[] {
  const unreadable = [...document.errors, ...document.warnings].map((error) => {
    const [start] = error.linePos ?? [];
    return { line: start?.line ?? 1, column: start?.col ?? 1, words: wordsOf(error) };
  });
  const found = unreadable.length > 0 ? unreadable : oddNodes(document, lines);
  const follows = (one: Odd, other: Odd): boolean =>
    one.line === other.line || (one.words === otherColumn && other.words === otherColumn);
  const firsts = found.filter((each, index) => !found.slice(0, index).some((former) => follows(each, former)));
  return firsts.map(({ line, column, words }) => `line ${line}, column ${column}: ${words}`);
}

/** In plain words, with the fix; the library's own where there are none. */
function wordsOf({ code, message }: YAMLError): string {
  const [said = ""] = message.replace(/ at line \d+, column \d+:[^]*$/, "").split("\n");
  if (/end with a [}\]]/.test(said)) return "the { or [ before it is not closed: close it";
  const words: Partial<Record<YAMLError["code"], string>> = {
    BAD_ALIAS: "* stands for an anchor, and none is named: put the text in quotes",
    BAD_DQ_ESCAPE: `${said.replace(/^.* /, "")} means nothing in double quotes: use single quotes`,
    BAD_INDENT: otherColumn,
    BAD_SCALAR_START: `${said.slice(-1)} cannot begin a text: put it in quotes`,
    BLOCK_IN_FLOW: "a key or a list begins within { } or [ ]: write a comma before it, or close the bracket",
    BLOCK_AS_IMPLICIT_KEY: "a second ': ' in one value: put the text in quotes, or begin a new line; '-' wants a space",
    DUPLICATE_KEY: "the key stands there twice: remove one of them",
    MULTILINE_IMPLICIT_KEY: noKey,
    MULTIPLE_DOCS: "a second document begins: write one, without ---",
    TAB_AS_INDENT: "begins with a tab: indent with spaces",
    TAG_RESOLVE_FAILED: `${said.replace(/^Unresolved tag: /, "")} is a tag that nobody knows: leave it out, or put the text in quotes`,
  };
  if (/flow-\w+-end/.test(said)) return "closes a bracket that is not open: remove it";
  if (/^Missing closing .quote/.test(said)) return "a quote is not closed: close it";
  if (/^Implicit map keys/.test(said)) return noKey;
  return words[code] ?? said;
}

interface Odd {
  readonly line: number;
  readonly column: number;
  readonly words: string;
}

/** Nodes that YAML knows, and of which no JSON can be made. */
function oddNodes(document: Document, lines: LineCounter): Odd[] {
  const found: Odd[] = [];
  const add = (node: unknown, words: string): void => {
    const { line, col } = lines.linePos((node as { range?: [number] | null }).range?.[0] ?? 0);
    found.push({ line, column: col, words });
  };
  visit(document, {
    Alias: (_, alias, path) => {
      const meant = alias.resolve(document);
      if (meant === undefined) add(alias, `*${alias.source}: no anchor &${alias.source} stands before it`);
      else if (path.includes(meant)) add(alias, `*${alias.source} stands within &${alias.source}: take it out`);
    },
    Pair: (_, { key, value }) => {
      if (isCollection(key)) add(key, "a list or an object stands as a key: put text with {{ }} or [ ] in quotes");
      if (!isScalar(key) || key.source !== "<<") return;
      const merged = isSeq(value) ? value.items : [value];
      if (merged.every((each) => isMap(isAlias(each) ? each.resolve(document) : each))) return;
      // An alias of nothing is told by itself.
      if (merged.some((each) => isAlias(each) && each.resolve(document) === undefined)) return;
      add(key, "<< merges an object, and this is none: write the alias of one, as *common");
    },
  });
  return found;
}
