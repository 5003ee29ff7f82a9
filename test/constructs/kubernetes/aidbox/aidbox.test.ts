import type { Chart } from "cdk8s";
import { ServiceType } from "cdk8s-plus-28";
import type { AidboxProps } from "../../../../constructs/kubernetes";
import { reservedVariables } from "../../../../constructs/kubernetes/aidbox/container";
import { findReservedProblems } from "../../../../constructs/kubernetes/aidbox/rules";
import { type SecretSpec, SecretTable } from "../../../../constructs/secrets";
import {
  allContainersOf,
  containerOf,
  environmentOf,
  fullTable,
  manifestOf,
  manifestsOf,
  podOf,
  yamlOf,
} from "../fixtures";
import { chartWith, chartWithEveryProp, mountOf } from "./fixtures";

const variants = [
  { variant: "with every prop and a fixed number of pods", chart: chartWithEveryProp("fixed") },
  { variant: "with every prop and an autoscaler", chart: chartWithEveryProp("autoscaled") },
  { variant: "with only the required props", chart: chartWith() },
];

/** What waits for the secrets, and Aidbox; without the containers that the props add. */
function ownContainersOf(chart: Chart) {
  const { initContainers, containers } = podOf(chart);
  return [initContainers![0]!, containers[0]!];
}

it.each(variants)("$variant", ({ chart }) => {
  expect(yamlOf(chart)).toMatchSnapshot();
});

describe("the Deployment", () => {
  it("is one aidbox by default, with what Aidbox needs to start", () => {
    const chart = chartWith();
    expect(manifestOf(chart, "Deployment")).toMatchObject({
      metadata: { name: "aidbox" },
      spec: { replicas: 1, strategy: { type: "RollingUpdate" } },
    });
    expect(containerOf(chart)).toMatchObject({
      name: "aidbox",
      image: "healthsamurai/aidboxone:2605",
      resources: { requests: { cpu: "500m", memory: "2048Mi" }, limits: { memory: "4096Mi" } },
    });
    expect(containerOf(chart).resources!.limits).not.toHaveProperty("cpu");
  });

  it("takes name, replicas, strategy and resources", () => {
    const chart = chartWithEveryProp();
    expect(manifestOf(chart, "Deployment")).toMatchObject({
      metadata: { name: "prod" },
      spec: { replicas: 3, strategy: { type: "Recreate" } },
    });
    expect(containerOf(chart)).toMatchObject({
      name: "prod",
      resources: {
        requests: { cpu: "250m", memory: "1024Mi", "ephemeral-storage": "1Gi" },
        limits: { cpu: "2", memory: "3072Mi", "ephemeral-storage": "2Gi" },
      },
    });
  });

  it("selects its pods by labels that they have", () => {
    const { selector, template } = manifestOf(chartWith(), "Deployment").spec!;
    expect(selector.matchLabels).toEqual({
      "app.kubernetes.io/name": "aidbox",
      "app.kubernetes.io/instance": "aidbox",
    });
    expect(template.metadata!.labels).toMatchObject(selector.matchLabels!);
  });

  it("shows kubectl the Aidbox container first", () => {
    expect(manifestOf(chartWithEveryProp(), "Deployment").spec!.template.metadata!.annotations).toMatchObject({
      "kubectl.kubernetes.io/default-container": "prod",
    });
  });

  it("runs as the given ServiceAccount, whose token it does not mount", () => {
    expect(podOf(chartWith())).toMatchObject({ serviceAccountName: "aidbox", automountServiceAccountToken: false });
  });
});

describe.each(variants)("the secrets' files, $variant", ({ chart }) => {
  it("come by a read-only CSI volume of the SecretProviderClass", () => {
    expect(podOf(chart).volumes).toContainEqual({
      name: "vault-secrets",
      csi: {
        driver: "secrets-store.csi.k8s.io",
        readOnly: true,
        volumeAttributes: { secretProviderClass: "aidbox-vault-secrets" },
      },
    });
  });

  it("are mounted read-only in Aidbox and what waits for it, where Aidbox is told to look", () => {
    const mountPath = environmentOf(chart).AIDBOX_SECRET_FILES_DIRS!.value;
    for (const { volumeMounts } of ownContainersOf(chart)) {
      expect(volumeMounts!.filter(({ name }) => name === "vault-secrets")).toEqual([
        { name: "vault-secrets", mountPath, readOnly: true },
      ]);
    }
  });

  it("are mounted without subPath, so that a rotation reaches them", () => {
    const mounts = ownContainersOf(chart).flatMap(({ volumeMounts }) => volumeMounts!);
    expect(mounts.filter((mount) => "subPath" in mount || "subPathExpr" in mount)).toEqual([]);
  });
});

