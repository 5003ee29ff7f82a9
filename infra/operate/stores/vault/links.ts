import { isDeepStrictEqual } from "node:util";
import { passwordVariable } from "../../../../constructs/kubernetes/database/variables";
import type { Secret } from "../../../../constructs/secrets/index";
import { shellCommand } from "../../../../constructs/shell-command";
import { type VaultClient, VaultError } from "../../../../constructs/stores/vault/api/client";
import {
  DatabaseMount,
  enableEngineCommand,
  makeRoleCommand,
} from "../../../../constructs/stores/vault/api/database-mount";
import { NotKvV2Error } from "../../../../constructs/stores/vault/api/kv-version";
import { writeKeypairCommand } from "../../../../constructs/stores/vault/keypair-command";
import { reviewerBindingName } from "../../../../constructs/stores/vault/names";
import { readPolicy } from "../../../../constructs/stores/vault/policy";
import { ownCommand } from "../../../config/command-line";
import { policyMark, vaultCommand } from "../../../config/names";
import { seconds } from "../../../config/quantity";
import { loginMount, ownsAuthMount, podLogin } from "../../../config/stores/vault/login";
import { vaultPaths } from "../../../config/stores/vault/server";
import { mendDrift } from "../../hints";
import { BrokenLinkError, type Link, secretLink } from "../../link";
import { PermissionDeniedError } from "../../permission-denied";
import type { CurrentValues } from "../../store-operator";
import { contentOf, loginAsPod, readStored } from "./pod-login";
import { checkVault } from "./server-link";
import type { VaultSession } from "./session";

/** A login as a pod's, once it is there; whoever holds it ends it. */
export interface PodLoginHolder {
  login?: VaultClient;
}

/**
 * Vault, and what it holds for the table.
 *
 * @param values takes the current values, read as a pod reads them
 * @param pod takes the login by which they are read
 */
export function vaultLinks(session: VaultSession, values: CurrentValues, pod: PodLoginHolder): Link[] {
  const { environment } = session;
  const { table, vault, namespaces, aidbox } = environment;
  const mount = loginMount(environment);
  return [
    {
      name: "vault",
      checks: "Vault is reachable, initialised and unsealed",
      needs: ["cluster"],
      check: () => checkVault(session),
    },
    {
      name: "auth",
      checks: ownsAuthMount(environment)
        ? `auth/${mount} checks this cluster's tokens, without a stored token of a reviewer`
        : `auth/${mount}, which is not this stack's, is there`,
      needs: ["vault"],
      check: () => checkAuth(session),
    },
    {
      name: "role",
      checks: `role ${vault.role} is bound to ${namespaces.aidbox}/${aidbox.name}, audience ${vault.audience}`,
      needs: ["auth"],
      check: () => checkRole(session),
    },
    {
      name: "policy",
      checks: `policy ${vault.role} reads the table's paths and no others`,
      needs: ["vault"],
      check: () => checkPolicy(session),
    },
    ...table.secrets.map((secret): Link => ({
      name: secretLink(secret),
      checks:
        secret.source === "database"
          ? `static role ${secret.path} of ${vaultPaths(environment).databaseMount} has a password`
          : `${vaultPaths(environment).operator(secret)} has the key ${secret.key}`,
      needs: ["vault"],
      check: () => (secret.source === "database" ? checkStaticRole(session, secret) : checkSecret(session, secret)),
    })),
    {
      name: "login",
      checks: "a token as the pods have it logs in",
      needs: ["role"],
      suffersFrom: ["vault clock"],
      check: async () => {
        pod.login = await logIn(session);
        return `logged in as ${namespaces.aidbox}/${aidbox.name}`;
      },
    },
    {
      name: "access",
      checks: "that login reads each path of the table, and is refused one beside each",
      needs: ["login", "policy", ...table.secrets.map(secretLink)],
      check: () => {
        if (pod.login === undefined)
          throw new PermissionDeniedError("that of the login, without which nothing can be read");
        return checkAccess(session, pod.login, values);
      },
    },
  ];
}

