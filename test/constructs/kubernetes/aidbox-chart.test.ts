import { Testing } from "cdk8s";
import { AidboxChart, type AidboxChartProps, type VaultLogin } from "../../../constructs/kubernetes";
import { everyOption, ways } from "./aidbox/fixtures";
import { environmentOf, fullTable, manifestOf, manifestsOf, minimalTable, podOf, yamlOf } from "./fixtures";

const everyLogin: Required<VaultLogin> = {
  address: "https://vault.example.com",
  role: "aidbox-prod",
  audience: "vault-prod",
  authMount: "clusters/prod",
  vaultNamespace: "health",
  caCertPath: "/vault/tls/ca.crt",
};

const everyAidboxProp: Required<AidboxChartProps["aidbox"]> = everyOption;

const everyProp: Required<AidboxChartProps> = {
  namespace: "prod",
  name: "box",
  labels: { team: "health" },
  disableResourceNameHashes: true,
  table: fullTable,
  vault: everyLogin,
  aidbox: { ...everyAidboxProp, ...ways.autoscaled },
};

const requiredProps: AidboxChartProps = {
  namespace: "aidbox",
  table: minimalTable,
  vault: { address: "http://vault.vault:8200", role: "aidbox" },
  aidbox: { image: "healthsamurai/aidboxone:2602" },
};

function chartWith(props: AidboxChartProps) {
  return new AidboxChart(Testing.app(), "aidbox", props);
}

const variants = [
  { variant: "with every prop", props: everyProp },
  { variant: "with only the required props", props: requiredProps },
];

it.each(variants)("$variant", ({ props }) => {
  expect(yamlOf(chartWith(props))).toMatchSnapshot();
});

describe("the objects", () => {
  const needed = ["ConfigMap", "Deployment", "SecretProviderClass", "Service", "ServiceAccount"];
  const asked = [
    "HTTPRoute",
    "HorizontalPodAutoscaler",
    "Ingress",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "Service",
    "ServiceMonitor",
  ];

  it.each([
    { variant: "with every prop", props: everyProp, kinds: [...needed, ...asked] },
    { variant: "with only the required props", props: requiredProps, kinds: needed },
  ])("are these, and no Secret among them, $variant", ({ props, kinds }) => {
    const found = manifestsOf(chartWith(props)).map(({ kind }) => kind);
    expect(found.sort()).toEqual([...kinds].sort());
  });

  it("come with the Deployment's dependencies on what its pods need", () => {
    const { dependencies } = chartWith(requiredProps).aidbox.deployment.node;
    expect(dependencies.map(({ node }) => node.id).sort()).toEqual([
      "secret-provider-class",
      "service-account",
      "vault-config",
    ]);
  });

  it("come with the Deployment after the network policy, so that no pod runs without it", () => {
    const { dependencies } = chartWith(everyProp).aidbox.deployment.node;
    expect(dependencies.map(({ node }) => node.id)).toContain("network-policy");
  });

  it.each(variants)("all lie in the given namespace, $variant", ({ props }) => {
    for (const { metadata } of manifestsOf(chartWith(props))) expect(metadata.namespace).toBe(props.namespace);
  });

  it("all have the chart's labels", () => {
    for (const { metadata } of manifestsOf(chartWith(everyProp)))
      expect(metadata.labels).toMatchObject({ team: "health" });
  });

  it.each([
    { props: everyProp, name: "box" },
    { props: requiredProps, name: "aidbox" },
  ])("are named after $name", ({ props, name }) => {
    const suffixes: Record<string, string[]> = {
      SecretProviderClass: ["-vault-secrets"],
      ConfigMap: ["-vault-config"],
      Service: ["", "-metrics"],
    };
    for (const { kind, metadata } of manifestsOf(chartWith(props))) {
      expect((suffixes[kind] ?? [""]).map((suffix) => `${name}${suffix}`)).toContain(metadata.name);
    }
  });

  it("of two Aidboxes in one namespace share no name", () => {
    const app = Testing.app();
    const names = ["blue", "green"].flatMap((name) =>
      manifestsOf(new AidboxChart(app, name, { ...requiredProps, name })).map(
        ({ kind, metadata }) => `${kind} ${String(metadata.name)}`,
      ),
    );
    expect(names).toHaveLength(10);
    expect(new Set(names).size).toBe(10);
  });
});

describe("the Services of two Aidboxes in one namespace", () => {
  // From two apps, as from two stacks: the constructs have the same paths, and only the names differ.
  const colours = ["blue", "green"].map((name) => {
    const chart = chartWith({ ...requiredProps, name });
    return {
      name,
      selector: Object.entries(manifestOf(chart, "Service").spec!.selector!),
      podLabels: manifestOf(chart, "Deployment").spec!.template.metadata!.labels!,
    };
  });

  it.each(colours)("that of $name selects its own pods alone", ({ name, selector }) => {
    const selected = colours.filter(({ podLabels }) => selector.every(([key, value]) => podLabels[key] === value));
    expect(selected.map((colour) => colour.name)).toEqual([name]);
  });
});

describe("the ServiceAccount", () => {
  it.each(variants)("is the pod's, and its token is mounted by neither, $variant", ({ props }) => {
    const chart = chartWith(props);
    const serviceAccount = manifestOf(chart, "ServiceAccount");
    expect(serviceAccount.automountServiceAccountToken).toBe(false);
    expect(podOf(chart)).toMatchObject({
      serviceAccountName: serviceAccount.metadata.name,
      automountServiceAccountToken: false,
    });
  });
});

describe("the parts fit together", () => {
  const chart = chartWith(everyProp);

  it("the pod's CSI volume is of the chart's SecretProviderClass", () => {
    const { name } = manifestOf(chart, "SecretProviderClass").metadata;
    expect(chart.secretProviderClass.name).toBe(name);
    expect(podOf(chart).volumes).toContainEqual(
      expect.objectContaining({
        csi: expect.objectContaining({ volumeAttributes: { secretProviderClass: name } }) as unknown,
      }),
    );
  });

  it("the pod's vault-config volume is the chart's ConfigMap", () => {
    const { name } = manifestOf(chart, "ConfigMap").metadata;
    expect(podOf(chart).volumes).toContainEqual({ name: "vault-config", configMap: { name } });
  });

  it("the pod's secret variables are exactly what the SecretProviderClass syncs", () => {
    const [synced, ...others] = manifestOf(chart, "SecretProviderClass").spec!.secretObjects!;
    expect(others).toEqual([]);
    const references = Object.values(environmentOf(chart)).flatMap(({ valueFrom }) => valueFrom?.secretKeyRef ?? []);
    expect(references).toEqual(synced!.data!.map(({ key }) => ({ name: synced!.secretName, key })));
    expect(references).toHaveLength(2);
  });

  it("the login and the Aidbox props reach their objects", () => {
    expect(manifestOf(chart, "SecretProviderClass").spec!.parameters).toMatchObject({
      vaultAddress: "https://vault.example.com",
      roleName: "aidbox-prod",
      audience: "vault-prod",
      vaultAuthMountPath: "clusters/prod",
      vaultNamespace: "health",
      vaultCACertPath: "/vault/tls/ca.crt",
    });
    expect(manifestOf(chart, "Deployment").spec).toMatchObject({ strategy: { type: "Recreate" } });
  });

  it("the constructs of the Deployment and the Service can be reached from the chart", () => {
    expect(chart.aidbox.deployment.name).toBe("box");
    expect(chart.aidbox.service.name).toBe("box");
  });
});
