import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { ApiObject, App, type Chart } from "cdk8s";
import type { k8s } from "cdk8s-plus-28";
import { parse } from "yaml";
import type { VaultEnvironment } from "../../../infra/config/environment";
import { ownKeys } from "../../../infra/config/project";
import { aidboxChart, postgresChart } from "../../../infra/stack/charts";
import { guardsChart } from "../../../infra/stack/stores/vault/guards";
import { deployOnMocks } from "../deploy-on-mocks";
import { checkVaultEnvironment } from "../vault-environment";

const root = resolve(__dirname, "../../..");
const file = readFileSync(join(root, "test/checkers/Pulumi.everything.yaml"), "utf8");
const everything = ownKeys((parse(file) as { config: Record<string, unknown> }).config);

interface Workload {
  readonly kind: string;
  readonly name: string;
  readonly pod: k8s.PodSpec;
}

/** Every pod of the stack's own, of each Aidbox, its PostgreSQL and their Republishers. */
function workloads(changes: Record<string, unknown>): Workload[] {
  const environment = checkVaultEnvironment("everything", { ...everything, ...changes });
  const app = new App();
  const all: readonly VaultEnvironment[] = [environment, ...environment.tenants];
  const charts: Chart[] = all.flatMap((each) => [aidboxChart(app, each), postgresChart(app, each)]);
  return charts
    .flatMap((chart) => chart.node.findAll())
    .filter((each) => ApiObject.isApiObject(each))
    .filter(({ kind }) => ["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod"].includes(kind))
    .map((object) => {
      const { spec } = object.toJson() as { spec: { template: { spec: k8s.PodSpec } } };
      return { kind: object.kind, name: object.name, pod: spec.template.spec };
    });
}

function containers({ initContainers = [], containers: main }: k8s.PodSpec): readonly k8s.Container[] {
  return [...initContainers, ...main];
}

test("every pod takes every image from the registry, with the pull secrets", () => {
  const all = workloads({ images: { registry: "registry.example.com/mirror", pullSecrets: ["regcred"] } });
  expect(all.map(({ kind, name }) => `${kind} ${name}`).sort()).toEqual(
    [
      "Deployment aidbox",
      "Deployment aidbox-republisher",
      "Deployment aidbox-postgres-republisher",
      "StatefulSet aidbox-postgres",
    ]
      .flatMap((each) => [each, each])
      .sort(),
  );
  for (const { pod } of all) {
    expect(pod.imagePullSecrets).toEqual([{ name: "regcred" }]);
    for (const { image } of containers(pod)) expect(image).toMatch(/^registry\.example\.com\/mirror\/[^.]+\/[^/]+:.+$/);
  }
});

test("pull secrets of Aidbox's own stay, and no Secret is named twice", () => {
  const aidbox = { ...(everything.aidbox as object), imagePullSecrets: ["licensed", "regcred"] };
  const [{ pod }] = workloads({ aidbox, images: { pullSecrets: ["regcred", "more"] } }) as [Workload];
  expect(pod.imagePullSecrets).toEqual([{ name: "licensed" }, { name: "regcred" }, { name: "more" }]);
});

test("where the platform assigns users, no pod names one, and each still may not be root", () => {
  for (const { pod } of workloads({ assignsUsers: true })) {
    const contexts = [pod.securityContext!, ...containers(pod).map(({ securityContext }) => securityContext!)];
    for (const context of contexts) {
      expect(Object.keys(context)).not.toEqual(
        expect.arrayContaining([expect.stringMatching(/^(runAsUser|runAsGroup|fsGroup)$/)]),
      );
    }
    expect(contexts.some(({ runAsNonRoot }) => runAsNonRoot === true)).toBe(true);
  }
  const named = workloads({}).flatMap(({ pod }) => Object.keys(pod.securityContext!));
  expect(named).toEqual(expect.arrayContaining(["runAsUser", "runAsGroup", "fsGroup"]));
});

