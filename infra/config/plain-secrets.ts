import type { Problem } from "../../constructs/secrets";
import { isSecretByForm, isSensitiveName } from "../../constructs/secrets/plain-secret";

type Fields = Readonly<Record<string, unknown>>;

/** Secrets in plain text in the config's own keys and in the charts' values. Their values are told nowhere. */
export function plainSecretProblems(config: Fields): Problem[] {
  const charts = (["vault", "csiDriver"] as const).flatMap((section) =>
    valueProblems(`${section}.values`, fields(config[section]).values),
  );
  const told = new Set(charts.map(({ key }) => key));
  return [...charts, ...formProblems("", config).filter(({ key }) => !told.has(key))];
}

/** What is a secret by its name or form, at any depth of a chart's values. */
function valueProblems(key: string, node: unknown, siblings: Fields = {}): Problem[] {
  if (typeof node === "string") return isSecretValue(key, node, siblings) ? [inChart(key)] : [];
  if (Array.isArray(node)) return node.flatMap((each, index) => valueProblems(`${key}[${index}]`, each));
  return Object.entries(fields(node)).flatMap(([name, value]) => valueProblems(`${key}.${name}`, value, fields(node)));
}

const assignment = /\b(\w*(token|password|secret|access_key|secret_key|credentials|pin))\s*=\s*"(?!\$)[^"]+"/i;
const argument = /^--?[\w-]*(token|password|secret)[\w-]*[= ]\S/i;

function isSecretValue(key: string, value: string, siblings: Fields): boolean {
  if (value === "") return false;
  if (isSecretByForm(value) || assignment.test(value) || argument.test(value)) return true;
  const name = /[^.[\]]+$/.exec(key)?.[0] ?? "";
  if (name === "value") return typeof siblings.name === "string" && isSensitiveName(siblings.name);
  // Where a Secret is named, `secretKey` is the name of its key.
  return isSensitiveName(name) && siblings.secretName === undefined && siblings.envName === undefined;
}

function inChart(key: string): Problem {
  const fix = key.endsWith(".devRootToken")
    ? "leave it out, the stack makes one at random"
    : "put it into a Kubernetes Secret and name that, as by server.extraSecretEnvironmentVars";
  return { key, message: `would be in plain text in the Helm release: ${fix}` };
}

/** What is a secret by its form, wherever it stands. */
function formProblems(key: string, node: unknown): Problem[] {
  if (typeof node === "string") {
    return isSecretByForm(node)
      ? [{ key, message: "has a secret in plain text: leave it out; what Aidbox needs belongs into secrets" }]
      : [];
  }
  if (Array.isArray(node)) return node.flatMap((each, index) => formProblems(`${key}[${index}]`, each));
  return Object.entries(fields(node)).flatMap(([name, value]) =>
    formProblems(key === "" ? name : `${key}.${name}`, value),
  );
}

function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}
