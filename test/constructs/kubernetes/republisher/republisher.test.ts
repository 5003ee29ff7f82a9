import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Chart, Duration, Testing } from "cdk8s";
import type { k8s } from "cdk8s-plus-28";
import { inJsonLines } from "../../../../constructs/json-lines";
import {
  environmentAnnotation,
  type EnvironmentRoll,
  republishAnnotation,
  Republisher,
  type RepublisherProps,
  rollNow,
  rollPendingAnnotation,
  type RollSchedule,
} from "../../../../constructs/kubernetes";
import { containerOf, environmentOf, manifestOf, manifestsOf, podOf, yamlOf } from "../fixtures";

const rolls: Required<EnvironmentRoll> = {
  deployment: "box",
  secretProviderClass: "box-vault-secrets",
  objects: ["db/password", "license"],
  atOnce: ["db/password"],
  schedule: {
    batch: Duration.seconds(300),
    quietWindow: { fromMinute: 23 * 60, toMinute: 60 },
  } satisfies Required<RollSchedule>,
};

const everyProp: Required<RepublisherProps> = {
  name: "box-republisher",
  namespace: "prod",
  podLabels: { "app.kubernetes.io/name": "aidbox", "app.kubernetes.io/instance": "box" },
  interval: Duration.seconds(25),
  image: "registry:5000/curl:8.17.0",
  priorityClass: "secrets-first",
  logFormat: "json",
  rolls,
  allowTo: [{ peer: { cidr: "10.96.0.1/32" }, ports: [443] }],
};

const requiredProps: RepublisherProps = {
  name: "aidbox-republisher",
  namespace: "aidbox",
  podLabels: { app: "aidbox" },
  interval: Duration.seconds(5),
};

function chartWith(props: RepublisherProps): Chart {
  const chart = new Chart(Testing.app(), "test", { namespace: props.namespace });
  new Republisher(chart, "republisher", props);
  return chart;
}

const variants = [
  { variant: "with every prop", props: everyProp, chart: chartWith(everyProp) },
  { variant: "with only the required props", props: requiredProps, chart: chartWith(requiredProps) },
];

it.each(variants)("$variant", ({ chart }) => {
  expect(yamlOf(chart)).toMatchSnapshot();
});

it("has a PriorityClass, and a log of JSON alone, where that is asked for", () => {
  expect(podOf(chartWith(everyProp)).priorityClassName).toBe("secrets-first");
  expect(podOf(chartWith(requiredProps))).not.toHaveProperty("priorityClassName");
  const scriptOf = (props: RepublisherProps): string => containerOf(chartWith(props)).command!.at(-1)!;
  expect(scriptOf(everyProp)).toBe(inJsonLines(scriptOf({ ...everyProp, logFormat: "standard" })));
});

it("comes with the Deployment's dependencies on its ServiceAccount, its guard, its rights and their bounds", () => {
  const chart = Testing.chart();
  const { dependencies } = new Republisher(chart, "republisher", everyProp).deployment.node;
  expect(dependencies.map(({ node }) => node.id).sort()).toEqual([
    "admission-policy",
    "admission-policy-binding",
    "network-guard",
    "role",
    "role-binding",
    "service-account",
  ]);
});

describe.each(variants)("the rights, $variant", ({ props, chart }) => {
  it("are to list pods and to patch their status, and nothing else but to roll one Deployment", () => {
    expect(manifestOf(chart, "Role").rules).toEqual([
      { apiGroups: [""], resources: ["pods"], verbs: ["list"] },
      { apiGroups: [""], resources: ["pods/status"], verbs: ["patch"] },
      ...(props.rolls === undefined
        ? []
        : [
            {
              apiGroups: ["secrets-store.csi.x-k8s.io"],
              resources: ["secretproviderclasspodstatuses"],
              verbs: ["list"],
            },
            { apiGroups: ["apps"], resources: ["deployments"], resourceNames: ["box"], verbs: ["get", "patch"] },
          ]),
    ]);
    expect(
      manifestsOf(chart)
        .map(({ kind }) => kind)
        .filter((kind) => kind.includes("Role")),
    ).toEqual(["Role", "RoleBinding"]);
  });

  it("are those of its own ServiceAccount alone, in its own namespace alone", () => {
    const role = manifestOf(chart, "Role").metadata;
    const { metadata, roleRef, subjects } = manifestOf(chart, "RoleBinding");
    expect(roleRef).toEqual({ apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: role.name });
    expect(subjects).toEqual([
      { kind: "ServiceAccount", name: manifestOf(chart, "ServiceAccount").metadata.name, namespace: props.namespace },
    ]);
    expect([role.namespace, metadata.namespace]).toEqual([props.namespace, props.namespace]);
    expect(podOf(chart).serviceAccountName).toBe(props.name);
  });

  it("reach no pod but its own: the ServiceAccount's token is mounted where the pod asks for it", () => {
    expect(manifestOf(chart, "ServiceAccount").automountServiceAccountToken).toBe(false);
    expect(podOf(chart).automountServiceAccountToken).toBe(true);
  });
});

