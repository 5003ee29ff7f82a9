import { Duration } from "cdk8s";
import { rollsAtOnce, rollTime } from "../../../../constructs/kubernetes/republisher/roll-schedule";
import { SecretTable } from "../../../../constructs/secrets";

describe("the time of a roll", () => {
  const night = { fromMinute: 60, toMinute: 4 * 60 };
  const pastMidnight = { fromMinute: 23 * 60, toMinute: 60 };

  it.each([
    { what: "at once", schedule: {}, changed: "12:00:07Z", rolled: "26T12:00:07Z" },
    {
      what: "after the batch",
      schedule: { batch: Duration.seconds(300) },
      changed: "12:00:07Z",
      rolled: "26T12:05:07Z",
    },
    { what: "in the next window", schedule: { quietWindow: night }, changed: "12:00:07Z", rolled: "27T01:00:00Z" },
    { what: "in this day's window", schedule: { quietWindow: night }, changed: "00:59:59Z", rolled: "26T01:00:00Z" },
    { what: "in the window", schedule: { quietWindow: night }, changed: "03:59:59Z", rolled: "26T03:59:59Z" },
    { what: "after it has closed", schedule: { quietWindow: night }, changed: "04:00:00Z", rolled: "27T01:00:00Z" },
    { what: "before midnight", schedule: { quietWindow: pastMidnight }, changed: "22:00:00Z", rolled: "26T23:00:00Z" },
    { what: "past midnight", schedule: { quietWindow: pastMidnight }, changed: "00:30:00Z", rolled: "26T00:30:00Z" },
    {
      what: "after a batch that ends when the window has closed",
      schedule: { batch: Duration.seconds(300), quietWindow: night },
      changed: "03:58:00Z",
      rolled: "27T01:00:00Z",
    },
  ])("is $what", ({ schedule, changed, rolled }) => {
    expect(rollTime(schedule, new Date(`2026-11-26T${changed}`))).toEqual(new Date(`2026-11-${rolled}`));
  });
});

test("what cannot wait are passwords of databases and the pair that signs tokens", () => {
  const table = new SecretTable({
    secrets: [
      { name: "engine", path: "aidbox", source: "database", environment: "BOX_OTHER_PASSWORD" },
      { name: "password", path: "aidbox/database", source: "seeded", environment: "BOX_DB_PASSWORD" },
      { name: "replica", path: "aidbox/replica", environment: "BOX_DB_RO_REPLICA_PASSWORD" },
      { name: "keys", path: "aidbox/keys", keypair: "ec", source: "seeded" },
      { name: "license", path: "aidbox/license", environment: "BOX_LICENSE" },
      { name: "admin", path: "aidbox/admin", source: "seeded", environment: "BOX_ADMIN_PASSWORD" },
      { name: "okta", path: "aidbox/okta", keypair: "certificate", scope: { resourceType: "IdentityProvider" } },
    ],
  });
  const atOnce = table.secrets.filter((secret) => rollsAtOnce(table, secret)).map(({ name }) => name);
  expect(atOnce).toEqual(["engine", "password", "replica", "keys-private", "keys-public", "keys-secret"]);
});
