import * as pulumi from "@pulumi/pulumi";
import { AuthBackend } from "@pulumi/vault/authBackend";
import * as jwt from "@pulumi/vault/jwt";
import * as kubernetes from "@pulumi/vault/kubernetes";
import type { Duration } from "cdk8s";
import { type Check, duration, flag, given, optional, shape, text, variant } from "../../check-props";
import { mountOfLogin } from "../../stores/vault/login-mount";

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
      /** Needed where the mount is made here. @default - none, the mount is there already */
      readonly keys?: SigningKeys;
      /** Issuer of the cluster's ServiceAccount tokens. @default - any */
      readonly issuer?: pulumi.Input<string>;
    };

/** The keys with which the cluster signs ServiceAccount tokens. */
export type SigningKeys =
  | {
      /** Public keys, PEM: what `kubectl get --raw /openid/v1/jwks` has, converted. Name the next one before the cluster uses it. */
      readonly publicKeys: pulumi.Input<pulumi.Input<string>[]>;
    }
  | {
      /** URL of the cluster's OIDC discovery, reachable from Vault. */
      readonly discoveryUrl: pulumi.Input<string>;
      /** CA of that URL, PEM. @default - the CAs of Vault's host */
      readonly discoveryCa?: pulumi.Input<string>;
    };

/** Who may log in, and what the login is worth. */
export interface LoginRole {
  /** Name of the role, which the SecretProviderClass names too. */
  readonly name: string;
  /** Name of the one policy that its tokens get. */
  readonly policy: pulumi.Input<string>;
  /** The one ServiceAccount that may log in, and its namespace. */
  readonly serviceAccount: string;
  /** Namespace of the ServiceAccount. */
  readonly namespace: string;
  /** Audience that the pod's token must have. */
  readonly audience: string;
  /** Life of the login's Vault token; whole seconds. It cannot be renewed beyond that: the pod's token is checked anew. */
  readonly ttl: Duration;
  /** Whether its tokens get the one policy alone, without Vault's own for everybody. @default false */
  readonly onlyThisPolicy?: boolean;
}

const signingKeys: Check = (value) =>
  typeof value === "object" && value !== null && "discoveryUrl" in value
    ? shape<Extract<SigningKeys, { discoveryUrl: unknown }>>({ discoveryUrl: given, discoveryCa: optional(given) })(
        value,
      )
    : shape<Extract<SigningKeys, { publicKeys: unknown }>>({ publicKeys: given })(value);

/** What each way to log in has. */
export const podLogin = variant<PodLogin, "method">("method", {
  kubernetes: { mount: optional(text), apiServer: optional(given) },
  jwt: { mount: optional(text), keys: optional(signingKeys), issuer: optional(given) },
});

/** What each resource in Vault takes beside what it is. */
export const vaultResourceOptions = shape<Pick<pulumi.CustomResourceOptions, "deletedWith" | "replacementTrigger">>({
  deletedWith: optional(given),
  replacementTrigger: optional(given),
});

/** What each part of a role is whose policy is made beside it. */
export const loginRole = shape<Omit<LoginRole, "policy">>({
  name: text,
  serviceAccount: text,
  namespace: text,
  audience: text,
  ttl: duration,
  onlyThisPolicy: optional(flag),
});

/**
 * The auth mount and its configuration, as resources with the given options.
 *
 * @throws Error where the login is by `jwt` and names no keys
 */
export function createAuthMount(
  name: string,
  login: PodLogin,
  opts: pulumi.CustomResourceOptions,
): { readonly path: pulumi.Output<string>; readonly resources: pulumi.Resource[] } {
  const mount = mountOfLogin(login);
  if (login.method === "jwt") {
    if (login.keys === undefined)
      throw new Error(`auth/${mount} is made here: name the keys that sign the cluster's tokens`);
    const backend = new jwt.AuthBackend(
      `${name}-auth`,
      {
        type: "jwt",
        path: mount,
        boundIssuer: login.issuer,
        ...("publicKeys" in login.keys
          ? {
              jwtValidationPubkeys: pulumi.output(login.keys.publicKeys).apply((keys) => keys.map((key) => key.trim())),
            }
          : {
              oidcDiscoveryUrl: login.keys.discoveryUrl,
              oidcDiscoveryCaPem: login.keys.discoveryCa,
            }),
      },
      opts,
    );
    return { path: backend.path.apply((path) => path ?? mount), resources: [backend] };
  }
  const backend = new AuthBackend(`${name}-auth`, { type: "kubernetes", path: mount }, opts);
  // Without a stored reviewer token and CA Vault reads its own anew, so they cannot grow stale.
  const config = new kubernetes.AuthBackendConfig(
    `${name}-auth-config`,
    {
      backend: backend.path,
      kubernetesHost: login.apiServer ?? "https://kubernetes.default.svc",
    },
    opts,
  );
  return { path: backend.path, resources: [backend, config] };
}

/** The role of an auth mount, as a resource with the given options. */
export function createRole(
  name: string,
  method: PodLogin["method"],
  authMount: pulumi.Input<string>,
  role: LoginRole,
  opts: pulumi.CustomResourceOptions,
): pulumi.Resource {
  const common = {
    backend: authMount,
    roleName: role.name,
    tokenPolicies: [role.policy],
    tokenTtl: role.ttl.toSeconds(),
    tokenExplicitMaxTtl: role.ttl.toSeconds(),
    ...(role.onlyThisPolicy === true ? { tokenNoDefaultPolicy: true } : {}),
  };
  if (method === "jwt") {
    return new jwt.AuthBackendRole(
      `${name}-role`,
      {
        ...common,
        roleType: "jwt",
        userClaim: "sub",
        boundSubject: `system:serviceaccount:${role.namespace}:${role.serviceAccount}`,
        boundAudiences: [role.audience],
      },
      opts,
    );
  }
  return new kubernetes.AuthBackendRole(
    `${name}-role`,
    {
      ...common,
      boundServiceAccountNames: [role.serviceAccount],
      boundServiceAccountNamespaces: [role.namespace],
      audience: role.audience,
    },
    opts,
  );
}
