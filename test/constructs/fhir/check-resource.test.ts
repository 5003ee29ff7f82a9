import { findResourceProblems, type IdentifiedResource } from "../../../constructs/fhir";
import { referencesIn } from "../../../constructs/fhir/check-resource";
import { supportedFields, table, tableNames } from "./fixtures";

const to = (secret: string): object => ({
  extension: [
    { url: "http://hl7.org/fhir/StructureDefinition/data-absent-reason", valueCode: "masked" },
    { url: "http://health-samurai.io/fhir/secret-reference", valueString: secret },
  ],
});

type Resource = IdentifiedResource & Record<string, unknown>;

describe("the references of a resource", () => {
  it.each<{ resource: Resource; references: object[] }>([
    {
      resource: { resourceType: "Client", id: "basic", _secret: to("client-secret") },
      references: [{ field: "secret", secret: "client-secret" }],
    },
    {
      resource: {
        resourceType: "IdentityProvider",
        id: "okta",
        client: { _secret: to("okta-secret"), "_private-key": to("okta-key"), _certificate: to("okta-certificate") },
      },
      references: [
        { field: "client.secret", secret: "okta-secret" },
        { field: "client.private-key", secret: "okta-key" },
        { field: "client.certificate", secret: "okta-certificate" },
      ],
    },
    {
      resource: { resourceType: "TokenIntrospector", id: "x", jwt: { keys: [{ kty: "OCT", _k: to("jwt-key") }] } },
      references: [{ field: "jwt.keys.k", secret: "jwt-key" }],
    },
    {
      resource: {
        resourceType: "AidboxTopicDestination",
        id: "hook",
        parameter: [
          { name: "header", _valueString: to("webhook-auth-header") },
          { name: "serviceAccountKey", _valueString: to("kafka-key") },
        ],
      },
      references: [
        { field: "parameter.header", secret: "webhook-auth-header" },
        { field: "parameter.serviceAccountKey", secret: "kafka-key" },
      ],
    },
  ])("of $resource.resourceType are found in each field, and are in order", ({ resource, references }) => {
    expect(referencesIn(resource)).toEqual(references);
    expect(findResourceProblems(table, resource)).toEqual([]);
  });

  it.each<{ why: string; resource: Resource; problem: string }>([
    {
      why: "to a row that is not there",
      resource: { resourceType: "Client", id: "basic", _secret: to("nobody") },
      problem: `Client/basic: the table has no secret "nobody". It has: ${tableNames}`,
    },
    {
      why: "out of the scope's id",
      resource: { resourceType: "Client", id: "other", _secret: to("client-secret") },
      problem:
        'Client/other: the scope of the secret "client-secret" is Client/basic. ' +
        'Write scope: { resourceType: "Client", id: "other" }, or leave out its id for every Client',
    },
    {
      why: "to a secret without a scope",
      resource: { resourceType: "Client", id: "basic", _secret: to("license") },
      problem:
        'Client/basic: the secret "license" has no scope, so vault-config.json does not name it. ' +
        'Give its row scope: { resourceType: "Client", id: "basic" }',
    },
    {
      why: "in a field that takes none",
      resource: { resourceType: "User", id: "x", _password: to("client-secret") },
      problem: `User/x: User.password takes no secret reference. Fields that do: ${supportedFields}`,
    },
  ])("$why are refused", ({ resource, problem }) => {
    expect(findResourceProblems(table, resource)).toEqual([problem]);
  });
});

describe("a secret in plain text", () => {
  const key = "-----BEGIN EC PRIVATE KEY-----\ns3cret\n-----END EC PRIVATE KEY-----";
  const byReference = "Leave it out, and name a secret of the table for it";
  const byApi = "Leave it out: Aidbox takes no reference there, so set it by its API";

  it.each<{ resource: Resource; field: string; fix: string }>([
    { resource: { resourceType: "User", id: "x", password: "s3cret" }, field: "password", fix: byApi },
    {
      resource: { resourceType: "App", id: "x", endpoint: { secret: "s3cret" } },
      field: "endpoint.secret",
      fix: byApi,
    },
    { resource: { resourceType: "Binary", id: "x", data: key }, field: "data", fix: byApi },
    {
      resource: { resourceType: "IdentityProvider", id: "x", client: { certificate: key } },
      field: "client.certificate",
      fix: byReference,
    },
    ...["Authorization: Bearer s3cret", "x-api-key:s3cret"].map((header) => ({
      resource: {
        resourceType: "AidboxTopicDestination",
        id: "x",
        parameter: [{ name: "header", valueString: header }],
      },
      field: "parameter.header",
      fix: byReference,
    })),
    {
      resource: {
        resourceType: "AidboxTopicDestination",
        id: "x",
        parameter: [
          { name: "saslJaasConfig", valueString: 'PlainLoginModule required username="a" password="s3cret";' },
        ],
      },
      field: "parameter.saslJaasConfig",
      fix: byReference,
    },
    {
      resource: {
        resourceType: "AidboxTopicDestination",
        id: "x",
        parameter: [{ name: "serviceAccountKey", valueString: "s3cret" }],
      },
      field: "parameter.serviceAccountKey",
      fix: byReference,
    },
    {
      resource: { resourceType: "Parameters", id: "x", parameter: [{ name: "apiKey", valueString: "s3cret" }] },
      field: "parameter.apiKey",
      fix: byApi,
    },
  ])("in $resource.resourceType.$field is refused, and is not shown", ({ resource, field, fix }) => {
    expect(findResourceProblems(table, resource)).toEqual([
      `${resource.resourceType}/x: ${field} holds a secret in plain text. ${fix}`,
    ]);
  });

  it.each<Resource>([
    { resourceType: "Client", id: "x", grant_types: ["basic"], auth: { client_credentials: { token_format: "jwt" } } },
    { resourceType: "IdentityProvider", id: "x", client: { certificate: "-----BEGIN CERTIFICATE-----" } },
    {
      resourceType: "AidboxTopicDestination",
      id: "x",
      parameter: [{ name: "header", valueString: "User-Agent: box" }],
    },
    { resourceType: "SearchParameter", id: "secret", code: "password", expression: "User.password" },
  ])("is not taken for one where it is none: $resourceType", (resource) => {
    expect(findResourceProblems(table, resource)).toEqual([]);
  });
});
