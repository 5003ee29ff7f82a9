import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Chart, Size, Testing } from "cdk8s";
import type { k8s } from "cdk8s-plus-28";
import { jobInJsonLines } from "../../../../constructs/json-lines";
import { fitToSite } from "../../../../constructs/kubernetes";
import { VaultSnapshots, type VaultSnapshotsProps } from "../../../../constructs/stores/vault";
import { copyScript, fetchScript } from "../../../../constructs/stores/vault/snapshot-copy";
import { snapshotName, snapshotPaths, snapshotScript } from "../../../../constructs/stores/vault/snapshot-script";
import { yamlOf } from "../../kubernetes/fixtures";

const requiredProps: VaultSnapshotsProps = {
  servers: { releaseName: "vault", namespace: "vault" },
  address: "https://vault.vault:8200",
  caConfigMapName: "vault-ca",
  login: { authMount: "kubernetes", role: "aidbox-snapshots", audience: "vault" },
  schedule: "0 */6 * * *",
  keep: 28,
  storage: { size: Size.gibibytes(10) },
};
const everyProp: Required<VaultSnapshotsProps> = {
  ...requiredProps,
  servers: { releaseName: "store", namespace: "keys" },
  storage: { size: Size.gibibytes(20), storageClass: "fast" },
  image: "registry.example.com/vault:2.0.5",
  logFormat: "json",
  allowTo: [{ peer: { cidr: "10.1.2.3/32" }, ports: [443] }],
  copies: {
    image: "registry.example.com/rclone:1.71.2",
    bucket: "backups/vault",
    endpoint: "https://s3.example.com",
    region: "eu-central-1",
    credentialsSecret: "backup-store",
    caConfigMapName: "backup-store-ca",
    keep: 120,
  },
  drillTo: [{ peer: { cidr: "10.1.2.4/32" }, ports: [8200] }],
};

function chartWith(props: VaultSnapshotsProps): Chart {
  const chart = new Chart(Testing.app(), "test");
  new VaultSnapshots(chart, "snapshots", props);
  return chart;
}

type Manifest = { readonly kind: string; readonly spec: never; readonly metadata: { readonly name: string } };
const manifests = (chart: Chart): Manifest[] => Testing.synth(chart) as Manifest[];
const podOf = (chart: Chart): k8s.PodSpec => {
  const { spec } = manifests(chart).find(({ kind }) => kind === "CronJob")! as { spec: k8s.CronJobSpec };
  return spec.jobTemplate.spec!.template.spec!;
};

test.each([
  ["every prop", everyProp],
  ["only the required props", requiredProps],
])("with %s", (_, props) => {
  expect(yamlOf(chartWith(props))).toMatchSnapshot();
});

test("its pod is given a token for Vault alone, no root, and nothing but the volume to write to", () => {
  const pod = podOf(chartWith(requiredProps));
  const [container] = pod.containers;
  expect(pod.automountServiceAccountToken).toBe(false);
  expect(pod.securityContext).toMatchObject({ runAsNonRoot: true });
  expect(container!.securityContext).toMatchObject({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
  });
  expect(container!.volumeMounts!.filter(({ readOnly }) => readOnly !== true).map(({ name }) => name)).toEqual([
    "snapshots",
  ]);
});

test("its pods reach Vault and DNS alone, and a drill's pod nobody", () => {
  const policies = manifests(chartWith(requiredProps)).filter(({ kind }) => kind === "NetworkPolicy") as unknown as {
    metadata: { name: string };
    spec: k8s.NetworkPolicySpec;
  }[];
  const [own, drill] = ["vault-snapshots", "vault-drill"].map((each) =>
    policies.find(({ metadata: { name } }) => name === each),
  );
  expect(own!.spec).toMatchObject({ policyTypes: ["Ingress", "Egress"] });
  expect(own!.spec.ingress).toBeUndefined();
  expect(own!.spec.egress!.map(({ ports }) => ports![0]!.port)).toEqual([53, 8200]);
  // An empty list is dropped by the API server: each later `kubectl apply` and Argo CD would find it missing.
  expect(drill!.spec).toEqual({ policyTypes: ["Ingress", "Egress"], podSelector: expect.anything() as unknown });
});

