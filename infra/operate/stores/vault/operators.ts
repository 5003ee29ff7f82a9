import { randomBytes } from "node:crypto";
import { settle } from "../../../../constructs/settle";
import { shellCommand } from "../../../../constructs/shell-command";
import type { VaultClient } from "../../../../constructs/stores/vault/api/client";
import type { VaultEnvironment } from "../../../config/environment";
import { policyMark, vaultCommand, writerPolicyName } from "../../../config/names";
import { seconds } from "../../../config/quantity";
import { InvalidRequestError } from "../../errors";
import { uninterrupted } from "./uninterrupted";

export type OperatorLogin = NonNullable<
  Extract<VaultEnvironment["vault"], { readonly operators: unknown }>["operators"]
>;

/** What operators log in with, as far as it was made just now: it exists nowhere else. */
export type OperatorCredentials =
  | { readonly method: "token"; readonly token: string }
  | { readonly method: "userpass"; readonly user: string; readonly password: string }
  | { readonly method: "approle"; readonly roleId: string; readonly secretId: string };

/** Variable with the secret of Vault's client at the operators' OIDC provider. */
export const oidcSecretVariable = "VAULT_OIDC_CLIENT_SECRET";

/** Where `vault login` waits for the provider's answer. */
const vaultLoginUri = "http://localhost:8250/oidc/callback";

/** Life of the operators' token without a use of it by one of the commands, which renew it. */
const tokenPeriod = "768h";

/** How the environment's operators log in. */
export function operatorLogin({ vault }: VaultEnvironment): OperatorLogin {
  return vault.mode === "dev" ? { method: "token" } : vault.operators;
}

/** How an operator gets a token, by Vault's command line; those who have one of the operators' already need none. */
export function loginCommand(environment: VaultEnvironment): string | undefined {
  const login = operatorLogin(environment);
  if (login.method === "token") return undefined;
  const vault = vaultCommand(environment);
  const words = {
    userpass: ["login", "-no-store", "-field=token", "-method=userpass", `-path=${login.mount}`, "username=NAME"],
    oidc: ["login", "-no-store", "-field=token", "-method=oidc", `-path=${login.mount}`],
    approle: ["write", "-field=token", `auth/${login.mount}/login`, "role_id=ROLE_ID", "secret_id=-"],
  };
  return `${vault} ${shellCommand(...words[login.method])}`;
}

/** @throws InvalidRequestError where something is lacking that the operators' access is made with */
export function assertOperatorSecrets(environment: VaultEnvironment): void {
  if (operatorLogin(environment).method !== "oidc" || process.env[oidcSecretVariable]) return;
  throw new InvalidRequestError(
    `the operators log in by OIDC: set ${oidcSecretVariable} to the secret of Vault's client at their provider`,
  );
}

/** Sets up the auth method by which operators log in as writers. What is there already, it brings up to date. */
export async function setUpOperators(root: VaultClient, environment: VaultEnvironment): Promise<void> {
  const login = operatorLogin(environment);
  if (login.method === "token") return;
  await enable(root, environment, login.mount, login.method);
  const mount = `auth/${login.mount}`;
  const token = tokenFields(environment, login.ttl);
  switch (login.method) {
    case "userpass":
      // Those who are there keep their passwords.
      for (const user of await usersOf(root, login.mount)) {
        if (login.users.includes(user)) await root.request("POST", `${mount}/users/${user}`, { body: token });
      }
      return;
    case "approle":
      await root.request("POST", `${mount}/role/${writerPolicyName(environment)}`, { body: token });
      return;
    case "oidc":
      await root.request("POST", `${mount}/config`, {
        body: {
          oidc_discovery_url: login.discoveryUrl,
          oidc_discovery_ca_pem: login.discoveryCa ?? "",
          oidc_client_id: login.clientId,
          oidc_client_secret: process.env[oidcSecretVariable],
          default_role: writerPolicyName(environment),
        },
      });
      await root.request("POST", `${mount}/role/${writerPolicyName(environment)}`, {
        body: {
          ...token,
          role_type: "oidc",
          user_claim: login.userClaim,
          groups_claim: login.groupsClaim,
          bound_claims: { [login.groupsClaim]: login.groups },
          allowed_redirect_uris: login.redirectUris ?? [vaultLoginUri],
        },
      });
  }
}

