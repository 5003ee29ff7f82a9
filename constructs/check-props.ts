import type { Problem } from "./secrets/problem";

/** What is wrong with a value, or with what is in it, with the fix; undefined where nothing is. */
export type Check = (value: unknown) => string | readonly Problem[] | undefined;

/** A check for each prop: a new one does not compile without, and any other is refused. */
export type Checks<Props> = { readonly [Prop in keyof Required<Props>]: Check };

/**
 * What is wrong with props, of users whose compiler does not say it.
 *
 * @param at before each key, as `secrets[0].`
 */
export function propProblems<Props>(props: Props, checks: Checks<Props>, at = ""): Problem[] {
  if (!isObject(props)) return [{ key: at.replace(/\.$/, "") || "props", message: `${shown(props)}: write an object` }];
  const known = Object.keys(checks);
  const unknown = Object.keys(props).filter((key) => props[key] !== undefined && !known.includes(key));
  return [
    ...unknown.map((key) => ({
      key: `${at}${key}`,
      message: `there is no such prop: write one of ${known.join(", ")}`,
    })),
    ...Object.entries<Check>(checks).flatMap(([key, check]) => {
      const found = check(props[key]) ?? [];
      if (typeof found === "string") return [{ key: `${at}${key}`, message: found }];
      return found.map((inside) => ({ ...inside, key: `${at}${key}${inside.key}` }));
    }),
  ];
}

/**
 * @param where the construct's path, or the component's name
 * @param further what else is wrong, looked for where each prop is of its kind
 * @throws Error that lists all that is wrong
 */
export function refuseProps<Props>(
  where: string,
  props: Props,
  checks: Checks<Props>,
  further: () => readonly Problem[] = () => [],
): void {
  const problems = propProblems(props, checks);
  refuse(where, problems.length > 0 ? problems : further());
}

/** @throws Error that lists the problems, where there are any */
export function refuse(where: string, problems: readonly Problem[], what = "props"): void {
  if (problems.length === 0) return;
  const list = problems.map(({ key, message }) => `  ${key}: ${message}`);
  throw new Error([`The ${what} of ${where} are not valid:`, ...list].join("\n"));
}

/**
 * @param where the function's name
 * @param args by their names, in their order
 * @throws Error that lists all that is wrong
 */
export function refuseArguments<Args extends object>(where: string, args: Args, checks: Checks<Args>): void {
  refuse(where, propProblems(args, checks), "arguments");
}

/** A check that leaves out what is not given. */
export function optional(check: Check): Check {
  return (value) => (value === undefined ? undefined : check(value));
}

/** A check for each prop of an object. */
export function shape<Props>(checks: Checks<Props>): Check {
  return (value) => (isObject(value) ? propProblems<Props>(value as Props, checks, ".") : object(value));
}

/** A check for each item of a list, all of which are told. */
export function each(check: Check): Check {
  return (value) => {
    if (!Array.isArray(value)) return list(value);
    return (value as readonly unknown[]).flatMap((item, index) => {
      const found = check(item) ?? [];
      if (typeof found === "string") return [{ key: `[${index}]`, message: found }];
      return found.map((inside) => ({ ...inside, key: `[${index}]${inside.key}` }));
    });
  };
}

function kind(accepts: (value: unknown) => boolean, fix: string): (value: unknown) => string | undefined {
  return (value) => (accepts(value) ? undefined : `${shown(value)}: ${fix}`);
}

/** Also an empty one, of which a rule of its own says more. */
export const anyText = kind((value) => typeof value === "string", "write a text");
export const text = kind((value) => typeof value === "string" && value !== "", "write a text");
export const flag = kind((value) => typeof value === "boolean", "write true or false");
export const wholeNumber = kind((value) => Number.isInteger(value), "write a whole number");
export const minuteOfDay = kind(
  (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) < 24 * 60,
  "write minutes after midnight, 0 to 1439",
);
export const countOrShare = kind(
  (value) => Number.isInteger(value) || (typeof value === "string" && /^\d+%$/.test(value)),
  'write a whole number, or a share as "50%"',
);
export const number = kind((value) => typeof value === "number", "write a number");
export const list = kind(Array.isArray, "write a list");
export const object = kind(isObject, "write an object");
export const date = kind((value) => value instanceof Date && !Number.isNaN(value.getTime()), "write a Date");
export const aFunction = (value: unknown): string | undefined =>
  typeof value === "function" ? undefined : "is no function: write one that gives it";
/** Also an empty one; no message shows it. */
export const secretText = (value: unknown): string | undefined =>
  typeof value === "string" ? undefined : `${value === undefined ? "is missing" : "is no text"}: write a text`;
export const given = (value: unknown): string | undefined =>
  value === undefined ? `${shown(value)}: give it` : undefined;

/** By its methods, since a program can have several copies of a class. */
function like(methods: readonly string[], fix: string): (value: unknown) => string | undefined {
  return kind((value) => isObject(value) && methods.every((method) => method in value), fix);
}

export const duration = like(["toSeconds"], "write a Duration of cdk8s, as Duration.seconds(30)");
export const size = like(["toMebibytes"], "write a Size of cdk8s, as Size.gibibytes(1)");
export const volumeSize = like(["asString"], "write a Size of cdk8s, as Size.gibibytes(1)");
export const secretTable = like(["secrets", "filePath"], "give a SecretTable");
export const vaultClient = like(["request", "read"], "give a VaultClient");
export const vaultPaths = like(["data", "kvMount"], "give a VaultPaths");
export const secretStore = like(["provider", "parameters", "validate"], "give a store, as new VaultStore(…)");

export function oneOf(...values: readonly (string | number)[]): (value: unknown) => string | undefined {
  return kind((value) => values.some((each) => each === value), `write ${values.join(" or ")}`);
}

/** Whether every item of a list passes a check; the first that does not is told. */
export function listOf(check: (value: unknown) => string | undefined): Check {
  return (value) => {
    if (!Array.isArray(value)) return list(value);
    const messages = (value as readonly unknown[]).map((item) => check(item));
    const index = messages.findIndex((message) => message !== undefined);
    return index < 0 ? undefined : `item ${index}: ${messages[index]!}`;
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What it is; what is in it, an object's or a long text's, could be a secret. */
function shown(value: unknown): string {
  if (value === undefined) return "is missing";
  if (Array.isArray(value)) return "is a list";
  if (typeof value === "string") return value === "" ? '""' : `"${value.slice(0, 40)}"`;
  if (typeof value === "number" || typeof value === "boolean" || value === null) return String(value);
  return typeof value === "object" ? "is an object" : `is a ${typeof value}`;
}
