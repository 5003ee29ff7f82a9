import { type HclBody, type HclValue, parseHcl, UnreadablePolicyError } from "./hcl";

/** What a policy says of one path. */
export interface PathRule {
  /** As Vault matches it: without a slash at its begin, with `*` at its end and `+` for a segment. */
  readonly path: string;
  /** `deny` alone where it is among them. */
  readonly capabilities: readonly string[];
  /** What a request must have beside the capability, in words. */
  readonly conditions: readonly string[];
}

/** The old words, which Vault still takes. */
const oldPolicies: Readonly<Record<string, readonly string[]>> = {
  deny: ["deny"],
  read: ["read", "list"],
  write: ["create", "read", "update", "delete", "list"],
  sudo: ["create", "read", "update", "delete", "list", "sudo"],
};

const conditionWords: Readonly<Record<string, string>> = {
  allowed_parameters: "only with parameters that it lists",
  denied_parameters: "only without parameters that it lists",
  required_parameters: "only with parameters that it requires",
  min_wrapping_ttl: "only wrapped",
  max_wrapping_ttl: "only wrapped",
  mfa_methods: "only with a second factor",
  control_group: "only with the consent of others",
};

/**
 * What a policy's text says, in its order.
 *
 * @throws UnreadablePolicyError
 */
export function policyRules(text: string): readonly PathRule[] {
  return pathEntries(parseHcl(text)).map(({ path, body }) => pathRule(path, body));
}

interface PathEntry {
  readonly path: string;
  readonly body: HclBody;
}

function pathEntries({ entries }: HclBody): PathEntry[] {
  return entries.flatMap(({ keys, value }): PathEntry[] => {
    const [kind, ...labels] = keys;
    if (kind === "name") return [];
    if (kind !== "path") throw new UnreadablePolicyError(`the key ${kind ?? ""}`);
    return labelled(labels, value);
  });
}

/** In HCL the path stands before the brace, in JSON it is a key in it. */
function labelled(labels: readonly string[], value: HclValue): PathEntry[] {
  if (isList(value)) return value.flatMap((each) => labelled(labels, each));
  if (typeof value !== "object") throw new UnreadablePolicyError("a path without rules");
  if (labels.length === 1) return [{ path: labels[0]!, body: value }];
  if (labels.length > 1) throw new UnreadablePolicyError(`the path ${labels.join(" ")}`);
  return value.entries.flatMap((entry) => labelled(entry.keys, entry.value));
}

function pathRule(path: string, { entries }: HclBody): PathRule {
  const once = new Map<string, HclValue>();
  for (const { keys, value } of entries) {
    const key = keys[0]!;
    // Vault's own reader merges them in its own way, and its newer versions refuse them.
    if (once.has(key)) throw new UnreadablePolicyError(`${key} of ${path} stands there twice`);
    once.set(key, value);
  }
  const old = once.get("policy");
  const listed = once.get("capabilities") ?? [];
  if (!isList(listed)) throw new UnreadablePolicyError(`the capabilities of ${path}`);
  const capabilities = [...listed.map(String), ...(old === undefined ? [] : oldCapabilities(path, old))];
  return {
    path: path.replace(/^\//, ""),
    capabilities: capabilities.includes("deny") ? ["deny"] : [...new Set(capabilities)],
    conditions: [...new Set([...once].flatMap(([key, value]) => (isEmpty(value) ? [] : (conditionWords[key] ?? []))))],
  };
}

function oldCapabilities(path: string, old: HclValue): readonly string[] {
  const known = typeof old === "string" ? oldPolicies[old] : undefined;
  if (known === undefined) throw new UnreadablePolicyError(`the policy of ${path}`);
  return known;
}

function isList(value: HclValue): value is readonly HclValue[] {
  return Array.isArray(value);
}

function isEmpty(value: HclValue): boolean {
  if (isList(value)) return value.length === 0;
  return typeof value === "object" && value.entries.length === 0;
}

/** Whether a rule's path depends on who asks: `secret/data/{{identity.entity.name}}`. */
export function isTemplated({ path }: PathRule): boolean {
  return path.includes("{{");
}
