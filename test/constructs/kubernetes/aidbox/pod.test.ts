import { type Chart, Testing } from "cdk8s";
import { ContainerRestartPolicy, Volume } from "cdk8s-plus-28";
import { allContainersOf, containerOf, manifestOf, podOf } from "../fixtures";
import { chartWith, chartWithEveryProp, refusalOf } from "./fixtures";

const image = "registry.example.com/audit:1";

function mountedAt(...paths: readonly string[]) {
  return paths.map((path, index) => ({ path, volume: Volume.fromEmptyDir(Testing.chart(), "volume", `v${index}`) }));
}

function named(chart: Chart, name: string) {
  return allContainersOf(chart).find((container) => container.name === name)!;
}

describe("the pod", () => {
  it("takes annotations and labels beside its own", () => {
    const { metadata } = manifestOf(chartWithEveryProp(), "Deployment").spec!.template;
    expect(metadata!.annotations).toMatchObject({
      "example.com/backup": "no",
      "checksum/vault-config": expect.any(String) as string,
    });
    expect(metadata!.labels).toMatchObject({
      "example.com/team": "health",
      "app.kubernetes.io/name": "aidbox",
      "app.kubernetes.io/instance": "prod",
    });
    expect(manifestOf(chartWithEveryProp(), "Deployment").spec!.selector.matchLabels).not.toHaveProperty(
      "example.com/team",
    );
  });

  it("annotates the Deployment apart from the pods", () => {
    const { metadata, spec } = manifestOf(chartWithEveryProp(), "Deployment");
    expect(metadata.annotations).toEqual({ "example.com/runbook": "https://example.com/runbook" });
    expect(spec!.template.metadata!.annotations).not.toHaveProperty("example.com/runbook");
  });

  it("cannot keep the checksum that rolls it", () => {
    const annotations = { "checksum/vault-config": "same" };
    const { metadata } = manifestOf(chartWith({ pod: { annotations } }), "Deployment").spec!.template;
    expect(metadata!.annotations!["checksum/vault-config"]).toHaveLength(64);
  });

  it("pulls its images with the registry's credentials", () => {
    expect(podOf(chartWithEveryProp()).imagePullSecrets).toEqual([{ name: "registry" }]);
    for (const name of ["wait-for-secrets", "prod"]) {
      expect(named(chartWithEveryProp(), name).imagePullPolicy).toBe("Always");
    }
  });

  it("has the time to stop that is said, else Kubernetes' own", () => {
    expect(podOf(chartWithEveryProp()).terminationGracePeriodSeconds).toBe(60);
    expect(podOf(chartWith()).terminationGracePeriodSeconds).toBe(30);
  });

  it("runs as the user and the groups that are said, in every container", () => {
    const chart = chartWithEveryProp();
    expect(podOf(chart).securityContext).toMatchObject({ runAsUser: 2000, runAsGroup: 3000, fsGroup: 4000 });
    for (const { securityContext } of allContainersOf(chart)) {
      expect(securityContext).toMatchObject({ runAsUser: 2000, runAsGroup: 3000, readOnlyRootFilesystem: false });
    }
  });

  it("has one group for all where only a user is said", () => {
    const { securityContext } = podOf(chartWith({ security: { user: 2000 } }));
    expect(securityContext).toMatchObject({ runAsUser: 2000, runAsGroup: 2000, fsGroup: 2000 });
  });
});

