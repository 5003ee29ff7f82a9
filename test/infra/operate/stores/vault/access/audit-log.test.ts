import { lastReadsIn } from "../../../../../../infra/operate/stores/vault/access/audit-log";

const entry = (time: string, changes: object = {}): string =>
  JSON.stringify({
    type: "response",
    time,
    auth: {
      display_name: "kubernetes-health-aidbox",
      metadata: { service_account_name: "aidbox", service_account_namespace: "health" },
    },
    request: { operation: "read", path: "secret/data/aidbox/client" },
    response: { data: { data: "hmac-sha256:…" } },
    ...changes,
  });

test("each reader's newest read is told, the newest first", () => {
  const log = [
    "2026-11-26T07:00:00Z [INFO]  core: post-unseal setup complete",
    entry("2026-11-26T07:00:01Z"),
    `vault: ${entry("2026-11-26T07:00:03Z")}`,
    entry("2026-11-26T07:00:02Z", { auth: { display_name: "userpass-eve", metadata: { username: "eve" } } }),
    entry("2026-11-26T07:00:04Z", { auth: { display_name: "token" } }),
    entry("2026-11-26T07:00:05Z", { type: "request" }),
    entry("2026-11-26T07:00:06Z", { error: "permission denied" }),
    entry("2026-11-26T07:00:07Z", { request: { operation: "update", path: "secret/data/aidbox/client" } }),
    entry("2026-11-26T07:00:08Z", { request: { operation: "read", path: "secret/data/other" } }),
    entry("2026-11-26T07:00:09Z").slice(0, -40),
  ].join("\n");
  expect(lastReadsIn(log)?.get("secret/data/aidbox/client")).toEqual([
    { who: "token", at: new Date("2026-11-26T07:00:04Z") },
    { who: "ServiceAccount health/aidbox", at: new Date("2026-11-26T07:00:03Z") },
    { who: "eve", at: new Date("2026-11-26T07:00:02Z") },
  ]);
});

test("a log without a line of an audit device tells nothing, not that nobody read", () => {
  expect(lastReadsIn('2026-11-26T07:00:00Z [INFO]  core: ready\n{"@level":"info","@message":"seal"}')).toBeUndefined();
});
