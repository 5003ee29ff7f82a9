import { Testing } from "cdk8s";
import { DevelopmentPostgres } from "../../../../constructs/kubernetes";
import { type SecretSpec, SecretTable } from "../../../../constructs/secrets";
import { manifestOf, manifestsOf, minimalTable, providerObjectsOf, yamlOf } from "../fixtures";
import { chartWith, containerOf, containersOf, environmentOf, everyProp, podOf, requiredProps } from "./fixtures";

const variants = [
  { variant: "with every prop", chart: chartWith(everyProp), name: "box-postgres", file: "db/password" },
  { variant: "with only the required props", chart: chartWith(), name: "aidbox-postgres", file: "password" },
];

it.each(variants)("$variant", ({ chart }) => {
  expect(yamlOf(chart)).toMatchSnapshot();
});

it("comes with the StatefulSet's dependencies", () => {
  const { statefulSet } = new DevelopmentPostgres(Testing.chart(), "postgres", requiredProps);
  expect(statefulSet.node.dependencies.map(({ node }) => node.id).sort()).toEqual([
    "claim",
    "network-guard",
    "secret-provider-class",
    "service-account",
  ]);
});

describe.each(variants)("the StatefulSet, $variant", ({ chart, name }) => {
  it("is one PostgreSQL under its own name, led to by the Service on port 5432", () => {
    const { metadata, spec } = manifestOf(chart, "StatefulSet");
    expect(metadata.name).toBe(name);
    expect(spec).toMatchObject({ replicas: 1, serviceName: name });
    const service = manifestOf(chart, "Service");
    expect(service).toMatchObject({
      metadata: { name },
      spec: { type: "ClusterIP", ports: [{ name: "postgres", port: 5432, targetPort: 5432 }] },
    });
    expect(containerOf(chart, "postgres").ports).toEqual([{ name: "postgres", containerPort: 5432, protocol: "TCP" }]);
    expect(spec!.template.metadata!.labels).toMatchObject(service.spec!.selector!);
    expect(spec!.template.metadata!.labels).toMatchObject(spec!.selector.matchLabels!);
  });

  it("runs as a ServiceAccount of its own, whose token it does not mount", () => {
    expect(podOf(chart)).toMatchObject({ serviceAccountName: name, automountServiceAccountToken: false });
    expect(manifestOf(chart, "ServiceAccount")).toMatchObject({
      metadata: { name },
      automountServiceAccountToken: false,
    });
  });

  it("keeps its data in the claim, in a folder below the volume's", () => {
    expect(podOf(chart).volumes).toContainEqual({
      name: "data",
      persistentVolumeClaim: { claimName: name, readOnly: false },
    });
    for (const container of ["make-database", "postgres"]) {
      expect(containerOf(chart, container).volumeMounts).toContainEqual({
        name: "data",
        mountPath: "/var/lib/postgresql/data",
        readOnly: false,
      });
      expect(environmentOf(chart, container).PGDATA).toBe("/var/lib/postgresql/data/pgdata");
    }
  });

  it("shows kubectl the server first", () => {
    expect(manifestOf(chart, "StatefulSet").spec!.template.metadata!.annotations).toEqual({
      "kubectl.kubernetes.io/default-container": "postgres",
    });
  });
});

