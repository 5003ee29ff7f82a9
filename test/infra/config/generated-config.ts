import * as fc from "fast-check";

export type Config = { [key: string]: unknown };

const label = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
const duration = (least: number): fc.Arbitrary<string> =>
  fc.integer({ min: least, max: 300 }).map((count) => `${count}s`);
/** A row of its own among all: its name, path, file and variable end with the index. */
function row(folder: string, index: number): fc.Arbitrary<Config> {
  return fc
    .record(
      {
        base: label,
        source: fc.constantFrom("seeded", "external", "managed"),
        key: label,
        isFile: fc.boolean(),
        isVariable: fc.boolean(),
        scope: fc.record(
          { resourceType: fc.constantFrom("Client", "IdentityProvider", "Patient"), id: label },
          { requiredKeys: ["resourceType"] },
        ),
        days: fc.integer({ min: 1, max: 400 }),
      },
      { requiredKeys: ["base"] },
    )
    .map(({ base, isFile = false, isVariable = false, days, ...rest }) => ({
      name: `${base}-${index}`,
      path: `${folder}/${base}-${index}`,
      ...(isFile ? { file: `files/${base}-${index}.txt` } : {}),
      ...(isVariable ? { environment: `SOME_${base.toUpperCase()}_${index}` } : {}),
      ...(days === undefined ? {} : { maxAge: `${days}d` }),
      ...rest,
    }));
}

const table = (folder: string): fc.Arbitrary<Config[]> =>
  fc
    .integer({ min: 1, max: 6 })
    .chain((count) => fc.tuple(...Array.from({ length: count }, (_, index) => row(folder, index))));

const stored = {
  snapshots: fc.constantFrom(undefined, {}, { schedule: "30 2 * * sun", keep: 3 }),
  storage: fc.constantFrom({ size: "1Gi" }, { size: "500M", storageClass: "fast" }),
  tokenTtl: duration(60),
};
const vault: fc.Arbitrary<Config> = fc.oneof(
  fc.record({ mode: fc.constant("dev"), role: label, tokenTtl: duration(60) }, { requiredKeys: ["mode"] }),
  fc.record({ mode: fc.constant("standalone"), ...stored }, { requiredKeys: ["mode"] }),
  fc.record({ mode: fc.constant("ha"), replicas: fc.constantFrom(3, 5), ...stored }, { requiredKeys: ["mode"] }),
  fc.record(
    {
      mode: fc.constant("external"),
      address: label.map((host) => `https://${host}.example.com:8200`),
      login: fc.constantFrom<Config>(
        { method: "kubernetes" },
        { method: "jwt", keys: { discoveryUrl: "https://cluster.example.com" } },
      ),
      kvMount: fc.constantFrom<Config>({ path: "teams" }, { path: "teams/aidbox", owned: true }),
      csiProvider: fc.boolean(),
    },
    { requiredKeys: ["mode", "address", "login"] },
  ),
);

const aidbox: fc.Arbitrary<Config> = fc.record(
  {
    terminationGracePeriod: duration(0),
    startupTimeout: duration(1),
    servicePort: fc.integer({ min: 1, max: 65535 }),
    serviceType: fc.constantFrom("ClusterIP", "NodePort", "LoadBalancer"),
    priorityClassName: label,
    readOnlyRootFilesystem: fc.boolean(),
    podAnnotations: fc.dictionary(label, label, { maxKeys: 2 }),
    nodeSelector: fc.dictionary(label, label, { maxKeys: 2 }),
    tolerations: fc.array(fc.record({ key: label, effect: fc.constantFrom("NoSchedule", "NoExecute") }), {
      maxLength: 2,
    }),
    ingress: fc.record(
      { hosts: label.map((host) => [`${host}.example.com`]), className: label, path: label.map((path) => `/${path}`) },
      { requiredKeys: ["hosts"] },
    ),
    resources: fc.constantFrom<Config>({ cpuRequest: "250m" }, { memoryRequest: "1Gi", memoryLimit: "2Gi" }),
  },
  { requiredKeys: [] },
);

const tenants = fc
  .integer({ min: 0, max: 2 })
  .chain((count) =>
    fc.tuple(
      ...Array.from({ length: count }, (_, index) =>
        table(`tenant-${index}`).map((secrets): Config => ({ name: `clinic-${index}`, secrets })),
      ),
    ),
  );

