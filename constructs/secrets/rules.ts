import { expandRow, partsOf, signsTokens } from "./keypair";
import type { SecretSpec } from "./secret";

/** One thing wrong with a table of secrets. */
export interface Problem {
  /** Where: `secrets[0].path`. */
  readonly key: string;
  /** The value, what is wrong with it and what to write instead. */
  readonly message: string;
}

/** Variables of the Aidbox container that the stack itself sets. */
export const reservedVariables: readonly string[] = [
  "BOX_WEB_PORT",
  "BOX_METRICS_PORT",
  "BOX_VAULT_CONFIG",
  "AIDBOX_SECRET_FILES_ENABLED",
  "AIDBOX_SECRET_FILES_DIRS",
];

/** Folders of the Aidbox container at which something else is mounted. */
const reservedFolders = ["/tmp", "/etc/aidbox", "/etc/aidbox-init-bundle", "/etc/aidbox-database"];

interface Rule {
  readonly accepts: RegExp;
  readonly fix: string;
}

// A leading dash would make an option of it, in the commands that are printed.
const relativePath = /^(?!-)(?!\.{1,2}(\/|$))[A-Za-z0-9_.-]+(\/(?!\.{1,2}(\/|$))[A-Za-z0-9_.-]+)*$/;

const rules = {
  name: {
    accepts: /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    fix: "write a DNS label: up to 63 lower-case letters, digits and dashes",
  },
  path: {
    accepts: relativePath,
    fix: "write a path below the mount, without leading slash or dash, '.' or '..'",
  },
  key: {
    accepts: /^[A-Za-z0-9_.-]+$/,
    fix: "use letters, digits, '_', '.' and '-'",
  },
  staticRole: {
    accepts: /^\w([\w.-]*\w)?$/, // as Vault's own
    fix: "write the name of a static role of the database engine: letters, digits, '_', and inside it '.' and '-'",
  },
  credential: {
    accepts: /^(password|username)$/,
    fix: "a static role has password and username",
  },
  file: {
    accepts: relativePath,
    fix: "write a file below the mount path, without leading slash or dash, '.' or '..'",
  },
  environment: {
    accepts: /^[A-Za-z_][A-Za-z0-9_]*$/,
    fix: "write a variable's name, as BOX_ADMIN_PASSWORD",
  },
  resourceType: {
    accepts: /^[A-Z][A-Za-z]*$/,
    fix: "write a FHIR resource type, as Client",
  },
  id: {
    accepts: /^[A-Za-z0-9.-]{1,64}$/,
    fix: "write a FHIR id: up to 64 letters, digits, '.' and '-'",
  },
} satisfies Record<string, Rule>;

type Check = (key: string, value: string | undefined, rule: Rule) => void;

function checkInto(problems: Problem[]): Check {
  return (key, value, rule) => {
    if (value !== undefined && !rule.accepts.test(value)) problems.push({ key, message: `"${value}": ${rule.fix}` });
  };
}

/** What is wrong with where secrets lie in the store and in the container. */
export function findMountProblems(table: {
  readonly kvMount: string;
  readonly databaseMount?: string | undefined;
  readonly mountPath: string;
  readonly secrets?: readonly Pick<SecretSpec, "source">[];
}): Problem[] {
  const problems: Problem[] = [];
  const check = checkInto(problems);
  for (const [field, example] of [
    ["kvMount", "secret"],
    ["databaseMount", "database"],
  ] as const) {
    check(field, table[field], {
      accepts: relativePath,
      fix: `write the mount's path without slashes around it, as ${example}`,
    });
  }
  const within = (inner: string, outer: string): boolean => `${inner}/`.startsWith(`${outer}/`);
  const overlap = (one: string, other: string): boolean => within(one, other) || within(other, one);
  const { kvMount, databaseMount, secrets = [] } = table;
  if (
    databaseMount !== undefined &&
    secrets.some(({ source }) => source === "database") &&
    overlap(databaseMount, kvMount)
  ) {
    const message = `"${databaseMount}": cannot lie beside "${kvMount}" of KV v2: write the path of the database engine, as database`;
    problems.push({ key: "databaseMount", message });
  }
  check("mountPath", table.mountPath, {
    accepts: new RegExp(`^/${relativePath.source.slice(1)}`),
    fix: "write an absolute folder, as /run/vault-secrets",
  });
  if (reservedFolders.some((folder) => overlap(table.mountPath, folder))) {
    problems.push({
      key: "mountPath",
      message: `"${table.mountPath}": something else is mounted there: write another folder, as /run/vault-secrets`,
    });
  }
  return problems;
}

/** What is wrong with the rows of a table of secrets. */
export function findSecretProblems(secrets: readonly SecretSpec[]): Problem[] {
  const problems: Problem[] = [];
  const check = checkInto(problems);
  if (secrets.length === 0) problems.push({ key: "secrets", message: "is empty: name at least one secret" });

  for (const [index, secret] of secrets.entries()) {
    const at = (field: string): string => `secrets[${index}].${field}`;
    check(at("name"), secret.name, rules.name);
    if (secret.source === "database") {
      check(at("path"), secret.path, rules.staticRole);
      check(at("key"), secret.key, rules.credential);
    } else {
      check(at("path"), secret.path, rules.path);
      check(at("key"), secret.key, rules.key);
      if (/^(data|metadata)\//.test(secret.path)) {
        problems.push({
          key: at("path"),
          message: `"${secret.path}": leave out data/ and metadata/: they are added`,
        });
      }
    }
    check(at("file"), secret.file, rules.file);
    check(at("environment"), secret.environment, rules.environment);
    if (secret.environment !== undefined && reservedVariables.includes(secret.environment)) {
      problems.push({ key: at("environment"), message: `"${secret.environment}": is set by this stack: leave it out` });
    }
    check(at("scope.resourceType"), secret.scope?.resourceType, rules.resourceType);
    check(at("scope.id"), secret.scope?.id, rules.id);
    const { maxAgeSeconds } = secret;
    if (maxAgeSeconds !== undefined && (!Number.isInteger(maxAgeSeconds) || maxAgeSeconds < 1)) {
      problems.push({ key: at("maxAgeSeconds"), message: `${maxAgeSeconds}: write a whole number of 1 or more` });
    }
    if (maxAgeSeconds !== undefined && secret.source === "database" && secret.key === "username") {
      problems.push({ key: at("key"), message: '"username": never changes: leave its greatest age out' });
    }
    if (secret.keypair !== undefined) problems.push(...keypairProblems(secret, at));
  }
  return [...problems, ...findClashes(secrets)];
}

