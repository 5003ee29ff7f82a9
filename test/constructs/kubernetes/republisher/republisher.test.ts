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
import { Chart, Testing } from "cdk8s";
import { republishAnnotation, Republisher, type RepublisherProps } from "../../../constructs/kubernetes";
import { containerOf, environmentOf, manifestOf, manifestsOf, podOf, yamlOf } from "./fixtures";

const everyProp: Required<RepublisherProps> = {
  name: "box-republisher",
  namespace: "prod",
  podLabels: { "app.kubernetes.io/name": "aidbox", "app.kubernetes.io/instance": "box" },
  intervalSeconds: 25,
  image: "registry:5000/curl:8.17.0",
};

const requiredProps: RepublisherProps = {
  name: "aidbox-republisher",
  namespace: "aidbox",
  podLabels: { app: "aidbox" },
  intervalSeconds: 5,
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

it("comes with the Deployment's dependencies on its ServiceAccount, its rights and their bounds", () => {
  const chart = Testing.chart();
  const { dependencies } = new Republisher(chart, "republisher", everyProp).deployment.node;
  expect(dependencies.map(({ node }) => node.id).sort()).toEqual([
    "admission-policy",
    "admission-policy-binding",
    "role",
    "role-binding",
    "service-account",
  ]);
});

describe.each(variants)("the rights, $variant", ({ props, chart }) => {
  it("are to list pods and to patch their status, and nothing else", () => {
    expect(manifestOf(chart, "Role").rules).toEqual([
      { apiGroups: [""], resources: ["pods"], verbs: ["list"] },
      { apiGroups: [""], resources: ["pods/status"], verbs: ["patch"] },
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
      expect(metadata.name).toBe(`${props.namespace}-${props.name}`);
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
      ],
    });
  });

  it("admits a change of this annotation, and of nothing else", () => {
    const [validation, ...others] = policy.spec!.validations!;
    expect(others).toEqual([]);
    expect(validation!.message).toBe("may change the annotation aidbox-secrets/republish alone");
    expect(validation!.expression.split(" && ")).toEqual([
      "object.spec == oldObject.spec",
      "object.status == oldObject.status",
      "object.metadata.?labels == oldObject.metadata.?labels",
      "object.metadata.?finalizers == oldObject.metadata.?finalizers",
      "variables.before.all(key, key in variables.after)",
      `variables.after.all(key, key == "${republishAnnotation}" || (key in variables.before`,
      "variables.before[key] == variables.after[key]))",
    ]);
    expect(policy.spec!.variables).toEqual([
      { name: "before", expression: "oldObject.metadata.?annotations.orValue({})" },
      { name: "after", expression: "object.metadata.?annotations.orValue({})" },
    ]);
  });
});

describe("the container", () => {
  it.each(variants)("passes the restricted Pod Security level, on a read-only root, $variant", ({ chart }) => {
    const { containers, initContainers, securityContext, hostNetwork, volumes } = podOf(chart);
    expect(containers).toHaveLength(1);
    expect(initContainers ?? []).toEqual([]);
    expect(containers[0]!.securityContext).toEqual({
      runAsNonRoot: true,
      runAsUser: 1000,
      runAsGroup: 1000,
      privileged: false,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      seccompProfile: { type: "RuntimeDefault" },
    });
    expect(securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000 });
    expect(hostNetwork).toBe(false);
    expect(volumes).toEqual([{ name: "tmp", emptyDir: {} }]);
    expect(containers[0]!.volumeMounts).toEqual([{ name: "tmp", mountPath: "/tmp" }]);
  });

  it("knows namespace, pods, annotation and interval by its environment", () => {
    expect(environmentOf(chartWith(everyProp))).toEqual({
      NAMESPACE: { value: "prod" },
      SELECTOR: { value: "app.kubernetes.io/name=aidbox,app.kubernetes.io/instance=box" },
      ANNOTATION: { value: republishAnnotation },
      INTERVAL: { value: "25" },
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

/** Stands in for curl: notes its arguments and the file that holds the header, and answers a list. */
const fakeCurl = `#!/bin/sh
call="$FAKES/calls/$(printf %03d "$(ls "$FAKES/calls" | wc -l)")"
mkdir "$call"
printf '%s\\n' "$@" > "$call/arguments"
cat "$FAKES/tmp/authorization" > "$call/authorization"
for last; do :; done
case " $* " in
  *" --request PATCH "*)
    case "$last" in *"/$REFUSED_POD/status") echo "curl: (22) 403" >&2; exit 22 ;; esac ;;
  *)
    if [ -e "$FAKES/no-list" ]; then rm "$FAKES/no-list"; echo "curl: (28) timed out" >&2; exit 28; fi
    cat "$FAKES/table" ;;
esac
`;

/** Stands in for sleep: notes for how long, brings another token, and ends the shell that called it after its rounds. */
const fakeSleep = `#!/bin/sh
echo "$@" >> "$FAKES/sleeps"
printf %s "the-next.token" > "$FAKES/account/token"
[ "$(wc -l < "$FAKES/sleeps")" -lt "$ROUNDS" ] || kill $PPID
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
    for (const each of ["account", "bin", "calls", "tmp"]) mkdirSync(join(folder, each));
    writeFileSync(join(folder, "account/token"), token);
    writeFileSync(join(folder, "table"), table);
    writeFileSync(join(folder, "bin/curl"), fakeCurl, { mode: 0o755 });
    writeFileSync(join(folder, "bin/sleep"), fakeSleep, { mode: 0o755 });
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  /** Runs a command of the container, with the folders of the pod in the temporary one. */
  function runInPod(command: readonly string[], env: Record<string, string> = {}) {
    const here = command.map((part) =>
      part.replaceAll("/tmp/", `${folder}/tmp/`).replaceAll("/var/run/secrets/kubernetes.io/serviceaccount", account()),
    );
    return spawnSync(here[0]!, here.slice(1), {
      encoding: "utf8",
      env: { PATH: `${folder}/bin:${process.env.PATH}`, FAKES: folder, ...env },
      timeout: 20_000,
    });
  }

  const account = (): string => join(folder, "account");

  function republish({ rounds = 1, refusedPod = "none" } = {}) {
    const { command } = containerOf(chartWith(everyProp));
    const variables = Object.entries(environmentOf(chartWith(everyProp))).map(([name, { value }]) => [name, value!]);
    const ran = runInPod(command!, {
      ...(Object.fromEntries(variables) as Record<string, string>),
      ROUNDS: String(rounds),
      REFUSED_POD: refusedPod,
    });
    expect(ran.signal).toBe("SIGTERM"); // by the sleep after the last round; nothing else ends it
    return ran;
  }

  function calls(): Call[] {
    return readdirSync(join(folder, "calls"))
      .sort()
      .map((each) => ({
        arguments: readFileSync(join(folder, "calls", each, "arguments"), "utf8")
          .trimEnd()
          .split("\n"),
        authorization: readFileSync(join(folder, "calls", each, "authorization"), "utf8"),
      }));
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
    expect(readFileSync(join(folder, "sleeps"), "utf8")).toBe("25\n25\n");
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
    const { stdout, stderr } = republish({ refusedPod: pods[0]! });
    expect(stdout).toBe(`${pods[0]} was not published again\n`);
    expect(stderr).toBe("curl: (22) 403\n");
    expect(urls()).toEqual(oneRound);
  });

  it("patches nothing where there are no pods", () => {
    writeFileSync(join(folder, "table"), table.replace(/"rows":.*\]/, '"rows":[]'));
    republish();
    expect(urls()).toEqual([api]);
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
