import { secretFields, withSecrets } from "../../../constructs/fhir";
import { supportedFields, table } from "./fixtures";

describe("a reference in the documented place", () => {
  const cases: Record<string, { made: unknown; expected: unknown }> = {
    "Client.secret": {
      made: withSecrets(
        table,
        { resourceType: "Client", id: "basic", grant_types: ["client_credentials", "basic"] },
        { secret: "client-secret" },
      ),
      expected: {
        resourceType: "Client",
        id: "basic",
        _secret: {
          extension: [
            { url: "http://hl7.org/fhir/StructureDefinition/data-absent-reason", valueCode: "masked" },
            { url: "http://health-samurai.io/fhir/secret-reference", valueString: "client-secret" },
          ],
        },
        grant_types: ["client_credentials", "basic"],
      },
    },
    "IdentityProvider.client.secret": {
      made: withSecrets(
        table,
        { resourceType: "IdentityProvider", id: "okta", client: { id: "aidbox", "auth-method": "symmetric" } },
        { "client.secret": "okta-secret" },
      ),
      expected: {
        resourceType: "IdentityProvider",
        id: "okta",
        client: {
          id: "aidbox",
          "auth-method": "symmetric",
          _secret: {
            extension: [
              { url: "http://hl7.org/fhir/StructureDefinition/data-absent-reason", valueCode: "masked" },
              { url: "http://health-samurai.io/fhir/secret-reference", valueString: "okta-secret" },
            ],
          },
        },
      },
    },
    "IdentityProvider.client.private-key": {
      made: withSecrets(
        table,
        { resourceType: "IdentityProvider", id: "okta", client: { id: "aidbox", "auth-method": "asymmetric" } },
        { "client.private-key": "okta-key" },
      ),
      expected: {
        resourceType: "IdentityProvider",
        id: "okta",
        client: {
          id: "aidbox",
          "auth-method": "asymmetric",
          "_private-key": {
            extension: [
              { url: "http://hl7.org/fhir/StructureDefinition/data-absent-reason", valueCode: "masked" },
              { url: "http://health-samurai.io/fhir/secret-reference", valueString: "okta-key" },
            ],
          },
        },
      },
    },
    "IdentityProvider.client.certificate": {
      made: withSecrets(
        table,
        { resourceType: "IdentityProvider", id: "okta", client: { id: "aidbox", "auth-method": "asymmetric" } },
        { "client.certificate": "okta-certificate" },
      ),
      expected: {
        resourceType: "IdentityProvider",
        id: "okta",
        client: {
          id: "aidbox",
          "auth-method": "asymmetric",
          _certificate: {
            extension: [
              { url: "http://hl7.org/fhir/StructureDefinition/data-absent-reason", valueCode: "masked" },
              { url: "http://health-samurai.io/fhir/secret-reference", valueString: "okta-certificate" },
            ],
          },
        },
      },
    },
    "TokenIntrospector.jwt.secret": {
      made: withSecrets(
        table,
        { resourceType: "TokenIntrospector", id: "jwt", type: "jwt", jwt: { iss: "https://auth.example.com" } },
        { "jwt.secret": "jwt-key" },
      ),
      expected: {
        resourceType: "TokenIntrospector",
        id: "jwt",
        type: "jwt",
        jwt: {
          iss: "https://auth.example.com",
          _secret: {
            extension: [
              { url: "http://hl7.org/fhir/StructureDefinition/data-absent-reason", valueCode: "masked" },
              { url: "http://health-samurai.io/fhir/secret-reference", valueString: "jwt-key" },
            ],
          },
        },
      },
    },
    "TokenIntrospector.jwt.keys.k": {
      made: withSecrets(
        table,
        {
          resourceType: "TokenIntrospector",
          id: "jwt",
          type: "jwt",
          jwt: {
            iss: "https://auth.example.com",
            keys: [
              { kty: "OCT", alg: "HS256", format: "plain" },
              { kty: "RSA", alg: "RS256", format: "PEM", pub: "-----BEGIN PUBLIC KEY-----" },
              { kty: "OCT", alg: "HS256", format: "plain" },
            ],
          },
        },
        { "jwt.keys.k": ["jwt-key", "old-jwt-key"] },
      ),
      expected: {
        resourceType: "TokenIntrospector",
        id: "jwt",
        type: "jwt",
        jwt: {
          iss: "https://auth.example.com",
          keys: [
            {
              kty: "OCT",
              alg: "HS256",
              format: "plain",
              _k: {
                extension: [
                  { url: "http://hl7.org/fhir/StructureDefinition/data-absent-reason", valueCode: "masked" },
                  { url: "http://health-samurai.io/fhir/secret-reference", valueString: "jwt-key" },
                ],
              },
            },
            { kty: "RSA", alg: "RS256", format: "PEM", pub: "-----BEGIN PUBLIC KEY-----" },
            {
              kty: "OCT",
              alg: "HS256",
              format: "plain",
              _k: {
                extension: [
                  { url: "http://hl7.org/fhir/StructureDefinition/data-absent-reason", valueCode: "masked" },
                  { url: "http://health-samurai.io/fhir/secret-reference", valueString: "old-jwt-key" },
                ],
              },
            },
          ],
        },
      },
    },
    "TokenIntrospector.introspection_endpoint.authorization": {
      made: withSecrets(
        table,
        {
          resourceType: "TokenIntrospector",
          id: "opaque",
          type: "opaque",
          introspection_endpoint: { url: "https://auth.example.com/introspect" },
        },
        { "introspection_endpoint.authorization": "introspection" },
      ),
      expected: {
        resourceType: "TokenIntrospector",
        id: "opaque",
        type: "opaque",
        introspection_endpoint: {
          url: "https://auth.example.com/introspect",
          _authorization: {
            extension: [
              { url: "http://hl7.org/fhir/StructureDefinition/data-absent-reason", valueCode: "masked" },
              { url: "http://health-samurai.io/fhir/secret-reference", valueString: "introspection" },
            ],
          },
        },
      },
    },
    "AidboxTopicDestination.parameter.saslJaasConfig": {
      made: withSecrets(
        table,
        {
          resourceType: "AidboxTopicDestination",
          id: "kafka",
          kind: "kafka-best-effort",
          parameter: [{ name: "kafkaTopic", valueString: "aidbox-forms" }],
        },
        { "parameter.saslJaasConfig": "kafka-jaas" },
      ),
      expected: {
        resourceType: "AidboxTopicDestination",
        id: "kafka",
        kind: "kafka-best-effort",
        parameter: [
          { name: "kafkaTopic", valueString: "aidbox-forms" },
          {
            name: "saslJaasConfig",
            _valueString: {
              extension: [
                { url: "http://hl7.org/fhir/StructureDefinition/data-absent-reason", valueCode: "masked" },
                { url: "http://health-samurai.io/fhir/secret-reference", valueString: "kafka-jaas" },
              ],
            },
          },
        ],
      },
    },
    "AidboxTopicDestination.parameter.sslKeystoreKey": {
      made: withSecrets(
        table,
        { resourceType: "AidboxTopicDestination", id: "kafka", kind: "kafka-best-effort" },
        { "parameter.sslKeystoreKey": "kafka-key" },
      ),
      expected: {
        resourceType: "AidboxTopicDestination",
        id: "kafka",
        kind: "kafka-best-effort",
        parameter: [
          {
            name: "sslKeystoreKey",
            _valueString: {
              extension: [
                { url: "http://hl7.org/fhir/StructureDefinition/data-absent-reason", valueCode: "masked" },
                { url: "http://health-samurai.io/fhir/secret-reference", valueString: "kafka-key" },
              ],
            },
          },
        ],
      },
    },
    "AidboxTopicDestination.parameter.serviceAccountKey": {
      made: withSecrets(
        table,
        { resourceType: "AidboxTopicDestination", id: "bigquery", kind: "bigquery-at-least-once" },
        { "parameter.serviceAccountKey": "kafka-key" },
      ),
      expected: {
        resourceType: "AidboxTopicDestination",
        id: "bigquery",
        kind: "bigquery-at-least-once",
        parameter: [
          {
            name: "serviceAccountKey",
            _valueString: {
              extension: [
                { url: "http://hl7.org/fhir/StructureDefinition/data-absent-reason", valueCode: "masked" },
                { url: "http://health-samurai.io/fhir/secret-reference", valueString: "kafka-key" },
              ],
            },
          },
        ],
      },
    },
    "AidboxTopicDestination.parameter.header": {
      made: withSecrets(
        table,
        {
          resourceType: "AidboxTopicDestination",
          id: "webhook",
          kind: "webhook-at-least-once",
          parameter: [
            { name: "endpoint", valueUrl: "https://aidbox.requestcatcher.com/test" },
            { name: "header", valueString: "User-Agent: Aidbox Server" },
          ],
        },
        { "parameter.header": ["webhook-auth-header", "webhook-tenant-header"] },
      ),
      expected: {
        resourceType: "AidboxTopicDestination",
        id: "webhook",
        kind: "webhook-at-least-once",
        parameter: [
          { name: "endpoint", valueUrl: "https://aidbox.requestcatcher.com/test" },
          { name: "header", valueString: "User-Agent: Aidbox Server" },
          {
            name: "header",
            _valueString: {
              extension: [
                { url: "http://hl7.org/fhir/StructureDefinition/data-absent-reason", valueCode: "masked" },
                { url: "http://health-samurai.io/fhir/secret-reference", valueString: "webhook-auth-header" },
              ],
            },
          },
          {
            name: "header",
            _valueString: {
              extension: [
                { url: "http://hl7.org/fhir/StructureDefinition/data-absent-reason", valueCode: "masked" },
                { url: "http://health-samurai.io/fhir/secret-reference", valueString: "webhook-tenant-header" },
              ],
            },
          },
        ],
      },
    },
  };

  it.each(Object.entries(cases))("%s", (_, { made, expected }) => {
    expect(made).toStrictEqual(expected);
  });

  it("has a case for each supported field", () => {
    const fields = Object.entries(secretFields).flatMap(([type, names]) => names.map((name) => `${type}.${name}`));
    expect(Object.keys(cases)).toEqual(fields);
  });
});

