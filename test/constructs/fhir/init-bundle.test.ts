import { type IdentifiedResource, initBundle, withSecrets } from "../../../constructs/fhir";
import { table } from "./fixtures";

const client = withSecrets(
  table,
  { resourceType: "Client", id: "basic", grant_types: ["basic"] },
  { secret: "client-secret" },
);
const destination = withSecrets(
  table,
  { resourceType: "AidboxTopicDestination", id: "kafka", kind: "kafka-best-effort" },
  { "parameter.sslKeystoreKey": "kafka-key" },
);
const policy = { resourceType: "AccessPolicy", id: "basic-client", engine: "allow" };

it("puts each resource, and makes a destination, which cannot be put, only where there is none", () => {
  expect(JSON.stringify(initBundle([client, policy, destination]), undefined, 2)).toBe(`{
  "resourceType": "Bundle",
  "type": "transaction",
  "entry": [
    {
      "request": {
        "method": "PUT",
        "url": "Client/basic"
      },
      "resource": {
        "resourceType": "Client",
        "id": "basic",
        "grant_types": [
          "basic"
        ],
        "_secret": {
          "extension": [
            {
              "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
              "valueCode": "masked"
            },
            {
              "url": "http://health-samurai.io/fhir/secret-reference",
              "valueString": "client-secret"
            }
          ]
        }
      }
    },
    {
      "request": {
        "method": "PUT",
        "url": "AccessPolicy/basic-client"
      },
      "resource": {
        "resourceType": "AccessPolicy",
        "id": "basic-client",
        "engine": "allow"
      }
    },
    {
      "request": {
        "method": "POST",
        "url": "AidboxTopicDestination",
        "ifNoneExist": "_id=kafka"
      },
      "resource": {
        "resourceType": "AidboxTopicDestination",
        "id": "kafka",
        "kind": "kafka-best-effort",
        "parameter": [
          {
            "name": "sslKeystoreKey",
            "_valueString": {
              "extension": [
                {
                  "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
                  "valueCode": "masked"
                },
                {
                  "url": "http://health-samurai.io/fhir/secret-reference",
                  "valueString": "kafka-key"
                }
              ]
            }
          }
        ]
      }
    }
  ]
}`);
});

it("is a batch where that is asked for", () => {
  expect(initBundle([policy], { type: "batch" })).toStrictEqual({
    resourceType: "Bundle",
    type: "batch",
    entry: [{ request: { method: "PUT", url: "AccessPolicy/basic-client" }, resource: policy }],
  });
});

it("is empty where nothing is to be made", () => {
  expect(initBundle([])).toStrictEqual({ resourceType: "Bundle", type: "transaction", entry: [] });
});

it.each<{ resource: IdentifiedResource & Record<string, unknown>; field: string }>([
  { resource: { resourceType: "Client", id: "x", secret: "s3cret" }, field: "secret" },
  { resource: { resourceType: "IdentityProvider", id: "x", client: { secret: "s3cret" } }, field: "client.secret" },
  {
    resource: { resourceType: "IdentityProvider", id: "x", client: { "private-key": "s3cret" } },
    field: "client.private-key",
  },
  { resource: { resourceType: "TokenIntrospector", id: "x", jwt: { secret: "s3cret" } }, field: "jwt.secret" },
  { resource: { resourceType: "TokenIntrospector", id: "x", jwt: { keys: [{ k: "s3cret" }] } }, field: "jwt.keys.k" },
  {
    resource: { resourceType: "TokenIntrospector", id: "x", introspection_endpoint: { authorization: "s3cret" } },
    field: "introspection_endpoint.authorization",
  },
  {
    resource: {
      resourceType: "AidboxTopicDestination",
      id: "x",
      parameter: [{ name: "sslKeystoreKey", valueString: "s3cret" }],
    },
    field: "parameter.sslKeystoreKey",
  },
])("refuses $resource.resourceType.$field in plain text, and does not show it", ({ resource, field }) => {
  expect(() => initBundle([policy, resource])).toThrow(
    new Error(
      `${resource.resourceType}/x: ${field} holds a secret in plain text. ` +
        "Leave it out, and name a secret of the table for it",
    ),
  );
});