it("the secrets' files cannot be mounted over or below anything else that the container mounts", () => {
  const others = containerOf(chartWith()).volumeMounts!.filter(({ name }) => name !== "vault-secrets");
  expect(others.map(({ mountPath }) => mountPath).sort()).toEqual(["/etc/aidbox", "/tmp"]);
  for (const folder of others.flatMap(({ mountPath }) => [mountPath, `${mountPath}/secrets`])) {
    expect(findReservedProblems(folder, [])).toEqual([
      {
        key: "mountPath",
        message: `"${folder}": something else is mounted there: write another folder, as /run/vault-secrets`,
      },
    ]);
  }
});

it("the secrets' files lie in the table's mount path", () => {
  expect(containerOf(chartWithEveryProp()).volumeMounts).toContainEqual({
    name: "vault-secrets",
    mountPath: "/mnt/secrets",
    readOnly: true,
  });
});

describe("the restricted Pod Security level", () => {
  it.each([
    {
      variant: "with every prop",
      chart: chartWithEveryProp(),
      names: ["wait-for-secrets", "migrate", "prod", "audit"],
    },
    { variant: "with only the required props", chart: chartWith(), names: ["wait-for-secrets", "aidbox"] },
  ])("holds for every container, those of the props too, $variant", ({ chart, names }) => {
    const containers = allContainersOf(chart);
    expect(containers.map(({ name }) => name)).toEqual(names);
    for (const { securityContext } of containers) {
      expect(securityContext).toMatchObject({
        runAsNonRoot: true,
        privileged: false,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ["ALL"] },
        seccompProfile: { type: "RuntimeDefault" },
      });
      expect(securityContext!.capabilities).not.toHaveProperty("add");
    }
  });

  it("holds for the pod: no root, no host network, only volumes that the level admits", () => {
    const { securityContext, hostNetwork, volumes } = podOf(chartWith());
    expect(securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000 });
    expect(hostNetwork).toBe(false);
    expect(volumes!.map(({ name, ...source }) => [name, ...Object.keys(source)])).toEqual([
      ["vault-secrets", "csi"],
      ["vault-config", "configMap"],
      ["tmp", "emptyDir"],
    ]);
  });
});

describe("the root file system", () => {
  it.each([
    { props: {}, readOnly: true },
    { props: { security: { readOnlyRootFilesystem: true } }, readOnly: true },
    { props: { security: { readOnlyRootFilesystem: false } }, readOnly: false },
  ])("with $props is read-only: $readOnly, and /tmp is writable", ({ props, readOnly }) => {
    const container = containerOf(chartWith(props));
    expect(container.securityContext!.readOnlyRootFilesystem).toBe(readOnly);
    expect(container.volumeMounts).toContainEqual({ name: "tmp", mountPath: "/tmp" });
    expect(podOf(chartWith(props)).volumes).toContainEqual({ name: "tmp", emptyDir: {} });
  });
});

describe("the probes", () => {
  it.each([
    { chart: chartWith(), path: "/health", port: 8080 },
    { chart: chartWithEveryProp(), path: "/__health", port: 9090 },
  ])("ask $path on port $port", ({ chart, path, port }) => {
    const { startupProbe, readinessProbe, livenessProbe } = containerOf(chart);
    for (const probe of [startupProbe, readinessProbe, livenessProbe]) {
      expect(probe!.httpGet).toEqual({ path, port, scheme: "HTTP" });
    }
  });

  it("let Aidbox start for five minutes and then hold it to a minute", () => {
    const { startupProbe, readinessProbe, livenessProbe } = containerOf(chartWith());
    expect(startupProbe).toMatchObject({ periodSeconds: 1, failureThreshold: 300 });
    expect(readinessProbe).toMatchObject({ periodSeconds: 5, failureThreshold: 2 });
    expect(livenessProbe).toMatchObject({ periodSeconds: 10, failureThreshold: 6 });
  });

  it("keep their other defaults where only one thing of them is said", () => {
    const { startupProbe, readinessProbe, livenessProbe } = containerOf(chartWithEveryProp());
    expect(startupProbe).toMatchObject({ initialDelaySeconds: 20, periodSeconds: 2, failureThreshold: 60 });
    expect(readinessProbe).toMatchObject({ periodSeconds: 5, failureThreshold: 5, timeoutSeconds: 5 });
    expect(livenessProbe).toMatchObject({ periodSeconds: 30, failureThreshold: 6, timeoutSeconds: 5 });
  });
});