describe("the resource", () => {
  const idp = { resourceType: "IdentityProvider", id: "okta", active: true } as const;

  it("comes out the same in whatever order the secrets are named", () => {
    const one = withSecrets(table, idp, { "client.secret": "okta-secret", "client.private-key": "okta-key" });
    const other = withSecrets(table, idp, { "client.private-key": "okta-key", "client.secret": "okta-secret" });
    expect(JSON.stringify(one)).toBe(JSON.stringify(other));
    expect(JSON.stringify(one)).toMatch(
      /^\{"resourceType":"IdentityProvider","id":"okta","active":true,"client":\{"_secret":.*,"_private-key":.*\}\}$/,
    );
  });

  it("that was given is left as it was", () => {
    const given = { ...idp, client: { id: "aidbox" } };
    withSecrets(table, given, { "client.secret": "okta-secret" });
    expect(given).toStrictEqual({ ...idp, client: { id: "aidbox" } });
  });

  it("takes one symmetric key's secret without a list", () => {
    const introspector = { resourceType: "TokenIntrospector", id: "jwt", jwt: { keys: [{ kty: "OCT" }] } } as const;
    expect(withSecrets(table, introspector, { "jwt.keys.k": "jwt-key" })).toStrictEqual(
      withSecrets(table, introspector, { "jwt.keys.k": ["jwt-key"] }),
    );
  });

  it("may hold in plain text what may be published", () => {
    const destination = {
      resourceType: "AidboxTopicDestination",
      id: "kafka",
      parameter: [
        { name: "saslJaasConfig", valueString: "software.amazon.msk.auth.iam.IAMLoginModule required;" },
        { name: "header", valueString: "User-Agent: Aidbox Server" },
      ],
    } as const;
    const provider = { ...idp, client: { certificate: "-----BEGIN CERTIFICATE-----" } };
    expect(withSecrets(table, destination, {})).toStrictEqual(destination);
    expect(withSecrets(table, provider, {})).toStrictEqual(provider);
  });
});

