import * as pulumi from "@pulumi/pulumi";
import { Policy } from "@pulumi/vault/policy";
import { given, oneOf, optional, refuseProps, text } from "../../check-props";
import { snapshotPolicy } from "../../stores/vault/policy";
import { createRole, type LoginRole, loginRole, type PodLogin, vaultResourceOptions } from "./login";

/** Who may take snapshots of Vault's storage. */
export interface VaultSnapshotAccessArgs {
  /** How pods log in. */
  readonly method: PodLogin["method"];
  /** Path of the auth mount, without `auth/`. */
  readonly authMount: pulumi.Input<string>;
  /** Who may log in; the policy is made here, and has the role's name. */
  readonly role: Omit<LoginRole, "policy" | "onlyThisPolicy">;
  /**
   * Comment in the first line of the policy, by which its owner knows it again.
   * @default - none
   */
  readonly policyMark?: string;
  /**
   * Options of every resource in Vault, as `deletedWith` the Helm release of a Vault that goes with the stack.
   * @default - none
   */
  readonly resourceOptions?: Pick<pulumi.CustomResourceOptions, "deletedWith" | "replacementTrigger">;
}

/**
 * What Vault's API holds for its snapshots: a policy that reads `sys/storage/raft/snapshot` and nothing else, and the role
 * bound to one ServiceAccount. Pass a Vault provider in `opts`.
 */
export class VaultSnapshotAccess extends pulumi.ComponentResource {
  /** The role, by which a pod can log in once it is there. */
  public readonly role: pulumi.Resource;

  public constructor(name: string, args: VaultSnapshotAccessArgs, opts?: pulumi.ComponentResourceOptions) {
    refuseProps(`VaultSnapshotAccess ${name}`, args, checks);
    super("aidbox-secrets:vault:VaultSnapshotAccess", name, {}, opts);
    const options = { parent: this, deleteBeforeReplace: true, ...args.resourceOptions };
    const policy = new Policy(
      `${name}-policy`,
      { name: args.role.name, policy: snapshotPolicy(args.policyMark) },
      options,
    );
    const role = { ...args.role, policy: policy.name, onlyThisPolicy: true };
    this.role = createRole(name, args.method, args.authMount, role, options);
    this.registerOutputs();
  }
}

const checks = {
  method: oneOf("kubernetes", "jwt"),
  authMount: given,
  role: loginRole,
  policyMark: optional(text),
  resourceOptions: optional(vaultResourceOptions),
};