describe("the init container", () => {
  it("waits for every file of the table", () => {
    const [init] = podOf(chartWithEveryProp()).initContainers!;
    expect(init!.command!.slice(0, 2)).toEqual(["sh", "-c"]);
    expect(init!.command![2]).toContain('until [ $wanted "$file" ]');
    expect(init!.command!.slice(4)).toEqual([
      "/mnt/secrets/client-secret",
      "/mnt/secrets/license",
      "/mnt/secrets/tls/key.pem",
      // What may be empty.
      "--",
      "/mnt/secrets/db/password",
    ]);
  });

  it("runs Aidbox's own image, so that nothing more is pulled", () => {
    const chart = chartWith({ image: "registry:5000/aidbox:2603" });
    expect(allContainersOf(chart).map(({ image, imagePullPolicy }) => ({ image, imagePullPolicy }))).toEqual([
      { image: "registry:5000/aidbox:2603", imagePullPolicy: "IfNotPresent" },
      { image: "registry:5000/aidbox:2603", imagePullPolicy: "IfNotPresent" },
    ]);
  });
});

describe("the environment", () => {
  it("tells Aidbox where its port, vault-config.json and secrets are, and nothing else by default", () => {
    expect(environmentOf(chartWith())).toEqual({
      BOX_WEB_PORT: { value: "8080" },
      BOX_VAULT_CONFIG: { value: "/etc/aidbox/vault-config.json" },
      AIDBOX_SECRET_FILES_ENABLED: { value: "true" },
      AIDBOX_SECRET_FILES_DIRS: { value: "/run/vault-secrets" },
    });
  });

  it("that the stack sets itself is what the table and the config refuse to set", () => {
    const set = Object.keys(environmentOf(chartWith({ metricsPort: 8765 })));
    expect(set.sort()).toEqual([...reservedVariables].sort());
  });

  it("has plain settings as they are, and secrets only as references to the synced Secret", () => {
    expect(environmentOf(chartWithEveryProp())).toEqual({
      BOX_WEB_BASE_URL: { value: "https://aidbox.example.com" },
      BOX_FHIR_COMPLIANT_MODE: { value: "true" },
      BOX_NODE: { value: "one" },
      BOX_DB_PASSWORD: { valueFrom: { secretKeyRef: { name: "aidbox-environment", key: "BOX_DB_PASSWORD" } } },
      BOX_LICENSE: { valueFrom: { secretKeyRef: { name: "aidbox-environment", key: "BOX_LICENSE" } } },
      BOX_DB_HOST: { value: "postgres.example.com" },
      BOX_DB_PORT: { value: "6432" },
      BOX_DB_DATABASE: { value: "fhir" },
      BOX_DB_USER: { value: "box" },
      AIDBOX_DB_PARAM_SSL: { value: "true" },
      AIDBOX_DB_PARAM_SSLMODE: { value: "verify-full" },
      AIDBOX_DB_PARAM_SSLROOTCERT: { value: "/etc/aidbox-database/ca.crt" },
      BOX_WEB_PORT: { value: "9090" },
      BOX_METRICS_PORT: { value: "9765" },
      BOX_VAULT_CONFIG: { value: "/etc/aidbox/vault-config.json" },
      BOX_INIT_BUNDLE: { value: "file:///etc/aidbox-init-bundle/bundle.json" },
      AIDBOX_SECRET_FILES_ENABLED: { value: "true" },
      AIDBOX_SECRET_FILES_DIRS: { value: "/mnt/secrets" },
    });
  });

  it("plain settings cannot override the stack's own variables, nor a secret's", () => {
    const change = { secrets: mountOf(fullTable), metricsPort: 8765 };
    const own = environmentOf(chartWith(change));
    const plain = Object.keys(own).filter((name) => own[name]!.valueFrom === undefined);
    const overridden = Object.fromEntries(plain.map((name) => [name, "overridden"]));
    expect(environmentOf(chartWith({ ...change, environment: overridden }))).toEqual(own);
    for (const secret of Object.keys(own).filter((name) => !plain.includes(name))) {
      const create = (): unknown => chartWith({ ...change, environment: { [secret]: "overridden" } });
      expect(create).toThrow(`environment.${secret}: would be in plain text`);
    }
  });

  it("has no variable twice", () => {
    const chart = chartWith({ environment: { BOX_WEB_PORT: "1" } });
    expect(containerOf(chart).env!.filter(({ name }) => name === "BOX_WEB_PORT")).toHaveLength(1);
  });
});