describe.each(variants)("the admission policy, $variant", ({ props, chart }) => {
  const policy = manifestOf(chart, "ValidatingAdmissionPolicy");
  const binding = manifestOf(chart, "ValidatingAdmissionPolicyBinding");

  it("is cluster-wide, as its binding is, with the namespace in the name", () => {
    for (const { metadata } of [policy, binding]) {
      expect(metadata.name).toBe(`${props.namespace}.${props.name}`);
      expect(metadata).not.toHaveProperty("namespace");
    }
  });

  it("is in force: what it does not admit is denied, also where it cannot be evaluated", () => {
    expect(binding.spec).toEqual({ policyName: policy.metadata.name, validationActions: ["Deny"] });
    expect(policy.spec!.failurePolicy).toBe("Fail");
  });

  it("looks at this ServiceAccount alone, and at all that it can change", () => {
    expect(policy.spec!.matchConditions!.map(({ expression }) => expression)).toEqual([
      `request.userInfo.username == "system:serviceaccount:${props.namespace}:${props.name}"`,
    ]);
    expect(policy.spec!.matchConstraints).toEqual({
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": props.namespace } },
      resourceRules: [
        { apiGroups: [""], apiVersions: ["v1"], operations: ["UPDATE"], resources: ["pods", "pods/status"] },
        ...(props.rolls === undefined
          ? []
          : [{ apiGroups: ["apps"], apiVersions: ["v1"], operations: ["UPDATE"], resources: ["deployments"] }]),
      ],
    });
    const changeable = manifestOf(chart, "Role").rules!.filter(({ verbs }) => verbs.includes("patch"));
    const covered = policy.spec!.matchConstraints!.resourceRules!.flatMap(({ resources }) => resources);
    expect(covered).toEqual(expect.arrayContaining(changeable.flatMap(({ resources }) => resources)));
  });

  it("says which bound a change oversteps", () => {
    expect(policy.spec!.validations!.map(({ message }) => message)).toEqual([
      "may change its own annotations alone",
      "may change no spec and no status of a pod",
      ...(props.rolls === undefined ? [] : ["may roll a Deployment, and change nothing else of it"]),
    ]);
  });

  it("admits a change of its own annotations, and of no other, no label and no finalizer", () => {
    expect(policy.spec!.validations![0]!.expression).toBe(
      [
        "object.metadata.?labels == oldObject.metadata.?labels",
        "object.metadata.?finalizers == oldObject.metadata.?finalizers",
        "object.metadata.?ownerReferences == oldObject.metadata.?ownerReferences",
        otherAnnotationsKept(
          "metadata",
          props.rolls === undefined
            ? [republishAnnotation]
            : [republishAnnotation, environmentAnnotation, rollPendingAnnotation],
        ),
      ].join(" && "),
    );
  });

  it("admits no change of a pod's spec and status", () => {
    expect(policy.spec!.validations![1]!.expression).toBe(
      'object.kind != "Pod" || (object.spec == oldObject.spec && object.status == oldObject.status)',
    );
  });
});

test("the admission policy of one that rolls keeps every field of the Deployment's spec but its own annotations", () => {
  /** Every field; one that Kubernetes adds does not compile here. */
  const { template, ...fields }: Record<keyof k8s.DeploymentSpec, readonly string[]> = {
    replicas: ["?replicas"],
    selector: ["?selector"],
    strategy: ["?strategy"],
    paused: ["?paused"],
    minReadySeconds: ["?minReadySeconds"],
    revisionHistoryLimit: ["?revisionHistoryLimit"],
    progressDeadlineSeconds: ["?progressDeadlineSeconds"],
    template: ["template.spec", "template.metadata.?labels", "template.metadata.?finalizers"],
  };
  const kept = [...Object.values(fields), template].flat();
  const { validations } = manifestOf(chartWith(everyProp), "ValidatingAdmissionPolicy").spec!;
  const conditions = [
    ...kept.map((field) => `object.spec.${field} == oldObject.spec.${field}`),
    otherAnnotationsKept("spec.template.metadata", [environmentAnnotation]),
  ];
  expect(validations![2]!.expression).toBe(`object.kind != "Deployment" || (${conditions.join(" && ")})`);
});

/** CEL: all annotations but some are as they were. */
function otherAnnotationsKept(metadata: string, changeable: readonly string[]): string {
  const before = `oldObject.${metadata}.?annotations.orValue({})`;
  const after = `object.${metadata}.?annotations.orValue({})`;
  const own = `key in [${changeable.map((key) => `"${key}"`).join(", ")}]`;
  return (
    `${before}.all(key, ${own} || key in ${after}) && ` +
    `${after}.all(key, ${own} || (key in ${before} && ${before}[key] == ${after}[key]))`
  );
}

