import { SecretTable } from "../../../constructs/secrets";

/** Secrets of each kind of scope: one resource, a whole type, none. */
export const table = new SecretTable({
  secrets: [
    { name: "client-secret", path: "aidbox/client", scope: { resourceType: "Client", id: "basic" } },
    { name: "okta-secret", path: "aidbox/okta", scope: { resourceType: "IdentityProvider", id: "okta" } },
    { name: "okta-key", path: "aidbox/okta", scope: { resourceType: "IdentityProvider" } },
    { name: "okta-certificate", path: "aidbox/okta", scope: { resourceType: "IdentityProvider" } },
    { name: "jwt-key", path: "aidbox/jwt", scope: { resourceType: "TokenIntrospector" } },
    { name: "old-jwt-key", path: "aidbox/jwt", scope: { resourceType: "TokenIntrospector" } },
    { name: "introspection", path: "aidbox/jwt", scope: { resourceType: "TokenIntrospector", id: "opaque" } },
    { name: "kafka-jaas", path: "aidbox/kafka", scope: { resourceType: "AidboxTopicDestination", id: "kafka" } },
    { name: "kafka-key", path: "aidbox/kafka", scope: { resourceType: "AidboxTopicDestination" } },
    { name: "webhook-auth-header", path: "aidbox/webhook", scope: { resourceType: "AidboxTopicDestination" } },
    { name: "webhook-tenant-header", path: "aidbox/webhook", scope: { resourceType: "AidboxTopicDestination" } },
    { name: "license", path: "aidbox/box" },
  ],
});

export const tableNames = table.secrets.map(({ name }) => name).join(", ");

export const supportedFields =
  "Client.secret, " +
  "IdentityProvider.client.secret, IdentityProvider.client.private-key, IdentityProvider.client.certificate, " +
  "TokenIntrospector.jwt.secret, TokenIntrospector.jwt.keys.k, TokenIntrospector.introspection_endpoint.authorization, " +
  "AidboxTopicDestination.parameter.saslJaasConfig, AidboxTopicDestination.parameter.sslKeystoreKey, " +
  "AidboxTopicDestination.parameter.serviceAccountKey, AidboxTopicDestination.parameter.header";