const monitoring: fc.Arbitrary<Config | undefined> = fc.option(
  fc.record(
    {
      from: fc.constant([{ podLabels: { app: "prometheus" } }]),
      interval: duration(1),
      labels: fc.dictionary(label, label, { maxKeys: 2 }),
      dashboard: fc.constantFrom({}, { labels: { grafana: "1" } }),
    },
    { requiredKeys: ["from"] },
  ),
  { nil: undefined },
);

/** A config that this stack takes. */
export const validConfig: fc.Arbitrary<Config> = fc
  .record({
    secrets: table("aidbox"),
    vault,
    aidbox,
    tenants,
    rotationBound: duration(10),
    namespace: label,
    monitoring,
  })
  .map(({ aidbox: asked, namespace, monitoring: watching, ...rest }) => ({
    development: true,
    kubeContext: "cluster",
    ...rest,
    ...(watching === undefined ? {} : { monitoring: watching }),
    namespaces: { aidbox: `health-${namespace}` },
    aidbox: { image: "healthsamurai/aidboxone:2605", ...asked },
  }));

type Path = readonly (string | number)[];

/** Objects whose keys are the user's own. */
const open = ["podAnnotations", "nodeSelector", "podLabels", "labels"];

const required =
  /^(kubeContext|aidbox\.image|vault\.(mode|address)|monitoring\.from|(.*\.)?secrets\[\d+\]\.(name|path)|tenants\[\d+\]\.name)$/;

/** One thing made wrong in a config. */
export interface Mutation {
  readonly what: string;
  readonly changed: () => Config;
  /** Where, as errors name it. */
  readonly key: string;
  /** One of these stands in what errors say of it there. */
  readonly signs: readonly string[];
}

/** Each way to make one thing of a config wrong. */
export function mutationsOf(config: Config): Mutation[] {
  const found: Mutation[] = [];
  const change = (what: string, path: Path, value: unknown): void => {
    const shown = [JSON.stringify(value), "(not shown)"];
    const unknown = ["is not a key", "is a key of"];
    const signs = value === undefined ? ["is missing"] : path.at(-1) === "unheardOf" ? unknown : shown;
    const changed = (): Config => withValue(config, path, value);
    found.push({ what, changed, key: keyOf(path), signs });
  };
  const visit = (value: unknown, path: Path): void => {
    if (Array.isArray(value)) {
      change("a text in place of a list", path, "text");
      value.forEach((each, index) => {
        visit(each, [...path, index]);
      });
    } else if (typeof value === "object" && value !== null) {
      if (path.length > 0) change("a text in place of an object", path, "text");
      if (!open.includes(String(path.at(-1)))) change("an unknown key", [...path, "unheardOf"], "text");
      for (const [key, each] of Object.entries(value)) visit(each, [...path, key]);
    } else {
      change("a list in place of a value", path, ["text"]);
      change("an object in place of a value", path, { text: 1 });
      // Annotations hold any text.
      if (typeof value === "string" && !path.includes("podAnnotations")) change("a line break alone", path, "\n");
      if (typeof value === "number") change("a part of a number", path, 1.5);
      if (typeof value === "boolean") change("yes in place of true", path, "yes");
      if (required.test(keyOf(path))) {
        change("nothing in place of what is required", path, undefined);
      }
    }
  };
  visit(config, []);
  return found;
}

function withValue(config: unknown, [first, ...rest]: Path, value: unknown): Config {
  if (first === undefined) return value as Config;
  if (Array.isArray(config)) {
    return config.map((each, index) => (index === first ? withValue(each, rest, value) : (each as unknown))) as never;
  }
  const object = config as Config;
  const changed: unknown = withValue(object[first], rest, value);
  const entries = Object.entries(object).map(([key, each]) => [key, key === first ? changed : each] as const);
  const added = first in object ? [] : [[first, changed] as const];
  return Object.fromEntries([...entries, ...added].filter(([, each]) => each !== undefined));
}

function keyOf(path: Path): string {
  return path
    .map((part, index) => (typeof part === "number" ? `[${part}]` : `${index === 0 ? "" : "."}${part}`))
    .join("");
}
