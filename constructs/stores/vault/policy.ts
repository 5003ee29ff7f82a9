import {
  each,
  object,
  oneOf,
  optional,
  refuseArguments,
  secretTable,
  shape,
  text,
  vaultPaths,
} from "../../check-props";
import type { SecretTable } from "../../secrets";
import type { VaultPaths } from "./paths";

/** What a policy allows at one path. */
export interface PolicyRule {
  /** Path of Vault's API, as `secret/data/aidbox/client`. */
  readonly path: string;
  /** What may be done there, as `read` or `patch`. */
  readonly capabilities: readonly string[];
  /**
   * The values that each parameter of a write may have; an empty list stands for any. Other parameters are refused.
   * Numbers and objects that hold something match no value that is written here: leave their lists empty. A write may leave
   * parameters out: Vault can force none where it may be read too (`required_parameters` refuse a read).
   * @default - any parameters
   */
  readonly parameters?: Readonly<Record<string, readonly ParameterValue[]>>;
}

// https://developer.hashicorp.com/vault/docs/concepts/policies#capabilities
const capability = oneOf(
  ...["create", "read", "update", "patch", "delete", "list", "sudo", "deny", "subscribe", "recover"],
);

const policyRule = shape<PolicyRule>({ path: text, capabilities: each(capability), parameters: optional(object) });

/** A value that Vault finds again in a request. */
export type ParameterValue = string | boolean | readonly string[] | Readonly<Record<string, never>>;

/**
 * HCL of a policy.
 *
 * @throws Error that lists what is no rule; Error for a parameter's value with `*` at an end, which Vault takes for any text
 */
export function policyText(rules: readonly PolicyRule[]): string {
  refuseArguments("policyText", { rules }, { rules: each(policyRule) });
  return rules.map(ruleText).join("\n");
}

/**
 * HCL of a policy that reads exactly the table's paths.
 *
 * @param paths where they lie
 * @param mark comment in its first line, by which its owner knows it again; by default none
 * @throws Error that lists all that is wrong with the arguments
 * @example
 * ```ts
 * import { SecretTable } from "aidbox-secrets/secrets";
 * import { readPolicy, VaultPaths } from "aidbox-secrets/vault";
 *
 * const table = new SecretTable({ secrets: [{ name: "client-secret", path: "aidbox/client" }] });
 * console.log(readPolicy(table, new VaultPaths({ kvMount: "kv" })));
 * ```
 */
export function readPolicy(table: SecretTable, paths: VaultPaths, mark?: string): string {
  const checks = { table: secretTable, paths: vaultPaths, mark: optional(text) };
  refuseArguments("readPolicy", { table, paths, mark }, checks);
  return marked(policyText(table.paths.map((path) => ({ path: paths.data(path), capabilities: ["read"] }))), mark);
}

/** HCL of a policy that takes snapshots of Vault's storage, which Vault encrypts, and does nothing else. */
export function snapshotPolicy(mark?: string): string {
  return marked(policyText([{ path: "sys/storage/raft/snapshot", capabilities: ["read"] }]), mark);
}

function marked(text: string, mark?: string): string {
  return mark === undefined ? text : `# ${mark}\n${text}`;
}

function ruleText({ path, capabilities, parameters }: PolicyRule): string {
  for (const [name, values] of Object.entries(parameters ?? {})) {
    for (const value of values) {
      if (typeof value !== "string" || !/^\*|\*$/.test(value)) continue;
      throw new Error(`${path}: the value "${value}" of ${name} would allow other values too`);
    }
  }
  const lines = [
    `capabilities = ${valueText(capabilities)}`,
    ...(parameters === undefined
      ? []
      : [
          "allowed_parameters = {",
          ...Object.entries(parameters).map(
            ([name, values]) => `  ${quote(name)} = [${values.map(valueText).join(", ")}]`,
          ),
          "}",
        ]),
  ];
  return `path ${quote(path)} {\n${lines.map((line) => `  ${line}\n`).join("")}}\n`;
}

function valueText(value: ParameterValue): string {
  if (typeof value === "boolean") return String(value);
  if (typeof value === "string") return quote(value);
  return Array.isArray(value) ? `[${value.map(quote).join(", ")}]` : "{}";
}

/** Text as HCL takes it, whatever it holds; a dollar sign before a brace would begin an expression. */
function quote(text: string): string {
  return JSON.stringify(text).replaceAll("${", "\\u0024{");
}
