import type { Environment } from "../../../infra/config/environment";
import { describe as describeResource } from "../../../infra/plan/describe";
import { recordPlan } from "../../../infra/plan/record";
import { type Reader, type Ways, waysOf } from "../../../infra/plan/ways";
import { longNamed, ofKeyVault, ofOthers, sized } from "./planned-environments";

const reader = (ways: Ways, id: string): Reader => ways.readers.find((each) => each.id === id)!;

test("has the way of each secret of each Aidbox, by its own access to its own pods", () => {
  const ways = waysOf(sized(7, 3));
  expect(ways.readers.map(({ id, title }) => [id, title])).toEqual([
    ["aidbox", "Aidbox"],
    ["tenant-clinic-0", "Tenant clinic-0"],
    ["tenant-clinic-1", "Tenant clinic-1"],
    ["tenant-clinic-2", "Tenant clinic-2"],
  ]);
  for (const { ways: own } of ways.readers) expect(own).toHaveLength(7);
  const north = reader(ways, "tenant-clinic-1");
  expect(north.access).toEqual({
    title: "policy aidbox-clinic-1",
    lines: ["role aidbox-clinic-1", "of auth/kubernetes, for", "aidbox-clinic-1/aidbox"],
    madeOf: ["Vault policy aidbox-clinic-1", "Vault role aidbox-clinic-1", "Vault auth mount auth/kubernetes"],
  });
  expect(north.workload.title).toBe("aidbox-clinic-1/aidbox");
  expect(north.ways[0]).toMatchObject({
    place: "secret/data/clinic-1/secret-0",
    file: "/run/vault-secrets/secret-0",
    madeOf: ["Vault secret secret/clinic-1/secret-0"],
  });
});

test("has the PostgreSQL for development as a reader of its password alone", () => {
  const ways = waysOf(longNamed());
  const postgres = reader(ways, "postgres");
  expect(postgres.ways.map(({ secret }) => secret.name)).toEqual(["password"]);
  expect(postgres.access.title).toBe("policy aidbox-database");
  expect(ways.readers.filter(({ title }) => title.startsWith("PostgreSQL of"))).toHaveLength(1);
});

test("tells Key Vault's identity in the place of Vault's policy", () => {
  const ways = waysOf(ofKeyVault());
  expect([ways.store, ways.provider].map(({ title, lines }) => [title, ...lines])).toEqual([
    ["Azure Key Vault", "aidbox-dev"],
    ["Azure CSI provider", "in azure-csi-provider"],
  ]);
  expect(ways.readers[0]!.access).toEqual({
    title: "managed identity",
    lines: ["22222222-2222-2222-2222-222222222222", "role Key Vault Secrets User, for", "aidbox/aidbox"],
    madeOf: [],
  });
  expect(ways.readers[0]!.ways[0]!.place).toBe("aidbox-dev/aidbox-secret-0");
});

test("tells what is there already", () => {
  const ways = waysOf(ofOthers());
  expect(ways.store).toEqual({ title: "Vault", lines: ["https://vault.example:8200"], madeOf: [] });
  expect(ways.provider).toEqual({ title: "Vault CSI provider", lines: ["the cluster's own"], madeOf: [] });
  expect(ways.driver.lines[0]).toBe("the cluster's own;");
});

test.each<[what: string, make: () => Environment]>([
  ["tenants", () => sized(3, 2)],
  ["a PostgreSQL and long names", longNamed],
  ["Key Vault", ofKeyVault],
  ["parts of others", ofOthers],
])("says nothing is made that the plan does not make: %s", async (_, make) => {
  const environment = make();
  const planned = (await recordPlan(environment)).resources.map((each) => {
    const { kind, name } = describeResource(each);
    return `${kind} ${name}`;
  });
  const { store, provider, driver, readers } = waysOf(environment);
  const stations = [
    store,
    provider,
    driver,
    ...readers.flatMap(({ access, mount, workload, ways }) => [access, mount, workload, ...ways]),
  ];
  for (const { madeOf } of stations) expect(planned).toEqual(expect.arrayContaining([...madeOf]));
  expect(readers.every(({ workload }) => workload.madeOf.length > 0)).toBe(true);
});
