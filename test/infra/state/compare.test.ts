import { shellWord } from "../../../constructs/shell-command";
import { checkEnvironment } from "../../../infra/config/check-environment";
import type { Environment } from "../../../infra/config/environment";
import { compareWithState } from "../../../infra/state/compare";
import type { StateResource } from "../../../infra/state/stack-state";
import { holderTypes } from "../../../infra/state/value-holders";
import {
  clientSecret,
  external,
  kvMount,
  managedPath,
  namespace,
  resource,
  sealToken,
  seededPath,
  stored,
  unprotected,
  vaultServers,
} from "./fixtures";

const vault = "VAULT_ADDR=https://vault.example:8200 vault";
const nothing = { notices: [], refusals: [], unprotected: [], leavingNamespaces: [] };

const rowOf = (source: string): Record<string, unknown> => ({ secrets: [{ ...clientSecret, source }] });
const seeded = seededPath("aidbox/client");
const managed = managedPath("aidbox/client");

describe("a config that has all that the state has", () => {
  test.each<[what: string, environment: Environment, state: readonly StateResource[]]>([
    ["where nothing was deployed yet", external(), []],
    ["a seeded row", external(), [seeded]],
    ["a seeded row that an older version deployed", external(), [seededPath("aidbox/client", unprotected)]],
    ["a managed row", external(rowOf("managed")), [managed]],
    ["a mount", stored(), [seeded, kvMount("secret"), vaultServers({ protect: true })]],
    ["its namespaces", stored(), [namespace("vault"), namespace("aidbox")]],
    [
      "a tenant's row",
      external({ tenants: [{ name: "north", secrets: [{ ...clientSecret, path: "north/client" }] }] }),
      [seeded, seededPath("north/client", { access: "vault-access-north" }), namespace("aidbox-north")],
    ],
    ["further rows", external({ secrets: [clientSecret, { name: "new", path: "new" }] }), [seeded]],
  ])("has nothing told, refused or kept: %s", (_, environment, state) => {
    expect(compareWithState(environment, state)).toEqual(nothing);
  });

  test("leaves resources alone that hold no value", () => {
    const policy = resource("vault:index/policy:Policy", "vault-access-old", { name: "old" });
    const release = resource(holderTypes.servers, "vault", { name: "vault", namespace: "vault", values: {} });
    expect(compareWithState(external(), [policy, release])).toEqual(nothing);
  });
});

describe("a row of another source", () => {
  const former = (source: string, to: string, value: string): string =>
    `secret/aidbox/client was ${source} and is ${to} from now on: ${value}, and the former versions stay.`;
  const inForce = "its value stays in force";

  test.each<[from: string, to: string, state: StateResource, value: string]>([
    ["seeded", "external", seeded, inForce],
    ["seeded", "managed", seeded, "the config's value becomes its next version"],
    ["managed", "external", managed, inForce],
    ["managed", "seeded", managed, inForce],
  ])("is handed over: %s to %s", (from, to, state, value) => {
    expect(compareWithState(external(rowOf(to)), [state])).toEqual({ ...nothing, notices: [former(from, to, value)] });
  });

  test.each(["seeded", "managed"])("was external and is now %s: nothing of it is in the state", (to) => {
    expect(compareWithState(external(rowOf(to)), [])).toEqual(nothing);
  });

  test.each([seeded, managed])("keeps its path where it is of Vault's database engine now", (state) => {
    const { notices, refusals } = compareWithState(
      external({ secrets: [{ name: "password", path: "aidbox", source: "database" }] }),
      [state],
    );
    expect(refusals).toEqual([]);
    expect(notices).toEqual([
      "secret/aidbox/client stays, though the config no longer has it. To delete it for good: " +
        `${vault} kv metadata delete -mount=secret aidbox/client`,
    ]);
  });

  test("is declared once more where the state says that it is to be deleted", () => {
    for (const state of [seeded, managed].map((each) => ({ ...each, ...unprotected }))) {
      expect(compareWithState(external(rowOf("external")), [state])).toMatchObject({
        refusals: [],
        unprotected: [state],
      });
    }
  });
});

