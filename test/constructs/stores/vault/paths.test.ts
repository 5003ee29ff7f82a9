import { type Secret, SecretTable } from "../../../../constructs/secrets";
import { VaultPaths } from "../../../../constructs/stores/vault";

describe("where a table's secrets lie", () => {
  const paths = new VaultPaths({ kvMount: "teams/kv", databaseMount: "teams/database" });
  const table = new SecretTable({
    secrets: [
      { name: "user", path: "aidbox/db" },
      { name: "license", path: "aidbox" },
      { name: "db-password", path: "aidbox", source: "database" },
      { name: "other-password", path: "reports", source: "database" },
    ],
  });
  const [user, license, password] = table.secrets as readonly [Secret, Secret, Secret];

  it("the mounts are by default those of the vendor's guide, and where Vault enables the engine by itself", () => {
    expect(new VaultPaths()).toEqual({ kvMount: "secret", databaseMount: "database" });
  });

  it("KV v2's paths lie below the mount, data/ and metadata/ before the path", () => {
    expect(paths.data(user)).toBe("teams/kv/data/aidbox/db");
    expect(paths.metadata(user)).toBe("teams/kv/metadata/aidbox/db");
  });

  it("an operator names a KV path without them", () => {
    expect(paths.operator(user)).toBe("teams/kv/aidbox/db");
  });

  it("a static role's credentials and the role itself lie below the engine's mount", () => {
    expect(paths.data(password)).toBe("teams/database/static-creds/aidbox");
    expect(paths.metadata(password)).toBe("teams/database/static-roles/aidbox");
    expect(paths.operator(password)).toBe("teams/database/static-creds/aidbox");
  });

  it("a KV path of that name stays below its own", () => {
    expect(paths.data(license)).toBe("teams/kv/data/aidbox");
    expect(paths.metadata(license)).toBe("teams/kv/metadata/aidbox");
    expect(paths.operator(license)).toBe("teams/kv/aidbox");
  });

  it("a group of secrets has the path of each of them", () => {
    expect(table.paths.map((path) => paths.data(path))).toEqual([
      "teams/kv/data/aidbox/db",
      "teams/kv/data/aidbox",
      "teams/database/static-creds/aidbox",
      "teams/database/static-creds/reports",
    ]);
  });
});