test("where the platform assigns users, the CSI provider may be privileged, and is so elsewhere for nobody", () => {
  const bindings = (assignsUsers: boolean): ApiObject[] =>
    guardsChart(new App(), checkVaultEnvironment("everything", { ...everything, assignsUsers }))
      .node.findAll()
      .filter((each) => ApiObject.isApiObject(each))
      .filter(({ kind }) => kind === "RoleBinding");
  expect(bindings(true).map((each) => each.toJson() as unknown)).toMatchObject([
    {
      metadata: { namespace: "vault-csi-provider" },
      roleRef: { name: "system:openshift:scc:privileged" },
      subjects: [{ name: "vault-node-csi-provider", namespace: "vault-csi-provider" }],
    },
  ]);
  expect(bindings(false)).toEqual([]);
});

test("where the platform assigns users, pods of the driver may be privileged, whichever its namespace", async () => {
  const { engine } = await deployOnMocks(
    checkVaultEnvironment("openshift", {
      development: true,
      kubeContext: "kind-aidbox",
      secrets: [{ name: "client-secret", path: "aidbox/client" }],
      csiDriver: { namespace: "csi-driver", release: "secrets" },
      vault: { mode: "dev" },
      aidbox: { image: "healthsamurai/aidboxone:2605" },
      assignsUsers: true,
    }),
  );
  expect(engine.resource("csi-driver-privileged").inputs).toMatchObject({
    metadata: { name: "secrets-secrets-store-csi-driver-privileged", namespace: "csi-driver" },
    roleRef: { kind: "ClusterRole", name: "system:openshift:scc:privileged" },
    subjects: [{ kind: "ServiceAccount", name: "secrets-store-csi-driver", namespace: "csi-driver" }],
  });
});

test("a CSI provider that makes its tokens is refused none, where that was asked for", () => {
  const kinds = (vault: object): string[] => {
    const config = {
      ...everything,
      csiDriver: { install: false },
      vault: { ...(everything.vault as object), ...vault },
    };
    const objects = guardsChart(new App(), checkVaultEnvironment("everything", config)).node.findAll();
    return objects.filter((each) => ApiObject.isApiObject(each)).map(({ kind }) => kind);
  };
  expect(kinds({})).toContain("ValidatingAdmissionPolicy");
  expect(kinds({ csiProviderMakesTokens: true })).not.toContain("ValidatingAdmissionPolicy");
});

test("what runs beside Aidbox runs on the nodes where it may", () => {
  const tolerations = [{ key: "dedicated", operator: "Equal", value: "aidbox", effect: "NoSchedule" }];
  const nodeSelector = { pool: "aidbox" };
  const aidbox = { ...(everything.aidbox as object), tolerations, nodeSelector };
  for (const { pod } of workloads({ aidbox })) expect(pod).toMatchObject({ tolerations, nodeSelector });
});

test("beside a driver and a provider of others nothing is installed, and no namespace is privileged", async () => {
  const environment = checkVaultEnvironment("beside", {
    kubeContext: "kind-aidbox",
    secrets: [{ name: "client-secret", path: "aidbox/client" }],
    csiDriver: { install: false },
    vault: {
      mode: "external",
      address: "https://vault.example:8200",
      addressFromHere: "https://vault.example:8200",
      login: { method: "kubernetes" },
      csiProvider: false,
    },
    aidbox: { image: "healthsamurai/aidboxone:2605" },
  });
  const { engine } = await deployOnMocks(environment);
  const made = engine.registrations.map(({ type }) => type);
  expect(made).toContain("kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass");
  expect(made).not.toContain("kubernetes:helm.sh/v3:Release");
  expect(made.filter((type) => /ClusterRole|DaemonSet/.test(type))).toEqual([]);
  const namespaces = engine.registrations.filter(({ type }) => type === "kubernetes:core/v1:Namespace");
  expect(JSON.stringify(namespaces.map(({ inputs }) => inputs))).not.toContain("privileged");
});
