import * as pulumi from "@pulumi/pulumi";
import { Mount } from "@pulumi/vault/mount";
import { Policy } from "@pulumi/vault/policy";
import {
  each,
  flag,
  given,
  like,
  optional,
  refuseProps,
  secretTable,
  shape,
  text,
  vaultPaths,
} from "../../check-props";
import type { Problem, SecretTable } from "../../secrets";
import { readPolicy, VaultPaths } from "../../stores/vault";
import type { VaultConnection } from "../../stores/vault/api/client";
import { findVaultMountProblems, findVaultRowProblems } from "../../stores/vault/rules";
import { checkExternal, type MissingSecretsOptions } from "./external-secrets";
import {
  createAuthMount,
  createRole,
  type LoginRole,
  loginRole,
  type PodLogin,
  podLogin,
  vaultResourceOptions,
} from "./login";
import { createManaged, createSeeded, type ManagedValues } from "./secret-values";

/** What Vault is to hold, and who may read it. */
export interface VaultAccessArgs extends MissingSecretsOptions {
  /** The secrets. The policy reads their paths, and no other. */
  readonly table: SecretTable;
  /** Where the secrets lie. @default - `secret` of KV v2, and `database` of the database engine */
  readonly paths?: VaultPaths;
  /** How pods log in. */
  readonly login: PodLogin;
  /** Who may log in; the policy is made here. */
  readonly role: Omit<LoginRole, "policy">;
  /**
   * Path of an auth mount that is there already, as another VaultAccess has made it.
   * @default - the mount is made here
   */
  readonly authMount?: pulumi.Input<string>;
  /**
   * Others who may log in, each for some of the table's secrets alone, with a role and policy of their own.
   * @default - none
   */
  readonly readers?: readonly SecretReader[];
  /**
   * Name of the policy.
   * @default - the role's name
   */
  readonly policyName?: string;
  /**
   * Comment in the first line of each policy, by which its owner knows it again.
   * @default - none
   */
  readonly policyMark?: string;
  /**
   * Whether this stack makes the table's KV v2 mount.
   * @default false, it is there already
   */
  readonly ownsKvMount?: boolean;
  /**
   * Whether the mount takes no write without the number of the version that it takes the place of (`cas_required`). Managed values
   * are read then, and one that somebody else wrote is an error, and not overwritten.
   * @default false
   */
  readonly casRequired?: boolean;
  /**
   * Whether secrets, and the mount that the stack makes, stay in Vault when the stack no longer has them: a row or a
   * stack that goes then takes no value with it.
   * @default true
   */
  readonly keepsValues?: boolean;
  /**
   * Values of the table's managed secrets, by name.
   * @default - none
   */
  readonly managedValues?: pulumi.Input<ManagedValues>;
  /** How to reach Vault from here, to seed values and look for external ones; unknown while there is no Vault. */
  readonly connection: pulumi.Output<VaultConnection>;
  /**
   * Options of every resource in Vault, as `deletedWith` the Helm release of a Vault that goes with the stack.
   * @default - none
   */
  readonly resourceOptions?: Pick<pulumi.CustomResourceOptions, "deletedWith" | "replacementTrigger">;
}

/** Somebody beside Aidbox who needs some of its secrets, as a database its password. */
export interface SecretReader {
  /** Who may log in; the policy is made here, and has the role's name. */
  readonly role: Omit<LoginRole, "policy">;
  /** The secrets that it may read, of those that the whole table has. */
  readonly table: SecretTable;
}

/**
 * What Vault's API holds for one table of secrets: the KV secrets, the policy that reads exactly them, the auth mount and
 * the role bound to one ServiceAccount. Pass a Vault provider in `opts`.
 * @example
 * ```ts
 * import * as pulumi from "@pulumi/pulumi";
 * import { Provider } from "@pulumi/vault";
 * import { Duration } from "cdk8s";
 * import { VaultAccess } from "aidbox-secrets/platform";
 * import { SecretTable } from "aidbox-secrets/secrets";
 *
 * const config = new pulumi.Config();
 * const address = config.require("vaultAddress");
 * const token = config.requireSecret("vaultToken");
 * export const { policy } = new VaultAccess(
 *   "access",
 *   {
 *     table: new SecretTable({ secrets: [{ name: "client-secret", path: "aidbox/client", source: "seeded" }] }),
 *     connection: token.apply((known) => ({ address, token: known })),
 *     login: { method: "jwt", keys: { discoveryUrl: "https://cluster.example.com" } },
 *     role: {
 *       name: "aidbox",
 *       namespace: "aidbox",
 *       serviceAccount: "aidbox",
 *       audience: "vault",
 *       ttl: Duration.minutes(15),
 *     },
 *   },
 *   { provider: new Provider("vault", { address, token }) },
 * );
 * ```
 */
