import { createPublicKey, createVerify, type JsonWebKey, randomBytes } from "node:crypto";
import { type AzureAnswer, type AzureRequest, entraError } from "./http";

/** Whose tokens an identity takes in place of a password. */
export interface FederatedCredential {
  readonly issuer: string;
  /** As `system:serviceaccount:aidbox:aidbox`. */
  readonly subject: string;
  /** @default "api://AzureADTokenExchange" */
  readonly audience?: string;
  /** Public keys of the issuer. @default - signatures are not looked at */
  readonly keys?: readonly JsonWebKey[];
}

/** An app registration or a managed identity. */
export interface Identity {
  readonly clientId: string;
  readonly tenantId: string;
  readonly clientSecret?: string;
  readonly federated?: readonly FederatedCredential[];
  /** Whether the node has it: the metadata service gives its tokens to every pod there. @default false */
  readonly onNode?: boolean;
}

/** What a token says, once it is known to be one of ours. */
export interface AccessToken {
  readonly clientId: string;
  readonly tenantId: string;
  readonly audience: string;
  readonly expires: number;
}

const lifeSeconds = 3600;
const host = "login.microsoftonline.com";
const exchangeAudience = "api://AzureADTokenExchange";

/** Entra ID and a node's metadata service, as far as identities of workloads ask them. */
export class Entra {
  public readonly identities: Identity[] = [];
  private readonly tokens = new Map<string, AccessToken>();

  /** What a bearer token stands for; undefined where it is none, or has ended. */
  public accessToken(token: string): AccessToken | undefined {
    const known = this.tokens.get(token);
    return known === undefined || known.expires * 1000 <= Date.now() ? undefined : known;
  }

  /** Ends all tokens that were given out. */
  public expireTokens(): void {
    this.tokens.clear();
  }

  public answer({ method, path, query, body }: AzureRequest): AzureAnswer {
    if (method === "GET" && path === "/common/discovery/instance") {
      const tenant = /\.com\/([^/]+)\//.exec(query.get("authorization_endpoint") ?? "")?.[1] ?? "common";
      return { status: 200, body: instanceDiscovery(tenant) };
    }
    const [, tenant = "", ...rest] = path.split("/");
    if (!this.identities.some(({ tenantId }) => tenantId === tenant)) {
      return entraError(
        400,
        "invalid_tenant",
        90002,
        `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID.`,
      );
    }
    if (method === "GET" && rest.join("/") === "v2.0/.well-known/openid-configuration") {
      return { status: 200, body: openIdConfiguration(tenant) };
    }
    if (method === "POST" && rest.join("/") === "oauth2/v2.0/token") {
      return this.clientCredentials(tenant, new URLSearchParams(body));
    }
    return { status: 404, body: {} };
  }

  /** The metadata service: tokens of the identities that the node has. */
  public answerOnNode({ path, query, headers }: AzureRequest): AzureAnswer {
    if (path !== "/metadata/identity/oauth2/token") return { status: 404, body: {} };
    const refused = (message: string): AzureAnswer => ({
      status: 400,
      body: { error: "invalid_request", error_description: message },
    });
    if (headers.metadata !== "true") return refused("Required metadata header not specified");
    const resource = query.get("resource");
    if (resource === null) return refused("Required audience parameter not specified");
    const wanted = query.get("client_id");
    const onNode = this.identities.filter((each) => each.onNode === true);
    const identity = wanted === null ? onNode[0] : onNode.find(({ clientId }) => clientId === wanted);
    if (identity === undefined) return refused("Identity not found");
    const issued = this.issue(identity, resource);
    return {
      status: 200,
      body: {
        access_token: issued,
        client_id: identity.clientId,
        expires_in: String(lifeSeconds),
        expires_on: String(this.tokens.get(issued)!.expires),
        resource,
        token_type: "Bearer",
      },
    };
  }

