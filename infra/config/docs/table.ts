import * as z from "zod";
import { environmentSchema } from "../schema";

/** A node of the schema, as far as the table needs it. */
interface Node {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly items?: Node;
  readonly oneOf?: readonly Node[];
  readonly anyOf?: readonly Node[];
  readonly enum?: readonly string[];
  /** Whether its keys are those of another's documents, as Kubernetes'. */
  readonly opaque?: boolean;
}

interface Row {
  readonly key: string;
  readonly default: string;
  readonly meaning: string;
}

/** The table of config keys, drawn from the schema that checks them. */
export function configTable(): string {
  const rows = rowsOf(z.toJSONSchema(environmentSchema, { io: "input" }) as Node, "");
  const cells = [
    ["key (`aidbox-secrets:…`)", "default", "meaning"],
    ...rows.map((row) => [`\`${row.key}\``, row.default, row.meaning]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...cells.map((row) => row[column]!.length)));
  const lines = cells.map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`);
  return [lines[0]!, `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...lines.slice(1)].join("\n");
}

function rowsOf(node: Node, prefix: string): Row[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, child]): Row[] => {
    const key = prefix === "" ? name : `${prefix}.${name}`;
    const required = node.required?.includes(name) === true;
    const members = (child.oneOf ?? []).filter(({ properties }) => properties !== undefined);
    if (members.length > 0) return rowsOfUnion(members, key, child.description);
    if (child.items?.properties !== undefined) return [row(child, key, required), ...rowsOf(child.items, `${key}[]`)];
    if (child.properties !== undefined && child.opaque !== true) {
      // Where it is a choice of its own to write the object, it has a row too.
      const isChoice = child.description !== undefined && child.default === undefined && !required;
      return [...(isChoice ? [row(child, key, required)] : []), ...rowsOf(child, key)];
    }
    return [row(child, key, required)];
  });
}

/** The keys of a union's members: first what tells them apart, then what all have, then what only some have. */
function rowsOfUnion(members: readonly Node[], key: string, description = ""): Row[] {
  const discriminator = Object.keys(members[0]!.properties!).find(
    (name) => members[0]!.properties![name]!.const !== undefined,
  )!;
  const nameOf = (member: Node): string => `\`${String(member.properties![discriminator]!.const)}\``;
  const own = members.map((member) => {
    const properties = Object.entries(member.properties!).filter(([name]) => name !== discriminator);
    return { name: nameOf(member), rows: rowsOf({ ...member, properties: Object.fromEntries(properties) }, key) };
  });
  const isSame = (one: Row, other: Row): boolean => JSON.stringify(one) === JSON.stringify(other);
  const distinct = own
    .flatMap(({ rows }) => rows)
    .filter((each, at, all) => all.findIndex((one) => isSame(one, each)) === at);
  const shared = distinct.map((each) => {
    const names = own.filter(({ rows }) => rows.some((one) => isSame(one, each))).map(({ name }) => name);
    const only = names.length === members.length ? "" : `${discriminator} ${names.join(" or ")}: `;
    return { ...each, meaning: `${only}${each.meaning}`, common: only === "" };
  });
  return [
    {
      key: `${key}.${discriminator}`,
      default: "required",
      meaning: [description, members.map(nameOf).join(" or ")].filter(Boolean).join(": "),
    },
    ...shared.filter(({ common }) => common),
    ...shared.filter(({ common }) => !common),
  ];
}

function row(node: Node, key: string, required: boolean): Row {
  const known = node.default === undefined ? "" : JSON.stringify(node.default).replaceAll('"', "");
  const choice = node.enum === undefined ? "" : `: ${node.enum.map((each) => `\`${each}\``).join(", ")}`;
  return {
    key,
    default: required ? "required" : known === "" || known === "{}" ? "none" : `\`${known}\``,
    meaning: `${node.description ?? ""}${choice}`,
  };
}
