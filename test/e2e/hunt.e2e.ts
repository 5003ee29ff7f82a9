import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  clientSecret,
  expectExit,
  kubectl,
  overrides,
  type Ran,
  readSecretFile,
  run,
  story,
  succeed,
  TestStack,
} from "./harness";
import { Hunt } from "./hunt";

/** A mark of letters and digits, which is found again whatever quotes it. */
const newMark = (): string => `planted${randomBytes(15).toString("hex")}`;

/** Values that a careless program shows, runs, breaks at or chokes on, by kind; each begins with a mark. */
const hostile: Record<string, (mark: string) => string> = {
  escapes: (mark) => `${mark}\u001b[2J\u001b]0;owned\u0007\u001b[31m`,
  quotes: (mark) => `${mark}"'\\"'\`"}{{ .Values }}%s\${x}`,
  newlines: (mark) => `${mark}\nsecond: line\r\n---\nthird`,
  command: (mark) => `${mark}$(touch /tmp/${mark})\`touch /tmp/${mark}\`;touch /tmp/${mark}`,
};
const kinds = Object.keys(hostile);
const megabyte = (mark: string): string => mark + "x".repeat(1024 * 1024);

/** Where the node's own logs lie, for a cluster on this machine; further folders by NODE_LOGS, with colons between. */
const nodeLogs = ["/var/log", ...(process.env.NODE_LOGS ?? "").split(":").filter(Boolean)];

interface ApiObject {
  readonly kind: string;
  readonly metadata: { readonly namespace?: string; readonly name: string };
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
}

/** Everything that the cluster says: objects, events and logs. */
async function lookAtCluster(hunt: Hunt, isMeant: (object: ApiObject) => boolean): Promise<void> {
  const resources = (await kubectl("api-resources", "--verbs=list", "-o", "name")).split("\n").filter(Boolean);
  for (const resource of resources) {
    const { items } = JSON.parse(await kubectl("get", resource, "--all-namespaces", "-o", "json")) as {
      items: ApiObject[];
    };
    for (const object of items) {
      const place = `${resource} ${object.metadata.namespace ?? ""}/${object.metadata.name}`;
      if (!isMeant(object)) hunt.look(place, JSON.stringify(object));
      if (object.type === "helm.sh/release.v1") hunt.lookAtRelease(place, object.data!.release!);
    }
  }
  const { items: pods } = JSON.parse(await kubectl("get", "pods", "--all-namespaces", "-o", "json")) as {
    items: ApiObject[];
  };
  for (const { metadata } of pods) {
    for (const previous of [[], ["--previous"]]) {
      const args = ["-n", metadata.namespace!, "logs", metadata.name, "--all-containers", ...previous];
      hunt.look(`log of ${metadata.namespace ?? ""}/${metadata.name}`, (await run("kubectl", args)).stdout);
    }
  }
}