/**
 * Makes what operators log in with, and hands each over before anything else can fail.
 *
 * @param anew whether those who have it already get another one; users keep their passwords in any case
 */
export async function makeOperatorCredentials(
  root: VaultClient,
  environment: VaultEnvironment,
  anew: boolean,
  onCredentials: (credentials: OperatorCredentials) => void,
): Promise<void> {
  const login = operatorLogin(environment);
  if (login.method === "userpass") {
    const present = await usersOf(root, login.mount);
    for (const user of login.users.filter((each) => !present.includes(each))) {
      await uninterrupted(async () => {
        const password = randomBytes(18).toString("base64url");
        const body = { ...tokenFields(environment, login.ttl), password };
        // A user of whom nobody has the password would keep it.
        await settle({
          what: `user ${user} of auth/${login.mount}`,
          write: async () => {
            await root.request("POST", `auth/${login.mount}/users/${user}`, { body });
            return true;
          },
          lookUp: async () => (await usersOf(root, login.mount)).includes(user) || undefined,
        });
        onCredentials({ method: "userpass", user, password });
      });
    }
  }
  if (login.method === "approle" && anew) {
    const role = `auth/${login.mount}/role/${writerPolicyName(environment)}`;
    const { role_id } = (await root.read(`${role}/role-id`)) as { role_id: string };
    await uninterrupted(async () => {
      const { data } = (await root.request("POST", `${role}/secret-id`, { body: {} })) as {
        data: { secret_id: string };
      };
      onCredentials({ method: "approle", roleId: role_id, secretId: data.secret_id });
    });
  }
  if (login.method === "token" && anew) {
    await uninterrupted(async () => {
      const { auth } = (await root.request("POST", "auth/token/create-orphan", {
        body: {
          policies: writerPolicies(environment),
          no_default_policy: true,
          period: tokenPeriod,
          display_name: "aidbox-secrets-writer",
        },
      })) as { auth: { client_token: string } };
      onCredentials({ method: "token", token: auth.client_token });
    });
  }
}

/** Users of the operators' mount whom the config does not name, and who can log in all the same. */
export async function strangers(root: VaultClient, environment: VaultEnvironment): Promise<string[]> {
  const login = operatorLogin(environment);
  if (login.method !== "userpass") return [];
  return (await usersOf(root, login.mount)).filter((user) => !login.users.includes(user));
}

/** The policies of who writes the secrets of all the stack's Aidboxes. */
export function writerPolicies(environment: VaultEnvironment): string[] {
  return [environment, ...environment.tenants].map(writerPolicyName);
}

function tokenFields(environment: VaultEnvironment, ttl: string): object {
  return {
    token_policies: writerPolicies(environment),
    token_no_default_policy: true,
    token_ttl: seconds(ttl),
    token_explicit_max_ttl: seconds(ttl),
  };
}

async function enable(root: VaultClient, environment: VaultEnvironment, mount: string, type: string): Promise<void> {
  const mounts = (await root.read("sys/auth")) ?? {};
  const present = mounts[`${mount}/`] as { type: string; description: string } | undefined;
  const description = policyMark(environment);
  if (present === undefined) {
    await root.request("POST", `sys/auth/${mount}`, { body: { type, description } });
    return;
  }
  if (present.type !== type || present.description !== description) {
    throw new InvalidRequestError(
      `auth/${mount} is there already, of type ${present.type}, and not as this stack's: write another vault.operators.mount`,
    );
  }
}

async function usersOf(root: VaultClient, mount: string): Promise<readonly string[]> {
  const { keys = [] } = ((await root.read(`auth/${mount}/users?list=true`)) ?? {}) as { keys?: string[] };
  return keys;
}