describe("the container", () => {
  it.each(variants)("passes the restricted Pod Security level, on a read-only root, $variant", ({ chart }) => {
    const { containers, initContainers, securityContext, hostNetwork, volumes } = podOf(chart);
    expect(containers).toHaveLength(1);
    expect(initContainers ?? []).toEqual([]);
    expect(containers[0]!.securityContext).toEqual({
      runAsNonRoot: true,
      runAsUser: 10001,
      runAsGroup: 10001,
      privileged: false,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      seccompProfile: { type: "RuntimeDefault" },
    });
    expect(securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 10001, runAsGroup: 10001, fsGroup: 10001 });
    expect(hostNetwork).toBe(false);
    expect(volumes).toEqual([{ name: "tmp", emptyDir: {} }]);
    expect(containers[0]!.volumeMounts).toEqual([{ name: "tmp", mountPath: "/tmp" }]);
  });

  it("knows namespace, pods, annotations, interval and what it rolls by its environment", () => {
    expect(environmentOf(chartWith(everyProp))).toEqual({
      NAMESPACE: { value: "prod" },
      SELECTOR: { value: "app.kubernetes.io/name=aidbox,app.kubernetes.io/instance=box" },
      REPUBLISH: { value: republishAnnotation },
      ENVIRONMENT: { value: environmentAnnotation },
      PENDING: { value: rollPendingAnnotation },
      ROLL_DEPLOYMENT: { value: "box" },
      ROLL_CLASS: { value: "box-vault-secrets" },
      ROLL_OBJECTS: { value: "db/password license" },
      ROLL_AT_ONCE: { value: "db/password" },
      ROLL_BATCH: { value: "300" },
      ROLL_FROM: { value: "1380" },
      ROLL_TO: { value: "60" },
      INTERVAL: { value: "25" },
    });
  });

  it("rolls nothing by itself", () => {
    expect(environmentOf(chartWith(requiredProps))).toMatchObject({
      ROLL_DEPLOYMENT: { value: "" },
      ROLL_CLASS: { value: "" },
      ROLL_OBJECTS: { value: "" },
      ROLL_AT_ONCE: { value: "" },
      ROLL_BATCH: { value: "0" },
      ROLL_FROM: { value: "" },
      ROLL_TO: { value: "" },
    });
  });

  it.each([
    { props: requiredProps, image: "docker.io/curlimages/curl:8.17.0" },
    { props: everyProp, image: "registry:5000/curl:8.17.0" },
  ])("runs $image, pulled where the node lacks it", ({ props, image }) => {
    expect(containerOf(chartWith(props))).toMatchObject({ image, imagePullPolicy: "IfNotPresent" });
  });

  it("is small, and the only one", () => {
    const chart = chartWith(requiredProps);
    expect(manifestOf(chart, "Deployment").spec!.replicas).toBe(1);
    expect(containerOf(chart).resources).toEqual({
      requests: { cpu: "10m", memory: "16Mi" },
      limits: { memory: "64Mi" },
    });
  });

  it("is selected by labels that Aidbox's pods do not have", () => {
    const { selector, template } = manifestOf(chartWith(everyProp), "Deployment").spec!;
    expect(selector.matchLabels).toEqual({
      "app.kubernetes.io/name": "aidbox-republisher",
      "app.kubernetes.io/instance": "box-republisher",
    });
    expect(template.metadata!.labels).toMatchObject(selector.matchLabels!);
  });
});

const token = "the-pod's.token";
const pods = ["aidbox-7d4b9c6f5-x2x7k", "aidbox-7d4b9c6f5-q9q4z"];

/** What the API server answers to the list of pods, as a table without the pods themselves. */
const table = JSON.stringify({
  kind: "Table",
  apiVersion: "meta.k8s.io/v1",
  metadata: { resourceVersion: "4711" },
  columnDefinitions: [
    { name: "Name", type: "string", format: "name", description: "Name must be unique.", priority: 0 },
    { name: "Ready", type: "string", format: "", description: "The aggregate readiness state.", priority: 0 },
    { name: "Status", type: "string", format: "", description: "The aggregate status.", priority: 0 },
    { name: "Restarts", type: "string", format: "", description: "The number of restarts.", priority: 0 },
    { name: "Age", type: "string", format: "", description: "When it was made.", priority: 0 },
  ],
  rows: pods.map((name) => ({ cells: [name, "1/1", "Running", "1 (5m ago)", "2d"], object: null })),
});

/** A SecretProviderClassPodStatus: what a pod mounts of a class, each with its version. */
interface Mounted {
  readonly pod: string;
  readonly secretProviderClass?: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** What the API server answers to the list of these statuses: keys in the alphabet's order, in one line. */
function statusList(statuses: readonly Mounted[]): string {
  const apiVersion = "secrets-store.csi.x-k8s.io/v1";
  const kind = "SecretProviderClassPodStatus";
  return JSON.stringify({
    apiVersion,
    items: statuses.map(({ pod, secretProviderClass = rolls.secretProviderClass, versions }) => ({
      apiVersion,
      kind,
      metadata: {
        managedFields: [
          {
            apiVersion,
            fieldsType: "FieldsV1",
            fieldsV1: { "f:status": { ".": {}, "f:objects": {}, "f:secretProviderClassName": {} } },
            manager: "secrets-store-csi-driver",
          },
        ],
        name: `${pod}-prod-${secretProviderClass}`,
        namespace: "prod",
        ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: pod, uid: "1b4f0e98" }],
        resourceVersion: "4711",
      },
      status: {
        mounted: true,
        objects: Object.entries(versions).map(([id, version]) => ({ id, version })),
        podName: pod,
        secretProviderClassName: secretProviderClass,
        targetPath: "/var/lib/kubelet/pods/1b4f0e98/volumes/kubernetes.io~csi/vault-secrets/mount",
      },
    })),
    kind: `${kind}List`,
    metadata: { continue: "", resourceVersion: "4712" },
  });
}

/** What the API server answers to the Deployment; its annotations are those of what was applied, and more. */
function deploymentWith(annotations: Readonly<Record<string, string>>, progress = "NewReplicaSetAvailable"): string {
  return JSON.stringify({
    kind: "Deployment",
    apiVersion: "apps/v1",
    metadata: {
      name: "box",
      annotations: { ...annotations, "deployment.kubernetes.io/revision": "1" },
      managedFields: [{ fieldsV1: { "f:metadata": { "f:annotations": { [`f:${environmentAnnotation}`]: {} } } } }],
    },
    spec: { template: { metadata: { annotations: { "checksum/vault-config": "0a" } } } },
    status: {
      conditions: [{ type: "Progressing", status: "True", reason: progress, message: "as the controller says" }],
    },
  });
}