describe("the claim", () => {
  it("is one GiB of the cluster's default class", () => {
    const { spec } = manifestOf(chartWith(), "PersistentVolumeClaim");
    expect(spec).toEqual({ accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1024Mi" } } });
  });

  it("takes a size, also one of less than a GiB, and a class", () => {
    expect(manifestOf(chartWith(everyProp), "PersistentVolumeClaim").spec).toMatchObject({
      storageClassName: "fast",
      resources: { requests: { storage: "512Mi" } },
    });
  });
});

describe.each(variants)("the password, $variant", ({ chart, file }) => {
  it("is all that its SecretProviderClass fetches, by a login of its own, and none of it is synced", () => {
    expect(providerObjectsOf(chart)).toHaveLength(1);
    const { parameters, secretObjects } = manifestOf(chart, "SecretProviderClass").spec!;
    expect(secretObjects).toBeUndefined();
    expect(parameters!.roleName).toMatch(/-database$/);
    expect(manifestsOf(chart).map(({ kind }) => kind)).not.toContain("Secret");
  });

  it("comes by a read-only CSI volume to those who need it, and not to the server", () => {
    const { name } = manifestOf(chart, "SecretProviderClass").metadata;
    expect(podOf(chart).volumes).toContainEqual({
      name: "vault-secrets",
      csi: {
        driver: "secrets-store.csi.k8s.io",
        readOnly: true,
        volumeAttributes: { secretProviderClass: name },
      },
    });
    const mounts = containersOf(chart).map((container) => [
      container.name,
      container.volumeMounts!.filter((mount) => mount.name === "vault-secrets"),
    ]);
    const mount = { name: "vault-secrets", mountPath: "/run/vault-secrets", readOnly: true };
    expect(Object.fromEntries(mounts)).toEqual({
      "wait-for-secrets": [mount],
      "make-database": [mount],
      postgres: [],
      "follow-password": [mount],
    });
  });

  it("is read from its file: neither variables nor arguments say more than where it is", () => {
    const path = `/run/vault-secrets/${file}`;
    expect(containerOf(chart, "wait-for-secrets").command!.slice(4)).toEqual([path]);
    expect(environmentOf(chart, "make-database").POSTGRES_PASSWORD_FILE).toBe(path);
    expect(environmentOf(chart, "follow-password").PASSWORD_FILE).toBe(path);
    for (const container of containersOf(chart)) {
      expect((container.env ?? []).filter(({ valueFrom }) => valueFrom !== undefined)).toEqual([]);
      expect(container.envFrom).toBeUndefined();
      const names = (container.env ?? []).map(({ name }) => name);
      expect(names.filter((name) => /PASSWORD(?!_FILE)/.test(name))).toEqual([]);
    }
  });

  it("is mounted without subPath, so that a rotation reaches it", () => {
    const mounts = containersOf(chart).flatMap(({ volumeMounts }) => volumeMounts!);
    expect(mounts.filter((mount) => "subPath" in mount || "subPathExpr" in mount)).toEqual([]);
  });
});

it("the password is fetched from the path and key of Aidbox's row", () => {
  expect(providerObjectsOf(chartWith(everyProp))).toEqual([
    { objectName: "db/password", secretPath: "teams/kv/data/aidbox/db", secretKey: "password" },
  ]);
  expect(providerObjectsOf(chartWith())).toEqual([
    { objectName: "password", secretPath: "secret/data/aidbox/database", secretKey: "password" },
  ]);
});

describe.each(variants)("the restricted Pod Security level, $variant", ({ chart }) => {
  it("holds for every container, on a read-only root file system", () => {
    const containers = containersOf(chart);
    expect(containers.map(({ name }) => name)).toEqual([
      "wait-for-secrets",
      "make-database",
      "postgres",
      "follow-password",
    ]);
    for (const { securityContext } of containers) {
      expect(securityContext).toEqual({
        runAsNonRoot: true,
        runAsUser: 999,
        runAsGroup: 999,
        privileged: false,
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ["ALL"] },
        seccompProfile: { type: "RuntimeDefault" },
      });
    }
  });

  it("holds for the pod: no root, no host network, only volumes that the level admits", () => {
    const { securityContext, hostNetwork, volumes } = podOf(chart);
    expect(securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 999,
      runAsGroup: 999,
      fsGroup: 999,
      fsGroupChangePolicy: "OnRootMismatch",
    });
    expect(hostNetwork).toBe(false);
    expect(volumes!.map(({ name, ...source }) => [name, ...Object.keys(source)]).sort()).toEqual([
      ["data", "persistentVolumeClaim"],
      ["socket", "emptyDir"],
      ["tmp", "emptyDir"],
      ["vault-secrets", "csi"],
    ]);
  });

  it("leaves PostgreSQL what it must write: its data, its socket and /tmp", () => {
    const writable = containerOf(chart, "postgres").volumeMounts!.filter(({ readOnly }) => readOnly !== true);
    expect(writable.map(({ mountPath }) => mountPath).sort()).toEqual([
      "/tmp",
      "/var/lib/postgresql/data",
      "/var/run/postgresql",
    ]);
  });
});

