import type { Link } from "../../../../../infra/operate/link";
import { PermissionDeniedError } from "../../../../../infra/operate/permission-denied";
import { auditLinks } from "../../../../../infra/operate/stores/vault/audit-link";
import { VaultSession } from "../../../../../infra/operate/stores/vault/session";
import { errorOf } from "../../../../mocks";
import { checkVaultEnvironment } from "../../../vault-environment";
import { config, pods, StoredSite } from "./stored-site";

let mockSite: StoredSite;

/** What each server's log says. */
let logs: Record<string, string>;

beforeEach(async () => {
  mockSite = await StoredSite.start();
  process.env.KUBECONFIG = mockSite.cluster.kubeconfig;
  process.env.VAULT_TOKEN = mockSite.vault.initialise();
  for (const server of mockSite.vault.servers) server.sealed = false;
  enable("stdout", { file_path: "stdout" });
  enable("file", { file_path: "/vault/audit/audit.log" });
  logs = {};
  mockSite.cluster.intercept = ({ resource, name }) =>
    resource === "pods/log" && mockSite.cluster.roles === undefined
      ? { status: 200, body: logs[name!] ?? "" }
      : undefined;
});
afterEach(async () => {
  delete process.env.KUBECONFIG;
  delete process.env.VAULT_TOKEN;
  await mockSite.stop();
});

function enable(name: string, options: Record<string, string>): void {
  mockSite.vault.audit.set(`${name}/`, { type: "file", options });
}

async function links(vault: object = config.vault): Promise<Link[]> {
  const development = "mode" in vault && vault.mode === "dev";
  return auditLinks(await VaultSession.open(checkVaultEnvironment("test", { ...config, development, vault })));
}

async function check(): Promise<string> {
  const [link] = await links();
  return link!.check();
}

test("both devices, at work, are in order; each server's own log is asked, and the shortest part of it", async () => {
  expect(await check()).toBe("written to stdout and /vault/audit/audit.log");
  const asked = mockSite.cluster.requests.filter(({ resource }) => resource === "pods/log");
  expect(asked.map(({ name, query }) => [name, query.get("container"), query.get("sinceSeconds")])).toEqual(
    pods.map((pod) => [pod, "vault", "10"]),
  );
});

test("a device that is not there is enabled by vault:grant", async () => {
  mockSite.vault.audit.delete("file/");
  expect(await errorOf(check())).toMatchObject({
    message: "Vault has no audit device that writes to /vault/audit/audit.log",
    fix: "npm run vault:grant -- --shares --no-tokens --env test",
  });
});

test("the file of servers without a volume for it lies in their storage", async () => {
  mockSite.cluster.change("StatefulSet", "store", { spec: { volumeClaimTemplates: [] } });
  expect((await errorOf(check())).message).toBe("Vault has no audit device that writes to /vault/data/audit.log");
});

test("a device that writes values in plain is broken", async () => {
  enable("shadow", { file_path: "/vault/data/x", log_raw: "true" });
  expect((await errorOf(check())).message).toBe("the audit device shadow writes values in plain (log_raw)");
});

describe("a device that a server cannot write to is named, with the reason:", () => {
  const path = "/vault/audit/audit.log";
  // As Vault 1.21.1 said it.
  const text = `2026-11-26T07:26:28.330Z [ERROR] audit: log request underlying pipeline error(s): error="error writing file for sink \\"${path}\\": unable to open file for sink \\"${path}\\": open ${path}: is a directory"`;
  const json = `{"@level":"error","@message":"log response underlying pipeline error(s)","@module":"audit","@timestamp":"2026-11-26T07:09:04Z","error":"error writing file for sink \\"${path}\\": unable to re-write to file for sink \\"${path}\\": write ${path}: no space left on device"}`;

  test.each([
    ["in text", text, "is a directory"],
    ["in JSON", json, "no space left on device"],
  ])("%s", async (_, line, why) => {
    logs = { "store-1": ["2026-11-26T07:26:27.000Z [INFO]  core: vault is unsealed", line, line, ""].join("\n") };
    expect(await errorOf(check())).toMatchObject({
      message: `store-1 cannot write to the audit device file, ${path}: ${why}`,
      fix: "kubectl --context somewhere -n vault-servers exec store-1 -c vault -- df -h /vault/audit",
    });
  });

  test("all of them", async () => {
    logs = { "store-0": text, "store-2": text };
    expect((await errorOf(check())).message).toBe(
      `store-0 cannot write to the audit device file, ${path}: is a directory; nor to ${path} of store-2`,
    );
  });

  test("also where no other is enough, so that Vault refuses to say which devices it has", async () => {
    logs = { "store-0": text };
    mockSite.vault.intercept = ({ path: asked }) =>
      asked === "sys/audit" ? { status: 500, body: { errors: ["internal error"] } } : undefined;
    expect((await errorOf(check())).message).toBe(`store-0 cannot write to the audit device ${path}: is a directory`);
  });

  test("but no audited request that has such words in it", async () => {
    logs = { "store-0": JSON.stringify({ type: "request", request: { path: `x [ERROR] audit: ${text}` } }) };
    expect(await check()).toContain("written to");
  });
});

describe("the right that is lacking is named:", () => {
  test("that of Vault", async () => {
    mockSite.vault.intercept = ({ path }) =>
      path === "sys/audit" ? { status: 403, body: { errors: ["permission denied"] } } : undefined;
    const error = await errorOf(check());
    expect(error).toBeInstanceOf(PermissionDeniedError);
    expect(error.message).toContain('"read" and "sudo" on sys/audit in Vault');
  });

  test("that of the cluster", async () => {
    const rules = [
      { apiGroups: [""], resources: ["pods", "configmaps"], verbs: ["list", "get"] },
      { apiGroups: ["apps"], resources: ["statefulsets"], verbs: ["get"] },
    ];
    mockSite.cluster.roles = [{ kind: "ClusterRole", metadata: {}, rules }];
    const error = await errorOf(check());
    expect(error).toBeInstanceOf(PermissionDeniedError);
    expect(error.message).toContain('cannot get resource "pods/log"');
  });
});

test.each([
  ["of others", { mode: "external", address: "https://vault.example", login: { method: "kubernetes" } }],
  ["in dev mode", { mode: "dev" }],
  ["whose config wants none", { ...config.vault, audit: { enabled: false } }],
])("a Vault %s is not looked at", async (_, vault) => {
  expect(await links(vault)).toEqual([]);
});