/** What a row that is a keypair cannot say. */
function keypairProblems(secret: SecretSpec, at: (field: string) => string): Problem[] {
  const { keypair: kind, scope, source = "external" } = secret;
  const parts = partsOf(kind!).join(", ");
  const problems: Problem[] = (["key", "file", "environment"] as const)
    .filter((field) => secret[field] !== undefined)
    .map((field) => ({
      key: at(field),
      message: `"${secret[field]!}": a keypair has keys, files and variables of its own, one for each of ${parts}: leave it out`,
    }));
  const longest = 63 - Math.max(...partsOf(kind!).map((part) => `-${part}`.length));
  if (secret.name.length > longest) {
    const message = `"${secret.name}": its parts are named after it, as ${secret.name}-private: write up to ${longest} characters`;
    problems.push({ key: at("name"), message });
  }
  if (signsTokens(kind)) {
    if (scope !== undefined) {
      const message = `"${scope.resourceType}": Aidbox itself signs with this pair, and no resource: leave it out`;
      problems.push({ key: at("scope"), message });
    }
    if (source !== "seeded" && source !== "external") {
      const message = `"${source}": one that reads the state could sign tokens: write seeded, or external`;
      problems.push({ key: at("source"), message });
    }
    return problems;
  }
  if (scope?.resourceType !== "IdentityProvider") {
    const said = scope === undefined ? "is missing" : `"${scope.resourceType}": takes no certificate`;
    const message = `${said}: write scope: { resourceType: IdentityProvider, id: ID } of the one that uses it`;
    problems.push({ key: at("scope"), message });
  }
  if (source !== "external") {
    const message = `"${source}": others must know a certificate, so an operator writes it: write external`;
    problems.push({ key: at("source"), message });
  }
  return problems;
}

/** What no two rows may share, and what rows on one path must share. */
function findClashes(secrets: readonly SecretSpec[]): Problem[] {
  const problems: Problem[] = [];
  const rows = secrets.flatMap((spec, index) => expandRow(spec).map((row) => ({ row, index })));
  const unique = (field: string, of: (secret: SecretSpec) => string | undefined): void => {
    const firstWith = new Map<string, { readonly index: number; readonly name: string }>();
    for (const { row, index } of rows) {
      const value = of(row);
      if (value === undefined) continue;
      const first = firstWith.get(value);
      if (first === undefined) firstWith.set(value, { index, name: row.name });
      // Rows of one name have one default file too, which needs no second message.
      else if (field === "name" || row.name !== first.name) {
        problems.push({
          key: `secrets[${index}].${field}`,
          message: `"${value}": is that of secrets[${first.index}] too: give each its own`,
        });
      }
    }
  };
  unique("name", (secret) => secret.name);
  unique("file", (secret) => secret.file ?? secret.name);
  unique("environment", (secret) => secret.environment);

  const files = rows.map(({ row, index }) => ({ file: row.file ?? row.name, index }));
  for (const { file, index } of files) {
    const inside = files.find(({ file: folder }) => file.startsWith(`${folder}/`));
    if (inside !== undefined) {
      problems.push({
        key: `secrets[${index}].file`,
        message: `"${file}": lies below the file of secrets[${inside.index}]: move one of them`,
      });
    }
  }

  for (const [index, { path, keypair }] of secrets.entries()) {
    const other = secrets.findIndex((each, at) => at !== index && each.path === path && each.source !== "database");
    if (keypair === undefined || other < 0) continue;
    problems.push({
      key: `secrets[${index}].path`,
      message: `"${path}": is that of secrets[${other}] too, and a keypair is written whole: give it a path of its own`,
    });
  }

  for (const [index, { name, path, source, keypair, maxAgeSeconds }] of secrets.entries()) {
    if (maxAgeSeconds === undefined || source === "database" || keypair !== undefined) continue;
    const other = secrets.findIndex((each, at) => at !== index && each.path === path && each.source !== "database");
    if (other < 0) continue;
    problems.push({
      key: `secrets[${index}].path`,
      message:
        `"${path}": is that of secrets[${other}] too, and the store knows the age of a path alone, not that of ${name}: ` +
        "give it a path of its own, or leave its greatest age out",
    });
  }

  const sources = new Map<string, { source: string; index: number }>();
  for (const [index, secret] of secrets.entries()) {
    const source = secret.source ?? "external";
    if (source === "database") continue; // it lies in another mount
    const first = sources.get(secret.path);
    if (first === undefined) sources.set(secret.path, { source, index });
    else if (first.source !== source) {
      problems.push({
        key: `secrets[${index}].source`,
        message:
          `"${source}": secrets[${first.index}] on the same path "${secret.path}" is ${first.source}: ` +
          "a path is written whole, so give both one source or move one to a path of its own",
      });
    }
  }
  return problems;
}