describe("further volumes", () => {
  it("come with their mounts, in Aidbox only", () => {
    const chart = chartWithEveryProp();
    const mount = { name: "data", mountPath: "/data", readOnly: true };
    expect(containerOf(chart).volumeMounts).toContainEqual(mount);
    expect(podOf(chart).volumes).toContainEqual({ name: "data", emptyDir: { sizeLimit: "1024Mi" } });
    for (const name of ["wait-for-secrets", "migrate", "audit"]) {
      expect(named(chart, name).volumeMounts ?? []).not.toContainEqual(mount);
    }
  });

  it.each([
    { path: "/run/vault-secrets", problem: '"/run/vault-secrets": lies in /run/vault-secrets, which is read-only' },
    { path: "/run/vault-secrets/x", problem: '"/run/vault-secrets/x": lies in /run/vault-secrets, which is read-only' },
    { path: "/etc/aidbox/x", problem: '"/etc/aidbox/x": lies in /etc/aidbox, which is read-only' },
    { path: "/tmp", problem: '"/tmp": has something mounted already' },
  ])("cannot lie at $path", ({ path, problem }) => {
    expect(refusalOf({ pod: { mounts: mountedAt(path) } })).toEqual([`pod.mounts[0].path: ${problem}: write another`]);
  });

  it("cannot lie over each other, but beside what is there", () => {
    expect(refusalOf({ pod: { mounts: mountedAt("/data", "/data") } })).toEqual([
      'pod.mounts[1].path: "/data": has something mounted already: write another',
    ]);
    const chart = chartWith({ pod: { mounts: mountedAt("/tmp/cache", "/run/vault-secrets-too", "/etc") } });
    expect(containerOf(chart).volumeMounts).toHaveLength(6);
  });
});

describe("further containers", () => {
  it("start after the secrets are there, and beside Aidbox", () => {
    const { initContainers, containers } = podOf(chartWithEveryProp());
    expect(initContainers!.map(({ name }) => name)).toEqual(["wait-for-secrets", "migrate"]);
    expect(containers.map(({ name }) => name)).toEqual(["prod", "audit"]);
  });

  it("see no secrets", () => {
    for (const name of ["migrate", "audit"]) {
      const { volumeMounts = [], env = [] } = named(chartWithEveryProp(), name);
      expect([...volumeMounts, ...env]).toEqual([]);
    }
  });

  it("may loosen what they say themselves, and that only", () => {
    const sidecars = [{ name: "audit", image, securityContext: { readOnlyRootFilesystem: false } }];
    expect(named(chartWith({ pod: { sidecars } }), "audit").securityContext).toMatchObject({
      readOnlyRootFilesystem: false,
      runAsUser: 1000,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
    });
  });

  it("may be Kubernetes' own kind of sidecar, among the init containers", () => {
    const initContainers = [{ name: "proxy", image, restartPolicy: ContainerRestartPolicy.ALWAYS }];
    expect(named(chartWith({ pod: { initContainers } }), "proxy").restartPolicy).toBe("Always");
  });
});

describe("of the pod is refused", () => {
  it("a label by which the Service finds it", () => {
    const labels = { "app.kubernetes.io/instance": "other", team: "health" };
    expect(refusalOf({ pod: { labels } })).toEqual([
      'pod.labels.app.kubernetes.io/instance: "other": is "aidbox" for the Service to find the pods: leave it out',
    ]);
  });

  it("a container's name that another has", () => {
    const pod = {
      initContainers: [{ name: "wait-for-secrets", image }],
      sidecars: [{ name: "aidbox", image }, { image }, { image }],
    };
    expect(refusalOf({ pod })).toEqual([
      'pod.initContainers[0].name: "wait-for-secrets": is another container\'s too: give it its own',
      'pod.sidecars[0].name: "aidbox": is another container\'s too: give it its own',
      'pod.sidecars[2].name: "main": is another container\'s too: give it its own',
    ]);
  });

  it("root", () => {
    expect(refusalOf({ security: { user: 0 } })).toEqual([
      "security.user: 0: is root, whom the restricted level refuses: write the image's user, 1000",
    ]);
  });

  it("everything at once, with the construct's path", () => {
    expect(() =>
      chartWith({
        replicas: 3,
        autoscaling: { maxReplicas: 1 },
        ingress: { hosts: [] },
        security: { user: 0 },
        pod: { mounts: mountedAt("/tmp") },
      }),
    ).toThrow(
      new Error(
        [
          "The props of test/aidbox are not valid:",
          "  replicas: 3: stands beside autoscaling from 2 to 1, which sets the number of pods: remove one of them",
          "  autoscaling: minReplicas 2 is more than maxReplicas 1: lower minReplicas or raise maxReplicas",
          "  security.user: 0: is root, whom the restricted level refuses: write the image's user, 1000",
          "  ingress.hosts: []: would take the requests for every host: name at least one, as aidbox.example.com",
          '  pod.mounts[0].path: "/tmp": has something mounted already: write another',
        ].join("\n"),
      ),
    );
  });
});
