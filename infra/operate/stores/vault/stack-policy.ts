import { passwordTable } from "../../../../constructs/kubernetes/postgres/password";
import type { PodLogin } from "../../../../constructs/platform/vault/login";
import type { SecretPath } from "../../../../constructs/secrets";
import { mountOfLogin } from "../../../../constructs/stores/vault/login-mount";
import { vaultSnapshotsName } from "../../../../constructs/stores/vault/names";
import {
  type ParameterValue,
  type PolicyRule,
  policyText,
  readPolicy,
  snapshotPolicy,
} from "../../../../constructs/stores/vault/policy";
import { postgresName, postgresRole } from "../../../config/database";
import type { VaultEnvironment } from "../../../config/environment";
import { policyMark, snapshotsRole, stackPolicyName } from "../../../config/names";
import { ownsAuthMount, podLogin } from "../../../config/stores/vault/login";
import { ownsKvMount, snapshotsOf, vaultPaths } from "../../../config/stores/vault/server";
import { wantsAudit } from "./audit-devices";
import { loginQuota } from "./login-quota";

type Parameters = NonNullable<PolicyRule["parameters"]>;

const write = ["create", "read", "update", "delete"];
/** Any value: what is a number, or changes nothing outside of the stack's own mounts. */
const any: readonly ParameterValue[] = [];

/**
 * HCL of the policy of Pulumi's own token: what the stack makes in Vault, with the very values that it makes it of. Who
 * writes a policy can write what it allows, and who sets up logins can log in: so the texts, the bindings and the address
 * that tokens are checked at are pinned. The parameters are those that Pulumi's provider sends, seen in Vault's audit log.
 */
export function stackPolicy(environment: VaultEnvironment): string {
  return `# ${policyMark(environment)}\n${policyText(stackRules(environment))}`;
}

const clusterLine = /^# cluster (.+)\n/m;
const leftHeading = "# Of an earlier config, to be taken away:";

/** That policy as `vault:grant` writes it. */
export function grantedPolicy(
  environment: VaultEnvironment,
  /** What tells the environment's cluster from any other. */
  clusterId: string,
  /** The policy that it takes the place of. @default - none */
  former = "",
): string {
  const [mark, ...rules] = stackPolicy(environment).split("\n");
  const left = leftRules(environment, former);
  return [mark, `# cluster ${clusterId}`, ...rules, ...(left.length === 0 ? [] : [leftHeading, policyText(left)])].join(
    "\n",
  );
}

/** The cluster of a policy that `vault:grant` has written; undefined where somebody else wrote it. */
export function clusterOf(policy: string): string | undefined {
  return clusterLine.exec(policy)?.[1];
}

/** Whether a policy is what this config needs. One of a time before the rights that `verify` alone uses is too. */
export function isCurrent(environment: VaultEnvironment, policy: string): boolean {
  const expected = withoutLookingRules(environment, stackPolicy(environment));
  const granted = withoutLookingRules(environment, policy.replace(clusterLine, ""));
  return granted.trim() === expected.trim() || granted.startsWith(`${expected}\n${leftHeading}`);
}

function withoutLookingRules(environment: VaultEnvironment, policy: string): string {
  return lookingRules(environment).reduce((text, rule) => text.replace(`${policyText([rule])}\n`, ""), policy);
}

/** What a tenant that is gone has left behind: its role and policy, which the next `up` takes away. */
function leftRules(environment: VaultEnvironment, former: string): PolicyRule[] {
  const made = /^(sys\/policies\/acl|auth\/.+\/role)\//;
  const kept = new Set(stackRules(environment).map(({ path }) => path));
  const paths = [...former.matchAll(/^path "([^"\\*+]+)"/gm)].map(([, path]) => path!);
  return paths
    .filter((path) => made.test(path) && !kept.has(path))
    .map((path) => ({ path, capabilities: ["read", "delete"] }));
}

/** The rules of that policy. */
function stackRules(environment: VaultEnvironment): readonly PolicyRule[] {
  return [...ownTokenRules(environment), ...contentRules(environment)];
}

/** Those of what the stack makes, whoever gave it its token. */
export function contentRules(environment: VaultEnvironment): readonly PolicyRule[] {
  return [
    ...authMountRules(environment),
    ...[environment, ...environment.tenants].flatMap(accessRules),
    ...snapshotRules(environment),
    ...kvMountRules(environment),
    ...[environment, ...environment.tenants].flatMap(valueRules),
  ];
}

/** Begins to make a root token, which needs key shares to end; since Vault 2.0 it needs a token too. */
export const generateRootRules: readonly PolicyRule[] = [
  { path: "sys/generate-root/attempt", capabilities: [...write, "sudo"] },
  { path: "sys/generate-root/update", capabilities: ["create", "update", "sudo"] },
];

