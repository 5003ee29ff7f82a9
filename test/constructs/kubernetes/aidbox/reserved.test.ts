import { findReservedProblems } from "../../../../constructs/kubernetes/aidbox/rules";
import { SecretTable } from "../../../../constructs/secrets";
import { chartWith, mountOf, refusalOf } from "./fixtures";

const folderTaken = "something else is mounted there: write another folder, as /run/vault-secrets";
const variableTaken = "is set by this stack: leave it out";

test.each(["/tmp", "/tmp/x", "/etc/aidbox", "/etc", "/etc/aidbox/secrets", "/etc/aidbox-database"])(
  "Aidbox refuses a table whose files lie in %s, and another app takes it",
  (mountPath) => {
    const table = new SecretTable({ mountPath, secrets: [{ name: "client-secret", path: "aidbox/client" }] });
    expect(findReservedProblems(table.mountPath, table.rows)).toEqual([
      { key: "mountPath", message: `"${mountPath}": ${folderTaken}` },
    ]);
    expect(refusalOf({ secrets: mountOf(table) })).toContain(`mountPath: "${mountPath}": ${folderTaken}`);
  },
);

test.each([
  "BOX_WEB_PORT",
  "BOX_METRICS_PORT",
  "BOX_VAULT_CONFIG",
  "AIDBOX_SECRET_FILES_ENABLED",
  "AIDBOX_SECRET_FILES_DIRS",
])("Aidbox refuses a table that sets %s, and another app takes it", (environment) => {
  const table = new SecretTable({ secrets: [{ name: "client-secret", path: "aidbox/client", environment }] });
  expect(findReservedProblems(table.mountPath, table.rows)).toEqual([
    { key: "secrets[0].environment", message: `"${environment}": ${variableTaken}` },
  ]);
  expect(() => chartWith({ secrets: mountOf(table) })).toThrow(
    `secrets[0].environment: "${environment}": ${variableTaken}`,
  );
});
