import { isMadeByStore, overlap, type Problem, type SecretSpec, textProblems, type TextRule } from "../../secrets";
import { keyRule, mountRule, pathCharacters, pathSyntax } from "./syntax";

const rules = {
  path: {
    accepts: pathSyntax,
    fix: `write a path below the mount: ${pathCharacters}, without slash or dash at its start, '.' or '..'`,
  },
  key: keyRule,
  staticRole: {
    accepts: /^\w([\w.-]*\w)?$/, // as Vault's own
    fix: "write the name of a static role of the database engine: letters, digits, '_', and inside it '.' and '-'",
  },
  credential: {
    accepts: /^(password|username)$/,
    fix: "a static role has password and username",
  },
} satisfies Record<string, TextRule>;

/** What is wrong with the mounts in Vault. */
export function findVaultMountProblems({
  kvMount,
  databaseMount,
  rows,
}: {
  readonly kvMount: string;
  readonly databaseMount: string;
  readonly rows: readonly Pick<SecretSpec, "source" | "path">[];
}): Problem[] {
  const message = `"${databaseMount}": cannot lie beside "${kvMount}" of KV v2: write the path of the database engine, as database`;
  return [
    ...textProblems("kvMount", kvMount, mountRule("secret")),
    ...textProblems("databaseMount", databaseMount, mountRule("database")),
    ...ownMountProblems("kvMount", kvMount),
    ...ownMountProblems("databaseMount", databaseMount),
    ...mountInPathProblems(kvMount, rows),
    ...(rows.some(isMadeByStore) && overlap(databaseMount, kvMount) ? [{ key: "databaseMount", message }] : []),
  ];
}

function ownMountProblems(key: string, mount: string): Problem[] {
  const [, kv] = /^(.+)\/(?:data|metadata)$/.exec(mount) ?? [];
  if (kv !== undefined && key === "kvMount")
    return [{ key, message: `"${mount}": is a path of KV v2: write its mount, ${kv}` }];
  if (!/^(sys|auth|identity|cubbyhole)(\/|$)/.test(mount)) return [];
  return [{ key, message: `"${mount}": is Vault's own: write another path` }];
}

/** As the vendor's guide and a SecretProviderClass have it. */
function mountInPathProblems(kvMount: string, rows: readonly Pick<SecretSpec, "source" | "path">[]): Problem[] {
  return rows.flatMap((row, index): Problem[] => {
    const prefix = ["data", "metadata"].map((each) => `${kvMount}/${each}/`).find((each) => row.path.startsWith(each));
    if (prefix === undefined || isMadeByStore(row)) return [];
    const message = `"${row.path}": leave out the mount and data/, which are added: write ${row.path.slice(prefix.length)}`;
    return [{ key: `secrets[${index}].path`, message }];
  });
}

/** What Vault cannot hold of a table's rows. */
export function findVaultRowProblems(rows: readonly SecretSpec[]): Problem[] {
  return [...rows.flatMap(rowProblems), ...findPathClashes(rows)];
}

/** Vault has such a key only where somebody meant all of them. */
const everyKey = '"*": is no key: leave it out, and write keys: all';

function rowProblems(row: SecretSpec, index: number): Problem[] {
  const at = (field: string): string => `secrets[${index}].${field}`;
  const { path, key } = row;
  if (isMadeByStore(row)) {
    return [...textProblems(at("path"), path, rules.staticRole), ...textProblems(at("key"), key, rules.credential)];
  }
  const message = `"${path}": leave out data/ and metadata/: they are added`;
  const scheme = `"${path}": leave out vault: and what is of the mount: write the path in it, as aidbox/client`;
  return [
    ...textProblems(at("path"), path, rules.path),
    ...textProblems(at("key"), key, rules.key),
    ...(key === "*" ? [{ key: at("key"), message: everyKey }] : []),
    ...(/^(data|metadata)\//.test(path) ? [{ key: at("path"), message }] : []),
    ...(/^vault:/.test(path) ? [{ key: at("path"), message: scheme }] : []),
  ];
}

/** What rows on one path of KV v2 must share. A static role lies in another mount. */
function findPathClashes(rows: readonly SecretSpec[]): Problem[] {
  const problems: Problem[] = [];
  const byPath = new Map<string, number[]>();
  for (const [index, row] of rows.entries()) {
    if (isMadeByStore(row)) continue;
    const known = byPath.get(row.path);
    if (known === undefined) byPath.set(row.path, [index]);
    else known.push(index);
  }
  const otherOn = (path: string, index: number): number | undefined => byPath.get(path)?.find((at) => at !== index);
  for (const [index, { path, keypair }] of rows.entries()) {
    const other = otherOn(path, index);
    if (keypair === undefined || other === undefined) continue;
    problems.push({
      key: `secrets[${index}].path`,
      message: `"${path}": is that of secrets[${other}] too, and a keypair is written whole: give it a path of its own`,
    });
  }
  for (const [index, row] of rows.entries()) {
    const { name, path, keypair, maxAge } = row;
    if (maxAge === undefined || isMadeByStore(row) || keypair !== undefined) continue;
    const other = otherOn(path, index);
    if (other === undefined) continue;
    problems.push({
      key: `secrets[${index}].path`,
      message:
        `"${path}": is that of secrets[${other}] too, and the store knows the age of a path alone, not that of ${name}: ` +
        "give it a path of its own, or leave its greatest age out",
    });
  }
  const sources = new Map<string, { readonly source: string; readonly index: number }>();
  for (const [index, row] of rows.entries()) {
    const { path, source = "external" } = row;
    if (isMadeByStore(row)) continue;
    const first = sources.get(path);
    if (first === undefined) sources.set(path, { source, index });
    else if (first.source !== source) {
      problems.push({
        key: `secrets[${index}].source`,
        message:
          `"${source}": secrets[${first.index}] on the same path "${path}" is ${first.source}: ` +
          "a path is written whole, so give both one source or move one to a path of its own",
      });
    }
  }
  return problems;
}