export class VaultAccess extends pulumi.ComponentResource {
  /** The policy's HCL. */
  public readonly policy: string;
  /** Path of the auth mount, without `auth/`. */
  public readonly authMount: pulumi.Output<string>;
  /** Resolved once a pod can log in and read every secret; fails with MissingSecretsError where an operator has yet to write one. */
  public readonly ready: pulumi.Output<unknown>;

  public constructor(name: string, args: VaultAccessArgs, opts?: pulumi.ComponentResourceOptions) {
    refuseProps(`VaultAccess ${name}`, args, checks, () => problemsOf(args));
    super("aidbox-secrets:vault:VaultAccess", name, {}, opts);
    const { table, connection, paths = new VaultPaths() } = args;
    const resourceOptions: pulumi.CustomResourceOptions = {
      parent: this,
      // Everything here has a fixed path in Vault: what replaces it cannot be made beside it.
      deleteBeforeReplace: true,
      ...args.resourceOptions,
    };
    this.policy = readPolicy(table, paths, args.policyMark);
    const policy = new Policy(
      `${name}-policy`,
      { name: args.policyName ?? args.role.name, policy: this.policy },
      resourceOptions,
    );
    const auth =
      args.authMount === undefined
        ? createAuthMount(name, args.login, resourceOptions)
        : { path: pulumi.output(args.authMount), resources: [] };
    this.authMount = auth.path;
    const { method } = args.login;
    const role = createRole(name, method, auth.path, { ...args.role, policy: policy.name }, resourceOptions);
    const readers = (args.readers ?? []).flatMap((reader) => {
      const readerName = `${name}-${reader.role.name}`;
      const readerPolicy = new Policy(
        `${readerName}-policy`,
        { name: reader.role.name, policy: readPolicy(reader.table, paths, args.policyMark) },
        resourceOptions,
      );
      const login = { ...reader.role, policy: readerPolicy.name };
      return [readerPolicy, createRole(readerName, method, auth.path, login, resourceOptions)];
    });
    const login = [...auth.resources, role, ...readers];

    const holderOptions = { ...resourceOptions, retainOnDelete: args.keepsValues ?? true };
    const mount = args.ownsKvMount
      ? [
          new Mount(
            `${name}-kv`,
            { path: paths.kvMount, type: "kv-v2" },
            // Vault's provider would move the mount, which needs a right that the stack needs for nothing else.
            { ...holderOptions, replaceOnChanges: ["path"] },
          ),
        ]
      : [];
    const valueOptions = { ...holderOptions, dependsOn: mount };
    const { casRequired = false, vaultCommand = "vault" } = args;
    const byVersion = { casRequired, vaultCommand };
    const managedValues = pulumi.output(args.managedValues ?? {}); // goes through all of them
    const values = table.paths.map((path) => {
      const valueName = `${name}/${path.path}`;
      switch (path.source) {
        case "managed":
          return createManaged(valueName, paths, path, managedValues, connection, byVersion, valueOptions);
        case "seeded":
          return createSeeded(valueName, paths, path, connection, vaultCommand, valueOptions);
        case "external":
        case "database":
          return pulumi.output(undefined);
      }
    });
    this.ready = pulumi
      .all([
        ...[policy, ...login, ...mount].map((resource) => resource.urn),
        ...values,
        pulumi.all(mount.map((each) => each.id)).apply(() => checkExternal(table, paths, connection, args)),
      ])
      .apply(() => undefined);
    this.registerOutputs();
  }
}

const checks = {
  table: secretTable,
  paths: optional(vaultPaths),
  login: podLogin,
  role: loginRole,
  authMount: optional(given),
  readers: optional(each(shape<SecretReader>({ role: loginRole, table: secretTable }))),
  policyName: optional(text),
  policyMark: optional(text),
  ownsKvMount: optional(flag),
  casRequired: optional(flag),
  keepsValues: optional(flag),
  managedValues: optional(given),
  connection: like(["apply"], "give an Output, as pulumi.output({ address, token })"),
  resourceOptions: optional(vaultResourceOptions),
  vaultCommand: optional(text),
  writeCommand: optional(given),
  onMissingSecrets: optional(given),
};

/** What Vault cannot hold of a table. */
function problemsOf({ table: { rows }, paths = new VaultPaths() }: VaultAccessArgs): Problem[] {
  const { kvMount, databaseMount } = paths;
  return [...findVaultMountProblems({ kvMount, databaseMount, rows }), ...findVaultRowProblems(rows)];
}
