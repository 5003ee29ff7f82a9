import { passwordTable } from "../../../../../constructs/kubernetes/postgres/password";
import { readPolicy } from "../../../../../constructs/stores/vault/policy";
import { postgresName, postgresRole } from "../../../../config/database";
import type { VaultEnvironment } from "../../../../config/environment";
import { stackPolicyName, writerPolicyName } from "../../../../config/names";
import { loginMount } from "../../../../config/stores/vault/login";
import { vaultPaths } from "../../../../config/stores/vault/server";
import { without } from "../../../../config/without";
import type { Origin } from "../../../access/origin";
import type { ServiceAccounts, StoreChanger, StoreReader } from "../../../access/store-readers";
import { operatorPolicy } from "../rights";
import { isCurrent } from "../stack-policy";
import { Acl, mayMatch, type NamedPolicy } from "./acl";
import { textsIn, type VaultAccess, type VaultLogin } from "./vault-access";

/** Who can read a path by Vault's policies. */
export function readersOf(environment: VaultEnvironment, access: VaultAccess, path: string): StoreReader[] {
  return whoMay(environment, access, path, ["read"]);
}

/** Who can change who reads: what lets pods in, and what gives them or others a policy. */
export function changersOf(environment: VaultEnvironment, access: VaultAccess): StoreChanger[] {
  const changers = new Map<string, StoreChanger>();
  for (const { may, path, capability } of changesOf(environment)) {
    for (const reader of whoMay(environment, access, path, [capability])) {
      const found = without(reader, "serviceAccounts");
      const key = `${found.who} ${found.by}`;
      const known = changers.get(key);
      changers.set(key, {
        ...found,
        policies: [...new Set([...(known?.policies ?? []), ...found.policies])],
        certain: found.certain || known?.certain === true,
        conditions: [...new Set([...(known?.conditions ?? []), ...found.conditions])],
        origin: known?.origin === "others" ? "others" : found.origin,
        may: [...new Set([...(known?.may ?? []), may])],
      });
    }
  }
  return [...changers.values()];
}

interface Change {
  readonly may: string;
  readonly path: string;
  readonly capability: string;
}

/** The writes that change who reads, each as one that makes and as one that changes. */
function changesOf(environment: VaultEnvironment): Change[] {
  const mount = loginMount(environment);
  const roles = ownRoles(environment).map(({ role }) => role);
  const writes = [
    ...roles.flatMap((role) => [
      { may: `writes the policy ${role}`, path: `sys/policies/acl/${role}` },
      { may: `writes the policy ${role}`, path: `sys/policy/${role}` }, // Vault's older path
      { may: `changes who gets in by the role ${role}`, path: `auth/${mount}/role/${role}` },
    ]),
    { may: `changes whose tokens auth/${mount} takes`, path: `auth/${mount}/config` },
    { may: "gives entities policies", path: "identity/entity" },
    { may: "gives groups policies", path: "identity/group" },
  ];
  return [
    ...writes.flatMap((write) => ["create", "update"].map((capability) => ({ ...write, capability }))),
    // Without sudo a token makes such alone as have no more than itself.
    { may: "makes tokens with any policy", path: "auth/token/create", capability: "sudo" },
  ];
}

/** Who may do something at a path: by a login, as somebody whom Vault knows by name, or with a token. */
function whoMay(
  environment: VaultEnvironment,
  access: VaultAccess,
  path: string,
  capabilities: readonly string[],
): StoreReader[] {
  const byLogin = access.logins.flatMap((login) =>
    mayBy(access, login.policies, path, capabilities).map((read): StoreReader => ({
      ...whoLogsIn(environment, login),
      by: `${login.kind} ${login.name} of auth/${login.mount}`,
      ...read,
      origin: isOwnLogin(environment, access, login) ? "stack" : "others",
    })),
  );
  const byIdentity = access.identities.flatMap(({ kind, name, policies }) =>
    mayBy(access, policies, path, capabilities).map((read): StoreReader => ({
      who: `${kind} ${name}`,
      by: `its policies in Vault`,
      ...read,
      origin: originOf(environment, access, read.policies),
    })),
  );
  const named = new Set([...byLogin, ...byIdentity].flatMap(({ policies }) => policies));
  const byToken = [...access.policies.keys()]
    .filter((name) => name !== "root" && !named.has(name))
    .flatMap((name) =>
      mayBy(access, [name], path, capabilities).map((read): StoreReader => ({
        who: `whoever has a token with the policy ${name}`,
        by: "no login that was read",
        ...read,
        origin: originOf(environment, access, [name]),
      })),
    );
  return [...byLogin, ...byIdentity, ...byToken];
}

/** How policies together give one of some capabilities at a path; none where they do not. */
function mayBy(
  access: VaultAccess,
  names: readonly string[],
  path: string,
  capabilities: readonly string[],
): Pick<StoreReader, "policies" | "certain" | "conditions">[] {
  const policies = names.flatMap((name): NamedPolicy[] => {
    const found = access.policies.get(name);
    return found === undefined ? [] : [found];
  });
  const granted = new Acl(policies).at(path);
  const by = [...new Set([...capabilities, "root"].flatMap((each) => granted.by.get(each) ?? []))];
  if (by.length > 0) return [{ policies: by, certain: true, conditions: granted.conditions }];
  const may = [...new Set(capabilities.flatMap((each) => mayMatch(policies, path, each)))];
  if (may.length === 0) return [];
  return [{ policies: may, certain: false, conditions: ["only where the policy's template gives this path"] }];
}