async function checkAuth(session: VaultSession): Promise<string> {
  const { environment } = session;
  const login = podLogin(environment);
  const mount = loginMount(environment);
  const fix = mendDrift(environment);
  if (!ownsAuthMount(environment)) {
    // What its owner has set may not be this stack's to read. Whether it checks this cluster's tokens, the login shows.
    if (!(await (await session.anonymousVault()).hasAuthMount(mount))) {
      throw new BrokenLinkError(`auth/${mount} is not enabled`, "ask its owner, or write vault.login.owned: true");
    }
    return "somebody else's, and there";
  }
  const config = await readOrExplain(session, `auth/${mount}/config`, `auth/${mount} is not enabled`);
  if (config === undefined) throw new BrokenLinkError(`auth/${mount} is not configured`, fix);
  if (login.method === "jwt") {
    assertEqual(`bound_issuer of auth/${mount}`, config.bound_issuer, login.issuer ?? "", fix);
    const expected = login.keys ?? { publicKeys: [] };
    const keys: [string, unknown] =
      "publicKeys" in expected
        ? ["jwt_validation_pubkeys", expected.publicKeys]
        : ["oidc_discovery_url", expected.discoveryUrl];
    assertEqual(`${keys[0]} of auth/${mount}`, trimmed(config[keys[0]]), trimmed(keys[1]), fix);
    return `checks signatures with ${keys[0]}`;
  }
  const host = login.apiServer ?? "https://kubernetes.default.svc";
  assertEqual(`kubernetes_host of auth/${mount}`, config.kubernetes_host, host, fix);
  // What Pulumi's provider takes as it is in Vault: no refresh sees that somebody changed it.
  const unseen = { disable_local_ca_jwt: false, kubernetes_ca_cert: "" };
  const settings = Object.entries({ kubernetes_host: config.kubernetes_host, ...unseen });
  const words = settings.map(([key, value]) => `${key}=${String(value)}`);
  const rewrite = `${vaultCommand(environment)} ${shellCommand("write", `auth/${mount}/config`, ...words)}`;
  for (const [key, expected] of Object.entries({ token_reviewer_jwt_set: false, ...unseen })) {
    assertEqual(`${key} of auth/${mount}`, config[key] ?? expected, expected, rewrite);
  }
  return "asks this cluster's API server, no stored reviewer token";
}

async function checkRole(session: VaultSession): Promise<string> {
  const { environment } = session;
  const { vault, namespaces, aidbox } = environment;
  const tokenTtlSeconds = seconds(vault.tokenTtl);
  const fix = mendDrift(environment);
  const path = `auth/${loginMount(environment)}/role/${vault.role}`;
  const role = await readOrExplain(session, path, `auth/${loginMount(environment)} is not enabled`);
  if (role === undefined) throw new BrokenLinkError(`role ${vault.role} is gone`, fix);
  const binding: Record<string, unknown> =
    podLogin(environment).method === "jwt"
      ? {
          bound_subject: `system:serviceaccount:${namespaces.aidbox}:${aidbox.name}`,
          bound_audiences: [vault.audience],
        }
      : {
          bound_service_account_names: [aidbox.name],
          bound_service_account_namespaces: [namespaces.aidbox],
          audience: vault.audience,
        };
  for (const [key, expected] of Object.entries({
    ...binding,
    token_policies: [vault.role],
    token_ttl: tokenTtlSeconds,
    token_explicit_max_ttl: tokenTtlSeconds,
  })) {
    assertEqual(`${key} of role ${vault.role}`, role[key], expected, fix);
  }
  // What the stack never sets, and its token may not write: it makes the role anew.
  const anew = `${vaultCommand(environment)} ${shellCommand("delete", path)} && ${fix}`;
  for (const [key, expected] of Object.entries(neverSet)) {
    assertEqual(`${key} of role ${vault.role}`, role[key] ?? expected, expected, anew);
  }
  return `bound as it should be, tokens live ${tokenTtlSeconds} s`;
}

/** Fields of a role that keep pods out, or let others in. */
const neverSet = {
  bound_claims: {},
  bound_service_account_namespace_selector: "",
  token_bound_cidrs: [],
  token_num_uses: 0,
  token_period: 0,
  token_type: "default",
};