/**
 * What `verify` sees of how Vault itself is set up. The list of audit devices is a path that Vault's root protects; what changes
 * them lies below it. `up` has no use for it.
 */
export function lookingRules(environment: VaultEnvironment): readonly PolicyRule[] {
  const quota = loginQuota(environment);
  return [
    ...(wantsAudit(environment) ? [{ path: "sys/audit", capabilities: ["read", "sudo"] }] : []),
    ...(quota === undefined ? [] : [{ path: quota.quotaPath, capabilities: ["read"] }]),
  ];
}

/** What any token may do with itself; Vault's default policy, which somebody may change, is left out. */
export const selfRules: readonly PolicyRule[] = [
  { path: "auth/token/lookup-self", capabilities: ["read"] },
  { path: "auth/token/renew-self", capabilities: ["update"] },
  { path: "auth/token/revoke-self", capabilities: ["update"] },
  { path: "sys/capabilities-self", capabilities: ["update"] },
];

function ownTokenRules(environment: VaultEnvironment): PolicyRule[] {
  return [
    ...selfRules,
    { path: `sys/policies/acl/${stackPolicyName(environment)}`, capabilities: ["read"] },
    // Who asks for no rights on the system of a Vault of others gets none.
    ...(ownsAuthMount(environment) ? generateRootRules : []),
    ...lookingRules(environment),
  ];
}

function authMountRules(environment: VaultEnvironment): PolicyRule[] {
  if (!ownsAuthMount(environment)) return [];
  const login = podLogin(environment);
  const mount = mountOfLogin(login);
  return [
    { path: "sys/auth", capabilities: ["read"] },
    {
      path: `sys/auth/${mount}`,
      // In a Vault of the stack's own the mount goes with Vault.
      capabilities: [...write.filter((each) => each !== "delete" || environment.vault.mode === "external"), "sudo"],
      parameters: mountParameters(login.method),
    },
    { path: `sys/mounts/auth/${mount}`, capabilities: ["read"] },
    { path: `sys/mounts/auth/${mount}/tune`, capabilities: ["read"] },
    {
      path: `auth/${mount}/config`,
      capabilities: ["create", "read", "update"],
      ...(login.method === "jwt" ? signatureCheck(login) : tokenReview(login)),
    },
  ];
}

/** What enabling an engine or a method at a path may say: its type, and no more than how it is tuned. */
export function mountParameters(type: string): Parameters {
  return {
    type: [type],
    description: [""],
    config: any,
    options: any,
    local: [false],
    seal_wrap: [false],
    external_entropy_access: [false],
  };
}

/** The API server that is asked about a pod's token, and nobody's stored token to ask with. */
function tokenReview({ apiServer }: PodLogin & { readonly method: "kubernetes" }): Pick<PolicyRule, "parameters"> {
  return {
    parameters: {
      kubernetes_host: [plain(apiServer ?? "https://kubernetes.default.svc")],
      kubernetes_ca_cert: [""],
      issuer: [""],
      pem_keys: [""],
      disable_iss_validation: any,
      disable_local_ca_jwt: [false],
      use_annotations_as_alias_metadata: [false],
    },
  };
}

function signatureCheck({ keys, issuer }: PodLogin & { readonly method: "jwt" }): Pick<PolicyRule, "parameters"> {
  if (keys === undefined) throw new Error("an auth mount of the stack's own has keys");
  const checked: Parameters =
    "publicKeys" in keys
      ? { jwt_validation_pubkeys: [plainList(keys.publicKeys).map((key) => key.trim())] }
      : {
          oidc_discovery_url: [plain(keys.discoveryUrl)],
          oidc_discovery_ca_pem: [keys.discoveryCa === undefined ? "" : plain(keys.discoveryCa)],
        };
  return {
    parameters: {
      ...checked,
      bound_issuer: [issuer === undefined ? "" : plain(issuer)],
      jwt_supported_algs: [[]],
      provider_config: [{}],
      namespace_in_state: [true, false],
    },
  };
}

/** The role and the policy of an Aidbox, and those of its database for development. */
function accessRules(environment: VaultEnvironment): PolicyRule[] {
  const { vault, table, aidbox, database, namespaces } = environment;
  return [
    ...loginRules(
      environment,
      { role: vault.role, namespace: namespaces.aidbox, serviceAccount: aidbox.name },
      readPolicy(table, vaultPaths(environment), policyMark(environment)),
    ),
    ...(database?.mode === "development"
      ? loginRules(
          environment,
          {
            role: postgresRole(environment),
            namespace: namespaces.aidbox,
            serviceAccount: postgresName(aidbox.name),
          },
          readPolicy(passwordTable(table), vaultPaths(environment), policyMark(environment)),
        )
      : []),
  ];
}

