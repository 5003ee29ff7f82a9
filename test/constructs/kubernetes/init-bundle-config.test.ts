import { Testing } from "cdk8s";
import { InitBundleConfig, type InitResources } from "../../../constructs/kubernetes";
import { chartWith, mountOf } from "./aidbox/fixtures";
import { basicClient, containerOf, environmentOf, fullTable, manifestOf, podOf } from "./fixtures";

function configWith(init: InitResources): InitBundleConfig {
  return new InitBundleConfig(Testing.chart(), "bundle", { table: fullTable, ...init });
}

function aidboxWith(resources: InitResources["resources"]) {
  return chartWith({ secrets: mountOf(fullTable), initBundle: configWith({ resources }) });
}

const policy = { resourceType: "AccessPolicy", id: "basic", engine: "allow" };

it("is a ConfigMap with the bundle as its one file", () => {
  const chart = Testing.chart();
  new InitBundleConfig(chart, "bundle", { table: fullTable, resources: [basicClient] });
  const { metadata, data } = manifestOf(chart, "ConfigMap");
  expect(metadata.name).toBe("aidbox-init-bundle");
  expect(Object.keys(data!)).toEqual(["bundle.json"]);
  expect(JSON.parse(data!["bundle.json"]!)).toMatchObject({
    resourceType: "Bundle",
    type: "transaction",
    entry: [{ request: { method: "PUT", url: "Client/basic" }, resource: basicClient }],
  });
});

it("is where BOX_INIT_BUNDLE of Aidbox says, in a folder of its own that cannot be written to", () => {
  const chart = aidboxWith([basicClient]);
  const folder = "/etc/aidbox-init-bundle";
  expect(environmentOf(chart).BOX_INIT_BUNDLE).toEqual({ value: `file://${folder}/bundle.json` });
  const mount = containerOf(chart).volumeMounts!.find(({ mountPath }) => mountPath === folder);
  expect(mount).toMatchObject({ name: "init-bundle", readOnly: true });
  expect(podOf(chart).volumes).toContainEqual({ name: "init-bundle", configMap: { name: "aidbox-init-bundle" } });
});

it("rolls the pods when it changes, and not otherwise", () => {
  const checksumOf = (resources: InitResources["resources"]): string =>
    manifestOf(aidboxWith(resources), "Deployment").spec!.template.metadata!.annotations!["checksum/init-bundle"]!;
  expect(checksumOf([basicClient])).toMatch(/^[0-9a-f]{64}$/);
  expect(checksumOf([basicClient])).toBe(checksumOf([basicClient]));
  expect(checksumOf([basicClient, policy])).not.toBe(checksumOf([basicClient]));
  const turned = Object.fromEntries(Object.entries(policy).reverse()) as unknown as typeof policy;
  expect(checksumOf([turned])).toBe(checksumOf([policy])); // Pulumi sorts a config's keys
  expect(checksumOf([basicClient, policy])).not.toBe(checksumOf([policy, basicClient]));
});

it("is left out where there is none", () => {
  const chart = chartWith();
  expect(environmentOf(chart)).not.toHaveProperty("BOX_INIT_BUNDLE");
  expect(JSON.stringify(manifestOf(chart, "Deployment"))).not.toContain("init-bundle");
});

it("is refused with all that is wrong with it at once", () => {
  const unknown = {
    resourceType: "Client",
    id: "basic",
    _secret: { extension: [{ url: "http://health-samurai.io/fhir/secret-reference", valueString: "nobody" }] },
  };
  const plain = { resourceType: "Client", id: "other", secret: "s3cret" };
  expect(() => configWith({ resources: [unknown, plain, policy, policy] })).toThrow(
    new Error(
      [
        "The Init Bundle of test/bundle is not valid:",
        '  Client/basic: the table has no secret "nobody". It has: db-password, client-secret, license, tls-key',
        "  Client/other: secret holds a secret in plain text. Leave it out, and name a secret of the table for it",
        "  AccessPolicy/basic: is there twice, and the last one would win: leave one out",
      ].join("\n"),
    ),
  );
});

it("is refused where it is larger than a ConfigMap", () => {
  const large = { resourceType: "Binary", id: "large", text: "x".repeat(1_000_000) };
  expect(() => configWith({ resources: [large] })).toThrow(
    /is of 1000\d{3} bytes, and a ConfigMap holds 1000000: load/,
  );
});

it("stands beside no other URL of a bundle", () => {
  const environment = { BOX_INIT_BUNDLE: "https://example.com/bundle.json" };
  expect(() =>
    chartWith({ secrets: mountOf(fullTable), environment, initBundle: configWith({ resources: [policy] }) }),
  ).toThrow(
    "environment.BOX_INIT_BUNDLE: is set by this stack, to the bundle of initBundle: leave it out, or leave out initBundle",
  );
  expect(environmentOf(chartWith({ environment })).BOX_INIT_BUNDLE).toEqual({ value: environment.BOX_INIT_BUNDLE });
});