describe("what is refused", () => {
  const symmetric = { kty: "OCT", alg: "HS256", format: "plain" } as const;
  const introspector = { resourceType: "TokenIntrospector", id: "jwt" } as const;
  const destination = { resourceType: "AidboxTopicDestination", id: "kafka" } as const;
  const provider = { resourceType: "IdentityProvider", id: "okta" } as const;
  const client = { resourceType: "Client", id: "basic" } as const;

  it.each<{ problem: string; make: () => unknown; message: string }>([
    {
      problem: "a field that takes no reference",
      // @ts-expect-error -- Client has no such field.
      make: () => withSecrets(table, client, { "client.secret": "client-secret" }),
      message: `Client/basic: Client.client.secret takes no secret reference. Fields that do: ${supportedFields}`,
    },
    {
      problem: "a resource type that takes no reference",
      // @ts-expect-error -- Patient has no secret.
      make: () => withSecrets(table, { resourceType: "Patient", id: "one" }, { secret: "client-secret" }),
      message: `Patient/one: Patient.secret takes no secret reference. Fields that do: ${supportedFields}`,
    },
    {
      problem: "a secret out of scope",
      make: () => withSecrets(table, { resourceType: "Client", id: "other" }, { secret: "client-secret" }),
      message:
        'Client/other: the scope of the secret "client-secret" is Client/basic. ' +
        'Write scope: { resourceType: "Client", id: "other" }, or leave out its id for every Client',
    },
    {
      problem: "two secrets where one fits",
      // @ts-expect-error -- Client.secret does not repeat.
      make: () => withSecrets(table, client, { secret: ["client-secret", "client-secret"] }),
      message: "Client/basic: secret takes one secret, not 2",
    },
    {
      problem: "fewer secrets than symmetric keys",
      make: () =>
        withSecrets(
          table,
          { ...introspector, jwt: { keys: [symmetric, symmetric, { kty: "RSA" }] } },
          { "jwt.keys.k": "jwt-key" },
        ),
      message:
        'TokenIntrospector/jwt: jwt.keys.k takes one secret for each key with kty: "OCT". ' +
        "Such keys: 2, secrets named: 1",
    },
    {
      problem: "a secret for a key that is not there",
      make: () => withSecrets(table, introspector, { "jwt.keys.k": "jwt-key" }),
      message:
        'TokenIntrospector/jwt: jwt.keys.k takes one secret for each key with kty: "OCT". ' +
        "Such keys: 0, secrets named: 1",
    },
    {
      problem: "a field with a value",
      make: () => withSecrets(table, { ...client, secret: "s3cret" }, { secret: "client-secret" }),
      message: "Client/basic: secret has a value already. Leave it out: the reference takes its place",
    },
    {
      problem: "a field with a reference",
      make: () => withSecrets(table, { ...client, _secret: {} }, { secret: "client-secret" }),
      message: "Client/basic: secret has a value already. Leave it out: the reference takes its place",
    },
    {
      problem: "a key with a value",
      make: () =>
        withSecrets(
          table,
          { ...introspector, jwt: { keys: [{ ...symmetric, k: "s3cret" }] } },
          { "jwt.keys.k": "jwt-key" },
        ),
      message: "TokenIntrospector/jwt: jwt.keys.k has a value already. Leave it out: the reference takes its place",
    },
    {
      problem: "a parameter that is there already",
      make: () =>
        withSecrets(
          table,
          { ...destination, parameter: [{ name: "saslJaasConfig", valueString: "s3cret" }] },
          { "parameter.saslJaasConfig": "kafka-jaas" },
        ),
      message:
        "AidboxTopicDestination/kafka: parameter.saslJaasConfig has a value already. " +
        "Leave it out: the reference takes its place",
    },
    {
      problem: "a secret in plain text beside a reference",
      make: () =>
        withSecrets(
          table,
          { ...provider, client: { "private-key": "s3cret" } },
          { "client.certificate": "okta-certificate" },
        ),
      message:
        "IdentityProvider/okta: client.private-key holds a secret in plain text. " +
        "Leave it out, and name a secret of the table for it",
    },
    {
      problem: "a key in plain text",
      make: () => withSecrets(table, { ...introspector, jwt: { keys: [{ ...symmetric, k: "s3cret" }] } }, {}),
      message:
        "TokenIntrospector/jwt: jwt.keys.k holds a secret in plain text. " +
        "Leave it out, and name a secret of the table for it",
    },
    {
      problem: "a parent that is no object",
      make: () => withSecrets(table, { ...provider, client: "aidbox" }, { "client.secret": "okta-secret" }),
      message: "IdentityProvider/okta: client is not an object",
    },
    {
      problem: "parameters that are no list",
      make: () =>
        withSecrets(
          table,
          { ...destination, parameter: { name: "endpoint" } },
          { "parameter.sslKeystoreKey": "kafka-key" },
        ),
      message: "AidboxTopicDestination/kafka: parameter is not a list of objects",
    },
  ])("$problem", ({ make, message }) => {
    expect(make).toThrow(new Error(message));
  });
});
