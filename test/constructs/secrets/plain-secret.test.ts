import { isSecretByForm, isSensitiveName } from "../../../constructs/secrets/plain-secret";

it.each([
  "BOX_DB_PASSWORD",
  "BOX_DB_RO_REPLICA_DATABRICKS_CLIENT_ID",
  "BOX_SECURITY_AUTH_KEYS_PRIVATE",
  "BOX_OBSERVABILITY_ELASTICSEARCH_AUTH",
  "BOX_MODULE_SMARTBOX_SANDBOX_BASIC",
  "BOX_LICENSE",
  "PGPASSWORD",
  "AWS_SECRET_ACCESS_KEY",
  "devRootToken",
  "client_secret",
  "apiKey",
])("%s is the name of a secret", (name) => {
  expect(isSensitiveName(name)).toBe(true);
});

it.each(["BOX_WEB_BASE_URL", "BOX_SECURITY_AUTH_KEYS_PUBLIC", "BOX_TOKEN_EXPIRATION", "secretName", "passwordPolicy"])(
  "%s is not",
  (name) => {
    expect(isSensitiveName(name)).toBe(false);
  },
);

it.each([
  "-----BEGIN RSA PRIVATE KEY-----\nMIIE",
  "-----BEGIN PRIVATE KEY-----",
  `token hvs.${"A".repeat(24)}`,
  "postgresql://box:hunter2@pg/fhir",
  `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.${"a".repeat(20)}`,
])("a secret is known by its form: %s", (text) => {
  expect(isSecretByForm(text)).toBe(true);
});

it.each(["-----BEGIN PUBLIC KEY-----", "-----BEGIN CERTIFICATE-----", "https://aidbox.example.com/a:b@c", "hvs.short"])(
  "and this is none: %s",
  (text) => {
    expect(isSecretByForm(text)).toBe(false);
  },
);
