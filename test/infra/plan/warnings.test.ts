import { checkEnvironment } from "../../../infra/config/check-environment";
import { planWarnings } from "../../../infra/plan/warnings";

const authKeys = { name: "auth-keys", path: "aidbox/auth-keys", keypair: "ec", source: "seeded" };

function warningsWith(aidbox: object, tenants: readonly object[] = []): string[] {
  const environment = checkEnvironment("dev", {
    development: true,
    kubeContext: "kind-aidbox",
    secrets: [authKeys],
    vault: { mode: "dev" },
    aidbox: { image: "healthsamurai/aidboxone:2605", ...aidbox },
    tenants,
  });
  return planWarnings(environment);
}

it("tells a roll that leaves a gap, and how to have none", () => {
  expect(warningsWith({ replicas: 3, maxInstances: 3 })).toEqual([
    "aidbox.maxInstances 3 leaves no instance beside 3 replicas: each roll stops all of them before it starts others, and " +
      "nobody is served meanwhile. For rolls without a gap: maxInstances 4 or fewer replicas",
  ]);
});

it("tells it of a tenant too, whose replicas are its own", () => {
  const tenant = {
    name: "north",
    secrets: [{ ...authKeys, path: "north/auth-keys" }],
    aidbox: { replicas: 4 },
  };
  const [warning, ...others] = warningsWith({ replicas: 3, maxInstances: 4 }, [tenant]);
  expect(others).toEqual([]);
  expect(warning).toContain("tenants north: aidbox.maxInstances 4 leaves no instance beside 4 replicas");
});

it.each([{}, { replicas: 3 }, { replicas: 3, maxInstances: 4 }, { autoscaling: { maxReplicas: 3 }, maxInstances: 4 }])(
  "says nothing with %j",
  (aidbox) => {
    expect(warningsWith(aidbox)).toEqual([]);
  },
);

it("tells a path that begins as the mount does, which may be meant otherwise", () => {
  const environment = checkEnvironment("dev", {
    development: true,
    kubeContext: "kind-aidbox",
    secrets: [{ name: "client", path: "secret/aidbox/client" }],
    vault: { mode: "dev" },
    aidbox: { image: "healthsamurai/aidboxone:2605" },
  });
  expect(planWarnings(environment)).toEqual([
    'secrets: the path "secret/aidbox/client" begins as the mount does, so pods read secret/data/secret/aidbox/client: to have ' +
      "them read secret/data/aidbox/client, leave out secret/",
  ]);
});