describe("what the config no longer has", () => {
  const kept = (what: string, command: string): string =>
    `${what} stays, though the config no longer has it. To delete it for good: ${command}`;
  const other = { ...clientSecret, path: "aidbox/other" };

  test.each<[what: string, config: Record<string, unknown>]>([
    ["its row is gone", { secrets: [{ name: "other", path: "other" }] }],
    ["its row has another path", { secrets: [other] }],
  ])("stays in Vault, and the command that ends it is told: %s", (_, config) => {
    for (const state of [seeded, managed]) {
      expect(compareWithState(external(config), [state])).toEqual({
        ...nothing,
        notices: [kept("secret/aidbox/client", `${vault} kv metadata delete -mount=secret aidbox/client`)],
      });
    }
  });

  test("is declared once more where the state says that it is to be deleted", () => {
    const state = [seededPath("aidbox/client", unprotected), kvMount("secret", unprotected)];
    const { unprotected: declared, refusals } = compareWithState(
      external({ secrets: [other], vault: { kvMount: { owned: false } } }),
      state,
    );
    expect(declared).toEqual(state);
    expect(refusals).toEqual([]);
  });

  test("is forgotten for good once it was declared", () => {
    const state = [seededPath("aidbox/client", { access: "kept/vault-access" })];
    expect(compareWithState(external({ secrets: [other] }), state)).toMatchObject({
      notices: [kept("secret/aidbox/client", `${vault} kv metadata delete -mount=secret aidbox/client`)],
      unprotected: [],
    });
  });

  test("is a removed tenant's too", () => {
    const state = [seeded, seededPath("north/client", { access: "vault-access-north" }), namespace("aidbox-north")];
    expect(compareWithState(external(), state)).toEqual({
      ...nothing,
      notices: [kept("secret/north/client", `${vault} kv metadata delete -mount=secret north/client`)],
      leavingNamespaces: ["aidbox-north"],
    });
  });

  test("is not what a renamed tenant still has", () => {
    const tenants = [{ name: "nord", namespace: "aidbox-north", secrets: [{ ...clientSecret, path: "north/client" }] }];
    const state = seededPath("north/client", { access: "vault-access-north", ...unprotected });
    expect(compareWithState(external({ tenants }), [state])).toEqual({ ...nothing, unprotected: [state] });
  });

  test("is the mount where the stack no longer owns it", () => {
    const environment = external({ vault: { kvMount: { owned: false } } });
    expect(compareWithState(environment, [seeded, kvMount("secret")])).toEqual({
      ...nothing,
      notices: ["the KV mount secret/ stays with all that it holds, and is no longer this stack's."],
    });
  });

  test("is all of a mount whose path is another", () => {
    const environment = external({ vault: { kvMount: { owned: true, path: "kv/team" } } });
    expect(compareWithState(environment, [seeded, kvMount("secret")])).toEqual({
      ...nothing,
      notices: [
        kept("secret/aidbox/client", `${vault} kv metadata delete -mount=secret aidbox/client`),
        kept("the KV mount secret/", `${vault} secrets disable secret`),
      ],
    });
  });

  test("is refused where the same resource has another place, and the state would have the former deleted", () => {
    const environment = external({ vault: { kvMount: { owned: true, path: "kv" } } });
    const mount = kvMount("secret", unprotected);
    const path = seededPath("aidbox/client", unprotected);
    const { refusals, unprotected: declared } = compareWithState(environment, [mount, path]);
    expect(declared).toEqual([]);
    const refused = (what: string, { urn }: StateResource): string =>
      `vault.kvMount.path: ${what} would be deleted, as the state says that an older version of this program wrote: put ` +
      "back what was there and run `npm run up -- --env prod` once, which protects it; or have Pulumi forget it, which " +
      `leaves it alone: \`pulumi state delete ${shellWord(urn)}\``;
    expect(refusals).toEqual([refused("the KV mount secret/", mount), refused("secret/aidbox/client", path)]);
  });
});

describe("Vault's servers", () => {
  const servers = vaultServers({ protect: true });
  const elsewhere: [what: string, environment: Environment][] = [
    ["are to be others", external()],
    ["are to have another release", stored({ vault: { mode: "standalone", release: "other" } })],
    ["are to be in another namespace", stored({ namespaces: { vault: "other" } })],
  ];

  test.each(elsewhere)("are refused to go where they %s, with both ways out", (_, environment) => {
    const { refusals } = compareWithState(environment, [servers]);
    expect(refusals).toEqual([
      "vault: Vault's release vault of namespace vault would go, and with it every secret that it serves: put vault.mode, " +
        "vault.release and namespaces.vault back; or, where none of them is needed any more, run " +
        `\`pulumi state unprotect ${shellWord(servers.urn)}\` first`,
    ]);
  });

  test.each(elsewhere)("may go once somebody has unprotected them: %s", (_, environment) => {
    expect(compareWithState(environment, [vaultServers()]).refusals).toEqual([]);
  });

  test("are refused to go in development too, where destroy is the way out", () => {
    const config = {
      development: true,
      kubeContext: "kind-aidbox",
      secrets: [clientSecret],
      vault: { mode: "dev" },
      aidbox: { image: "healthsamurai/aidboxone:2605" },
    };
    const { refusals } = compareWithState(checkEnvironment("dev", config), [vaultServers()]);
    expect(refusals).toEqual([expect.stringMatching(/needed any more, run `npm run destroy` first$/)]);
  });
});