/** The role and the policy of the pods that take snapshots. */
function snapshotRules(environment: VaultEnvironment): PolicyRule[] {
  if (snapshotsOf(environment) === undefined) return [];
  const { vault, namespaces } = environment;
  const who = {
    role: snapshotsRole(environment),
    namespace: namespaces.vault,
    serviceAccount: vaultSnapshotsName(vault.release),
    onlyThisPolicy: true,
  };
  return loginRules(environment, who, snapshotPolicy(policyMark(environment)));
}

/** Who logs in by a role, and whether its tokens get its policy alone. */
interface Login {
  readonly role: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly onlyThisPolicy?: boolean;
}

function loginRules(
  environment: VaultEnvironment,
  { role, namespace, serviceAccount, onlyThisPolicy = false }: Login,
  policy: string,
): PolicyRule[] {
  const login = podLogin(environment);
  const { vault } = environment;
  const token: Parameters = {
    token_policies: [[role]],
    token_ttl: any,
    token_explicit_max_ttl: any,
    token_no_default_policy: [onlyThisPolicy],
    token_type: ["default"],
  };
  const bound: Pick<PolicyRule, "parameters"> =
    login.method === "jwt"
      ? {
          parameters: {
            ...token,
            role_type: ["jwt"],
            user_claim: ["sub"],
            user_claim_json_pointer: [false],
            bound_subject: [`system:serviceaccount:${namespace}:${serviceAccount}`],
            bound_audiences: [[vault.audience]],
            bound_claims: [{}],
            bound_claims_type: ["string"],
            groups_claim: [""],
            clock_skew_leeway: any,
            expiration_leeway: any,
            not_before_leeway: any,
            verbose_oidc_logging: [false],
          },
        }
      : {
          parameters: {
            ...token,
            bound_service_account_names: [[serviceAccount]],
            bound_service_account_namespaces: [[namespace]],
            bound_service_account_namespace_selector: [""],
            audience: [vault.audience],
            alias_name_source: ["serviceaccount_uid"],
          },
        };
  return [
    { path: `auth/${mountOfLogin(login)}/role/${role}`, capabilities: write, ...bound },
    {
      path: `sys/policies/acl/${role}`,
      capabilities: write,
      parameters: { policy: [policy] },
    },
  ];
}

/** What holds values stays when it leaves the config, but for what a stack for development made in a Vault of others. */
function writeAndEnd({ development, vault }: VaultEnvironment): readonly string[] {
  return write.filter((each) => each !== "delete" || (development && vault.mode === "external"));
}

function kvMountRules(environment: VaultEnvironment): PolicyRule[] {
  if (!ownsKvMount(environment)) return [];
  const path = `sys/mounts/${vaultPaths(environment).kvMount}`;
  return [
    { path: "sys/mounts", capabilities: ["read"] },
    { path, capabilities: writeAndEnd(environment), parameters: mountParameters("kv-v2") },
    {
      path: `${path}/tune`,
      capabilities: ["read", "update"],
      // What Pulumi's provider writes where a run was ended while it made the mount: the defaults.
      parameters: {
        default_lease_ttl: ["0s"],
        max_lease_ttl: ["0s"],
        options: [{}],
        audit_non_hmac_request_keys: [[]],
        audit_non_hmac_response_keys: [[]],
      },
    },
  ];
}

function valueRules(environment: VaultEnvironment): PolicyRule[] {
  const { table } = environment;
  return table.paths.flatMap((each): PolicyRule[] => {
    const metadata = vaultPaths(environment).metadata(each);
    const subkeys = { path: `${vaultPaths(environment).kvMount}/subkeys/${each.path}`, capabilities: ["read"] };
    switch (each.source) {
      case "database":
        return [{ path: metadata, capabilities: ["read"] }];
      case "external":
        // Whether the halves of a pair match cannot be told without them.
        return [
          subkeys,
          ...(each.keypair === undefined ? [] : [{ path: vaultPaths(environment).data(each), capabilities: ["read"] }]),
        ];
      case "managed":
      case "seeded":
        return [
          subkeys,
          { path: metadata, capabilities: writeAndEnd(environment) },
          { path: vaultPaths(environment).data(each), capabilities: writesOf(environment, each) },
        ];
    }
  });
}

/** Whether somebody else changed a managed value, on top of which nothing is to be written, cannot be told without it. */
function writesOf({ vault }: VaultEnvironment, { source }: SecretPath): string[] {
  const reads = source === "managed" && vault.kvMount.casRequired === true;
  return [...(reads ? ["read"] : []), "create", "update", "patch"];
}

/** A login's value as the config has it: text, where a component takes what is known only later too. */
function plain(value: unknown): string {
  if (typeof value !== "string") throw new Error("a login of the config is text");
  return value;
}

function plainList(value: unknown): string[] {
  if (!Array.isArray(value)) throw new Error("the keys of a login are a list");
  return value.map(plain);
}