describe("values that are planted and hunted over a whole run", () => {
  const step = story();
  const began = Date.now();
  const control = newMark();
  const managed = Object.fromEntries(kinds.map((kind) => [kind, newMark()]));
  const external = Object.fromEntries(kinds.map((kind) => [kind, newMark()]));
  const rotated = Object.fromEntries(kinds.map((kind) => [kind, newMark()]));
  const [synced, large] = [newMark(), newMark()];
  const marks = [...[managed, external, rotated].flatMap((each) => Object.values(each)), synced, large];
  const secrets = [
    clientSecret,
    ...kinds.map((kind) => ({ name: `managed-${kind}`, path: `managed/${kind}`, source: "managed" })),
    ...kinds.map((kind) => ({ name: `external-${kind}`, path: `external/${kind}`, source: "external" })),
    { name: "synced", path: "external/synced", environment: "BOX_ADMIN_PASSWORD", source: "external" },
  ];
  const hunt = new Hunt([...marks, control]);
  const said: string[] = [];
  let stack: TestStack;
  let options: string[];
  let controls: string;
  let stopWatching = (): void => undefined;

  /** Notes what a command says, and hunts in it. */
  const noted = (name: string, ran: Ran): Ran => {
    said.push(name);
    hunt.look(`output of ${name}`, ran.stdout + ran.stderr);
    return ran;
  };
  const write = (path: string, key: string, input: string): Promise<string> =>
    succeed(
      "kubectl",
      ["-n", "vault", "exec", "-i", "vault-0", "--", "vault", "kv", "put", "-mount=secret", path, `${key}=-`],
      {
        input,
      },
    );

  beforeAll(async () => {
    // Aidbox itself has the one value as environment, and Pulumi's program the config's: that is how they take them.
    stopWatching = hunt.watchProcesses(
      (environment, args) => environment.includes("BOX_VAULT_CONFIG=") || /@pulumi\/pulumi\/cmd\/run\b/.test(args),
    );
    controls = mkdtempSync(join(tmpdir(), "hunt-controls-"));
    stack = await TestStack.create("dev", { secrets });
    options = await overrides({ secrets });
  });
  afterAll(async () => {
    stopWatching();
    await run("kubectl", ["delete", "pod,configmap", "hunt-control", "--ignore-not-found", "--now"]);
    rmSync(controls, { recursive: true, force: true });
    await stack.dispose();
  });

  step("managed values of each kind are set, and the first up waits for the external ones", async () => {
    for (const kind of kinds) {
      await stack.setSecret(`aidbox-secrets:values.managed-${kind}`, hostile[kind]!(managed[kind]!));
    }
    const up = noted("the first up", await stack.pulumi("up"));
    expect(up.code).not.toBe(0);
    expect(up.stdout).toContain("Aidbox waits for secrets that an operator writes");
  });

  step("the operator writes those, and the next up serves all of them as they are", async () => {
    for (const kind of kinds) await write(`external/${kind}`, `external-${kind}`, hostile[kind]!(external[kind]!));
    await write("external/synced", "synced", synced);
    expectExit(noted("the second up", await stack.pulumi("up", "--debug", "--logflow")), 0);
    for (const kind of kinds) {
      expect(await readSecretFile(`external-${kind}`)).toBe(hostile[kind]!(external[kind]!));
      expect(await readSecretFile(`managed-${kind}`)).toBe(hostile[kind]!(managed[kind]!));
    }
  });

  step("each is rotated", async () => {
    for (const kind of kinds) {
      const input = hostile[kind]!(rotated[kind]!);
      const name = `external-${kind}`;
      expectExit(noted(`rotate ${kind}`, await stack.commandAs({ input }, "rotate", name, "--stdin", ...options)), 0);
      expect(await readSecretFile(name)).toBe(input);
    }
  });

  step("a value of a megabyte is served, or refused with a reason", async () => {
    const input = megabyte(large);
    const ran = noted(
      "rotate a megabyte",
      await stack.commandAs({ input }, "rotate", "external-quotes", "--stdin", ...options),
    );
    if (ran.code === 0) expect(await readSecretFile("external-quotes")).toBe(input);
    else expect(ran.stderr.trim().split("\n").at(-1)).toMatch(/^\S.{20,400}$/);
    expect(ran.stderr).not.toMatch(/^\s+at /m);
  });

  step("the other commands show what they show", async () => {
    const commands = [
      ["verify"],
      ["status"],
      ["status", "--json"],
      ["explain", "external-quotes"],
      ["rights"],
      ["plan"],
    ];
    for (const [name, ...args] of commands) {
      noted([name!, ...args].join(" "), await stack.command(name!, ...args, ...options));
    }
    noted("preview", await stack.pulumi("preview", "--diff"));
    noted("stack output", await run("sh", ["-c", "pulumi stack output --json --stack dev"], { env: stack.env }));
    noted("refresh", await stack.pulumi("refresh", "--run-program"));
    noted("state", { code: 0, stdout: await stack.exportState(), stderr: "" });
  });

  step("the hunt finds what is planted in each kind of place", async () => {
    const base64 = Buffer.from(`x${control}`).toString("base64");
    writeFileSync(join(controls, "plain"), `{"value":"${control}\\n"}`);
    writeFileSync(join(controls, "base64"), base64);
    const shown = ["-e", "setTimeout(() => {}, 3000)", control];
    const process1 = spawn(process.execPath, shown, { stdio: "ignore" });
    const process2 = spawn(process.execPath, shown.slice(0, 2), { stdio: "ignore", env: { HIDDEN: control } });
    await Promise.all([process1, process2].map((each) => new Promise((resolve) => each.on("close", resolve))));
    await kubectl("create", "configmap", "hunt-control", `--from-literal=value=${base64}`);
    const image = ["--image=docker.io/curlimages/curl:8.17.0", "--image-pull-policy=IfNotPresent", "--restart=Never"];
    await kubectl("run", "hunt-control", ...image, "--command", "--", "echo", control);
    await kubectl("wait", "pod/hunt-control", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=120s");
    noted("a careless command", { code: 0, stdout: control, stderr: "" });
  });

  step("all of it is hunted through: logs, events, manifests, state, temporary files", async () => {
    await lookAtCluster(hunt, ({ kind, metadata }) => kind === "Secret" && metadata.name === "aidbox-environment");
    for (const folder of nodeLogs) hunt.lookAtFiles(folder, began);
    hunt.lookAtFiles(tmpdir(), began);
    stopWatching();
    expect(hunt.searched).toBeGreaterThan(1_000_000);
    expect(said.length).toBeGreaterThan(12);
  });

  step("it finds the controls, in every place", () => {
    const places = hunt.findings.filter(({ mark }) => mark === control).map(({ place }) => place);
    for (const place of [
      `file ${join(controls, "plain")}`,
      `file ${join(controls, "base64")}`,
      `arguments of ${process.execPath}`,
      `environment of ${process.execPath}`,
      "configmaps default/hunt-control",
      "pods default/hunt-control",
      "log of default/hunt-control",
      "output of a careless command",
    ]) {
      expect(places).toContain(place);
    }
    return Promise.resolve();
  });

  step("and nothing else", () => {
    const names = new Map<string, string>();
    for (const [what, each] of Object.entries({ managed, external, rotated })) {
      for (const [kind, mark] of Object.entries(each)) names.set(mark, `${what} ${kind}`);
    }
    names.set(synced, "synced").set(large, "megabyte");
    const found = hunt.findings.filter(({ mark }) => mark !== control);
    expect(found.map(({ mark, place }) => `${names.get(mark) ?? ""}: ${place}`)).toEqual([]);
    return Promise.resolve();
  });
});
