import { Duration, Testing } from "cdk8s";
import {
  AidboxChart,
  type AidboxChartProps,
  type InitResources,
  type RollSchedule,
} from "../../../constructs/kubernetes";
import { VaultStore } from "../../../constructs/stores/vault";
import { everyOption, ways } from "./aidbox/fixtures";
import {
  basicClient,
  containerOf,
  environmentOf,
  everyVault,
  fullTable,
  manifestOf,
  manifestsOf,
  minimalTable,
  podOf,
  yamlOf,
} from "./fixtures";

const everyAidboxProp: Required<AidboxChartProps["aidbox"]> = everyOption;

const everyRepublisherProp: Required<NonNullable<AidboxChartProps["republisher"]>> = {
  interval: Duration.seconds(25),
  priorityClass: "secrets-first",
  logFormat: "standard",
  image: "registry:5000/curl:8.17.0",
  allowTo: [{ peer: { cidr: "10.96.0.1/32" }, ports: [443] }],
};

const everyProp: Required<AidboxChartProps> = {
  namespace: "prod",
  name: "box",
  labels: { team: "health" },
  disableResourceNameHashes: true,
  table: fullTable,
  store: new VaultStore(everyVault),
  aidbox: { ...everyAidboxProp, ...ways.autoscaled },
  republisher: everyRepublisherProp,
  syncedSecret: {
    type: "example.com/settings",
    labels: { team: "health" },
    annotations: { "example.com/backup": "no" },
  },
  serviceAccount: { annotations: { "eks.amazonaws.com/role-arn": "arn" }, labels: { team: "health" } },
  rollSchedule: {
    batch: Duration.seconds(300),
    quietWindow: { fromMinute: 60, toMinute: 240 },
  } satisfies Required<RollSchedule>,
  initBundle: { resources: [basicClient], type: "batch" } satisfies Required<InitResources>,
};

const requiredProps: AidboxChartProps = {
  namespace: "aidbox",
  table: minimalTable,
  store: new VaultStore({ address: "http://vault.vault:8200", role: "aidbox" }),
  aidbox: { image: "healthsamurai/aidboxone:2605" },
};

function chartWith(props: AidboxChartProps) {
  return new AidboxChart(Testing.app(), "aidbox", props);
}

const variants = [
  { variant: "with every prop", props: everyProp, name: "box" },
  { variant: "with only the required props", props: requiredProps, name: "aidbox" },
];

const clusterWideKinds = ["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"];
/** Kinds of what every Aidbox has, of what it has where asked for, and of its Republisher. */
const kinds = {
  needed: ["ConfigMap", "Deployment", "SecretProviderClass", "Service", "ServiceAccount"],
  asked: [
    "ConfigMap",
    "HTTPRoute",
    "HorizontalPodAutoscaler",
    "Ingress",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "Service",
    "ServiceMonitor",
  ],
  republisher: ["Deployment", "NetworkPolicy", "Role", "RoleBinding", "ServiceAccount", ...clusterWideKinds],
};

it.each(variants)("$variant", ({ props }) => {
  expect(yamlOf(chartWith(props))).toMatchSnapshot();
});

it("refuses a schedule of rolls that nobody keeps", () => {
  const props = { ...everyProp, republisher: undefined };
  expect(() => chartWith(props)).toThrow(
    "rollSchedule: is kept by the Republisher: give republisher too, or leave it out",
  );
});

