/**
 * Variables that Aidbox's vendor marks as sensitive, in its
 * [settings](https://www.health-samurai.io/docs/aidbox/reference/all-settings) and, the last three, elsewhere.
 */
const vendorsSensitiveVariables: readonly string[] = [
  "BOX_DB_PASSWORD",
  "BOX_DB_RO_REPLICA_PASSWORD",
  "BOX_DB_DATABRICKS_CLIENT_ID",
  "BOX_DB_DATABRICKS_CLIENT_SECRET",
  "BOX_DB_RO_REPLICA_DATABRICKS_CLIENT_ID",
  "BOX_DB_RO_REPLICA_DATABRICKS_CLIENT_SECRET",
  "BOX_SECURITY_AUTH_KEYS_PRIVATE",
  "BOX_SECURITY_AUTH_KEYS_SECRET",
  "BOX_SECURITY_ENCRYPT_SECRET",
  "BOX_MODULE_PROVIDER_DEFAULT_PASSWORD",
  "BOX_MODULE_PROVIDER_MAILGUN_PASSWORD",
  "BOX_MODULE_PROVIDER_SMTP_PASSWORD",
  "BOX_MODULE_SDC_OPENAI_API_KEY",
  "BOX_SDC_GEMINI_API_KEY",
  "BOX_MODULE_SUBSCRIPTIONS_PUBSUB_SERVICE_ACCOUNT_PRIVATE_KEY",
  "BOX_MODULE_WEBPUSH_PRIVATE_KEY",
  "BOX_OBSERVABILITY_DATADOG_API_KEY",
  "BOX_OBSERVABILITY_ELASTICSEARCH_AUTH",
  "BOX_MODULE_SMARTBOX_SANDBOX_BASIC",
  "BOX_ZEN_PROJECT_GIT_ACCESS_TOKEN",
  "BOX_ADMIN_PASSWORD",
  "BOX_ROOT_CLIENT_SECRET",
  "BOX_LICENSE",
];

const sensitiveEnd =
  /(password|passwd|passphrase|secret|token|credentials?|licen[cs]e|(api|private|access|secret|signing|encryption|account)[_-]?key)$/i;

/** Whether a variable, or a key of a config, is by its name one that holds a secret. */
export function isSensitiveName(name: string): boolean {
  return vendorsSensitiveVariables.includes(name) || sensitiveEnd.test(name);
}

const secretForms: readonly RegExp[] = [
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  /\bhv[sbr]\.[A-Za-z0-9_-]{20,}/, // a token of Vault
  /\b[a-z][a-z0-9+.-]*:\/\/[^/\s:@]*:[^/\s@]+@/i, // a URL with a password
  /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}/, // a JWT
];

/** Whether a text is by its form a secret, or has one in it. */
export function isSecretByForm(text: string): boolean {
  return secretForms.some((form) => form.test(text));
}