describe("the database", () => {
  it.each([
    { chart: chartWith(), database: "aidbox", user: "aidbox" },
    { chart: chartWith(everyProp), database: "fhir", user: "fhir-user" },
  ])("$database of $user is made where the volume is empty, before the server starts", ({ chart, database, user }) => {
    const [waiting, making, ...others] = podOf(chart).initContainers!;
    expect(others).toEqual([]);
    expect(waiting!.name).toBe("wait-for-secrets");
    expect(making!.command).toEqual(["docker-ensure-initdb.sh"]);
    expect(environmentOf(chart, "make-database")).toMatchObject({ POSTGRES_DB: database, POSTGRES_USER: user });
    expect(environmentOf(chart, "follow-password")).toMatchObject({ PGDATABASE: database, PGUSER: user });
  });

  it("asks for a SCRAM password on every TCP connection, and for none on the socket alone", () => {
    expect(environmentOf(chartWith(), "make-database")).toMatchObject({
      POSTGRES_INITDB_ARGS: "--auth-host=scram-sha-256 --auth-local=trust --encoding=UTF8",
      POSTGRES_HOST_AUTH_METHOD: "scram-sha-256",
    });
    expect(containerOf(chartWith(), "postgres").command).toEqual([
      "postgres",
      "-c",
      "listen_addresses=*",
      "-c",
      "password_encryption=scram-sha-256",
    ]);
  });

  it("has its socket in the pod alone, where the one that changes the password cannot move it", () => {
    const chart = chartWith();
    expect(podOf(chart).volumes).toContainEqual({ name: "socket", emptyDir: {} });
    const mountOf = (name: string) => containerOf(chart, name).volumeMounts!.find((mount) => mount.name === "socket")!;
    expect(mountOf("postgres")).toMatchObject({ mountPath: "/var/run/postgresql", readOnly: false });
    expect(mountOf("follow-password")).toMatchObject({ mountPath: "/var/run/postgresql", readOnly: true });
    expect(environmentOf(chart, "follow-password").PGHOST).toBe("/var/run/postgresql");
  });
});

describe("the server", () => {
  it.each([
    { chart: chartWith(), look: ["--username=aidbox", "--dbname=aidbox"] },
    { chart: chartWith(everyProp), look: ["--username=fhir-user", "--dbname=fhir"] },
  ])("is looked at by pg_isready over TCP, as $look", ({ chart, look }) => {
    const { startupProbe, readinessProbe, livenessProbe } = containerOf(chart, "postgres");
    for (const probe of [startupProbe, readinessProbe, livenessProbe]) {
      expect(probe!.exec!.command).toEqual(["pg_isready", "--host=127.0.0.1", ...look]);
      expect(probe!.timeoutSeconds).toBe(5);
    }
    expect(startupProbe).toMatchObject({ periodSeconds: 1, failureThreshold: 300 });
    expect(readinessProbe).toMatchObject({ periodSeconds: 5, failureThreshold: 2 });
    expect(livenessProbe).toMatchObject({ periodSeconds: 10, failureThreshold: 6 });
  });

  it("ends its clients' connections and writes all down before it stops, in a minute", () => {
    expect(containerOf(chartWith(), "postgres").lifecycle).toEqual({
      preStop: { exec: { command: ["pg_ctl", "stop", "--mode=fast", "--no-wait"] } },
    });
    expect(podOf(chartWith()).terminationGracePeriodSeconds).toBe(60);
  });

  it("takes its resources, and makes the database with the same", () => {
    for (const name of ["postgres", "make-database"]) {
      expect(containerOf(chartWith(), name).resources).toEqual({
        requests: { cpu: "100m", memory: "256Mi" },
        limits: { memory: "1024Mi" },
      });
      expect(containerOf(chartWith(everyProp), name).resources).toEqual({
        requests: { cpu: "250m" },
        limits: { memory: "2048Mi" },
      });
    }
  });

  it.each([
    { chart: chartWith(), image: "docker.io/library/postgres:17.9" },
    { chart: chartWith(everyProp), image: "registry:5000/postgres:17.9" },
  ])("runs $image, as every container does, pulled where the node lacks it", ({ chart, image }) => {
    for (const container of containersOf(chart)) {
      expect(container).toMatchObject({ image, imagePullPolicy: "IfNotPresent" });
    }
  });
});

/** What is said of a server whose props have a problem. */
function problemsOf(problem: string): Error {
  return new Error(`The props of test/postgres are not valid:\n  ${problem}`);
}

describe("is refused", () => {
  it("with a table that has no password of a database", () => {
    expect(() => chartWith({ table: minimalTable })).toThrow(
      problemsOf("table: no row has environment: BOX_DB_PASSWORD: give the database's password that"),
    );
  });

  it("with a password that the store changes", () => {
    const row: SecretSpec = { name: "password", path: "aidbox", source: "database", environment: "BOX_DB_PASSWORD" };
    expect(() => chartWith({ table: new SecretTable({ secrets: [row] }) })).toThrow(
      problemsOf(
        "table: password is of source database, and this PostgreSQL changes its password itself: write seeded",
      ),
    );
  });

  it("with a name that is too long for the labels of its pod", () => {
    const name = "a".repeat(53);
    expect(() => chartWith({ name })).toThrow(problemsOf(`name: "${name}" has 53 characters: shorten it to 52`));
    expect(manifestOf(chartWith({ name: "a".repeat(52) }), "StatefulSet").metadata.name).toHaveLength(52);
  });
});
