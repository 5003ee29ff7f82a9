import * as z from "zod";
import type { Problem } from "../../constructs/secrets";
import { isSecretByForm, isSensitiveName } from "../../constructs/secrets/plain-secret";
import { suggest } from "../../constructs/suggest";
import { environmentSchema } from "./schema";

type Issue = NonNullable<ReturnType<typeof environmentSchema.safeParse>["error"]>["issues"][number];

/**
 * What issues of the schema say to whoever writes the config.
 *
 * @param config the whole of it
 */
export function describeIssues(issues: readonly Issue[], config: Readonly<Record<string, unknown>>): Problem[] {
  // What stands there by a name that is nearly its own is not missing.
  const misspelt = issues.flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((unknown) => formatPath([...issue.path, meantKey(unknown, issue.path, config) ?? unknown]))
      : [],
  );
  return issues
    .filter(({ input, path }) => input !== undefined || !misspelt.includes(formatPath(path)))
    .flatMap((issue) => describeIssue(issue, config));
}

function describeIssue(issue: Issue, config: Readonly<Record<string, unknown>>): Problem[] {
  const key = formatPath(issue.path);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((unknown) => ({
      key: formatPath([...issue.path, unknown]),
      message: unknownKey(unknown, issue.path, config),
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
  const hint = hintFor(issue, value, config);
  return [{ key, message: `${shown(key, value)}: ${fix}${hint === undefined ? "" : `: ${hint}`}` }];
}

/** What somebody may have meant by a value that is refused, where that would be right. */
function hintFor(issue: Issue, value: unknown, config: Readonly<Record<string, unknown>>): string | undefined {
  if (!["invalid_type", "invalid_value", "invalid_union"].includes(issue.code)) return undefined;
  const isList = membersAt(issue.path, config).some(({ items = {} }) => Object.keys(items).length > 0);
  const [, hint] =
    guesses(value, wordsAt(issue, config), isList).find(([guess]) => isRight(issue, guess, config)) ?? [];
  return hint;
}

function guesses(value: unknown, words: readonly string[], isList: boolean): [guess: unknown, hint: string][] {
  const listed: [unknown, string][] = isList ? [[[value], "put it in [ ]"]] : [];
  if (typeof value === "number" || typeof value === "boolean") return [[String(value), "put it in quotes"], ...listed];
  if (typeof value !== "string") return listed;
  const near = words.length > 1 ? suggest(value, words) : undefined;
  return [
    ...(near === undefined ? [] : [[near, `did you mean ${near}?`] as [string, string]]),
    ...(/^(true|false|\d+(\.\d+)?)$/.test(value)
      ? [[JSON.parse(value) as unknown, "leave the quotes out"] as [unknown, string]]
      : []),
    ...listed,
  ];
}

/** The words of which a value is to be one. */
function wordsAt(issue: Issue, config: Readonly<Record<string, unknown>>): string[] {
  if (issue.code === "invalid_value") return issue.values.map(String);
  const members = membersAt(issue.path.slice(0, -1), config);
  return members.flatMap((each) =>
    told(each).flatMap(([key, only]) => (key === issue.path.at(-1) ? [String(only)] : [])),
  );
}

/** Whether the schema takes another value in an issue's place. */
function isRight({ path }: Issue, value: unknown, config: Readonly<Record<string, unknown>>): boolean {
  const [top, ...rest] = path;
  const schema = environmentSchema.shape[top as keyof typeof environmentSchema.shape] as z.ZodType | undefined;
  if (schema === undefined) return false;
  const place = rest.map((part) => (typeof part === "number" ? 0 : part));
  const { error } = schema.safeParse(replaced(config[top as string], rest, value));
  return !(error?.issues ?? []).some((each) => place.every((part, index) => each.path[index] === part));
}

/** A part of the config with another value in one place; of a list on the way, that item alone. */
function replaced(node: unknown, [part, ...rest]: readonly PropertyKey[], value: unknown): unknown {
  if (part === undefined) return value;
  const child = replaced((Object(node) as Readonly<Record<PropertyKey, unknown>>)[part], rest, value);
  return Array.isArray(node) ? [child] : { ...(node as object), [part]: child };
}

/** Characters of a value that say which it is. */
const longest = 1000;

/** A value as an error may show it: what could be a secret is not shown. */
function shown(key: string, value: unknown): string {
  const json = typeof value === "number" ? String(value) : JSON.stringify(value); // JSON knows no infinity
  const name = /[^.[\]]+$/.exec(key)?.[0] ?? "";
  const names = typeof value === "object" && value !== null ? Object.keys(value) : [];
  if ([name, ...names].some(isSensitiveName) || isSecretByForm(json)) return "(not shown)";
  const [pem] = /^"-----BEGIN [A-Z ]+-----/.exec(json) ?? [];
  if (pem !== undefined) return `${pem}…"`;
  return json.length > longest ? `${json.slice(0, longest)}…` : json;
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
  readonly type?: string;
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

/** The keys that the schema knows at a place of the config. */
function keysAt(path: readonly PropertyKey[], config: unknown): string[] {
  const value = valueAt(path, config);
  const meant = membersAt(path, config).filter((each) => isMeant(each, value));
  return meant.flatMap(({ properties = {} }) => Object.keys(properties));
}

function meantKey(unknown: string, path: readonly PropertyKey[], config: unknown): string | undefined {
  const keys = keysAt(path, config);
  return keys.find((key) => key === firstOf(unknown)) ?? suggest(unknown, keys);
}

/** The first part of a path that stands as a key, as `pulumi config set` leaves it without `--path`. */
function firstOf(unknown: string): string | undefined {
  return /^([^.[]+)[.[]/.exec(unknown)?.[1];
}

/** Keys that can be told in a line. */
const few = 6;

function unknownKey(unknown: string, path: readonly PropertyKey[], config: unknown): string {
  const [members, value] = [membersAt(path, config), valueAt(path, config)];
  const others = members
    .filter((each) => !isMeant(each, value) && each.properties?.[unknown] !== undefined)
    .flatMap(told);
  const [discriminator] = others[0] ?? [];
  if (discriminator !== undefined) {
    const said = String((value as Readonly<Record<string, unknown>>)[discriminator]);
    const those = others.map(([, only]) => String(only)).join(" or ");
    return `is a key of ${discriminator} ${those}, and this is ${said}: remove it`;
  }
  const near = meantKey(unknown, path, config);
  if (near !== undefined && near === firstOf(unknown)) {
    return `is a path, and stands as one key: write ${unknown.slice(near.length).replace(/^\./, "")} below ${near}, as \`pulumi config set --path\` does`;
  }
  const keys = [...new Set(keysAt(path, config))];
  const where =
    keys.length > 0 && keys.length <= few ? `write one of ${keys.join(", ")}` : "look it up in docs/config.md";
  return `is not a key that this stack knows: ${near === undefined ? `${where}, or remove it` : `did you mean ${near}?`}`;
}