describe("vault-config.json", () => {
  it("is mounted read-only as a folder, where BOX_VAULT_CONFIG says", () => {
    const chart = chartWith();
    expect(containerOf(chart).volumeMounts).toContainEqual({
      name: "vault-config",
      mountPath: "/etc/aidbox",
      readOnly: true,
    });
    expect(podOf(chart).volumes).toContainEqual({ name: "vault-config", configMap: { name: "aidbox-vault-config" } });
    expect(manifestOf(chart, "ConfigMap")).toMatchObject({
      metadata: { name: "aidbox-vault-config" },
      data: { "vault-config.json": expect.any(String) as string },
    });
  });

  const checksumOf = (secret: Partial<SecretSpec>, change: Partial<AidboxProps> = {}) => {
    const table = new SecretTable({
      secrets: [
        { name: "client-secret", path: "aidbox/client", scope: { resourceType: "Client", id: "one" }, ...secret },
      ],
    });
    const { annotations } = manifestOf(chartWith({ secrets: mountOf(table), ...change }), "Deployment").spec!.template
      .metadata!;
    return annotations!["checksum/vault-config"];
  };

  it("rolls the pods when it changes", () => {
    expect(checksumOf({ scope: { resourceType: "Client", id: "two" } })).not.toBe(checksumOf({}));
  });

  it("does not roll the pods when only other things change", () => {
    expect(checksumOf({ path: "elsewhere", key: "other" }, { environment: { BOX_X: "1" } })).toBe(checksumOf({}));
  });
});

describe("the Service", () => {
  it.each([
    { chart: chartWith(), name: "aidbox", port: 8080, targetPort: 8080 },
    { chart: chartWith({ name: "prod", port: 9090, service: { port: 80 } }), name: "prod", port: 80, targetPort: 9090 },
  ])("$name leads to the Deployment's pods from port $port to $targetPort", ({ chart, name, port, targetPort }) => {
    const service = manifestOf(chart, "Service");
    expect(service).toMatchObject({
      metadata: { name },
      spec: { type: "ClusterIP", ports: [{ name: "http", port, targetPort }] },
    });
    expect(containerOf(chart).ports).toEqual([{ name: "http", containerPort: targetPort, protocol: "TCP" }]);

    const labels = { "app.kubernetes.io/name": "aidbox", "app.kubernetes.io/instance": name };
    expect(service.metadata.labels).toEqual(labels);
    expect(service.spec!.selector).toEqual(labels);
    expect(manifestOf(chart, "Deployment").spec!.template.metadata!.labels).toMatchObject(labels);
  });

  it("may be a load balancer, with its cloud's annotations", () => {
    const annotations = { "example.com/internal": "true" };
    const chart = chartWith({ service: { type: ServiceType.LOAD_BALANCER, annotations } });
    expect(manifestOf(chart, "Service")).toMatchObject({ metadata: { annotations }, spec: { type: "LoadBalancer" } });
  });
});

describe("by default", () => {
  it("there is nothing but the Deployment and the Service, and of the pod nothing that is not needed", () => {
    const kinds = manifestsOf(chartWith()).map(({ kind }) => kind);
    expect(kinds.sort()).toEqual(["ConfigMap", "Deployment", "Service", "ServiceAccount"]);
    const absent = ["nodeSelector", "tolerations", "affinity", "topologySpreadConstraints", "priorityClassName"];
    for (const field of [...absent, "imagePullSecrets"]) expect(podOf(chartWith())).not.toHaveProperty(field);
    expect(containerOf(chartWith())).not.toHaveProperty("envFrom");
  });
});