// A hundred rounds run these some thousand times, so they are functions of the shell, and start no program where it can do it.

/** Stands in for curl: notes its arguments and the file that holds the header, and answers a list. */
const fakeCurl = `curl() (
line() { IFS= read -r line < "$1"; printf %s "$line"; }
calls=0
if [ -e "$FAKES/called" ]; then read -r calls < "$FAKES/called"; fi
echo "$((calls + 1))" > "$FAKES/called"
call="$FAKES/calls/$(printf %03d "$calls")"
printf '%s\\n' "$@" > "$call.arguments"
line "$FAKES/tmp/authorization" > "$call.authorization"
for last; do :; done
case " $* " in *" --request PATCH "*) method=PATCH ;; *) method=GET ;; esac
if [ "$method $last" = "$REFUSED" ]; then echo "curl: (22) 403" >&2; exit 22; fi
case $method in
  GET)
    if [ -e "$FAKES/no-list" ]; then rm "$FAKES/no-list"; echo "curl: (28) timed out" >&2; exit 28; fi
    case "$last" in
      */pods) line "$FAKES/table" ;;
      */secretproviderclasspodstatuses) line "$FAKES/statuses" ;;
      */deployments/box) line "$FAKES/deployment" ;;
      *) echo "curl: (22) 404" >&2; exit 22 ;;
    esac ;;
esac
)
`;

/** Stands in for date: tells a time that a test sets, where it has set one. */
const fakeDate = `date() {
  if [ "$1" = +%s ] && [ -e "$FAKES/clock" ]; then cat "$FAKES/clock"; else command date "$@"; fi
}
`;

/**
 * Stands in for sleep: notes for how long. After the pause at the end of a round it brings another token, and ends the
 * shell that called it after its rounds.
 */
const fakeSleep = `sleep() (
echo "$@" >> "$FAKES/sleeps"
[ "$1" = "$PAUSE" ] || exit 0
printf %s "the-next.token" > "$FAKES/account/token"
rounds=0
while read -r paused; do if [ "$paused" = "$PAUSE" ]; then rounds=$((rounds + 1)); fi; done < "$FAKES/sleeps"
[ "$rounds" -lt "$ROUNDS" ] || kill $$
)
`;

