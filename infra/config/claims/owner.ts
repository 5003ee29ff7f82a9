import type { Claim, Origin } from "./claim";
import type { Named } from "./named";

/** One Aidbox of a stack, and how its names come about. */
export interface Claimant {
  readonly aidbox: Named;
  /** `the first Aidbox`, or `tenant north`. */
  readonly owner: string;
  /** Key of the config below which it is described, with its dot; empty for the first. */
  readonly prefix: string;
}

/** The Aidboxes of a stack, the first and then its tenants. */
export function claimantsOf(stack: Named): Claimant[] {
  const names = stack.tenants.map(({ tenant }) => tenant);
  const tenants = stack.tenants.map((aidbox, index) => ({
    aidbox,
    // Two of one name are two owners.
    owner:
      names.indexOf(aidbox.tenant) < index || aidbox.tenant === undefined
        ? `tenants[${index}]`
        : `tenant ${aidbox.tenant}`,
    prefix: `tenants[${index}].`,
  }));
  return [{ aidbox: stack, owner: "the first Aidbox", prefix: "" }, ...tenants];
}

const ownFix = "give each its own";

/** Where the names in Vault of an Aidbox come from. */
export function roleOrigin({ aidbox, prefix }: Claimant): Origin {
  return prefix === ""
    ? { key: "vault.role", value: aidbox.vault?.role ?? "", fix: "write another name" }
    : { key: `${prefix}name`, value: aidbox.tenant ?? "", fix: "write another name" };
}

/** Where an Aidbox's namespace comes from. */
export function namespaceOrigin({ aidbox, prefix }: Claimant): Origin {
  const namespace = aidbox.namespaces.aidbox ?? "";
  if (prefix === "") return { key: "namespaces.aidbox", value: namespace, fix: ownFix };
  return aidbox.tenant !== undefined && namespace === defaultNamespace(aidbox.tenant)
    ? { key: `${prefix}name`, value: aidbox.tenant, fix: "write another name, or a namespace" }
    : { key: `${prefix}namespace`, value: namespace, fix: ownFix };
}

/** Namespace of a tenant that says none. */
export function defaultNamespace(tenant: string): string {
  return `aidbox-${tenant}`;
}

/** A claim of a name that may not be known. */
export type MaybeClaim = Omit<Claim, "name"> & { readonly name: string | undefined };

export function isKnown(claim: MaybeClaim): claim is Claim {
  return claim.name !== undefined;
}