describe("the token for the seal", () => {
  const seal = { type: "transit", address: "https://seal.example:8200", keyName: "unseal" };

  test("is the config's own", () => {
    const environment = stored({ vault: { mode: "standalone", seal } });
    expect(compareWithState(environment, [sealToken(), sealToken(unprotected)])).toEqual(nothing);
  });

  test("stays where the config no longer has the seal, since nobody else may have it", () => {
    expect(compareWithState(stored(), [sealToken()])).toEqual({
      ...nothing,
      notices: [expect.stringMatching(/^the Secret vault-seal-token .* -n vault delete secret vault-seal-token$/)],
    });
    expect(compareWithState(stored(), [sealToken(unprotected)]).refusals).toEqual([
      expect.stringMatching(/^vault\.seal: the Secret vault-seal-token of namespace vault/),
    ]);
  });

  test("is no other Secret", () => {
    const other = resource(holderTypes.sealToken, "vault-tls", { metadata: { name: "vault-tls", namespace: "vault" } });
    expect(compareWithState(stored(), [other])).toEqual(nothing);
  });
});

describe("the volume of Vault's snapshots", () => {
  const metadata = { name: "vault-snapshots", namespace: "vault" };
  const claim = resource(holderTypes.volume, "vault-snapshots/vault/claim", { metadata });

  test("is the config's own", () => {
    const environment = stored({ vault: { mode: "standalone", snapshots: {} } });
    expect(compareWithState(environment, [claim])).toEqual(nothing);
  });

  test("stays where no more are taken", () => {
    expect(compareWithState(stored(), [claim])).toEqual({
      ...nothing,
      notices: [
        "the volume claim vault-snapshots of namespace vault stays, though the config no longer has it. To delete it for " +
          "good: kubectl --context production -n vault delete pvc vault-snapshots --wait=false",
      ],
    });
  });
});

describe("the volume of a PostgreSQL for development", () => {
  const development = (config: Record<string, unknown>): Environment =>
    checkEnvironment("dev", {
      development: true,
      kubeContext: "kind-aidbox",
      secrets: [
        { name: "database-password", path: "aidbox/database", environment: "BOX_DB_PASSWORD", source: "seeded" },
      ],
      vault: { mode: "dev" },
      aidbox: { image: "healthsamurai/aidboxone:2605" },
      ...config,
    });
  const claim = (options: Partial<StateResource> = {}): StateResource =>
    resource(
      holderTypes.volume,
      "postgres/postgres/claim",
      { metadata: { name: "aidbox-postgres", namespace: "aidbox" } },
      options,
    );

  test("is the config's own", () => {
    const environment = development({ database: { mode: "development" } });
    expect(compareWithState(environment, [claim(), claim(unprotected)])).toEqual(nothing);
  });

  test("stays where the config no longer has the server", () => {
    expect(compareWithState(development({}), [claim()])).toEqual({
      ...nothing,
      notices: [
        "the volume claim aidbox-postgres of namespace aidbox stays, though the config no longer has it. To delete it for " +
          "good: kubectl --context kind-aidbox -n aidbox delete pvc aidbox-postgres --wait=false",
      ],
    });
  });

  test("is refused to go where the state would have it deleted", () => {
    expect(compareWithState(development({}), [claim(unprotected)]).refusals).toEqual([
      expect.stringMatching(/^database: the volume claim aidbox-postgres of namespace aidbox would be deleted/),
    ]);
  });
});

test("a namespace that the stack made is not given to others, since Pulumi would delete it", () => {
  const given = { namespaces: { options: { aidbox: { create: false } } } };
  for (const environment of [stored(given), external(given)]) {
    expect(compareWithState(environment, [namespace("aidbox")])).toEqual({
      ...nothing,
      refusals: [
        "namespaces.options.aidbox.create: false, and this stack made namespace aidbox: it would go, with all that is in it: " +
          "leave create out, or name another namespace",
      ],
    });
    expect(compareWithState(environment, [])).toEqual(nothing);
  }
});