test("a snapshot is copied once it is taken, by credentials from a Secret; a copy that fails takes no further snapshot", () => {
  const chart = chartWith({ ...requiredProps, copies: { ...everyProp.copies, caConfigMapName: undefined } });
  const { initContainers, containers } = podOf(chart);
  expect([initContainers, containers].map((each) => each!.map(({ name }) => name))).toEqual([["snapshot"], ["copy"]]);
  const [copy] = containers;
  expect(copy!.command!.join()).not.toMatch(/ACCESS_KEY/);
  expect(copy!.env).toContainEqual({
    name: "RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY",
    valueFrom: { secretKeyRef: { name: "backup-store", key: "secret-access-key" } },
  });
  expect(copy!.volumeMounts).toEqual([{ name: "snapshots", mountPath: "/snapshots", readOnly: true }]);
  expect(copy!.securityContext).toEqual(initContainers![0]!.securityContext);
  const { spec } = manifests(chart).find(({ kind }) => kind === "CronJob")! as { spec: k8s.CronJobSpec };
  expect(spec.jobTemplate.spec!.podFailurePolicy!.rules).toEqual([
    { action: "FailJob", onExitCodes: { containerName: "copy", operator: "NotIn", values: [0] }, onPodConditions: [] },
  ]);
});

test("without a Secret the pods' identity with AWS counts", () => {
  const chart = chartWith({ ...requiredProps, copies: { image: "rclone/rclone:1.71.2", bucket: "backups" } });
  const variables = podOf(chart).containers[0]!.env!.map(({ name, value }) => `${name}=${value ?? ""}`);
  expect(variables).toEqual([
    "BUCKET=backups",
    "KEEP=",
    "RCLONE_CONFIG=",
    "RCLONE_CONFIG_STORE_TYPE=s3",
    "RCLONE_CONFIG_STORE_PROVIDER=AWS",
    "RCLONE_CONFIG_STORE_ENV_AUTH=true",
    "RCLONE_CONFIG_STORE_NO_CHECK_BUCKET=true",
  ]);
});

test("in JSON both parts of its pod log, and fail as before", () => {
  const { initContainers, containers } = podOf(
    chartWith({ ...requiredProps, copies: everyProp.copies, logFormat: "json" }),
  );
  expect([...initContainers!, ...containers].map(({ command }) => command!.at(-1))).toEqual(
    [snapshotScript, copyScript].map(jobInJsonLines),
  );
});

