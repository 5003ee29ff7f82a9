import { AuthBackend } from "@pulumi/vault/authBackend";
import * as jwt from "@pulumi/vault/jwt";
import * as kubernetes from "@pulumi/vault/kubernetes";
import type * as pulumi from "@pulumi/pulumi";

/** How Vault checks the token with which a pod logs in. */
export type PodLogin =
  | {
      /**
       * Vault asks the API server (TokenReview) with its own ServiceAccount, so it must run in the cluster: with another
       * token than its own the API server refuses a custom audience (hashicorp/vault-secrets-operator#379).
       */
      readonly method: "kubernetes";
      /** Path of the auth mount, without `auth/`. @default "kubernetes" */
      readonly mount?: string;
      /** URL of the API server as seen from Vault. @default "https://kubernetes.default.svc" */
      readonly apiServer?: pulumi.Input<string>;
    }
  | {
      /** Vault checks the token's signature itself, so it may run anywhere. */
      readonly method: "jwt";
      /** Path of the auth mount, without `auth/`. @default "kubernetes" */
      readonly mount?: string;
      readonly keys: SigningKeys;
      /** Issuer of the cluster's ServiceAccount tokens. @default - any */
      readonly issuer?: pulumi.Input<string>;
    };

/** The keys with which the cluster signs ServiceAccount tokens. */
export type SigningKeys =
  | { readonly publicKeys: pulumi.Input<pulumi.Input<string>[]> }
  | {
      /** URL of the cluster's OIDC discovery, reachable from Vault. */
      readonly discoveryUrl: pulumi.Input<string>;
      /** CA of that URL, PEM. @default - the CAs of Vault's host */
      readonly discoveryCa?: pulumi.Input<string>;
    };

/** Who may log in, and what the login is worth. */
export interface LoginRole {
  readonly name: string;
  readonly policy: pulumi.Input<string>;
  /** The one ServiceAccount that may log in, and its namespace. */
  readonly serviceAccount: string;
  readonly namespace: string;
  /** Audience that the pod's token must have. */
  readonly audience: string;
  /** Life of the login's Vault token, in seconds. */
  readonly ttlSeconds: number;
}

export function loginMount(login: PodLogin): string {
  return login.mount ?? "kubernetes";
}

/** The auth mount, its configuration and the role, as resources with the given options. */
export function createLogin(
  name: string,
  login: PodLogin,
  role: LoginRole,
  opts: pulumi.CustomResourceOptions,
): pulumi.Resource[] {
  return login.method === "kubernetes"
    ? createKubernetesLogin(name, login, role, opts)
    : createJwtLogin(name, login, role, opts);
}

function createKubernetesLogin(
  name: string,
  login: PodLogin & { method: "kubernetes" },
  role: LoginRole,
  opts: pulumi.CustomResourceOptions,
): pulumi.Resource[] {
  const mount = new AuthBackend(`${name}-auth`, { type: "kubernetes", path: loginMount(login) }, opts);
  // Without a stored reviewer token and CA Vault reads its own anew, so they cannot grow stale.
  const config = new kubernetes.AuthBackendConfig(
    `${name}-auth-config`,
    {
      backend: mount.path,
      kubernetesHost: login.apiServer ?? "https://kubernetes.default.svc",
    },
    opts,
  );
  const bound = new kubernetes.AuthBackendRole(
    `${name}-role`,
    {
      backend: mount.path,
      roleName: role.name,
      boundServiceAccountNames: [role.serviceAccount],
      boundServiceAccountNamespaces: [role.namespace],
      audience: role.audience,
      tokenPolicies: [role.policy],
      tokenTtl: role.ttlSeconds,
    },
    opts,
  );
  return [mount, config, bound];
}

function createJwtLogin(
  name: string,
  login: PodLogin & { method: "jwt" },
  role: LoginRole,
  opts: pulumi.CustomResourceOptions,
): pulumi.Resource[] {
  const mount = new jwt.AuthBackend(
    `${name}-auth`,
    {
      type: "jwt",
      path: loginMount(login),
      boundIssuer: login.issuer,
      ...("publicKeys" in login.keys
        ? { jwtValidationPubkeys: login.keys.publicKeys }
        : {
            oidcDiscoveryUrl: login.keys.discoveryUrl,
            oidcDiscoveryCaPem: login.keys.discoveryCa,
          }),
    },
    opts,
  );
  const bound = new jwt.AuthBackendRole(
    `${name}-role`,
    {
      backend: mount.path.apply((path) => path ?? loginMount(login)),
      roleName: role.name,
      roleType: "jwt",
      userClaim: "sub",
      boundSubject: `system:serviceaccount:${role.namespace}:${role.serviceAccount}`,
      boundAudiences: [role.audience],
      tokenPolicies: [role.policy],
      tokenTtl: role.ttlSeconds,
    },
    opts,
  );
  return [mount, bound];
}