async function checkPolicy(session: VaultSession): Promise<string> {
  const { environment } = session;
  const { table, vault } = environment;
  const fix = mendDrift(environment);
  const found = await readOrExplain(session, `sys/policies/acl/${vault.role}`, `policy ${vault.role} is gone`);
  if (found === undefined) throw new BrokenLinkError(`policy ${vault.role} is gone`, fix);
  const text = String(found.policy);
  const [mark = ""] = /^# aidbox-secrets: .*/.exec(text) ?? [];
  if (mark !== "" && mark !== `# ${policyMark(environment)}`) {
    throw new BrokenLinkError(`policy ${vault.role} is that of "${mark.slice(2)}"`, fix);
  }
  if (text.slice(mark.length).trim() === readPolicy(table, vaultPaths(environment)).trim())
    return `reads ${table.paths.map((path) => vaultPaths(environment).data(path)).join(", ")}`;
  const named = [...text.matchAll(/path\s+"([^"]+)"/g)].map(([, path]) => path!);
  const wanted = table.paths.map((path) => vaultPaths(environment).data(path));
  const lacks = wanted.filter((path) => !named.includes(path));
  const extra = named.filter((path) => !wanted.includes(path));
  const differences = [
    ...(lacks.length > 0 ? [`lacks ${lacks.join(", ")}`] : []),
    ...(extra.length > 0 ? [`has ${extra.join(", ")} too`] : []),
  ];
  throw new BrokenLinkError(
    `policy ${vault.role} ${differences.join(" and ") || "gives other rights than read on the table's paths"}`,
    fix,
  );
}

async function checkSecret(session: VaultSession, secret: Secret): Promise<string> {
  const { environment } = session;
  const { table } = environment;
  const { path, key, source } = secret;
  const vault = vaultCommand(environment);
  const full = vaultPaths(environment).operator(secret);
  const keypair = table.keypairOf(secret);
  const kv = await session.kvMount();
  await session.permitted(kv.assertVersion2(path)).catch((error: unknown) => {
    if (!(error instanceof NotKvV2Error)) throw error;
    throw new BrokenLinkError(error.message, mendDrift(environment));
  });
  const history = await session.permitted(kv.history(path)).catch((error: unknown) => {
    if (!(error instanceof VaultError) || error.status !== 404) throw error;
    throw new BrokenLinkError(`there is no KV v2 mount ${vaultPaths(environment).kvMount}`, mendDrift(environment));
  });
  const current = history?.versions.get(history.current);
  const writeExternal = (): string =>
    keypair === undefined
      ? ownCommand("write", environment, secret.name)
      : writeKeypairCommand(vault, vaultPaths(environment).kvMount, keypair, history?.current ?? 0);
  const write = source === "external" ? writeExternal() : ownCommand("up", environment);
  if (history === undefined || current === undefined) {
    throw new BrokenLinkError(`${full} is not there`, write);
  }
  if (current.destroyed) {
    throw new BrokenLinkError(`version ${history.current} of ${full}, the last one, was destroyed`, write);
  }
  if (current.deletedAt !== undefined && current.deletedAt <= new Date()) {
    throw new BrokenLinkError(
      `version ${history.current} of ${full}, the last one, was deleted at ${current.deletedAt.toISOString()}`,
      `${vault} ${shellCommand("kv", "undelete", `-mount=${vaultPaths(environment).kvMount}`, `-versions=${history.current}`, path)}`,
    );
  }
  const { keys } = await session.permitted(kv.keys(path));
  if (!keys.includes(key)) {
    throw new BrokenLinkError(`version ${history.current} of ${full} has no key ${key}, but ${keys.join(", ")}`, write);
  }
  return `version ${history.current} of ${current.createdAt.toISOString()}`;
}

async function checkStaticRole(session: VaultSession, secret: Secret): Promise<string> {
  const { environment } = session;
  const { database } = environment;
  const mount = vaultPaths(environment).databaseMount;
  const vault = vaultCommand(environment);
  const name = secret.path;
  // The user of another role is another's to say.
  const user = secret.environment === passwordVariable ? database?.user : undefined;
  const make = makeRoleCommand(vault, mount, name, user);
  const remake = `${vault} ${shellCommand("delete", `${mount}/static-roles/${name}`)} && ${make}`;
  const engine = new DatabaseMount(await session.operatorVault(), mount);
  const role = await session.permitted(engine.staticRole(name)).catch((error: unknown) => {
    if (!(error instanceof VaultError) || !error.isUnmounted) throw error;
    throw new BrokenLinkError(`there is no database engine at ${mount}`, enableEngineCommand(vault, mount));
  });
  if (role === undefined) throw new BrokenLinkError(`${mount} has no static role ${name}`, make);
  if (user !== undefined && role.username !== user) {
    throw new BrokenLinkError(`static role ${name} is of user ${role.username}, and Aidbox logs in as ${user}`, remake);
  }
  if (role.credentialType !== "password") {
    throw new BrokenLinkError(`static role ${name} makes no password, but a ${role.credentialType}`, remake);
  }
  if (role.rotatedAt === undefined) {
    throw new BrokenLinkError(
      `static role ${name} has no password yet`,
      ownCommand("rotate", environment, secret.name),
    );
  }
  return `user ${role.username}, password of ${role.rotatedAt.toISOString()}`;
}

