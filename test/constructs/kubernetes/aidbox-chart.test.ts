import { Size, Testing } from "cdk8s";
import { Cpu, DeploymentStrategy } from "cdk8s-plus-28";
import { AidboxChart, type AidboxChartProps, type VaultLogin } from "../../../constructs/kubernetes";
import {
  containerOf,
  environmentOf,
  fullTable,
  manifestOf,
  manifestsOf,
  minimalTable,
  podOf,
  yamlOf,
} from "./fixtures";

const everyLogin: Required<VaultLogin> = {
  address: "https://vault.example.com",
  role: "aidbox-prod",
  audience: "vault-prod",
  authMount: "clusters/prod",
  vaultNamespace: "health",
  caCertPath: "/vault/tls/ca.crt",
};

const everyAidboxProp: Required<AidboxChartProps["aidbox"]> = {
  image: "registry:5000/aidboxone:2603",
  replicas: 2,
  resources: { cpu: { request: Cpu.millis(100) }, memory: { limit: Size.gibibytes(2) } },
  environment: { BOX_WEB_BASE_URL: "https://aidbox.example.com" },
  database: { host: "postgres", name: "aidbox", user: "aidbox", tls: { mode: "disable" } },
  readOnlyRootFilesystem: false,
  port: 9090,
  strategy: DeploymentStrategy.recreate(),
};

const everyRepublisherProp: Required<NonNullable<AidboxChartProps["republisher"]>> = {
  intervalSeconds: 25,
  image: "registry:5000/curl:8.17.0",
};

const everyProp: Required<AidboxChartProps> = {
  namespace: "prod",
  name: "box",
  labels: { team: "health" },
  disableResourceNameHashes: true,
  table: fullTable,
  vault: everyLogin,
  aidbox: everyAidboxProp,
  republisher: everyRepublisherProp,
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
  { variant: "with every prop", props: everyProp, name: "box" },
  { variant: "with only the required props", props: requiredProps, name: "aidbox" },
];

const aidboxKinds = ["ConfigMap", "Deployment", "SecretProviderClass", "Service", "ServiceAccount"];
const clusterWideKinds = ["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"];
const republisherKinds = ["Deployment", "Role", "RoleBinding", "ServiceAccount", ...clusterWideKinds];

it.each(variants)("$variant", ({ props }) => {
  expect(yamlOf(chartWith(props))).toMatchSnapshot();
});

