import { checkEnvironment } from "../../../infra/config/check-environment";
import { recordPlan } from "../../../infra/plan/record";
import { compareWithState } from "../../../infra/state/compare";
import { ownResources } from "../../../infra/state/own-resources";
import type { StateResource } from "../../../infra/state/stack-state";
import { holderTypes, valueHolders } from "../../../infra/state/value-holders";
import { external, resource, seededPath } from "./fixtures";

const theirs: readonly StateResource[] = [
  resource(holderTypes.namespace, "shop", { metadata: { name: "shop" } }, { retainOnDelete: false }),
  resource(
    holderTypes.volume,
    "orders",
    { metadata: { name: "orders", namespace: "shop" } },
    { retainOnDelete: false },
  ),
  resource(holderTypes.mount, "shop-kv", { path: "shop" }, { retainOnDelete: false }),
  resource(holderTypes.managed, "aidbox/theirs", { mount: "shop", name: "theirs" }, { retainOnDelete: false }),
  resource("vault:index/authBackend:AuthBackend", "kubernetes", { path: "kubernetes" }, { retainOnDelete: false }),
  resource(`cdk8s-pulumi:index:DeployedChart$${holderTypes.volume}`, "shop/orders", {}, { retainOnDelete: false }),
];
const owned = { login: { method: "kubernetes", owned: false } };

test("what a program of somebody else's has beside an environment is neither kept nor refused", () => {
  expect(ownResources(theirs, "shop")).toEqual([]);
  const nothing = { notices: [], refusals: [], unprotected: [], leavingNamespaces: [] };
  expect(compareWithState(external({ vault: owned }), ownResources(theirs, "shop"))).toEqual(nothing);
});

test("in the project of an environment alone all is its own, whatever its name", () => {
  expect(ownResources(theirs, "aidbox-secrets")).toEqual(theirs);
});

test("what an update kept is still the environment's in the next one", () => {
  const kept = seededPath("aidbox/client", { access: "kept/vault-access" });
  expect(ownResources([kept], "shop")).toEqual([kept]);
});

test("each resource with values of an environment is its own, in any program", async () => {
  const environment = checkEnvironment("prod", {
    kubeContext: "production",
    secrets: [
      { name: "client-secret", path: "aidbox/client", source: "seeded" },
      { name: "smtp", path: "aidbox/smtp", source: "managed" },
    ],
    vault: {
      mode: "standalone",
      kvMount: { path: "clinic", owned: true },
      seal: { type: "transit", address: "https://seal.example.com", keyName: "unseal" },
    },
    aidbox: { image: "healthsamurai/aidboxone:2605" },
    tenants: [{ name: "north", secrets: [{ name: "client-secret", path: "north/client", source: "seeded" }] }],
  });
  const { resources } = await recordPlan(environment);
  const state = resources.map((each) => ({ ...each, retainOnDelete: true, protect: false }));
  const holders = valueHolders(state).map((each) => each.resource);
  expect(new Set(holders.map(({ type }) => type)).size).toBeGreaterThanOrEqual(6);
  const mounts = state.filter(({ type }) => type === "vault:index/authBackend:AuthBackend");
  expect(mounts).toHaveLength(1);
  expect(ownResources([...holders, ...mounts], "shop")).toEqual([...holders, ...mounts]);
});
