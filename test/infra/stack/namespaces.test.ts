import { Testing } from "cdk8s";
import { namespacesChart } from "../../../infra/stack/charts";
import { checkVaultEnvironment } from "../vault-environment";

const base = {
  development: true,
  kubeContext: "kind-aidbox",
  secrets: [{ name: "client-secret", path: "aidbox/client" }],
  vault: { mode: "dev" },
  aidbox: { image: "healthsamurai/aidboxone:2605" },
  tenants: [{ name: "north", secrets: [{ name: "own", path: "north/own" }], namespaceOptions: {} as object }],
};

interface Made {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels: Record<string, string> };
}

function made(config: Record<string, unknown>, labels?: Record<string, string>): Made[] {
  const environment = checkVaultEnvironment("dev", { ...base, ...config });
  return Testing.synth(namespacesChart(Testing.app(), environment, labels)) as Made[];
}

const names = (objects: readonly Made[]): string[] => objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
const level = (name: string) => ({
  "pod-security.kubernetes.io/enforce": name,
  "pod-security.kubernetes.io/warn": name,
});

test("namespaces that the stack makes have the labels and the level that they are to have", () => {
  const options = {
    aidbox: { labels: { team: "payments", mesh: "on" }, level: "privileged" },
    csiProvider: { labels: { team: "platform" } },
  };
  const tenants = [{ ...base.tenants[0], namespaceOptions: { labels: { team: "north" }, level: "baseline" } }];
  const labelsOf = Object.fromEntries(
    made({ namespaces: { options }, tenants }, { owner: "me" }).map(({ metadata }) => [metadata.name, metadata.labels]),
  );
  expect(labelsOf).toEqual({
    vault: { owner: "me", ...level("restricted") },
    "vault-csi-provider": { owner: "me", team: "platform", ...level("privileged") },
    aidbox: { owner: "me", team: "payments", mesh: "on", ...level("privileged") },
    "aidbox-north": { owner: "me", team: "north", mesh: "on", ...level("baseline") },
  });
});

test("a namespace that is given is neither made nor changed, tenants' too: it gets a mark of the stack", () => {
  const given = { namespaces: { options: { aidbox: { create: false }, vault: { create: false } } } };
  const marks = made(given, { owner: "me" });
  expect(names(marks)).toEqual([
    "ConfigMap aidbox-secrets-stack",
    "Namespace vault-csi-provider",
    "ConfigMap aidbox-secrets-stack",
    "ConfigMap aidbox-secrets-stack",
  ]);
  expect(marks.map(({ metadata }) => metadata.namespace)).toEqual(["vault", undefined, "aidbox", "aidbox-north"]);
  expect(marks[0]!.metadata.labels).toEqual({ owner: "me" });
  // In YAML for others to apply there is nobody to mark it for.
  expect(names(made(given))).toEqual(["Namespace vault-csi-provider"]);
});

test("a tenant's namespace may be given where the first Aidbox's is made, and the other way round", () => {
  const { tenants } = base;
  const aidbox = { labels: { team: "payments" }, level: "baseline" };
  const of = (first: object, tenant: object): string[] =>
    names(made({ namespaces: { options: { aidbox: first } }, tenants: [{ ...tenants[0], namespaceOptions: tenant }] }));
  expect(of(aidbox, { create: false })).toEqual([
    "Namespace vault",
    "Namespace vault-csi-provider",
    "Namespace aidbox",
  ]);
  expect(of({ create: false }, { create: true })).toEqual([
    "Namespace vault",
    "Namespace vault-csi-provider",
    "Namespace aidbox-north",
  ]);
});

test("beside a Vault that is there already no namespace is needed for its servers", () => {
  const vault = { mode: "external", address: "https://vault.example.com", login: { method: "kubernetes" } };
  const given = { namespaces: { options: { vault: { create: false } } }, tenants: [] };
  expect(names(made({ vault, ...given }, { owner: "me" }))).toEqual([
    "Namespace vault-csi-provider",
    "Namespace aidbox",
  ]);
});