async function logIn(session: VaultSession): Promise<VaultClient> {
  const { environment } = session;
  try {
    return await loginAsPod(session);
  } catch (error) {
    // Any other answer, as of a quota or of a server without a leader, says nothing of the token.
    if (error instanceof VaultError && [400, 403].includes(error.status)) {
      const lost = await lostReviewerBinding(session);
      throw new BrokenLinkError(
        `Vault refuses a token of ${environment.namespaces.aidbox}/${environment.aidbox.name}: ` +
          (lost === undefined
            ? error.errors.join("; ")
            : `it may not check one, since ClusterRoleBinding ${lost} is gone`),
        mendDrift(environment),
      );
    }
    if (error instanceof session.api.client.ApiException && error.code === 404) {
      throw new BrokenLinkError(
        `ServiceAccount ${environment.namespaces.aidbox}/${environment.aidbox.name} is gone`,
        mendDrift(environment),
      );
    }
    throw error;
  }
}

/** Name of the binding by which a Vault in the cluster may check tokens, where it is gone; undefined where it is there, or not to be seen. */
async function lostReviewerBinding({ api, environment }: VaultSession): Promise<string | undefined> {
  if (environment.vault.mode === "external") return undefined;
  const name = reviewerBindingName(environment.vault.release);
  const rbac = api.config.makeApiClient(api.client.RbacAuthorizationV1Api);
  const found = await api.find(rbac.readClusterRoleBinding({ name })).catch(() => "not to be seen");
  return found === undefined ? name : undefined;
}

async function checkAccess(session: VaultSession, pod: VaultClient, values: CurrentValues): Promise<string> {
  const { environment } = session;
  const { table, vault } = environment;
  const fix = mendDrift(environment);
  for (const path of table.paths) {
    const read = await readStored(pod, environment, path).catch((error: unknown) => {
      if (!(error instanceof VaultError) || error.status !== 403) throw error;
      throw new BrokenLinkError(`role ${vault.role} may not read ${vaultPaths(environment).data(path)}`, fix);
    });
    for (const secret of path.secrets) {
      const value = read?.[secret.key];
      if (value !== undefined) values.set(secret.name, contentOf(environment, secret, value));
    }
    const beside = `${vaultPaths(environment).data(path)}-beside`;
    if (await mayRead(pod, beside)) {
      throw new BrokenLinkError(`role ${vault.role} may read ${beside} too, by a policy that is not this stack's`, fix);
    }
  }
  return `reads ${table.paths.length} of ${table.paths.length} paths, refused beside them`;
}

async function mayRead(pod: VaultClient, path: string): Promise<boolean> {
  try {
    await pod.read(path);
    return true;
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    if (error.status === 403) return false;
    if (error.status === 400) return true; // the policy let it through: the database engine knows no such role
    throw error;
  }
}

/** Reads as the operator; where nothing is mounted at the path, the link is broken. */
async function readOrExplain(
  session: VaultSession,
  path: string,
  unmounted: string,
): Promise<Record<string, unknown> | undefined> {
  try {
    return await session.permitted((await session.operatorVault()).read(path));
  } catch (error) {
    if (!(error instanceof VaultError) || error.status !== 404) throw error;
    throw new BrokenLinkError(unmounted, mendDrift(session.environment));
  }
}

function assertEqual(what: string, actual: unknown, expected: unknown, fix: string): void {
  if (isDeepStrictEqual(actual, expected)) return;
  throw new BrokenLinkError(`${what} is ${JSON.stringify(actual)}, and should be ${JSON.stringify(expected)}`, fix);
}

/** Text without the white space around it, as PEM blocks come back. */
function trimmed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(trimmed);
  return typeof value === "string" ? value.trim() : value;
}