describe("the objects", () => {
  it.each([
    { what: "these five", props: requiredProps, kinds: aidboxKinds },
    { what: "these and the Republisher's six", props: everyProp, kinds: [...aidboxKinds, ...republisherKinds] },
  ])("are $what, and no Secret among them", ({ props, kinds }) => {
    expect(
      manifestsOf(chartWith(props))
        .map(({ kind }) => kind)
        .sort(),
    ).toEqual([...kinds].sort());
  });

  it("come with the Deployment's dependencies on what its pods need", () => {
    const { dependencies } = chartWith(requiredProps).aidbox.deployment.node;
    expect(dependencies.map(({ node }) => node.id).sort()).toEqual([
      "secret-provider-class",
      "service-account",
      "vault-config",
    ]);
  });

  it.each(variants)("all lie in the given namespace but for what is cluster-wide, $variant", ({ props }) => {
    for (const { kind, metadata } of manifestsOf(chartWith(props)))
      expect(metadata.namespace).toBe(clusterWideKinds.includes(kind) ? undefined : props.namespace);
  });

  it("all have the chart's labels", () => {
    for (const { metadata } of manifestsOf(chartWith(everyProp)))
      expect(metadata.labels).toMatchObject({ team: "health" });
  });

  it.each(variants)("are named after $name, $variant", ({ props, name }) => {
    const names = manifestsOf(chartWith(props)).map(({ kind, metadata }) => `${kind} ${String(metadata.name)}`);
    expect(names).toEqual(
      expect.arrayContaining([
        `ServiceAccount ${name}`,
        `Deployment ${name}`,
        `Service ${name}`,
        `SecretProviderClass ${name}-vault-secrets`,
        `ConfigMap ${name}-vault-config`,
      ]),
    );
  });

  it.each([
    { what: "without a Republisher", change: {}, count: 10 },
    { what: "with one each", change: { republisher: everyRepublisherProp }, count: 22 },
  ])("of two Aidboxes in one namespace share no name, $what", ({ change, count }) => {
    const app = Testing.app();
    const names = ["blue", "green"].flatMap((name) =>
      manifestsOf(new AidboxChart(app, name, { ...requiredProps, ...change, name })).map(
        ({ kind, metadata }) => `${kind} ${String(metadata.name)}`,
      ),
    );
    expect(names).toHaveLength(count);
    expect(new Set(names).size).toBe(count);
  });

  it("of one name in two namespaces share no name cluster-wide", () => {
    const names = ["blue", "green"].flatMap((namespace) =>
      manifestsOf(chartWith({ ...everyProp, namespace }))
        .filter(({ kind }) => clusterWideKinds.includes(kind))
        .map(({ kind, metadata }) => `${kind} ${String(metadata.name)}`),
    );
    expect(names).toHaveLength(4);
    expect(new Set(names).size).toBe(4);
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
  it.each(variants)("is the pod's, and its token is mounted by neither, $variant", ({ props, name }) => {
    const chart = chartWith(props);
    const serviceAccount = manifestOf(chart, "ServiceAccount", name);
    expect(serviceAccount.automountServiceAccountToken).toBe(false);
    expect(podOf(chart, name)).toMatchObject({
      serviceAccountName: serviceAccount.metadata.name,
      automountServiceAccountToken: false,
    });
  });
});

describe("the Republisher", () => {
  const chart = chartWith(everyProp);
  const ofRepublisher = "box-republisher";

  it("is left out where nobody asks for it", () => {
    expect(yamlOf(chartWith(requiredProps))).not.toContain("republish");
    expect(yamlOf(chartWith({ ...requiredProps, republisher: undefined }))).not.toContain("republish");
  });

  it("has the given interval and image, or its own", () => {
    expect(containerOf(chart, ofRepublisher).image).toBe("registry:5000/curl:8.17.0");
    expect(environmentOf(chart, ofRepublisher).INTERVAL).toEqual({ value: "25" });
    const withInterval = chartWith({ ...requiredProps, republisher: { intervalSeconds: 5 } });
    expect(containerOf(withInterval, "aidbox-republisher").image).toBe("docker.io/curlimages/curl:8.17.0");
    expect(environmentOf(withInterval, "aidbox-republisher").INTERVAL).toEqual({ value: "5" });
  });

  it("looks for pods in the chart's namespace, and there for Aidbox's alone", () => {
    const { NAMESPACE, SELECTOR } = environmentOf(chart, ofRepublisher);
    expect(NAMESPACE).toEqual({ value: "prod" });
    const wanted = SELECTOR!.value!.split(",").map((each) => each.split("="));
    const labelsOf = (name: string) => manifestOf(chart, "Deployment", name).spec!.template.metadata!.labels!;
    const selected = ["box", ofRepublisher].filter((name) =>
      wanted.every(([label, value]) => labelsOf(name)[label!] === value),
    );
    expect(selected).toEqual(["box"]);
  });

  it("has the rights of a ServiceAccount of its own, which Aidbox does not have", () => {
    expect(podOf(chart, ofRepublisher).serviceAccountName).toBe(ofRepublisher);
    expect(manifestOf(chart, "RoleBinding").subjects).toEqual([
      { kind: "ServiceAccount", name: ofRepublisher, namespace: "prod" },
    ]);
  });

  it("changes nothing of Aidbox", () => {
    const aidboxOf = (props: AidboxChartProps) =>
      manifestsOf(chartWith(props)).filter(({ metadata }) => !metadata.name!.endsWith("republisher"));
    expect(aidboxOf({ ...requiredProps, republisher: everyRepublisherProp })).toEqual(aidboxOf(requiredProps));
  });
});

describe("the parts fit together", () => {
  const chart = chartWith(everyProp);

  it("the pod's CSI volume is of the chart's SecretProviderClass", () => {
    const { name } = manifestOf(chart, "SecretProviderClass").metadata;
    expect(chart.secretProviderClass.name).toBe(name);
    expect(podOf(chart, "box").volumes).toContainEqual(
      expect.objectContaining({
        csi: expect.objectContaining({ volumeAttributes: { secretProviderClass: name } }) as unknown,
      }),
    );
  });

  it("the pod's vault-config volume is the chart's ConfigMap", () => {
    const { name } = manifestOf(chart, "ConfigMap").metadata;
    expect(podOf(chart, "box").volumes).toContainEqual({ name: "vault-config", configMap: { name } });
  });

  it("the pod's secret variables are exactly what the SecretProviderClass syncs", () => {
    const [synced, ...others] = manifestOf(chart, "SecretProviderClass").spec!.secretObjects!;
    expect(others).toEqual([]);
    const references = Object.values(environmentOf(chart, "box")).flatMap(
      ({ valueFrom }) => valueFrom?.secretKeyRef ?? [],
    );
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
    expect(manifestOf(chart, "Deployment", "box").spec).toMatchObject({ replicas: 2, strategy: { type: "Recreate" } });
  });

  it("the constructs of the Deployment and the Service can be reached from the chart", () => {
    expect(chart.aidbox.deployment.name).toBe("box");
    expect(chart.aidbox.service.name).toBe("box");
  });
});
