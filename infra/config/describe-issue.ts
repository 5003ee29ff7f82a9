import * as z from "zod";
import type { Problem } from "../../constructs/secrets";
import { isSecretByForm, isSensitiveName } from "../../constructs/secrets/plain-secret";
import { environmentSchema } from "./schema";
import { suggest } from "./suggest";

type Issue = NonNullable<ReturnType<typeof environmentSchema.safeParse>["error"]>["issues"][number];

/**
 * What an issue of the schema says to whoever writes the config.
 *
 * @param config the whole of it
 */
export function describeIssue(issue: Issue, config: Readonly<Record<string, unknown>>): Problem[] {
  const key = formatPath(issue.path);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((unknown) => ({
      key: formatPath([...issue.path, unknown]),
      message: unknownKey(unknown, membersAt(issue.path, config), valueAt(issue.path, config)),
    }));
  }
  if (issue.code === "invalid_key") {
    return [{ key, message: issue.issues.map(({ message }) => message).join("; ") }];
  }
  const value = issue.code === "invalid_union" ? discriminatorOf(issue) : issue.input;
  // zod's own words, where the schema has none for a value of the wrong type
  const fix =
    issue.code === "invalid_type" && /^Invalid/.test(issue.message) ? wordsForType(issue.expected) : issue.message;
  if (value === undefined) return [{ key, message: `is missing: ${fix}` }];
  return [{ key, message: `${shown(key, value)}: ${fix}` }];
}

/** A value as an error may show it: what could be a secret is not shown. */
function shown(key: string, value: unknown): string {
  const json = JSON.stringify(value);
  const name = /[^.[\]]+$/.exec(key)?.[0] ?? "";
  const names = typeof value === "object" && value !== null ? Object.keys(value) : [];
  return [name, ...names].some(isSensitiveName) || isSecretByForm(json) ? "(not shown)" : json;
}

/** The value that tells a union's members apart, where it has one, instead of the whole object. */
function discriminatorOf({ path, input }: Issue): unknown {
  const key = path.at(-1);
  const isTold = key === "mode" || key === "method" || key === "type";
  return isTold && typeof input === "object" && input !== null ? (input as Record<string, unknown>)[key] : input;
}

function wordsForType(expected: string): string {
  const words: Record<string, string> = {
    object: "write an object with keys",
    record: "write an object with keys",
    boolean: "write true or false",
    array: "write a list",
  };
  return words[expected] ?? `write a ${expected}`;
}

function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) => (typeof part === "number" ? `[${part}]` : `${index === 0 ? "" : "."}${String(part)}`))
    .join("");
}

/** A node of the schema, as far as its keys are looked up. */
interface Node {
  readonly properties?: Readonly<Record<string, Node & { readonly const?: unknown }>>;
  readonly items?: Node;
  readonly oneOf?: readonly Node[];
  readonly anyOf?: readonly Node[];
}

let known: Node | undefined;

/** The whole schema; made once, since there may be an issue for each of thousands of rows. */
function knownKeys(): Node {
  return (known ??= z.toJSONSchema(environmentSchema, { io: "input" }) as Node);
}

/** The objects that the schema knows at a place of the config: one, or a union's members. */
function membersAt(path: readonly PropertyKey[], config: unknown): Node[] {
  let nodes: Node[] = [knownKeys()];
  path.forEach((part, index) => {
    const meant = nodes.filter((node) => isMeant(node, valueAt(path.slice(0, index), config)));
    nodes = meant.flatMap((node) => {
      const child = typeof part === "number" ? node.items : node.properties?.[String(part)];
      return child === undefined ? [] : [child, ...(child.oneOf ?? []), ...(child.anyOf ?? [])];
    });
  });
  return nodes;
}

function valueAt(path: readonly PropertyKey[], config: unknown): unknown {
  return path.reduce<unknown>((value, part) => (Object(value) as Readonly<Record<PropertyKey, unknown>>)[part], config);
}

/** What tells a union's members apart, as `mode: external`. */
function told({ properties = {} }: Node): [key: string, value: unknown][] {
  return Object.entries(properties).flatMap(([key, { const: only }]) => (only === undefined ? [] : [[key, only]]));
}

function isMeant(node: Node, value: unknown): boolean {
  const said = Object(value) as Readonly<Record<string, unknown>>;
  return told(node).every(([key, only]) => said[key] === only);
}

function unknownKey(unknown: string, members: readonly Node[], value: unknown): string {
  const others = members
    .filter((each) => !isMeant(each, value) && each.properties?.[unknown] !== undefined)
    .flatMap(told);
  const [discriminator] = others[0] ?? [];
  if (discriminator !== undefined) {
    const said = String((value as Readonly<Record<string, unknown>>)[discriminator]);
    const those = others.map(([, only]) => String(only)).join(" or ");
    return `is a key of ${discriminator} ${those}, and this is ${said}: remove it`;
  }
  const keys = members.filter((each) => isMeant(each, value)).flatMap(({ properties = {} }) => Object.keys(properties));
  const near = suggest(unknown, keys);
  const fix = near === undefined ? "look it up in docs/config.md, or remove it" : `did you mean ${near}?`;
  return `is not a key that this stack knows: ${fix}`;
}