describe("the objects", () => {
  it.each([
    { what: "these five", props: requiredProps, expected: kinds.needed },
    {
      what: "these and the Republisher's seven",
      props: { ...requiredProps, republisher: everyRepublisherProp },
      expected: [...kinds.needed, ...kinds.republisher],
    },
    {
      what: "these and what else is asked for",
      props: { ...everyProp, republisher: undefined, rollSchedule: undefined },
      expected: [...kinds.needed, ...kinds.asked],
    },
    {
      what: "all of these",
      props: everyProp,
      expected: [...kinds.needed, ...kinds.asked, ...kinds.republisher],
    },
  ])("are $what, and no Secret among them", ({ props, expected }) => {
    expect(
      manifestsOf(chartWith(props))
        .map(({ kind }) => kind)
        .sort(),
    ).toEqual([...expected].sort());
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

  it.each(variants)("all lie in the given namespace but for what is cluster-wide, $variant", ({ props }) => {
    for (const { kind, metadata } of manifestsOf(chartWith(props)))
      expect(metadata.namespace).toBe(clusterWideKinds.includes(kind) ? undefined : props.namespace);
  });

  it("all have the chart's labels", () => {
    for (const { metadata } of manifestsOf(chartWith(everyProp)))
      expect(metadata.labels).toMatchObject({ team: "health" });
  });

  it.each(variants)("are all named after $name, $variant", ({ props, name }) => {
    const ofRepublisher = `${name}-republisher`;
    const namesByKind: Record<string, readonly string[]> = {
      SecretProviderClass: [`${name}-vault-secrets`],
      ConfigMap: [`${name}-vault-config`, `${name}-init-bundle`],
      Service: [name, `${name}-metrics`],
      Deployment: [name, ofRepublisher],
      NetworkPolicy: [name, ofRepublisher],
      ServiceAccount: [name, ofRepublisher],
      Role: [ofRepublisher],
      RoleBinding: [ofRepublisher],
      ValidatingAdmissionPolicy: [`${props.namespace}.${ofRepublisher}`],
      ValidatingAdmissionPolicyBinding: [`${props.namespace}.${ofRepublisher}`],
    };
    for (const { kind, metadata } of manifestsOf(chartWith(props))) {
      expect(namesByKind[kind] ?? [name]).toContain(metadata.name);
    }
  });

  it.each([
    { what: "without a Republisher", change: {}, count: 10 },
    { what: "with one each", change: { republisher: everyRepublisherProp }, count: 24 },
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
    const withInterval = chartWith({ ...requiredProps, republisher: { interval: Duration.seconds(5) } });
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

  it("rolls the Deployment for what the SecretProviderClass syncs to its environment, and may patch no other", () => {
    const { ROLL_DEPLOYMENT, ROLL_CLASS, ROLL_OBJECTS } = environmentOf(chart, ofRepublisher);
    expect(ROLL_DEPLOYMENT).toEqual({ value: manifestOf(chart, "Deployment", "box").metadata.name });
    const { metadata, spec } = manifestOf(chart, "SecretProviderClass");
    expect(ROLL_CLASS).toEqual({ value: metadata.name });
    expect(ROLL_OBJECTS).toEqual({ value: "db/password license" });
    expect(spec!.secretObjects![0]!.data!.map(({ objectName }) => objectName)).toEqual(["db/password", "license"]);
    const rules = manifestOf(chart, "Role").rules!.filter(({ resources }) => resources!.includes("deployments"));
    expect(rules).toMatchObject([{ resourceNames: ["box"] }]);
  });

  it("rolls nothing, and may not, where no secret is environment", () => {
    const withoutSync = chartWith({ ...requiredProps, republisher: everyRepublisherProp });
    expect(environmentOf(withoutSync, "aidbox-republisher")).toMatchObject({
      ROLL_DEPLOYMENT: { value: "" },
      ROLL_CLASS: { value: "" },
      ROLL_OBJECTS: { value: "" },
    });
    const rights = manifestOf(withoutSync, "Role").rules!.flatMap(({ resources }) => resources);
    expect(rights).toEqual(["pods", "pods/status"]);
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

  it.each(["vault-config", "init-bundle"])("the pod's %s volume is the chart's ConfigMap", (volume) => {
    const { name } = manifestOf(chart, "ConfigMap", `box-${volume}`).metadata;
    expect(podOf(chart, "box").volumes).toContainEqual({ name: volume, configMap: { name } });
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
    expect(manifestOf(chart, "Deployment", "box").spec).toMatchObject({
      strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    });
  });

  it("the constructs of the Deployment and the Service can be reached from the chart", () => {
    expect(chart.aidbox.deployment.name).toBe("box");
    expect(chart.aidbox.service.name).toBe("box");
  });
});
