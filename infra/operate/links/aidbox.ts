import { isDeepStrictEqual } from "node:util";
import type { CoreV1Event, V1Deployment, V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { ApiObject, App } from "cdk8s";
import { objectNames } from "../../../constructs/kubernetes/names";
import type { Secret } from "../../../constructs/secrets";
import { driverLabel } from "../../cluster/driver-rotation";
import { fillCommand } from "../../config/empty-value";
import type { Environment } from "../../config/environment";
import { republishes } from "../../config/rotation-bound";
import { storeTitle } from "../../config/stores";
import { aidboxChart } from "../../stack/charts";
import { digestOf } from "../digest";
import { kubectl, mendDrift } from "../hints";
import { BrokenLinkError, type Link } from "../link";
import { readMaskedErrors } from "../masked-errors";
import { allPermitted, PermissionDeniedError } from "../permission-denied";
import { aidboxPods, containerOf, digestsInPods, lastRepublished, nameOf, runningPods } from "../pods";
import type { Session } from "../session";
import type { CurrentValues, OpenStore } from "../store-operator";

interface Manifest {
  readonly metadata: { readonly name: string };
  readonly [key: string]: unknown;
}

/**
 * Aidbox's objects in Kubernetes, and what its pods have of the secrets.
 *
 * @param ofStore the links to the store
 */
export function aidboxLinks(opened: OpenStore, ofStore: readonly Link[], values: CurrentValues): Link[] {
  const { session } = opened;
  const { environment } = session;
  const { table, namespaces, aidbox, rotationBoundSeconds } = environment;
  const namespace = namespaces.aidbox;
  const expected = expectedObjects(session);
  const links: Link[] = [
    {
      name: "class",
      checks: "the SecretProviderClass is the one drawn from the table",
      needs: ["cluster"],
      check: () => checkClass(session, expected.secretProviderClass),
    },
    {
      name: "vault-config",
      checks: "vault-config.json names the table's secrets and their files",
      needs: ["cluster"],
      check: () => checkConfigMap(session, expected.vaultConfig, "the table"),
    },
    ...(expected.initBundle === undefined
      ? []
      : [
          {
            name: "init-bundle",
            checks: "the Init Bundle is the one drawn from the config",
            needs: ["cluster"],
            check: () => checkConfigMap(session, expected.initBundle!, "the config"),
          },
        ]),
    {
      name: "deployment",
      checks: `Deployment ${namespace}/${aidbox.name} runs as the bound ServiceAccount and mounts the secrets`,
      needs: ["cluster"],
      check: () => checkDeployment(session, expected.deployment),
    },
    {
      name: "files",
      checks: `each pod has each file, with the content of ${storeTitle(environment)}'s current version`,
      needs: ["access", "class", "deployment"],
      suffersFrom: ["driver", "provider", ...(republishes(environment) ? ["republisher"] : [])],
      check: () => checkFiles(opened, values),
    },
    {
      name: "health",
      checks: "every Aidbox pod is ready, by GET /health",
      needs: ["deployment"],
      suffersFrom: [
        "driver",
        "provider",
        ...ofStore.map(({ name }) => name),
        "class",
        "vault-config",
        ...(expected.initBundle === undefined ? [] : ["init-bundle"]),
      ],
      check: () => checkHealth(session),
    },
  ];
  if (table.synced.length > 0) {
    links.push({
      name: "synced secret",
      checks: `Secret ${namespace}/${objectNames(aidbox.name).syncedSecret} has the current values of what is environment`,
      needs: ["files"],
      check: () => checkSynced(opened, values),
    });
  }
  if (republishes(environment)) {
    links.push({
      name: "republisher",
      checks: `the pods' volumes are published again within ${rotationBoundSeconds} s`,
      needs: ["deployment"],
      check: () => checkRepublisher(session),
    });
  }
  return links;
}

/** What the stack deploys for Aidbox, drawn anew from the config. */
function expectedObjects({ environment }: Session) {
  const chart = aidboxChart(new App(), environment);
  const manifest = (object: ApiObject | undefined): Manifest => object?.toJson() as Manifest;
  const objects = chart.node.findAll().filter((each) => ApiObject.isApiObject(each));
  const names = objectNames(environment.aidbox.name);
  const configMap = (name: string): ApiObject | undefined =>
    objects.find(({ kind, metadata }) => kind === "ConfigMap" && metadata.name === name);
  const deployed = objects.find(
    ({ kind, metadata }) => kind === "Deployment" && metadata.name === environment.aidbox.name,
  );
  return {
    secretProviderClass: manifest(objects.find(({ kind }) => kind === "SecretProviderClass")),
    vaultConfig: manifest(configMap(names.vaultConfig)),
    initBundle: environment.initBundle && manifest(configMap(names.initBundle)),
    deployment: deployed?.toJson() as V1Deployment,
  };
}

async function checkClass({ api, environment, permitted }: Session, expected: Manifest): Promise<string> {
  const custom = api.config.makeApiClient(api.client.CustomObjectsApi);
  const { name } = expected.metadata;
  const found = (await permitted(
    api.find(
      custom.getNamespacedCustomObject({
        group: "secrets-store.csi.x-k8s.io",
        version: "v1",
        plural: "secretproviderclasses",
        namespace: environment.namespaces.aidbox,
        name,
      }),
    ),
  )) as { spec?: Record<string, unknown> } | undefined;
  if (found === undefined) throw new BrokenLinkError(`SecretProviderClass ${name} is gone`, mendDrift(environment));
  const differing = differences(found.spec, expected.spec);
  if (differing.length === 0) return `SecretProviderClass ${name} is as drawn`;
  throw new BrokenLinkError(
    `SecretProviderClass ${name} differs from the table in ${differing.join(", ")}`,
    mendDrift(environment),
  );
}

async function checkConfigMap(
  { api, environment, permitted }: Session,
  expected: Manifest,
  source: string,
): Promise<string> {
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const { name } = expected.metadata;
  const found = await permitted(
    api.find(core.readNamespacedConfigMap({ namespace: environment.namespaces.aidbox, name })),
  );
  if (found === undefined) throw new BrokenLinkError(`ConfigMap ${name} is gone`, mendDrift(environment));
  if (isDeepStrictEqual(found.data, expected.data)) return `ConfigMap ${name} is as drawn`;
  throw new BrokenLinkError(`ConfigMap ${name} differs from ${source}`, mendDrift(environment));
}

async function checkDeployment({ api, environment, permitted }: Session, expected: V1Deployment): Promise<string> {
  const apps = api.config.makeApiClient(api.client.AppsV1Api);
  const { aidbox, namespaces } = environment;
  const found = await permitted(
    api.find(apps.readNamespacedDeployment({ namespace: namespaces.aidbox, name: aidbox.name })),
  );
  if (found === undefined) throw new BrokenLinkError(`Deployment ${aidbox.name} is gone`, mendDrift(environment));
  const essence = ({ spec }: V1Deployment): Record<string, string | undefined> => {
    const pod = spec?.template.spec;
    const container = pod?.containers.find(({ name }) => name === aidbox.name);
    const mount = container?.volumeMounts?.find(({ mountPath }) => mountPath === environment.table.mountPath);
    const volume = pod?.volumes?.find(({ name }) => name === mount?.name);
    const variable = (wanted: string): string | undefined => container?.env?.find(({ name }) => name === wanted)?.value;
    return {
      ServiceAccount: pod?.serviceAccountName,
      image: container?.image,
      "volume of the secrets": volume?.csi?.volumeAttributes?.secretProviderClass,
      BOX_VAULT_CONFIG: variable("BOX_VAULT_CONFIG"),
      BOX_INIT_BUNDLE: variable("BOX_INIT_BUNDLE"),
      "checksum of vault-config.json": spec?.template.metadata?.annotations?.["checksum/vault-config"],
      "checksum of the Init Bundle": spec?.template.metadata?.annotations?.["checksum/init-bundle"],
    };
  };
  const [is, shouldBe] = [essence(found), essence(expected)];
  for (const [what, value] of Object.entries(shouldBe)) {
    if (is[what] === value) continue;
    throw new BrokenLinkError(
      `Deployment ${aidbox.name}: ${what} is ${is[what] ?? "not there"}, and should be ${value ?? "left out"}`,
      mendDrift(environment),
    );
  }
  return `ServiceAccount ${environment.aidbox.name}, secrets at ${environment.table.mountPath}`;
}

const emptyDigest = digestOf("");

async function checkFiles(opened: OpenStore, values: CurrentValues): Promise<string> {
  const { session } = opened;
  const { environment } = session;
  const { table, namespaces, aidbox } = environment;
  if (values.size === 0) throw new PermissionDeniedError("that of the login, whose values the files are compared with");
  const empty = table.secrets.find(({ name, mayBeEmpty }) => mayBeEmpty !== true && values.get(name)?.length === 0);
  if (empty !== undefined) {
    const cause = `${empty.name} is empty in ${storeTitle(environment)}, so no pod starts, and mayBeEmpty is not set for it`;
    throw new BrokenLinkError(cause, fillCommand(environment, empty));
  }
  const files = table.secrets.map((secret) => table.filePath(secret));
  const pods = await digestsInPods(session, await runningPods(session), files);
  if (pods.length === 0) {
    throw new BrokenLinkError(
      "no Aidbox pod runs",
      kubectl(environment, namespaces.aidbox, "describe", "pods", "-l", `app.kubernetes.io/instance=${aidbox.name}`),
    );
  }
  const stale: string[] = [];
  const staleSecrets: Secret[] = [];
  let stalePod = "";
  for (const { pod, digests } of pods) {
    for (const secret of table.secrets) {
      const digest = digests.get(table.filePath(secret));
      const fix = kubectl(environment, namespaces.aidbox, "delete", "pod", pod);
      const file = `${table.filePath(secret)} of pod ${pod}`;
      if (digest === undefined) throw new BrokenLinkError(`${file} is missing`, fix);
      if (digest === emptyDigest && secret.mayBeEmpty !== true) throw new BrokenLinkError(`${file} is empty`, fix);
      const value = values.get(secret.name);
      if (value === undefined || digest === digestOf(value)) continue;
      stale.push(file);
      staleSecrets.push(secret);
      stalePod = pod;
    }
  }
  const counted = `${pods.length} pods, ${files.length} files each`;
  if (stale.length === 0) return `${counted}, all current`;
  const age = await oldestAge(opened, staleSecrets);
  if (age < environment.rotationBoundSeconds) {
    return `${counted}; ${stale.join(", ")} follows: ${storeTitle(environment)}'s version is ${age.toFixed(0)} s old`;
  }
  const masked = (await readMaskedErrors(session)).map((line) => `; ${line}`);
  throw new BrokenLinkError(
    `${stale.join(", ")} has another content than ${storeTitle(environment)}'s current version, after ${age.toFixed(0)} s` +
      masked.join(""),
    whereToLook(environment, stalePod),
  );
}

/** Where it shows why files do not follow: the driver hides its errors from kubelet, and so from the pod. */
function whereToLook({ namespaces, csiDriver, ...environment }: Environment, pod: string): string {
  if (!csiDriver.install) return kubectl(environment, namespaces.aidbox, "describe", "pod", pod);
  const label = `${driverLabel},app.kubernetes.io/instance=${csiDriver.release}`;
  return kubectl(environment, csiDriver.namespace, "logs", "-l", label, "-c", "secrets-store", "--since=5m");
}

/** Age in seconds of the oldest among some secrets' current values. */
async function oldestAge({ store }: OpenStore, secrets: readonly Secret[]): Promise<number> {
  const times = (await allPermitted(secrets.map((secret) => store.state(secret)))).map(
    ({ rotatedAt }) => rotatedAt?.getTime() ?? 0,
  );
  return (Date.now() - Math.min(...times)) / 1000;
}

async function checkSynced(opened: OpenStore, values: CurrentValues): Promise<string> {
  const { session } = opened;
  const { api, environment, permitted } = session;
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const { table, namespaces, aidbox } = environment;
  const name = objectNames(aidbox.name).syncedSecret;
  const found = await permitted(api.find(core.readNamespacedSecret({ namespace: namespaces.aidbox, name })));
  const fix = kubectl(environment, namespaces.aidbox, "rollout", "restart", "deployment", aidbox.name);
  if (found === undefined) throw new BrokenLinkError(`Secret ${name} is gone`, fix);
  const following: string[] = [];
  for (const secret of table.synced) {
    const value = Buffer.from(found.data?.[secret.environment] ?? "", "base64");
    const isThere = secret.mayBeEmpty === true ? found.data?.[secret.environment] !== undefined : value.length > 0;
    if (!isThere) throw new BrokenLinkError(`Secret ${name} has no ${secret.environment}`, fix);
    if (value.equals(Buffer.from(values.get(secret.name) ?? value))) continue;
    const age = await oldestAge(opened, [secret]);
    if (age >= environment.rotationBoundSeconds) {
      throw new BrokenLinkError(
        `${secret.environment} of Secret ${name} is not ${storeTitle(environment)}'s current version`,
        fix,
      );
    }
    following.push(`${secret.environment} follows: ${storeTitle(environment)}'s version is ${age.toFixed(0)} s old`);
  }
  if (following.length > 0) return `Secret ${name}: ${following.join(", ")}`;
  return `Secret ${name}: ${table.synced.map(({ environment: variable }) => variable).join(", ")} current`;
}

async function checkHealth(session: Session): Promise<string> {
  const { environment } = session;
  const { aidbox, namespaces } = environment;
  const pods = await aidboxPods(session);
  const unready = pods.filter((pod) => containerOf(session, pod)?.ready !== true);
  if (pods.length > 0 && unready.length === 0) return `${pods.length} of ${pods.length} pods ready`;
  const reasons = await Promise.all(unready.map(async (pod) => `${nameOf(pod)} (${await whyUnready(session, pod)})`));
  throw new BrokenLinkError(
    pods.length === 0 ? `Deployment ${aidbox.name} has no pod` : `not ready: ${reasons.join(", ")}`,
    pods.length === 0
      ? mendDrift(environment)
      : kubectl(environment, namespaces.aidbox, "describe", "pod", nameOf(unready[0]!)),
  );
}

/** Why a pod is not ready: in the words of its containers, and of what the cluster warns of it, as a mount that fails. */
async function whyUnready(session: Session, pod: V1Pod): Promise<string> {
  const { status } = pod;
  const container = containerOf(session, pod);
  if (container?.state?.running !== undefined) return "running, but /health does not answer";
  const all = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  const [waiting] = all.flatMap(({ state }) => state?.waiting?.reason ?? []);
  const unscheduled = status?.conditions?.find((each) => each.type === "PodScheduled" && each.status === "False");
  const ended = container?.state?.terminated ?? container?.lastState?.terminated;
  const known = [
    waiting ?? unscheduled?.message,
    ended && [`ended with ${ended.exitCode}`, ended.reason].filter(Boolean).join(", "),
  ];
  const state = known.filter(Boolean).join(", ") || (status?.phase ?? "no state yet");
  const warning = unscheduled === undefined ? await lastWarning(session, pod) : undefined;
  return warning === undefined ? state : `${state}: ${warning}`;
}

/** What the cluster last warned of a pod; undefined where it did not, or its events may not be seen. */
async function lastWarning({ api, environment }: Session, pod: V1Pod): Promise<string | undefined> {
  const core = api.config.makeApiClient(api.client.CoreV1Api);
  const fieldSelector = `type=Warning,involvedObject.kind=Pod,involvedObject.name=${nameOf(pod)}`;
  const { items } = await core
    .listNamespacedEvent({ namespace: environment.namespaces.aidbox, fieldSelector })
    .catch(() => ({ items: [] }));
  const time = ({ lastTimestamp, eventTime, metadata }: CoreV1Event): number =>
    Number(lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? 0);
  const [last] = [...items].sort((one, other) => time(other) - time(one));
  return last?.message?.replaceAll(/\s+/g, " ").trim();
}

async function checkRepublisher(session: Session): Promise<string> {
  const { api, environment, permitted } = session;
  const { namespaces, aidbox, rotationBoundSeconds } = environment;
  const apps = api.config.makeApiClient(api.client.AppsV1Api);
  const name = objectNames(aidbox.name).republisher;
  const found = await permitted(api.find(apps.readNamespacedDeployment({ namespace: namespaces.aidbox, name })));
  if (found === undefined) throw new BrokenLinkError(`Deployment ${name} is gone`, mendDrift(environment));
  if ((found.status?.readyReplicas ?? 0) === 0) {
    const fix =
      found.spec?.replicas === 0
        ? mendDrift(environment)
        : kubectl(environment, namespaces.aidbox, "logs", `deployment/${name}`);
    throw new BrokenLinkError(`Deployment ${name} is not ready`, fix);
  }
  const now = Date.now();
  const ages = (await runningPods(session)).map((pod) => {
    const started = containerOf(session, pod)?.state?.running?.startedAt;
    const last = lastRepublished(pod) ?? (started === undefined ? new Date(now) : new Date(started));
    return (now - last.getTime()) / 1000;
  });
  const oldest = Math.max(0, ...ages);
  if (oldest <= rotationBoundSeconds) return `oldest publication ${oldest.toFixed(0)} s ago`;
  throw new BrokenLinkError(
    `a pod's volumes were last published again ${oldest.toFixed(0)} s ago`,
    kubectl(environment, namespaces.aidbox, "logs", `deployment/${name}`),
  );
}

/** Paths in which what is there differs from what should be; what the API server adds is no difference. */
function differences(is: unknown, shouldBe: unknown, path = ""): string[] {
  if (isDeepStrictEqual(is, shouldBe)) return [];
  const isObject = (value: unknown): value is Record<string, unknown> =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isObject(is) || !isObject(shouldBe)) return [path];
  const keys = new Set([...Object.keys(is), ...Object.keys(shouldBe)]);
  return [...keys].flatMap((key) => differences(is[key], shouldBe[key], path === "" ? key : `${path}.${key}`));
}