test("a site's registry, nodes and users reach its pod", () => {
  const chart = chartWith(requiredProps);
  fitToSite(chart, {
    images: { registry: "registry.example.com", pullSecrets: ["pull"] },
    assignsUsers: true,
    nodeSelector: { disk: "ssd" },
  });
  expect(podOf(chart)).toMatchObject({
    imagePullSecrets: [{ name: "pull" }],
    nodeSelector: { disk: "ssd" },
    containers: [{ image: "registry.example.com/hashicorp/vault:2.0.4" }],
  });
  expect(JSON.stringify(podOf(chart))).not.toMatch(/runAsUser|runAsGroup|fsGroup"/);
});

test("all that is wrong with its props is said at once", () => {
  const copies = { image: "rclone/rclone:1.71.2", bucket: "backups", keep: 0 };
  const props = { ...requiredProps, copies, servers: { releaseName: "v".repeat(43), namespace: "vault" } };
  expect(() => chartWith({ ...props, schedule: "daily", keep: 0 })).toThrow(
    [
      "The props of test/snapshots are not valid:",
      '  schedule: "daily": write five fields, as 0 */6 * * *: minute (0-59), hour (0-23), day of the month (1-31), month (1-12), day of the week (0-6, 0 is Sunday)',
      "  copies.keep: 0: write 1 or more",
      "  keep: 0: write 1 or more",
      `  servers.releaseName: "${"v".repeat(43)}": has 43 characters: shorten it to 42`,
    ].join("\n"),
  );
});

describe("the scripts", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "snapshots-"));
    mkdirSync(join(folder, "bin"));
    mkdirSync(join(folder, "volume"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  /** Runs it with a Vault's command line that writes down what it is asked, and fails at one of its commands. */
  function take(
    failsAt = "nothing",
    leader = "https://leader",
  ): {
    readonly status: number | null;
    readonly stdout: string;
    readonly asked: string;
  } {
    const vault = [
      "#!/bin/sh",
      `echo "$* [$VAULT_ADDR $VAULT_TOKEN]" >> ${folder}/asked`,
      `case "$*" in *${failsAt}*) echo refused >&2; exit 2 ;; esac`,
      'case "$*" in read*) echo "$LEADER" ;; write*) echo hvs.login ;; *save*) echo content > "$5" ;; esac',
    ];
    writeFileSync(join(folder, "bin/vault"), vault.join("\n"), { mode: 0o755 });
    const script = snapshotScript.replace(snapshotPaths.folder, join(folder, "volume"));
    const env = {
      PATH: `${folder}/bin:${process.env.PATH!}`,
      VAULT_ADDR: "https://any",
      LEADER: leader,
      AUTH_MOUNT: "kubernetes",
      ROLE: "snapshots",
      KEEP: "2",
    };
    const { status, stdout } = spawnSync("sh", ["-c", script], { env, encoding: "utf8" });
    return { status, stdout, asked: readFileSync(join(folder, "asked"), "utf8") };
  }
  const volume = (): string[] => readdirSync(join(folder, "volume")).sort();
  const put = (...names: string[]): void => {
    for (const name of names) writeFileSync(join(folder, "volume", name), "");
  };

  test("checks what it took before it is called a snapshot, and keeps so many", () => {
    put("20260101T000000Z.snap", "20260102T000000Z.snap", "20260103T000000Z.snap.part", "notes");
    const { status, stdout, asked } = take();
    expect(status).toBe(0);
    const [former, taken, notes, ...rest] = volume();
    expect([former, notes, ...rest]).toEqual(["20260102T000000Z.snap", "notes"]);
    expect(taken).toMatch(snapshotName);
    expect(stdout).toBe(`saved ${taken!}, 8 bytes; 2 of 2 are there\n`);
    expect(asked.split("\n")).toEqual([
      "read -field=leader_address sys/leader [https://any ]",
      `write -field=token auth/kubernetes/login role=snapshots jwt=@${snapshotPaths.token} [https://leader ]`,
      `operator raft snapshot save ${taken!}.part [https://leader hvs.login]`,
      `operator raft snapshot inspect ${taken!}.part [https://leader hvs.login]`,
      "",
    ]);
  });

  /** Runs the copy. */
  function copy(keep = "", failsAt = "nothing"): { readonly status: number | null; readonly said: string } {
    const { status, stdout, stderr } = runWithStore(copyScript, { KEEP: keep }, failsAt);
    return { status, said: stdout + stderr };
  }

  /** Runs a script with an rclone whose store is a folder, and a sleep that takes no time. */
  function runWithStore(
    script: string,
    env: Readonly<Record<string, string>>,
    failsAt = "nothing",
    args: readonly string[] = [],
  ): SpawnSyncReturns<string> {
    const store = join(folder, "store");
    mkdirSync(store, { recursive: true });
    const rclone = [
      "#!/bin/sh",
      `case "$*" in ${failsAt}*) echo refused >&2; exit 1 ;; esac`,
      `case "$1" in lsf) ls ${store} ;; deletefile) rm "${store}/\${2#store:backups/}" ;; copy) xargs -I FILE cp -n FILE ${store} ;; copyto) cp "${store}/\${2#store:backups/}" "$3" ;; esac`,
    ];
    writeFileSync(join(folder, "bin/rclone"), rclone.join("\n"), { mode: 0o755 });
    writeFileSync(join(folder, "bin/sleep"), `#!/bin/sh\necho tried again >&2\n`, { mode: 0o755 });
    return spawnSync("sh", ["-c", script.replace(snapshotPaths.folder, join(folder, "volume")), "script", ...args], {
      env: { PATH: `${folder}/bin:${process.env.PATH!}`, BUCKET: "backups", ...env },
      encoding: "utf8",
    });
  }
  const inStore = (): string[] => readdirSync(join(folder, "store")).sort();

  test("copy what the store lacks, and keep so many there, but touch nothing else", () => {
    put("20260103T000000Z.snap", "20260104T000000Z.snap", "20260105T000000Z.snap.part");
    mkdirSync(join(folder, "store"));
    for (const each of ["20260101T000000Z.snap", "20260102T000000Z.snap", "20260101.snap"]) {
      writeFileSync(join(folder, "store", each), "");
    }
    expect(copy()).toEqual({ status: 0, said: "copied 20260104T000000Z.snap; 4 are in backups\n" });
    expect(copy("3")).toEqual({ status: 0, said: "copied 20260104T000000Z.snap; 3 are in backups\n" });
    expect(inStore()).toEqual([
      "20260101.snap",
      "20260102T000000Z.snap",
      "20260103T000000Z.snap",
      "20260104T000000Z.snap",
    ]);
  });

  test.each(["copy", "lsf", "deletefile"])("fail where rclone's %s fails each time, and delete no snapshot", (what) => {
    put("20260103T000000Z.snap", "20260104T000000Z.snap");
    copy();
    const { status, said } = copy("1", what);
    expect({ status, tries: said.match(/refused/g)!.length >= 4 }).toEqual({ status: 1, tries: true });
    expect(inStore()).toEqual(["20260103T000000Z.snap", "20260104T000000Z.snap"]);
  });

  function fetch(name?: string, failsAt = "nothing"): { readonly status: number | null; readonly told: string } {
    const { status, stdout } = runWithStore(fetchScript, {}, failsAt, name === undefined ? [] : [name]);
    return { status, told: stdout.trim() };
  }

  test("bring back the newest copy, or that of a name, and overwrite none", () => {
    put("20260103T000000Z.snap", "20260104T000000Z.snap");
    copy();
    rmSync(join(folder, "volume/20260103T000000Z.snap"));
    rmSync(join(folder, "volume/20260104T000000Z.snap"));
    put("20260105T000000Z.snap.fetch");
    expect(fetch()).toEqual({ status: 0, told: "20260104T000000Z.snap" });
    expect(volume()).toEqual(["20260104T000000Z.snap"]);
    writeFileSync(join(folder, "volume/20260104T000000Z.snap"), "the volume's own");
    expect(fetch("20260104T000000Z.snap")).toEqual({ status: 0, told: "20260104T000000Z.snap" });
    expect(readFileSync(join(folder, "volume/20260104T000000Z.snap"), "utf8")).toBe("the volume's own");
    expect(fetch("20260103T000000Z.snap")).toEqual({ status: 0, told: "20260103T000000Z.snap" });
    expect(volume()).toEqual(["20260103T000000Z.snap", "20260104T000000Z.snap"]);
  });

  test.each([
    ["the store refuses", undefined, "lsf"],
    ["it breaks off", "20260103T000000Z.snap", "copyto"],
    ["there is none of the name", "20260109T000000Z.snap", "nothing"],
  ])("bring nothing where %s", (_, name, failsAt) => {
    put("20260103T000000Z.snap");
    copy();
    rmSync(join(folder, "volume/20260103T000000Z.snap"));
    expect(fetch(name, failsAt)).toMatchObject({ status: 1, told: "" });
    expect(volume()).toEqual([]);
  });

  test("fails where Vault has no leader", () => {
    expect(take("nothing", "").status).not.toBe(0);
    expect(volume()).toEqual([]);
  });

  test.each(["leader", "login", "save", "inspect"])(
    "fails where %s fails, and takes none of the others away",
    (what) => {
      const former = ["20260101T000000Z.snap", "20260102T000000Z.snap"];
      put(...former);
      expect(take(what).status).not.toBe(0);
      expect(volume().filter((name) => !name.endsWith(".part"))).toEqual(former);
    },
  );
});