  private clientCredentials(tenant: string, form: URLSearchParams): AzureAnswer {
    if (form.get("grant_type") !== "client_credentials") {
      return entraError(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.");
    }
    const clientId = form.get("client_id");
    const identity = this.identities.find((each) => each.tenantId === tenant && each.clientId === clientId);
    if (identity === undefined) {
      const message = `Application with identifier '${clientId ?? ""}' was not found in the directory '${tenant}'.`;
      return entraError(400, "unauthorized_client", 700016, message);
    }
    const assertion = form.get("client_assertion");
    const refusal =
      assertion === null ? refuseSecret(identity, form.get("client_secret")) : refuseAssertion(identity, assertion);
    if (refusal !== undefined) return refusal;
    // The resource's scope is one of several: MSAL adds those of OpenID.
    const scope = (form.get("scope") ?? "").split(" ").find((each) => each.endsWith("/.default"));
    const audience = scope?.replace(/\/\.default$/, "") ?? "";
    return {
      status: 200,
      body: {
        token_type: "Bearer",
        expires_in: lifeSeconds,
        ext_expires_in: lifeSeconds,
        access_token: this.issue(identity, audience),
      },
    };
  }

  private issue({ clientId, tenantId }: Identity, audience: string): string {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const expires = Math.floor(Date.now() / 1000) + lifeSeconds;
    const claims = {
      aud: audience,
      iss: `https://sts.windows.net/${tenantId}/`,
      appid: clientId,
      tid: tenantId,
      exp: expires,
    };
    const token = `${part({ typ: "JWT", alg: "RS256" })}.${part(claims)}.${randomBytes(32).toString("base64url")}`;
    this.tokens.set(token, { clientId, tenantId, audience, expires });
    return token;
  }
}

function refuseSecret({ clientSecret, clientId }: Identity, given: string | null): AzureAnswer | undefined {
  if (clientSecret !== undefined && given === clientSecret) return undefined;
  const message = `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, for app '${clientId}'.`;
  return entraError(401, "invalid_client", 7000215, message);
}

function refuseAssertion({ federated = [] }: Identity, assertion: string): AzureAnswer | undefined {
  const claims = claimsOf(assertion);
  if (claims === undefined) return entraError(400, "invalid_request", 50027, "JWT token is invalid or malformed.");
  const { iss, sub, aud, exp } = claims;
  if (typeof exp !== "number" || exp * 1000 <= Date.now()) {
    return entraError(401, "invalid_client", 700024, "Client assertion is not within its valid time range.");
  }
  const audiences = [aud].flat();
  const match = federated.find(
    ({ issuer, subject, audience = exchangeAudience }) =>
      iss === issuer && sub === subject && audiences.includes(audience),
  );
  if (match === undefined) {
    const message = `No matching federated identity record found for presented assertion subject '${String(sub)}'.`;
    return entraError(401, "invalid_client", 700213, message);
  }
  if (match.keys !== undefined && !match.keys.some((key) => isSignedBy(assertion, key))) {
    return entraError(401, "invalid_client", 700027, "Client assertion failed signature validation.");
  }
  return undefined;
}

function claimsOf(assertion: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(Buffer.from(assertion.split(".")[1] ?? "", "base64url").toString()) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

function isSignedBy(assertion: string, key: JsonWebKey): boolean {
  const [header = "", claims = "", signature = ""] = assertion.split(".");
  const verifier = createVerify("RSA-SHA256").update(`${header}.${claims}`);
  return verifier.verify(createPublicKey({ key, format: "jwk" }), Buffer.from(signature, "base64url"));
}

function instanceDiscovery(tenant: string): object {
  return {
    tenant_discovery_endpoint: `https://${host}/${tenant}/v2.0/.well-known/openid-configuration`,
    "api-version": "1.1",
    metadata: [{ preferred_network: host, preferred_cache: "login.windows.net", aliases: [host, "login.windows.net"] }],
  };
}

function openIdConfiguration(tenant: string): object {
  return {
    issuer: `https://${host}/${tenant}/v2.0`,
    authorization_endpoint: `https://${host}/${tenant}/oauth2/v2.0/authorize`,
    token_endpoint: `https://${host}/${tenant}/oauth2/v2.0/token`,
    jwks_uri: `https://${host}/${tenant}/discovery/v2.0/keys`,
    token_endpoint_auth_methods_supported: ["client_secret_post", "private_key_jwt"],
    response_types_supported: ["code"],
    subject_types_supported: ["pairwise"],
    id_token_signing_alg_values_supported: ["RS256"],
  };
}
