import { isTemplated, type PathRule } from "./policy-rules";

/** A policy of Vault, read. */
export interface NamedPolicy {
  readonly name: string;
  readonly rules: readonly PathRule[];
}

/** What a token may do at a path. */
export interface Granted {
  /** As `/sys/capabilities` lists them; none where nothing is allowed. */
  readonly capabilities: readonly string[];
  /** Names of the policies by which it may, by capability. */
  readonly by: ReadonlyMap<string, readonly string[]>;
  /** What a request must have beside, in words. */
  readonly conditions: readonly string[];
}

interface Permissions {
  isDenied: boolean;
  readonly by: Map<string, string[]>;
  readonly conditions: Set<string>;
}

const nothing: Granted = { capabilities: [], by: new Map(), conditions: [] };

/**
 * What a token with some policies may do, by the rules of Vault's own evaluation: of all the rules of all policies that match a
 * path, one path counts alone, the most specific; the rules at that one path are joined, and a `deny` among them ends all.
 *
 * Rules that depend on who asks are not in it: see `mayMatch`.
 *
 * @see https://developer.hashicorp.com/vault/docs/concepts/policies#priority-matching
 */
export class Acl {
  private readonly isRoot: boolean;
  private readonly exact = new Map<string, Permissions>();
  private readonly prefixes = new Map<string, Permissions>();
  private readonly wildcards = new Map<string, Permissions>();

  public constructor(policies: readonly NamedPolicy[]) {
    this.isRoot = policies.some(({ name }) => name === "root");
    for (const { name, rules } of policies) {
      for (const rule of rules) if (!isTemplated(rule)) this.add(name, rule);
    }
  }

  /** @param path of Vault's API, without a slash at its end, as `secret/data/aidbox/client` */
  public at(path: string): Granted {
    if (this.isRoot) return { capabilities: ["root"], by: new Map([["root", ["root"]]]), conditions: [] };
    const found = this.exact.get(path) ?? this.mostSpecific(path);
    if (found === undefined || found.isDenied) return nothing;
    return { capabilities: [...found.by.keys()], by: found.by, conditions: [...found.conditions] };
  }

  private add(policy: string, { path, capabilities, conditions }: PathRule): void {
    const isPrefix = path.endsWith("*");
    if (hasWildcardSegment(path)) join(this.wildcards, path, policy, capabilities, conditions);
    else if (isPrefix) join(this.prefixes, path.slice(0, -1), policy, capabilities, conditions);
    else join(this.exact, path, policy, capabilities, conditions);
  }

  private mostSpecific(path: string): Permissions | undefined {
    const prefix = [...this.prefixes.keys()]
      .filter((each) => path.startsWith(each))
      .sort((one, other) => other.length - one.length)[0];
    const ofPrefix: Candidate[] =
      prefix === undefined
        ? []
        : [
            {
              firstWildcard: prefix.length,
              isPrefix: true,
              wildcards: 0,
              text: prefix,
              permissions: this.prefixes.get(prefix)!,
            },
          ];
    const ofWildcards = [...this.wildcards].flatMap(([pattern, permissions]): Candidate[] => {
      if (!matchesSegments(pattern, path)) return [];
      const isPrefix = pattern.endsWith("*");
      const text = isPrefix ? pattern.slice(0, -1) : pattern;
      const wildcards = text.split("/").filter((each) => each === "+").length;
      return [{ firstWildcard: pattern.indexOf("+"), isPrefix, wildcards, text, permissions }];
    });
    return [...ofPrefix, ...ofWildcards].sort(bySpecificity)[0]?.permissions;
  }
}

/**
 * Names of the policies whose rules for whoever asks, as `secret/data/{{identity.entity.name}}`, could give a capability at a path:
 * whatever may stand in the braces.
 */
export function mayMatch(policies: readonly NamedPolicy[], path: string, capability: string): string[] {
  return policies
    .filter(({ rules }) =>
      rules.some(
        (rule) => isTemplated(rule) && rule.capabilities.includes(capability) && patternOf(rule.path).test(path),
      ),
    )
    .map(({ name }) => name);
}

function patternOf(path: string): RegExp {
  const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  const isPrefix = path.endsWith("*");
  const text = (isPrefix ? path.slice(0, -1) : path)
    .split(/\{\{[^]*?\}\}/)
    .map((literal) =>
      literal
        .split("/")
        .map((segment) => (segment === "+" ? "[^/]+" : escaped(segment)))
        .join("/"),
    )
    .join(".*");
  return new RegExp(`^${text}${isPrefix ? ".*" : ""}$`, "s");
}

function join(
  rules: Map<string, Permissions>,
  key: string,
  policy: string,
  capabilities: readonly string[],
  conditions: readonly string[],
): void {
  const found = rules.get(key) ?? { isDenied: false, by: new Map<string, string[]>(), conditions: new Set<string>() };
  rules.set(key, found);
  if (capabilities.includes("deny")) found.isDenied = true;
  for (const each of capabilities) found.by.set(each, [...new Set([...(found.by.get(each) ?? []), policy])]);
  for (const each of conditions) found.conditions.add(each);
}

/** A `+` counts where it is a whole segment's begin; elsewhere Vault takes it for itself. */
function hasWildcardSegment(path: string): boolean {
  return path === "+" || path.includes("/+") || path.startsWith("+/");
}

function matchesSegments(pattern: string, path: string): boolean {
  const isPrefix = pattern.endsWith("*");
  const wanted = (isPrefix ? pattern.slice(0, -1) : pattern).split("/");
  const segments = path.split("/");
  if (segments.length < wanted.length || (!isPrefix && segments.length > wanted.length)) return false;
  return wanted.every((each, index) => {
    const segment = segments[index]!;
    if (each === "+" || each === segment) return true;
    return isPrefix && index === wanted.length - 1 && segment.startsWith(each);
  });
}

/** A rule's path that matches, of which the most specific one counts. */
interface Candidate {
  /** Where its first `+` or `*` stands. */
  readonly firstWildcard: number;
  readonly isPrefix: boolean;
  /** Number of its segments that are `+`. */
  readonly wildcards: number;
  /** Without `*` at its end. */
  readonly text: string;
  readonly permissions: Permissions;
}

/** The most specific one first. */
function bySpecificity(one: Candidate, other: Candidate): number {
  return (
    other.firstWildcard - one.firstWildcard ||
    Number(one.isPrefix) - Number(other.isPrefix) ||
    one.wildcards - other.wildcards ||
    other.text.length - one.text.length ||
    (one.text > other.text ? -1 : 1)
  );
}
