import { postgresRole } from "../database";
import { accessName, snapshotsRole, stackPolicyName, writerPolicyName } from "../names";
import type { Claim } from "./claim";
import { type Named, nothingInVault, otherStoreOf } from "./named";
import { type Claimant, claimantsOf, isKnown, type MaybeClaim, roleOrigin } from "./owner";

/** The names in Vault. */
export function vaultClaims(stack: Named): Claim[] {
  if (otherStoreOf(stack) !== undefined) return [];
  const claimants = claimantsOf(stack);
  return [
    ...mounts(stack),
    ...stackPolicy(stack),
    ...snapshots(stack),
    ...claimants.flatMap(access),
    ...claimants.flatMap(values),
  ].filter(isKnown);
}

function mounts({ vault = nothingInVault }: Named): MaybeClaim[] {
  const { path } = vault.kvMount;
  const auth = vault.login?.mount ?? "kubernetes";
  const { method = "token", mount: operators = "aidbox-operators" } = vault.operators ?? {};
  const fix = "write another path";
  return [
    {
      ...{ kind: "mount", scope: "Vault", owner: "the KV v2 mount", name: path },
      from: { key: "vault.kvMount.path", value: path ?? "", fix },
    },
    {
      ...{ kind: "auth mount", scope: "Vault", owner: "the pods' logins", name: auth },
      from: { key: "vault.login.mount", value: auth, fix },
    },
    {
      ...{ kind: "auth mount", scope: "Vault", owner: "the operators' logins" },
      name: method === "token" ? undefined : operators,
      from: { key: "vault.operators.mount", value: operators, fix },
    },
  ];
}

/** A Vault in dev mode has its root token alone. */
function stackPolicy({ vault = nothingInVault }: Named): MaybeClaim[] {
  if (vault.mode === "dev" || vault.role === undefined) return [];
  return [
    {
      ...{ kind: "Vault policy", scope: "Vault", owner: "the stack's own token" },
      name: stackPolicyName({ vault: { role: vault.role } }),
      from: { key: "vault.role", value: vault.role, fix: "write another name" },
    },
  ];
}

/** The role of the pods that take snapshots, with a policy of its name. */
function snapshots({ vault = nothingInVault }: Named): MaybeClaim[] {
  if (vault.snapshots === undefined || vault.role === undefined) return [];
  const name = snapshotsRole({ vault: { role: vault.role } });
  const owner = "Vault's snapshots";
  const from = { key: "vault.role", value: vault.role, fix: "write another name" };
  return [
    { kind: "Vault policy", scope: "Vault", owner, name, from },
    { kind: "Vault role", scope: "auth mount", owner, name, from },
  ];
}

/** A role for each login, with a policy of its name. */
function access(claimant: Claimant): MaybeClaim[] {
  const { vault = nothingInVault, database } = claimant.aidbox;
  const from = roleOrigin(claimant);
  const { owner } = claimant;
  const logins = [
    { owner, role: vault.role, resources: resourcePrefix(claimant) },
    ...(database?.mode === "development" && vault.role !== undefined
      ? [
          {
            owner: `the PostgreSQL of ${owner}`,
            role: postgresRole({ vault: { role: vault.role } }),
            resources: `${resourcePrefix(claimant)}-${postgresRole({ vault: { role: vault.role } })}`,
          },
        ]
      : []),
  ];
  // A Vault in dev mode has its root token alone.
  const writers: MaybeClaim[] =
    vault.mode === "dev" || vault.role === undefined
      ? []
      : [
          {
            ...{ kind: "Vault policy", scope: "Vault", owner: `the writers of ${owner}` },
            name: writerPolicyName({ vault: { role: vault.role } }),
            from,
          },
        ];
  const roles = logins.flatMap((login): MaybeClaim[] => [
    { kind: "Vault policy", scope: "Vault", owner: login.owner, name: login.role, from },
    { kind: "Vault role", scope: "auth mount", owner: login.owner, name: login.role, from },
    { kind: "resource of the state", scope: "VaultAccess", owner: login.owner, name: login.resources, from },
  ]);
  return [...roles, ...writers];
}

/** What Pulumi's names of an Aidbox's policies and roles begin with. */
function resourcePrefix({ aidbox, prefix }: Claimant): string | undefined {
  return prefix === "" || aidbox.tenant !== undefined ? accessName({ tenant: aidbox.tenant }) : undefined;
}

/** Where values lie: whoever may read a path reads all that is there. */
function values({ aidbox, owner, prefix }: Claimant): MaybeClaim[] {
  const { vault = nothingInVault, table } = aidbox;
  return table.secrets.map(({ path, source }, index): MaybeClaim => {
    const from = {
      key: `${prefix}secrets[${index}].path`,
      value: path,
      fix: "each reads all that is there, so give each its own",
    };
    return source === "database"
      ? { kind: "static role", scope: `database mount ${vault.databaseMount ?? ""}`, name: path, owner, from }
      : { kind: "path", scope: `KV mount ${vault.kvMount.path ?? ""}`, name: path, owner, from };
  });
}
