import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Document, LineCounter, parse, parseDocument } from "yaml";
import { refuseArguments, text } from "../../constructs/check-props";
import type { Problem } from "../../constructs/secrets";
import { suggest } from "../../constructs/suggest";
import { checkEnvironment } from "./check-environment";
import { ConfigError, withProblems } from "./config-error";
import { unencryptedProblems } from "./encryption";
import type { Environment } from "./environment";
import { placeOf, placeOfWritten } from "./place";
import { prefixProblems } from "./prefix-problems";
import { ownKeys, projectName, secretKeys } from "./project";
import { storeConfigs } from "./stores";
import { yamlProblems } from "./yaml-problems";

/** A value that a command's `--config KEY=VALUE` sets for one run. */
export interface Override {
  /** Key without the project's prefix, as errors name it: `aidbox.replicas`, `secrets[0].path`. */
  readonly key: string;
  /** The value as YAML; `null` takes the key away. */
  readonly value: string;
}

/** An environment's file, with the overrides of this run. */
export interface EnvironmentFile {
  /** What the file says, checked, with all defaults filled in. */
  readonly environment: Environment;
  /** The file's YAML as it stands, for who asks where a key is said. */
  readonly document: Document;
}

/**
 * Reads and checks an environment's file, without Pulumi.
 *
 * @param folder folder of `Pulumi.<name>.yaml`
 * @param contexts contexts of the kubeconfig; not looked at where undefined
 * @throws ConfigError where there is no such file, or its config is not valid
 */
export function readEnvironment(
  folder: string,
  name: string,
  overrides: readonly Override[] = [],
  contexts?: readonly string[],
): EnvironmentFile {
  refuseArguments("readEnvironment", { folder, name }, { folder: text, name: text });
  const file = join(folder, `Pulumi.${name}.yaml`);
  if (!existsSync(file)) {
    const others = readdirSync(folder).flatMap((each) => /^Pulumi\.(.+)\.yaml$/.exec(each)?.[1] ?? []);
    const near = suggest(name, others);
    const hint = near === undefined ? "write it" : `did you mean --env ${near}? Or write it`;
    const message = `there is no ${file}: ${hint}, or pass --env with one of: ${others.join(", ") || "none is there yet"}`;
    throw new ConfigError(name, [{ key: "", message }]);
  }
  const lines = new LineCounter();
  const document = parseDocument(textOf(name, file), { lineCounter: lines, merge: true });
  const unreadable = yamlProblems(document, lines).map((each) => noYaml(file, each));
  const refused = overrides.flatMap((override) => apply(override, document));
  if (unreadable.length + refused.length > 0) throw new ConfigError(name, [...unreadable, ...refused]);
  const config = configOf(name, file, document);
  const { problems, misnamed } = prefixProblems(config, (key) => placeOfWritten(document, lines, key));
  const check = (): Environment => checkEnvironment(name, ownKeys(config), process.env.CHARTS_DIR, contexts, folder);
  try {
    return { document, environment: withProblems(name, [...problems, ...unencryptedProblems(config)], check) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // What stands there by another name is not missing.
    const isMisnamed = ({ key, message }: Problem): boolean =>
      (misnamed.includes(key) || (isStore(key) && misnamed.some(isStore))) && message.startsWith("is missing");
    const known = error.problems.filter((problem) => !isMisnamed(problem));
    throw new ConfigError(name, known, (key) => placeOf(document, lines, key));
  }
}

function isStore(key: string): boolean {
  return storeConfigs.some((store) => store.key === key);
}

/** @throws ConfigError where the file cannot be read */
function textOf(name: string, file: string): string {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(file));
    const at = text.search(/(?![\t\n\r\u0085])\p{Cc}/u);
    if (at === -1) return text;
    const line = text.slice(0, at).split("\n").length;
    throw new ConfigError(name, [noYaml(file, `line ${line}: has a control character: write the line anew`)]);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const { code = "" } = error as NodeJS.ErrnoException;
    const reasons: Readonly<Record<string, string>> = {
      EACCES: "you have no permission to read it",
      EISDIR: "it is a folder",
      ERR_ENCODING_INVALID_ENCODED_DATA: "it is not in UTF-8: save it in that encoding",
    };
    throw new ConfigError(name, [{ key: "", message: `${file} cannot be read: ${reasons[code] ?? code}` }]);
  }
}

/** A collection as a node, so that a later override finds its keys; a value as it is, so that the comment beside it stays. */
function nodeOf(value: unknown, document: Document): unknown {
  return typeof value === "object" && value !== null ? document.createNode(value) : value;
}

function noYaml(file: string, message: string): Problem {
  return { key: "", message: `${file} is no YAML that this stack can read: ${message}` };
}

/** Uses of one anchor; more, or anchors within anchors, would fill the memory. */
const mostAliases = 10_000;

/** @throws ConfigError where the file is no object, or its keys lie elsewhere than below `config:` */
function configOf(name: string, file: string, document: Document): Record<string, unknown> {
  const content = contentOf(name, file, document);
  const outside = Object.keys(Object(content) as object).filter((key) => key.startsWith(`${projectName}:`));
  const { config } = content as { readonly config?: unknown };
  if (outside.length === 0 && isObject(content) && (config === undefined || config === null || isObject(config))) {
    return { ...config };
  }
  const message =
    outside.length === 0
      ? `${file} has no object \`config\`: write its keys below \`config:\`, as aidbox-secrets:kubeContext`
      : `${file} has keys outside of \`config:\`: indent them below it: ${outside.join(", ")}`;
  throw new ConfigError(name, [{ key: "", message }]);
}

function contentOf(name: string, file: string, document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: mostAliases }) ?? {};
  } catch (error) {
    const reason = error instanceof ReferenceError ? "its aliases make it too large: use fewer" : String(error);
    throw new ConfigError(name, [noYaml(file, reason)]);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Sets an override's value; what is wrong with it, where it cannot be set. */
function apply({ key, value }: Override, document: Document): Problem[] {
  const [top = "", ...rest] = key.replaceAll(/\[(\d+)\]/g, ".$1").split(".");
  if (secretKeys.includes(top)) {
    return [
      { key, message: "holds secrets, and other processes can read arguments: use `pulumi config set --secret`" },
    ];
  }
  try {
    const path = ["config", `${projectName}:${top}`, ...rest];
    // Nothing at all, as from a variable that is not set, is no null.
    if (value.trim() === "null") document.deleteIn(path);
    else document.setIn(path, nodeOf(parse(value), document));
    return [];
  } catch (error) {
    return [{ key, message: `the value cannot be set (${String(error).split("\n")[0]}): write its value as YAML` }];
  }
}
