import type { Duration, Size } from "cdk8s";
import type { IConstruct } from "constructs";
import { isNumberPlaceholder, isPlaceholder } from "./placeholder";
import { dnsLabel, type Problem } from "./secrets/problem";
import { suggest } from "./suggest";

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
    ...unknown.map((key) => ({ key: `${at}${key}`, message: `there is no such prop: ${meant(key, known)}` })),
    ...Object.entries<Check>(checks).flatMap(([key, check]) => {
      const found = check(props[key]) ?? [];
      if (typeof found === "string") return [{ key: `${at}${key}`, message: found }];
      return found.map((inside) => ({ ...inside, key: `${at}${key}${inside.key}` }));
    }),
  ];
}

function meant(key: string, known: readonly string[]): string {
  if (known.length === 0) return "leave it out";
  const near = suggest(key, known);
  return near === undefined ? `write one of ${known.join(", ")}` : `did you mean ${near}?`;
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

/** The path of a construct that is not made yet. */
export function pathBelow({ node: { path } }: IConstruct, id: string): string {
  return path === "" ? id : `${path}/${id}`;
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

type MemberOf<Union, Prop extends keyof Union, Kind> = Union extends unknown
  ? Kind extends Union[Prop]
    ? Union
    : never
  : never;
type Shapes<Union, Prop extends keyof Union> = {
  readonly [Kind in Union[Prop] & string]: Checks<Omit<MemberOf<Union, Prop, Kind>, Prop>>;
};

/**
 * A check of an object that has one of several shapes.
 *
 * @param prop says which
 * @param shapes the other props, by what it says
 */
export function variant<Union, Prop extends keyof Union & string>(prop: Prop, shapes: Shapes<Union, Prop>): Check {
  const byKind: Readonly<Record<string, Checks<object>>> = shapes;
  const kinds = oneOf(...Object.keys(byKind));
  return (value) => {
    if (!isObject(value)) return object(value);
    const wrong = kinds(value[prop]);
    if (wrong !== undefined) return [{ key: `.${prop}`, message: wrong }];
    return propProblems<object>(value, { [prop]: kinds, ...byKind[String(value[prop])] }, ".");
  };
}

/** A check for each value of an object whose keys are names. */
export function valuesOf(check: Check): Check {
  return (value) => {
    if (!isObject(value)) return object(value);
    return Object.entries(value).flatMap(([name, each]) => {
      const found = (each === undefined ? undefined : check(each)) ?? [];
      if (typeof found === "string") return [{ key: `.${name}`, message: found }];
      return found.map((inside) => ({ ...inside, key: `.${name}${inside.key}` }));
    });
  };
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
const integer = kind((value) => Number.isInteger(value), "write a whole number");
const notNegative = kind((value) => Number(value) >= 0, "write 0 or more");
const ofPorts = kind((value) => isPort(Number(value)), "write a port, 1 to 65535");
export const wholeNumber = (value: unknown): string | undefined => integer(value) ?? notNegative(value);
/** Of TCP or UDP. */
export const port = (value: unknown): string | undefined => integer(value) ?? ofPorts(value);
const isName = kind((value) => dnsLabel.accepts.test(String(value)) || isPlaceholder(String(value)), dnsLabel.fix);
/** Of a namespace, or of an object whose name is part of a host's. */
export const label = (value: unknown): string | undefined => text(value) ?? isName(value);
const isUrl = kind(
  (value) => /^https?:\/\/[^\s/]/.test(String(value)) || isPlaceholder(String(value)),
  "write a URL, as https://vault.example.com:8200",
);
export const url = (value: unknown): string | undefined => text(value) ?? isUrl(value);
export const minuteOfDay = kind(
  (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) < 24 * 60,
  "write minutes after midnight, 0 to 1439",
);
export const countOrShare = kind(
  (value) => Number.isInteger(value) || (typeof value === "string" && /^\d+%$/.test(value)),
  'write a whole number, or a share as "50%"',
);
export const atLeastZero = kind((value) => typeof value === "number" && value >= 0, "write a number, 0 or more");
export const list = kind(Array.isArray, "write a list");
export const object = kind(isObject, "write an object");
/** As labels and annotations. */
export const texts = valuesOf(anyText);
export const date = kind((value) => value instanceof Date && !Number.isNaN(value.getTime()), "write a Date");
export const aFunction = (value: unknown): string | undefined =>
  typeof value === "function" ? undefined : "is no function: write one that gives it";
/** Also an empty one; no message shows it. */
export const secretText = (value: unknown): string | undefined =>
  typeof value === "string" ? undefined : `${value === undefined ? "is missing" : "is no text"}: write a text`;
export const given = (value: unknown): string | undefined =>
  value === undefined ? `${shown(value)}: give it` : undefined;

/** By its methods, since a program can have several copies of a class. */
export function like(methods: readonly string[], fix: string): (value: unknown) => string | undefined {
  return kind((value) => isObject(value) && methods.every((method) => method in value), fix);
}

const sizeFix = "write a Size of cdk8s, as Size.gibibytes(1)";
const hasMebibytes = like(["toMebibytes", "asString"], sizeFix);
const hasText = like(["asString"], sizeFix);

/** Of any length, of which a rule of its own says more. */
export const anyDuration = like(["toSeconds"], "write a Duration of cdk8s, as Duration.seconds(30)");
export const duration = (value: unknown): string | undefined => anyDuration(value) ?? ofSeconds(value as Duration);
export const size = (value: unknown): string | undefined => hasMebibytes(value) ?? ofMebibytes(value as Size);
/** In any unit: its text is what Kubernetes gets. */
export const volumeSize = (value: unknown): string | undefined =>
  hasText(value) ?? quantity((value as Pick<Size, "asString">).asString(), sizeFix);

function ofSeconds(duration: Duration): string | undefined {
  const seconds = duration.toSeconds({ integral: false });
  return Number.isInteger(seconds) ? undefined : `${seconds} s: write whole seconds`;
}

function ofMebibytes(size: Size): string | undefined {
  const fix = `"${size.asString()}": write whole mebibytes`;
  try {
    return Number.isInteger(size.toMebibytes()) ? undefined : fix;
  } catch {
    return fix;
  }
}

/** What is wrong with a text that Kubernetes takes as a quantity, where it was made of a number. */
export function quantity(made: string, fix: string): string | undefined {
  return /^\d/.test(made) ? undefined : `"${made}": ${fix}`;
}

export const secretTable = like(["secrets", "filePath"], "give a SecretTable");
export const vaultClient = like(["request", "read"], "give a VaultClient");
export const vaultPaths = like(["data", "kvMount"], "give a VaultPaths");
export const secretStore = like(["provider", "parameters", "validate"], "give a store, as new VaultStore(…)");

export function oneOf(...values: readonly (string | number)[]): (value: unknown) => string | undefined {
  return kind((value) => values.some((each) => each === value), `write ${values.join(" or ")}`);
}

function isPort(value: number): boolean {
  return (value >= 1 && value <= 65_535) || isNumberPlaceholder(value);
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
  if (typeof value !== "object") return `is a ${typeof value}`;
  return "__pulumiOutput" in value ? "is an Output of Pulumi's" : "is an object";
}