describe("the script, run with a curl that answers as the API server", () => {
  interface Call {
    readonly arguments: readonly string[];
    /** Content of the file with the header. */
    readonly authorization: string;
  }

  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "republisher-"));
    for (const each of ["account", "calls", "tmp"]) mkdirSync(join(folder, each));
    writeFileSync(join(folder, "account/token"), token);
    writeFileSync(join(folder, "table"), table);
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  /** Runs a command of the container, with the folders of the pod in the temporary one. */
  function runInPod(command: readonly string[], env: Record<string, string> = {}) {
    const here = command.map((part) =>
      part.replaceAll("/tmp/", `${folder}/tmp/`).replaceAll("/var/run/secrets/kubernetes.io/serviceaccount", account()),
    );
    const [shell, flag, script, ...args] = here;
    return spawnSync(shell!, [flag!, fakeCurl + fakeDate + fakeSleep + script!, ...args], {
      encoding: "utf8",
      env: { PATH: process.env.PATH, FAKES: folder, ...env },
      timeout: 60_000,
    });
  }

  const account = (): string => join(folder, "account");

  const publishing: RepublisherProps = { ...everyProp, logFormat: "standard", rolls: undefined };

  function republish({ rounds = 1, refused = "nothing", props = publishing } = {}) {
    const { command } = containerOf(chartWith(props));
    const variables = Object.entries(environmentOf(chartWith(props))).map(([name, { value }]) => [name, value!]);
    const ran = runInPod(command!, {
      ...(Object.fromEntries(variables) as Record<string, string>),
      PAUSE: String(props.interval.toSeconds() - 4),
      ROUNDS: String(rounds),
      REFUSED: refused,
    });
    expect(ran.signal).toBe("SIGTERM"); // by the sleep after the last round; nothing else ends it
    return ran;
  }

  function calls(): Call[] {
    const noted = (file: string): string => readFileSync(join(folder, "calls", file), "utf8");
    return readdirSync(join(folder, "calls"))
      .filter((file) => file.endsWith(".arguments"))
      .sort()
      .map((file) => ({
        arguments: noted(file).trimEnd().split("\n"),
        authorization: noted(file.replace(/arguments$/, "authorization")),
      }));
  }

  /** For how many seconds the script paused, each time. */
  function sleeps(): string[] {
    return readFileSync(join(folder, "sleeps"), "utf8").trimEnd().split("\n");
  }

  const api = "https://kubernetes.default.svc/api/v1/namespaces/prod/pods";
  const urls = (): string[] => calls().map((call) => call.arguments.at(-1)!);
  const oneRound = [api, ...pods.map((pod) => `${api}/${pod}/status`)];
  const valueOf = ({ arguments: all }: Call, option: string): string => all[all.indexOf(option) + 1]!;

  it("lists the pods of its labels as a table, and patches the status of each", () => {
    const { stdout, stderr } = republish();
    expect({ stdout, stderr }).toEqual({ stdout: "", stderr: "" });
    expect(urls()).toEqual(oneRound);
    const [list] = calls();
    expect(list!.arguments).toEqual(expect.arrayContaining(["--get", "--fail"]));
    expect(list!.arguments).toEqual(
      expect.arrayContaining([
        "Accept: application/json;as=Table;v=v1;g=meta.k8s.io",
        "labelSelector=app.kubernetes.io/name=aidbox,app.kubernetes.io/instance=box",
        "includeObject=None",
        "pretty=false",
      ]),
    );
  });

  it("patches the annotation alone, with the time", () => {
    const before = Math.floor(Date.now() / 1000) * 1000;
    republish();
    const patches = calls().slice(1);
    expect(patches).toHaveLength(2);
    for (const patch of patches) {
      expect(valueOf(patch, "--request")).toBe("PATCH");
      expect(patch.arguments).toContain("Content-Type: application/merge-patch+json");
      const { metadata, ...others } = JSON.parse(valueOf(patch, "--data")) as {
        metadata: { annotations: Record<string, string> };
      };
      expect(others).toEqual({});
      expect(Object.keys(metadata)).toEqual(["annotations"]);
      expect(Object.keys(metadata.annotations)).toEqual([republishAnnotation]);
      const time = metadata.annotations[republishAnnotation]!;
      expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      expect(Date.parse(time)).toBeGreaterThanOrEqual(before);
      expect(Date.parse(time)).toBeLessThanOrEqual(Date.now());
    }
  });

  it("checks the API server by the cluster's CA, and waits for no answer longer than 10 s", () => {
    republish();
    for (const call of calls()) {
      expect(valueOf(call, "--cacert")).toBe(join(account(), "ca.crt"));
      expect(valueOf(call, "--max-time")).toBe("10");
    }
  });

  it("shows the token in no argument, but in a file that nobody else reads", () => {
    republish();
    for (const call of calls()) {
      expect(call.arguments.join("\n")).not.toContain(token);
      expect(call.arguments).toContain(`@${folder}/tmp/authorization`);
      expect(call.authorization).toBe(`Authorization: Bearer ${token}`);
    }
    expect(statSync(join(folder, "tmp/authorization")).mode & 0o777).toBe(0o600);
  });

  it("goes on after each interval, with the token of then", () => {
    republish({ rounds: 2 });
    expect(sleeps()).toEqual(["4", "21", "4", "21"]);
    expect(urls()).toEqual([...oneRound, ...oneRound]);
    expect(calls().map(({ authorization }) => authorization)).toEqual([
      ...oneRound.map(() => `Authorization: Bearer ${token}`),
      ...oneRound.map(() => "Authorization: Bearer the-next.token"),
    ]);
  });

  it("survives a list that fails: patches nothing, says why, and goes on after the interval", () => {
    writeFileSync(join(folder, "no-list"), "");
    const { stderr } = republish({ rounds: 2 });
    expect(stderr).toBe("curl: (28) timed out\n");
    expect(urls()).toEqual([api, ...oneRound]);
  });

  it("survives a pod that is refused: says which, and patches the others", () => {
    const { stdout, stderr } = republish({ refused: `PATCH ${api}/${pods[0]}/status` });
    expect(stdout).toBe(`${pods[0]} was not published again\n`);
    expect(stderr).toBe("curl: (22) 403\n");
    expect(urls()).toEqual(oneRound);
  });

  it("patches nothing where there are no pods", () => {
    writeFileSync(join(folder, "table"), table.replace(/"rows":.*\]/, '"rows":[]'));
    republish();
    expect(urls()).toEqual([api]);
  });

  describe("where it rolls the Deployment whose environment changed", () => {
    const statuses =
      "https://kubernetes.default.svc/apis/secrets-store.csi.x-k8s.io/v1/namespaces/prod/secretproviderclasspodstatuses";
    const deployment = "https://kubernetes.default.svc/apis/apps/v1/namespaces/prod/deployments/box";
    const first = { "db/password": "hmac-1=", license: "hmac-2=", "client-secret": "hmac-3=" };
    const changed = { ...first, license: "hmac-4=" };
    const unscheduled: EnvironmentRoll = {
      deployment: rolls.deployment,
      secretProviderClass: rolls.secretProviderClass,
      objects: rolls.objects,
    };

    /** The Deployment's annotations, as far as the script has made them. */
    let annotations: Record<string, string>;
    /** Why the Deployment's condition of its progress is as it is. */
    let progress: string;
    beforeEach(() => {
      annotations = {};
      progress = "NewReplicaSetAvailable";
      mount(...pods.map((pod) => ({ pod, versions: first })));
    });

    function mount(...mounted: readonly Mounted[]): void {
      writeFileSync(join(folder, "statuses"), statusList(mounted));
    }

    function mountInAll(versions: Mounted["versions"]): void {
      mount(...pods.map((pod) => ({ pod, versions })));
    }

    /** One round; the changes of the Deployment, which it has from then on, and all that the round printed and asked. */
    function round({
      objects = rolls.objects,
      refused = "nothing",
      ...others
    }: { objects?: readonly string[]; refused?: string } & Pick<EnvironmentRoll, "atOnce" | "schedule"> = {}) {
      writeFileSync(join(folder, "deployment"), deploymentWith(annotations, progress));
      const [seen, slept] = [calls().length, existsSync(join(folder, "sleeps")) ? sleeps().length : 0];
      const { stdout, stderr } = republish({
        props: { ...everyProp, logFormat: "standard", rolls: { ...unscheduled, objects, ...others } },
        refused,
      });
      const asked = calls()
        .slice(seen)
        .map((call) => ({ call, method: methodOf(call), url: call.arguments.at(-1)! }))
        .filter(({ url }) => !url.startsWith(api));
      const patches = asked
        .filter(({ method }) => method === "PATCH")
        .map(({ call, url }) => {
          expect(url).toBe(deployment);
          expect(call.arguments).toContain("Content-Type: application/merge-patch+json");
          return JSON.parse(valueOf(call, "--data")) as DeploymentPatch;
        });
      if (!refused.startsWith("PATCH")) {
        for (const { metadata } of patches) annotate(metadata.annotations);
      }
      return {
        stdout,
        stderr,
        patches,
        asked: asked.map(({ method, url }) => `${method} ${url}`),
        slept: sleeps().slice(slept),
      };
    }

    /** As a merge patch: null takes away. */
    function annotate(changes: Readonly<Record<string, string | null>>): void {
      for (const [key, value] of Object.entries(changes)) {
        if (value === null) Reflect.deleteProperty(annotations, key);
        else annotations[key] = value;
      }
    }

    interface DeploymentPatch {
      readonly metadata: { readonly annotations: Readonly<Record<string, string | null>> };
      readonly spec?: object;
    }

    const methodOf = (call: Call): string =>
      call.arguments.includes("--request") ? valueOf(call, "--request") : "GET";

    /** What is on the Deployment after a round that noted a baseline. */
    function noted(...args: Parameters<typeof round>): string {
      const { stdout, stderr, patches } = round(...args);
      expect({ stdout, stderr }).toEqual({ stdout: "", stderr: "" });
      expect(patches).toEqual([
        { metadata: { annotations: { [environmentAnnotation]: expect.any(String) as string } } },
      ]);
      return annotations[environmentAnnotation]!;
    }

    function expectNothingChanged({ stdout, stderr, patches }: ReturnType<typeof round>): void {
      expect({ stdout, stderr, patches }).toEqual({ stdout: "", stderr: "", patches: [] });
    }

    it("notes at first sight what the pods mount on the Deployment, whose pods stay as they are", () => {
      expect(noted()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{32}$/);
    });

    it("looks once kubelet has published the volumes, and keeps the interval", () => {
      const { asked, slept } = round();
      expect(asked).toEqual([`GET ${statuses}`, `GET ${deployment}`, `PATCH ${deployment}`]);
      expect(slept).toEqual(["4", "21"]);
      expect(urls().slice(0, oneRound.length)).toEqual(oneRound);
    });

    it("changes nothing while the versions stay", () => {
      noted();
      expectNothingChanged(round());
      expectNothingChanged(round());
    });

    it("rolls the Deployment when all pods mount a new version: its metadata and its pods say the same", () => {
      const before = noted();
      mountInAll(changed);
      const { stdout, stderr, patches, slept } = round();
      const now = annotations[environmentAnnotation]!;
      const own = { metadata: { annotations: { [environmentAnnotation]: now } } };
      expect(patches).toEqual([{ ...own, spec: { template: own } }]);
      expect(now).not.toBe(before);
      expect(now.slice(0, 9)).toBe(before.slice(0, 9));
      expect({ stdout, stderr }).toEqual({ stdout: "rolled box: its environment changed\n", stderr: "" });
      expect(slept).toEqual(["4", "3", "21"]); // 3 s for the driver to write the Kubernetes Secret
    });

    it("rolls it once for a version, also where pods come and go", () => {
      noted();
      mountInAll(changed);
      expect(round().patches).toHaveLength(1);
      expectNothingChanged(round());
      mount({ pod: "aidbox-6c8f-new01", versions: changed }, { pod: "aidbox-6c8f-new02", versions: changed });
      expectNothingChanged(round());
      mount({ pod: "aidbox-6c8f-new01", versions: changed });
      expectNothingChanged(round());
    });

    it("rolls it again for the next version, and for the one before", () => {
      const before = noted();
      mountInAll(changed);
      expect(round().patches).toHaveLength(1);
      mountInAll(first);
      expect(round().patches).toHaveLength(1);
      expect(annotations[environmentAnnotation]).toBe(before);
    });

    it("waits while the pods differ, until the last of them has the new version", () => {
      noted();
      mount({ pod: pods[0]!, versions: changed }, { pod: pods[1]!, versions: first });
      const { asked, ...others } = round();
      expectNothingChanged({ asked, ...others });
      expect(asked).toEqual([`GET ${statuses}`]);
      mountInAll(changed);
      expect(round().patches).toHaveLength(1);
    });

    it("does not mind a file that is no environment", () => {
      noted();
      mountInAll({ ...first, "client-secret": "hmac-5=" });
      expectNothingChanged(round());
      mount({ pod: pods[0]!, versions: first }, { pod: pods[1]!, versions: { ...first, "client-secret": "hmac-6=" } });
      expectNothingChanged(round());
    });

    it("does not mind what pods mount of another SecretProviderClass under the same name", () => {
      const ours = pods.map((pod) => ({ pod, versions: first }));
      const other = (version: string): Mounted => ({
        pod: "portal-0",
        secretProviderClass: "portal-vault-secrets",
        versions: { license: version },
      });
      mount(other("hmac-7="), ...ours);
      noted();
      mount(other("hmac-8="), ...ours);
      expectNothingChanged(round());
      mount(...ours, other("hmac-9="), { ...other("hmac-9="), secretProviderClass: "box-vault-secrets-2" });
      expectNothingChanged(round());
    });

    it.each<[what: string, versions: Record<string, string>]>([
      ["one of the objects", { "db/password": "hmac-1=" }],
      ["all of them", {}],
    ])("changes nothing where no pod mounts %s", (_, versions) => {
      mountInAll(versions);
      const { asked, ...others } = round();
      expectNothingChanged({ asked, ...others });
      expect(asked).toEqual([`GET ${statuses}`]);
    });

    it("changes nothing where no pod is there", () => {
      mount();
      expectNothingChanged(round());
    });

    it("notes a new baseline where other objects are environment than before, and rolls for them from then on", () => {
      const before = noted();
      const after = noted({ objects: ["license"] });
      expect(after.slice(0, 9)).not.toBe(before.slice(0, 9));
      mountInAll(changed);
      expect(round({ objects: ["license"] }).patches).toMatchObject([{ spec: {} }]);
    });

    it("notes a new baseline also where the version changed with the set of objects", () => {
      noted();
      mountInAll(changed);
      noted({ objects: ["license", "client-secret"] });
    });

    it("survives a list of statuses that is refused: says why, and rolls in a later round", () => {
      noted();
      mountInAll(changed);
      const { stdout, stderr, patches } = round({ refused: `GET ${statuses}` });
      expect({ stdout, stderr, patches }).toEqual({ stdout: "", stderr: "curl: (22) 403\n", patches: [] });
      expect(round().patches).toHaveLength(1);
    });

    it("survives a roll that is refused: says why, claims none, and rolls in a later round", () => {
      noted();
      mountInAll(changed);
      const { stdout, stderr, patches } = round({ refused: `PATCH ${deployment}` });
      expect({ stdout, stderr }).toEqual({ stdout: "", stderr: "curl: (22) 403\n" });
      expect(patches).toHaveLength(1);
      expect(round().patches).toEqual(patches);
    });

    it("survives a Deployment that cannot be read: changes nothing, and rolls in a later round", () => {
      noted();
      mountInAll(changed);
      const { stdout, stderr, patches } = round({ refused: `GET ${deployment}` });
      expect({ stdout, stderr, patches }).toEqual({ stdout: "", stderr: "curl: (22) 403\n", patches: [] });
      expect(round().patches).toMatchObject([{ spec: {} }]);
    });

    it("tells a file with a dot from one that has another character there", () => {
      mountInAll({ "tls.key": "hmac-1=", "tls-key": "hmac-2=" });
      noted({ objects: ["tls.key"] });
    });

    it.each(["ReplicaSetUpdated", "NewReplicaSetCreated", "FoundNewReplicaSet"])(
      "begins no roll while another goes on (%s)",
      (reason) => {
        noted();
        mountInAll(changed);
        progress = reason;
        expectNothingChanged(round());
        progress = "NewReplicaSetAvailable";
        expect(round().patches).toMatchObject([{ spec: {} }]);
      },
    );

    it("rolls where another roll has failed, which this one may mend", () => {
      noted();
      mountInAll(changed);
      progress = "ProgressDeadlineExceeded";
      expect(round().patches).toMatchObject([{ spec: {} }]);
    });

    describe("by a schedule", () => {
      const minute = 60;
      const hour = 60 * minute;
      const midnight = Date.UTC(2026, 10, 26) / 1000;
      const at = (seconds: number): void => {
        writeFileSync(join(folder, "clock"), `${midnight + seconds}\n`);
      };
      const since = (seconds: number) => ({
        metadata: { annotations: { [rollPendingAnnotation]: String(midnight + seconds) } },
      });
      const batch = { schedule: { batch: Duration.seconds(5 * minute) } };
      const window = { schedule: { quietWindow: { fromMinute: 60, toMinute: 4 * 60 } } };
      const rolledIn = ({ patches }: ReturnType<typeof round>): boolean =>
        patches.some(({ spec }) => spec !== undefined);
      const others = (count: number) => ({ ...first, license: `hmac-other-${count}=` });

      it("gives many changes within the time of a batch one roll, from the first of them on", () => {
        at(0);
        noted(batch);
        for (let count = 0; count < 10; count++) {
          at(hour + count * 25);
          mountInAll(others(count));
          expect(round(batch).patches).toEqual(count === 0 ? [since(hour)] : []);
        }
        at(hour + 299);
        expectNothingChanged(round(batch));
        at(hour + 300);
        const { patches, stdout } = round(batch);
        const now = annotations[environmentAnnotation]!;
        const template = { metadata: { annotations: { [environmentAnnotation]: now } } };
        expect(patches).toEqual([
          {
            metadata: { annotations: { [environmentAnnotation]: now, [rollPendingAnnotation]: null } },
            spec: { template },
          },
        ]);
        expect(stdout).toBe("rolled box: its environment changed\n");
        at(2 * hour);
        expectNothingChanged(round(batch));
      });

      it("waits until the window opens, and not after it has closed", () => {
        at(0);
        noted(window);
        mountInAll(changed);
        at(12 * hour);
        expect(round(window).patches).toEqual([since(12 * hour)]);
        for (const time of [13 * hour, 24 * hour, 25 * hour - 1, 28 * hour, 40 * hour]) {
          at(time);
          expectNothingChanged(round(window));
        }
        at(49 * hour);
        expect(rolledIn(round(window))).toBe(true);
      });

      it("rolls at once in the window, where there is no batch", () => {
        at(0);
        noted(window);
        mountInAll(changed);
        at(4 * hour - 1);
        expect(rolledIn(round(window))).toBe(true);
        expect(annotations).not.toHaveProperty(rollPendingAnnotation);
      });

      it.each([
        [22 * hour + 59 * minute, false],
        [23 * hour, true],
        [24 * hour, true],
        [25 * hour - 1, true],
        [25 * hour, false],
      ])("knows a window past midnight: %d s after the first one", (time, isOpen) => {
        const night = { schedule: { quietWindow: { fromMinute: 23 * 60, toMinute: 60 } } };
        at(12 * hour);
        noted(night);
        mountInAll(changed);
        at(time);
        expect(rolledIn(round(night))).toBe(isOpen);
      });

      it("waits for both: the batch first, and then the next window", () => {
        const both = { schedule: { ...batch.schedule, ...window.schedule } };
        at(0);
        noted(both);
        mountInAll(changed);
        at(4 * hour - 2 * minute);
        expect(round(both).patches).toEqual([since(4 * hour - 2 * minute)]);
        at(4 * hour + 4 * minute);
        expectNothingChanged(round(both));
        at(25 * hour);
        expect(rolledIn(round(both))).toBe(true);
      });

      it("rolls at once for what cannot wait, and takes along what waited", () => {
        const urgent = { ...window, atOnce: ["db/password"] };
        at(0);
        expect(noted(urgent)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{32}-[0-9a-f]{16}$/);
        at(12 * hour);
        mountInAll(changed);
        expect(rolledIn(round(urgent))).toBe(false);
        mountInAll({ ...changed, "db/password": "hmac-7=" });
        expect(rolledIn(round(urgent))).toBe(true);
        expect(annotations).not.toHaveProperty(rollPendingAnnotation);
        expectNothingChanged(round(urgent));
      });

      it("rolls at once for what cannot wait, also while another roll goes on", () => {
        const urgent = { atOnce: ["db/password"] };
        noted(urgent);
        progress = "ReplicaSetUpdated";
        mountInAll(changed);
        expect(rolledIn(round(urgent))).toBe(false);
        mountInAll({ ...changed, "db/password": "hmac-7=" });
        expect(rolledIn(round(urgent))).toBe(true);
      });

      it("takes over from a version of itself that knew of nothing that cannot wait: notes it, and rolls nothing", () => {
        at(12 * hour);
        noted();
        const urgent = { ...window, atOnce: ["db/password"] };
        noted(urgent);
        expectNothingChanged(round(urgent));
        noted();
      });

      it("rolls at once where a change may be of what cannot wait, as that one did not tell", () => {
        at(12 * hour);
        noted();
        mountInAll(changed);
        expect(rolledIn(round({ ...window, atOnce: ["db/password"] }))).toBe(true);
      });

      it("does not wait where an operator says so", () => {
        at(12 * hour);
        noted(window);
        mountInAll(changed);
        round(window);
        annotations[rollPendingAnnotation] = rollNow;
        expect(rolledIn(round(window))).toBe(true);
        expect(annotations).not.toHaveProperty(rollPendingAnnotation);
      });

      it("rolls nothing for a change that was taken back meanwhile", () => {
        at(12 * hour);
        noted(window);
        mountInAll(changed);
        round(window);
        mountInAll(first);
        expect(round(window).patches).toMatchObject([{ metadata: { annotations: { [rollPendingAnnotation]: null } } }]);
        expectNothingChanged(round(window));
        at(26 * hour);
        expectNothingChanged(round(window));
      });

      it("rolls at once where the schedule is gone", () => {
        at(12 * hour);
        noted(window);
        mountInAll(changed);
        round(window);
        expect(rolledIn(round())).toBe(true);
      });

      it.each(["yesterday", "08", "-1", "99999999999"])("begins anew where it was told since when by %j", (text) => {
        at(12 * hour);
        noted(batch);
        mountInAll(changed);
        annotations[rollPendingAnnotation] = text;
        const { patches, stderr } = round(batch);
        expect({ patches, stderr }).toEqual({ patches: [since(12 * hour)], stderr: "" });
      });

      it("asks again where it may not note since when", () => {
        at(12 * hour);
        noted(batch);
        mountInAll(changed);
        expect(round({ ...batch, refused: `PATCH ${deployment}` }).stderr).toBe("curl: (22) 403\n");
        expect(annotations).not.toHaveProperty(rollPendingAnnotation);
        expect(round(batch).patches).toEqual([since(12 * hour)]);
      });
    });

    it("shows the token in no argument here either", () => {
      noted();
      mountInAll(changed);
      round();
      for (const call of calls()) {
        expect(call.arguments.join("\n")).not.toContain("token");
        expect(valueOf(call, "--max-time")).toBe("10");
      }
    });
  });

  describe.each(["readinessProbe", "livenessProbe"] as const)("and its %s", (probe) => {
    const { exec } = containerOf(chartWith(everyProp))[probe]!;
    const passes = (): boolean => runInPod(exec!.command!).status === 0;
    /** How long the probe goes on passing after a round: one interval or four of 25 s, and 10 s for the round itself. */
    const bound = { readinessProbe: 35, livenessProbe: 110 }[probe];
    const doneAgo = (seconds: number): void => {
      writeFileSync(join(folder, "tmp/last"), `${Math.floor(Date.now() / 1000) - seconds}\n`);
    };

    it("fails before the first round", () => {
      expect(passes()).toBe(false);
    });

    it("passes after a round", () => {
      republish();
      expect(passes()).toBe(true);
    });

    it("fails where the list failed", () => {
      writeFileSync(join(folder, "no-list"), "");
      republish();
      expect(existsSync(join(folder, "tmp/last"))).toBe(false);
      expect(passes()).toBe(false);
    });

    it("fails once rounds stay away for too long", () => {
      doneAgo(bound - 5);
      expect(passes()).toBe(true);
      doneAgo(bound + 5);
      expect(passes()).toBe(false);
    });
  });
});
