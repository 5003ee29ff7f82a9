import { secretReference, type SecretTarget } from "../../../constructs/fhir";
import { supportedFields, table, tableNames } from "./fixtures";

const client: SecretTarget<"Client"> = { resourceType: "Client", id: "basic", field: "secret" };

it("is the documented extension, and nothing else", () => {
  expect(secretReference(table, client, "client-secret")).toStrictEqual({
    extension: [
      { url: "http://hl7.org/fhir/StructureDefinition/data-absent-reason", valueCode: "masked" },
      { url: "http://health-samurai.io/fhir/secret-reference", valueString: "client-secret" },
    ],
  });
});

it("is given to any resource of the type where the scope names no id", () => {
  const target: SecretTarget = { resourceType: "TokenIntrospector", id: "any", field: "jwt.secret" };
  expect(secretReference(table, target, "jwt-key").extension[1].valueString).toBe("jwt-key");
});

describe("is refused", () => {
  it("for a field that takes none", () => {
    expect(() => {
      // @ts-expect-error -- Client has no such field.
      secretReference(table, { resourceType: "Client", id: "basic", field: "client.secret" }, "client-secret");
    }).toThrow(
      new Error(`Client/basic: Client.client.secret takes no secret reference. Fields that do: ${supportedFields}`),
    );
  });

  it("for a resource type that takes none", () => {
    expect(() => {
      // @ts-expect-error -- Patient has no secret.
      secretReference(table, { resourceType: "Patient", id: "one", field: "secret" }, "client-secret");
    }).toThrow(new Error(`Patient/one: Patient.secret takes no secret reference. Fields that do: ${supportedFields}`));
  });

  it.each<{ reason: string; target: SecretTarget; secret: string; message: string }>([
    {
      reason: "to a secret that the table does not have",
      target: client,
      secret: "clientsecret",
      message: `Client/basic: the table has no secret "clientsecret". It has: ${tableNames}`,
    },
    {
      reason: "to a secret without a scope",
      target: client,
      secret: "license",
      message:
        'Client/basic: the secret "license" has no scope, so vault-config.json does not name it. ' +
        'Give its row scope: { resourceType: "Client", id: "basic" }',
    },
    {
      reason: "to a secret of another resource of the type",
      target: { ...client, id: "other" },
      secret: "client-secret",
      message:
        'Client/other: the scope of the secret "client-secret" is Client/basic. ' +
        'Write scope: { resourceType: "Client", id: "other" }, or leave out its id for every Client',
    },
    {
      reason: "to a secret of a resource of another type",
      target: client,
      secret: "kafka-jaas",
      message:
        'Client/basic: the scope of the secret "kafka-jaas" is AidboxTopicDestination/kafka. ' +
        'Write scope: { resourceType: "Client", id: "basic" }, ' +
        "or add a row with that scope if AidboxTopicDestination needs the secret too",
    },
    {
      reason: "to a secret of every resource of another type",
      target: client,
      secret: "jwt-key",
      message:
        'Client/basic: the scope of the secret "jwt-key" is every TokenIntrospector. ' +
        'Write scope: { resourceType: "Client", id: "basic" }, ' +
        "or add a row with that scope if TokenIntrospector needs the secret too",
    },
  ])("$reason", ({ target, secret, message }) => {
    expect(() => secretReference(table, target, secret)).toThrow(new Error(message));
  });
});