function whoLogsIn(environment: VaultEnvironment, login: VaultLogin): Pick<StoreReader, "who" | "serviceAccounts"> {
  const accounts = serviceAccountsOf(login);
  if (accounts === undefined) return { who: whoOf(login) };
  const all = accounts.namespaces.flatMap((namespace) => accounts.names.map((name) => `${namespace}/${name}`));
  const who = `ServiceAccount ${all.join(", ")}`;
  // Another mount may check the tokens of another cluster.
  if (login.mount !== loginMount(environment)) return { who: `${who} of the cluster of auth/${login.mount}` };
  return { who, serviceAccounts: accounts };
}

/** The ServiceAccounts that a role lets in; none where it is bound to something else. */
function serviceAccountsOf({ type, data }: VaultLogin): ServiceAccounts | undefined {
  if (type === "kubernetes") {
    const selector = data.bound_service_account_namespace_selector;
    const isSelected = typeof selector === "string" && selector !== "";
    return {
      // Which namespaces have the labels changes from day to day.
      namespaces: isSelected ? ["*"] : textsIn(data.bound_service_account_namespaces),
      names: textsIn(data.bound_service_account_names),
    };
  }
  const claims = Object(data.bound_claims) as Record<string, unknown>;
  const subjects = [...textsIn(data.bound_subject), ...textsIn(claims.sub)];
  const accounts = subjects.map((each) => /^system:serviceaccount:([^:]+):([^:]+)$/.exec(each));
  const [first] = accounts;
  if (accounts.length !== 1 || first === null || first === undefined) return undefined;
  return { namespaces: [first[1]!], names: [first[2]!] };
}

function whoOf({ type, kind, name, mount, data }: VaultLogin): string {
  if (kind !== "role") return `${kind === "users" ? "user" : kind === "groups" ? "group" : "certificate"} ${name}`;
  if (type === "approle") return `whoever has a secret of AppRole ${name}`;
  const claims = JSON.stringify(data.bound_claims ?? {});
  const subject = textsIn(data.bound_subject);
  const bound = [...subject.map((each) => `subject ${each}`), ...(claims === "{}" ? [] : [`claims ${claims}`])];
  return `whoever auth/${mount} lets in by role ${name}${bound.length === 0 ? "" : `: ${bound.join(", ")}`}`;
}

/** A role of the environment's pods, as the stack makes it. */
interface OwnRole {
  readonly role: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly policy: string;
}

function ownRoles(environment: VaultEnvironment): OwnRole[] {
  return [environment, ...environment.tenants].flatMap((each) => {
    const { vault, table, aidbox, namespaces, database } = each;
    const paths = vaultPaths(each);
    return [
      {
        role: vault.role,
        namespace: namespaces.aidbox,
        serviceAccount: aidbox.name,
        policy: readPolicy(table, paths),
      },
      ...(database?.mode === "development"
        ? [
            {
              role: postgresRole(each),
              namespace: namespaces.aidbox,
              serviceAccount: postgresName(aidbox.name),
              policy: readPolicy(passwordTable(table), paths),
            },
          ]
        : []),
    ];
  });
}

/** Whether a login is one that the stack or `vault:grant` makes, and as they make it. */
function isOwnLogin(environment: VaultEnvironment, access: VaultAccess, login: VaultLogin): boolean {
  const policies = login.policies.filter((name) => name !== "default");
  if (policies.some((name) => originOf(environment, access, [name]) !== "stack")) return false;
  const own = ownRoles(environment).find(({ role }) => role === login.name);
  if (login.mount !== loginMount(environment)) return policies.join() === writerPolicyName(environment);
  const accounts = serviceAccountsOf(login);
  return (
    own !== undefined &&
    policies.join() === own.role &&
    accounts?.namespaces.join() === own.namespace &&
    accounts.names.join() === own.serviceAccount
  );
}

/** Whether all policies say what the stack or `vault:grant` writes. */
function originOf(environment: VaultEnvironment, { policies }: VaultAccess, names: readonly string[]): Origin {
  const isOwn = (name: string): boolean => {
    const text = policies.get(name)?.text ?? "";
    if (name === stackPolicyName(environment)) return isCurrent(environment, text);
    const writer = [environment, ...environment.tenants].find((each) => writerPolicyName(each) === name);
    if (writer !== undefined) return text.trim() === operatorPolicy(writer, "writer").trim();
    const own = ownRoles(environment).find(({ role }) => role === name);
    return own !== undefined && withoutMark(text) === own.policy.trim();
  };
  return names.every(isOwn) ? "stack" : "others";
}

function withoutMark(text: string): string {
  return text.replace(/^# aidbox-secrets: .*/, "").trim();
}
