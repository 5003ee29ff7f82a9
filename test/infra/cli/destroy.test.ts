import { shellCommand, shellWord } from "../../../constructs/shell-command";
import { checkDestroy, describeKept } from "../../../infra/cli/destroy";
import { CommandError } from "../../../infra/cli/exit-codes";
import { KubeApi } from "../../../infra/cluster/kube-api";
import type { Environment } from "../../../infra/config/environment";
import type { StateResource } from "../../../infra/state/stack-state";
import type { Held } from "../../../infra/state/value-holders";
import { errorOf } from "../../mocks";
import {
  external,
  kvMount,
  managedPath,
  namespace,
  sealToken,
  seededPath,
  stored,
  unprotected,
  vaultServers,
} from "../state/fixtures";

/** Names of the cluster's volume claims, by namespace. */
let claims: Record<string, readonly string[]>;
beforeEach(() => {
  claims = {};
  const listNamespacedPersistentVolumeClaim = (request: { readonly namespace: string }): Promise<object> =>
    Promise.resolve({ items: (claims[request.namespace] ?? []).map((name) => ({ metadata: { name } })) });
  const api = { client: {}, config: { makeApiClient: () => ({ listNamespacedPersistentVolumeClaim }) } };
  jest
    .spyOn(KubeApi, "connect")
    .mockResolvedValue(Object.assign(Object.create(KubeApi.prototype) as KubeApi, api as object));
});

const check = (environment: Environment, state: readonly StateResource[]): Promise<readonly Held[]> =>
  checkDestroy(environment, state, (...args) => shellCommand("pulumi", ...args, "--stack", "prod"));

async function refusals(environment: Environment, state: readonly StateResource[]): Promise<string[]> {
  const error = await errorOf(check(environment, state));
  if (!(error instanceof CommandError)) throw error;
  expect(error.exitCode).toBe(2);
  const [first, ...rest] = error.message.split("\n");
  expect(first).toBe("This would end what holds values, so nothing was touched:");
  return rest;
}

const vault = "VAULT_ADDR=https://vault.example:8200 vault";
const kubectl = "kubectl --context production";

describe("on a Vault of others", () => {
  test("keeps each secret and the mount, and tells the command that ends it", async () => {
    const environment = external();
    const kept = await check(environment, [
      namespace("aidbox"),
      kvMount("secret"),
      seededPath("aidbox/client"),
      managedPath("aidbox/api"),
    ]);
    expect((await describeKept(environment, kept)).split("\n")).toEqual([
      "These stay, since they hold values, whatever Pulumi says above. Each command ends one for good:",
      `  the KV mount secret/: ${vault} secrets disable secret`,
      `  secret/aidbox/client: ${vault} kv metadata delete -mount=secret aidbox/client`,
      `  secret/aidbox/api: ${vault} kv metadata delete -mount=secret aidbox/api`,
    ]);
  });

  test("says nothing where nothing is held", async () => {
    expect(await describeKept(external(), await check(external(), [namespace("aidbox")]))).toBe("");
  });

  test("is refused where the state would have a secret deleted, until an up has protected it", async () => {
    const state = [kvMount("secret", unprotected), seededPath("aidbox/client", unprotected), managedPath("aidbox/api")];
    const refused = (what: string): string =>
      `  ${what} would be deleted, as an older version of this program wrote into the state: run ` +
      "`npm run up -- --env prod` once, which protects it";
    expect(await refusals(external(), state)).toEqual([
      refused("the KV mount secret/"),
      refused("secret/aidbox/client"),
    ]);
  });

  test("is refused where a namespace would take somebody's volume with it", async () => {
    claims.aidbox = ["records-0"];
    expect(await refusals(external(), [namespace("aidbox")])).toEqual([
      "  namespace aidbox would go with the volume records-0, which is not this stack's: move it, or delete it by name " +
        `first: \`${kubectl} -n aidbox delete pvc records-0 --wait=false\``,
    ]);
  });
});

