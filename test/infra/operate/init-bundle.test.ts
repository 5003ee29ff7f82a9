import { verify } from "../../../infra/operate";
import { config, rootToken, Site } from "./site";

const initBundle = {
  resources: [
    {
      resource: { resourceType: "Client", id: "basic", grant_types: ["basic"] },
      secrets: { secret: "client-secret" },
    },
  ],
};

let site: Site;
beforeEach(async () => {
  site = await Site.start({ aidbox: { ...config.aidbox, initBundle } });
  process.env.KUBECONFIG = site.cluster.kubeconfig;
});
afterEach(() => site.stop());

async function linkOf(name: string, vaultToken = rootToken) {
  const { links } = await verify(site.environment, { vaultToken });
  return links.find((link) => link.name === name);
}

test("the bundle that is there is the one of the config, which a viewer may see", async () => {
  const seen = { state: "ok", seen: "ConfigMap aidbox-init-bundle is as drawn" };
  expect(await linkOf("init-bundle")).toMatchObject(seen);
  expect(await linkOf("init-bundle", site.restrictTo("viewer"))).toMatchObject(seen);
});

test.each([
  {
    what: "is gone",
    change: () => site.cluster.delete("ConfigMap", "aidbox-init-bundle"),
    link: "init-bundle",
    cause: "ConfigMap aidbox-init-bundle is gone",
  },
  {
    what: "was changed",
    change: () => site.cluster.change("ConfigMap", "aidbox-init-bundle", { data: { "bundle.json": "{}" } }),
    link: "init-bundle",
    cause: "ConfigMap aidbox-init-bundle differs from the config",
  },
  {
    what: "is not what the pods were started with",
    change: () =>
      site.cluster.change("Deployment", "aidbox", {
        spec: { template: { metadata: { annotations: { "checksum/init-bundle": "of yesterday" } } } },
      }),
    link: "deployment",
    cause: expect.stringMatching(
      /^Deployment aidbox: checksum of the Init Bundle is of yesterday, and should be /,
    ) as string,
  },
])("a bundle that $what is told", async ({ change, link, cause }) => {
  change();
  expect(await linkOf(link)).toMatchObject({
    state: "broken",
    cause,
    fix: "npm run up -- --refresh --env test",
  });
});
