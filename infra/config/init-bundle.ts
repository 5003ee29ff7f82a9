import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parse } from "yaml";
import { type IdentifiedResource, type SecretResource, withSecrets } from "../../constructs/fhir";
import { findInitBundleClashes } from "../../constructs/kubernetes/aidbox/rules";
import { findInitResourcesProblems, type InitResources } from "../../constructs/kubernetes/init-resources";
import { type Problem, SecretTable } from "../../constructs/secrets";

type Fields = Readonly<Record<string, unknown>>;

const key = "aidbox.initBundle";
const wanted = "is no FHIR resource with an id: write its resourceType and its id";

/**
 * The resources of the Init Bundle that the config asks for, read in the config as it is, so that its problems show together
 * with all others.
 *
 * @param table the table that the references name; none where that is not valid itself
 * @param folder folder to which the files' paths are relative
 * @returns no resources where none are asked for, or something is wrong
 */
export function readInitBundle(
  config: Fields,
  table: SecretTable | undefined,
  folder: string,
): { readonly resources?: InitResources; readonly problems: readonly Problem[] } {
  const aidbox = asObject(config.aidbox);
  if (aidbox.initBundle === undefined) return { problems: [] };
  const { type, resources: entries } = asObject(aidbox.initBundle);
  const problems: Problem[] = clashes(aidbox, config.secrets);
  const resources: IdentifiedResource[] = [];
  for (const [index, entry] of asList(entries).entries()) {
    const at = `${key}.resources[${index}]`;
    const read = readResource(asObject(entry), folder);
    if (read === undefined) continue; // the schema says what is wrong with it
    if ("message" in read) {
      problems.push({ key: `${at}.${read.field}`, message: read.message });
      continue;
    }
    if (table === undefined) continue;
    try {
      resources.push(withNames(table, read, asObject(asObject(entry).secrets)));
    } catch (error) {
      problems.push({ key: at, message: error instanceof Error ? error.message : String(error) });
    }
  }
  if (table === undefined) return { problems };
  const init: InitResources = { resources, ...(type === "batch" ? { type } : {}) };
  const ofTable = findInitResourcesProblems(table, init);
  const ofRequired = ofTable.length > 0 ? [] : optionalProblems(table, init);
  problems.push(...[...ofTable, ...ofRequired].map((message) => ({ key, message })));
  return problems.length > 0 ? { problems } : { resources: init, problems };
}

/** Of references to optional secrets, which Aidbox is told of only once they are there. */
function optionalProblems(table: SecretTable, init: InitResources): string[] {
  const rows = table.rows.filter(({ optional }) => optional !== true);
  if (rows.length === table.rows.length || rows.length === 0) return [];
  const required = new SecretTable({ mountPath: table.mountPath, secrets: rows });
  return findInitResourcesProblems(required, init).map(
    (problem) => `${problem}; and a bundle is to refer to no optional secret, which Aidbox may start without`,
  );
}

/** What an entry names, or why it cannot be taken; undefined where it is no entry. */
function readResource(
  entry: Fields,
  folder: string,
): IdentifiedResource | { readonly field: string; readonly message: string } | undefined {
  if (typeof entry.file !== "string") {
    if (typeof entry.resource !== "object") return undefined;
    return isResource(entry.resource) ? entry.resource : { field: "resource", message: wanted };
  }
  const refused = (why: string) => ({ field: "file", message: `"${String(entry.file)}": ${why}` });
  const path = resolve(folder, entry.file);
  if (!existsSync(path)) return refused("is not there: write a path from the folder of Pulumi.yaml");
  try {
    const read: unknown = parse(readFileSync(path, "utf8"));
    return isResource(read) ? read : refused(wanted);
  } catch {
    return refused("can be read neither as JSON nor as YAML: mend it"); // a parser's words would show what it holds
  }
}

function withNames(table: SecretTable, resource: IdentifiedResource, names: Fields): IdentifiedResource {
  if (Object.keys(names).length === 0) return resource;
  // Whether its type takes secrets, and in which fields, is withSecrets' own to find out.
  return withSecrets<SecretResource>(table, resource as SecretResource, names);
}

function isResource(value: unknown): value is IdentifiedResource {
  const { resourceType, id } = asObject(value);
  return isText(resourceType, /^[A-Z][A-Za-z0-9]*$/) && isText(id, /^[A-Za-z0-9.-]{1,64}$/);
}

function isText(value: unknown, pattern: RegExp): boolean {
  return typeof value === "string" && pattern.test(value);
}

function clashes(aidbox: Fields, secrets: unknown): Problem[] {
  const rows = asList(secrets).map((row) => {
    const { environment } = asObject(row);
    return typeof environment === "string" ? { environment } : {};
  });
  return findInitBundleClashes(Object.keys(asObject(aidbox.environment)), rows).map((problem) => ({
    ...problem,
    key: problem.key.startsWith("environment.") ? `aidbox.${problem.key}` : problem.key,
  }));
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

function asObject(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}