describe("with a Vault of the stack's own", () => {
  const state = [seededPath("aidbox/client"), { ...namespace("vault"), retainOnDelete: true }];
  const servers = vaultServers({ protect: true });

  test("is refused while its servers are protected, with the way to let them go and what stays then", async () => {
    const command = `\`pulumi state unprotect ${shellWord(servers.urn)} --stack prod\``;
    expect(await refusals(stored(), [servers, ...state])).toEqual([
      `  Vault's release vault of namespace vault is protected. ${command} lets it go; its volumes stay, with every secret`,
    ]);
    const goes = stored({ vault: { mode: "standalone", storage: { retain: false } } });
    expect(await refusals(goes, [servers, ...state])).toEqual([
      `  Vault's release vault of namespace vault is protected. ${command} lets it go, with its volumes and every secret`,
    ]);
  });

  test("keeps its volumes, and tells the commands that end them, and that deploy on them again", async () => {
    claims.vault = ["data-vault-0"];
    const kept = await check(stored(), [vaultServers(), sealToken(), ...state]);
    expect((await describeKept(stored(), kept)).split("\n")).toEqual([
      "These stay, with secret/aidbox/client. Each command ends one for good:",
      `  the volume claim data-vault-0 of namespace vault: ${kubectl} -n vault delete pvc data-vault-0 --wait=false`,
      "  the Secret vault-seal-token of namespace vault (the token for the seal): " +
        `${kubectl} -n vault delete secret vault-seal-token`,
      `To deploy on them again: ${kubectl} label namespace vault aidbox-secrets/state-mark-`,
    ]);
  });

  test("keeps the volume of its snapshots, also where those of its servers go", async () => {
    claims.vault = ["vault-snapshots"];
    const goes = stored({ vault: { mode: "standalone", storage: { retain: false }, snapshots: {} } });
    const kept = await check(goes, [vaultServers(), ...state]);
    expect((await describeKept(goes, kept)).split("\n").slice(0, 2)).toEqual([
      "These stay, with snapshots of Vault. Each command ends one for good:",
      `  the volume claim vault-snapshots of namespace vault: ${kubectl} -n vault delete pvc vault-snapshots --wait=false`,
    ]);
  });

  test("is refused where its namespace would take snapshots with it that an earlier config had", async () => {
    claims.vault = ["data-vault-0", "vault-snapshots"];
    const goes = stored({ vault: { mode: "standalone", storage: { retain: false } } });
    expect(await refusals(goes, [vaultServers(), namespace("vault")])).toEqual([
      "  namespace vault would go with the volume vault-snapshots, which is not this stack's: move it, or delete it by name " +
        `first: \`${kubectl} -n vault delete pvc vault-snapshots --wait=false\``,
    ]);
  });

  test("is refused where its namespace would take the volume of another release, whose name begins alike", async () => {
    claims.vault = ["data-vault-0", "audit-vault-10", "data-vault-x-0"];
    const goes = stored({ vault: { mode: "standalone", storage: { retain: false } } });
    expect(await refusals(goes, [vaultServers(), namespace("vault")])).toEqual([
      "  namespace vault would go with the volume data-vault-x-0, which is not this stack's: move it, or delete it by name " +
        `first: \`${kubectl} -n vault delete pvc data-vault-x-0 --wait=false\``,
    ]);
  });

  test("keeps the volumes of others beside its own, and tells no command that ends those", async () => {
    claims.vault = ["data-vault-0", "audit-vault-0", "data-vault-x-0", "theirs", "vault-snapshots"];
    const told = await describeKept(stored(), await check(stored(), [vaultServers(), ...state]));
    expect([...told.matchAll(/delete pvc (\S+)/g)].map(([, name]) => name)).toEqual([
      "data-vault-0",
      "audit-vault-0",
      "vault-snapshots",
    ]);
  });

  test("lets its volumes go where the config says so", async () => {
    claims.vault = ["data-vault-0"];
    const goes = stored({ vault: { mode: "standalone", storage: { retain: false } } });
    const kept = await check(goes, [vaultServers(), seededPath("aidbox/client"), namespace("vault")]);
    expect(await describeKept(goes, kept)).toBe("");
  });
});

describe("in namespaces that somebody else made", () => {
  const given = { namespaces: { options: { aidbox: { create: false }, vault: { create: false } } } };
  const secrets = [
    { name: "client-secret", path: "aidbox/client", source: "seeded" },
    { name: "db", path: "aidbox/db", source: "seeded", environment: "BOX_DB_PASSWORD" },
  ];

  test("volumes of the stack's own stay, and the commands that end them are told", async () => {
    claims = {
      aidbox: ["aidbox-postgres", "theirs"],
      vault: ["data-vault-0", "audit-vault-0", "data-vault-x-0", "vault-snapshots"],
    };
    const environment = stored({ ...given, secrets, development: true, database: { mode: "development" } });
    expect((await describeKept(environment, [])).split("\n")).toEqual([
      "These stay in namespaces that somebody else made. Each command ends one for good:",
      `  volume claim vault/data-vault-0: ${kubectl} -n vault delete pvc data-vault-0 --wait=false`,
      `  volume claim vault/audit-vault-0: ${kubectl} -n vault delete pvc audit-vault-0 --wait=false`,
      `  volume claim vault/vault-snapshots: ${kubectl} -n vault delete pvc vault-snapshots --wait=false`,
      `  volume claim aidbox/aidbox-postgres: ${kubectl} -n aidbox delete pvc aidbox-postgres --wait=false`,
    ]);
    claims = {};
    expect(await describeKept(environment, [])).toBe("");
  });

  test("nothing is told of volumes, but why, where the cluster does not answer any more", async () => {
    jest.spyOn(KubeApi, "connect").mockRejectedValue(new Error("connect ECONNREFUSED"));
    const environment = stored({ ...given, secrets });
    const kept = [{ kind: "mount", mount: "secret" } as const];
    expect(await describeKept(environment, kept)).toBe("What stays could not be looked at: connect ECONNREFUSED");
  });

  test("servers' volumes are deployed on again without a mark to take away", async () => {
    claims = { vault: ["data-vault-0"] };
    const environment = stored(given);
    const kept = await check(environment, [vaultServers({ protect: false }), kvMount("secret")]);
    const told = await describeKept(environment, kept);
    expect(told).toContain("-n vault delete pvc data-vault-0 --wait=false");
    expect(told).not.toMatch(/deploy on them again|somebody else/);
  });
});
