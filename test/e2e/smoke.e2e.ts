import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import {
  aidboxPods,
  answersTo,
  currentContext,
  expectSuccess,
  expectUnchanged,
  kubectl,
  listEverything,
  overrides,
  queryAsAidbox,
  type Ran,
  readSecretFile,
  readVariable,
  root,
  run,
  story,
  TestStack,
  vaultCommand,
  waitUntil,
} from "./harness";

/** What a destroy leaves: Helm never removes the CRDs of a chart, and Kubernetes serves an API for each version of them. */
const leftBehind = [
  "customresourcedefinitions.apiextensions.k8s.io /secretproviderclasses.secrets-store.csi.x-k8s.io",
  "customresourcedefinitions.apiextensions.k8s.io /secretproviderclasspodstatuses.secrets-store.csi.x-k8s.io",
  "apiservices.apiregistration.k8s.io /v1.secrets-store.csi.x-k8s.io",
  "apiservices.apiregistration.k8s.io /v1alpha1.secrets-store.csi.x-k8s.io",
];

/** The table of the environment. */
const devSecrets = (parse(readFileSync(join(root, "Pulumi.dev.yaml"), "utf8")) as DevFile).config[
  "aidbox-secrets:secrets"
];

interface DevFile {
  readonly config: { readonly "aidbox-secrets:secrets": readonly { readonly name: string }[] };
}

/** The bound that the environment states, and what a publication takes. */
const rotationBoundSeconds = 35;

/** Exit code of the wait for the files, and whether Aidbox is ready, of each pod. */
const states =
  "jsonpath={range .items[*]}{.status.initContainerStatuses[*].state.terminated.exitCode} " +
  '{.status.containerStatuses[*].ready}{"\\n"}{end}';

describe("the dev environment, from an empty cluster and back", () => {
  const step = story();
  let before: string[];
  let stack: TestStack;
  let seeded: string;

  beforeAll(async () => {
    before = await listEverything();
    stack = await TestStack.create();
  });
  afterAll(() => stack.dispose());

  step("a first preview is complete, with no Vault there, and holds what the plan says", async () => {
    const preview = await stack.pulumi("preview", "--json");
    expectSuccess(preview);
    const { steps } = JSON.parse(preview.stdout) as { steps: { op: string; urn: string }[] };
    const plan = await stack.command("plan", "--json");
    const { resources } = JSON.parse(plan.stdout) as { resources: { urn: string }[] };
    expect(resources.map(({ urn }) => urn).sort()).toEqual(steps.map(({ urn }) => urn).sort());
    expect(new Set(steps.map(({ op }) => op))).toEqual(new Set(["create"]));
  });

  step("one up brings the secret to the pod as a file", async () => {
    expectSuccess(await stack.pulumi("up"));
    seeded = await readSecretFile();
    expect(seeded).toMatch(/^[\w-]{32}$/);
    expect(await vaultCommand(["kv", "get", "-mount=secret", "-field=client-secret", "aidbox/client"])).toBe(seeded);
  });

  step("Aidbox has a PostgreSQL, and logs in with the password of its environment", async () => {
    const password = await readSecretFile("database-password");
    expect(await readVariable("BOX_DB_PASSWORD")).toBe(password);
    const server = { namespace: "aidbox", service: await readVariable("BOX_DB_HOST") };
    expect((await queryAsAidbox(server, password)).stdout.trim()).toBe("aidbox");
    expect((await queryAsAidbox(server, "wrong")).code).not.toBe(0);
  });

  step("the Client of the Init Bundle is there: 200 with the secret that is served, 401 with another", async () => {
    expect(await answersTo(seeded)).toEqual([200]);
    expect(await answersTo("wrong")).toEqual([401]);
  });

  step("the documented call is answered 200, and 401 with another secret", async () => {
    const [, section] = readFileSync(join(root, "docs/first-secret.md"), "utf8").split(
      "After `up` Aidbox has a Client",
    );
    const call = /```sh\n([\s\S]*?)```/.exec(section!)![1]!.replaceAll("kind-aidbox", await currentContext());
    const [forward, ...rest] = call.split("\n");
    const inPlace = (line: string): string => `${forward!}\nforward=$!\ntrap 'kill $forward' EXIT\nsleep 2\n${line}`;
    const shell = (line: string): Promise<Ran> => run("sh", ["-c", inPlace(line)]);
    expect((await shell(rest.join("\n"))).stdout).toMatch(/HTTP\/1.1 200 OK/);
    expect((await shell("curl -is --user basic:wrong http://localhost:8080/fhir/Patient")).stdout).toMatch(
      /HTTP\/1.1 401 /,
    );
  });

  step("a second up, a preview and a refresh change nothing", async () => {
    expectUnchanged(await stack.pulumi("up", "--expect-no-changes"));
    expectUnchanged(await stack.pulumi("preview", "--expect-no-changes"));
    expectUnchanged(await stack.pulumi("refresh", "--run-program", "--expect-no-changes"));
  });

  step("a rotation by hand arrives within the bound, in the same pod and without a restart", async () => {
    const podsBefore = await aidboxPods();
    await vaultCommand(["kv", "put", "secret/aidbox/client", "client-secret=rotated-by-hand"]);
    const seconds = await waitUntil(async () => (await readSecretFile()) === "rotated-by-hand", rotationBoundSeconds);
    console.info(`the rotation arrived after ${seconds.toFixed(0)} s`);
    expect(await aidboxPods()).toBe(podsBefore);
    expect(await answersTo("rotated-by-hand")).toEqual([200]);
    expect(await answersTo(seeded)).toEqual([401]);
  });

  step("after a rotation by hand refresh, preview and up are still clean, and up keeps the new value", async () => {
    expectUnchanged(await stack.pulumi("refresh", "--run-program", "--expect-no-changes"));
    expectUnchanged(await stack.pulumi("preview", "--expect-no-changes"));
    expectUnchanged(await stack.pulumi("up", "--expect-no-changes"));
    expect(await readSecretFile()).toBe("rotated-by-hand");
  });

  step("no secret value stands in plain in the state, its folder or the cluster's manifests", async () => {
    const rootToken = Buffer.from(
      await kubectl("-n", "vault", "get", "secret", "vault-dev-root-token", "-o", "jsonpath={.data.token}"),
      "base64",
    ).toString();
    expect(rootToken).toMatch(/^[\w-]{32}$/);
    const exported = await stack.exportState();
    const manifests = await kubectl("get", "-A", "-o", "yaml", "statefulsets,deployments,daemonsets,configmaps");
    for (const text of [...filesBelow(stack.folder), exported, manifests]) {
      for (const value of [rootToken, seeded, "rotated-by-hand"]) expect(text.includes(value)).toBe(false);
    }
    // Pulumi needs the token of dev mode to reach Vault; of the seeded value it knows nothing at all.
    const decrypted = await stack.exportState("--show-secrets");
    expect(decrypted.includes(rootToken)).toBe(true);
    expect(decrypted.includes(seeded)).toBe(false);
  });

  step("a changed vault-config is updated in place and rolls the pods", async () => {
    const podsBefore = await aidboxPods();
    const uid = (): Promise<string> =>
      kubectl("-n", "aidbox", "get", "configmap", "aidbox-vault-config", "-o", "jsonpath={.metadata.uid}");
    const uidBefore = await uid();
    stack.configure({
      secrets: devSecrets.map((row) =>
        row.name === "client-secret" ? { ...row, scope: { resourceType: "Client" } } : row,
      ),
    });
    expectSuccess(await stack.pulumi("up"));
    expect(await uid()).toBe(uidBefore);
    expect(await aidboxPods()).not.toBe(podsBefore);
    expect(await readSecretFile()).toBe("rotated-by-hand");
  });

  step("an Aidbox that does not become ready, as without a licence: up ends, and says how to get one", async () => {
    // The stand-in needs no licence, but does not start with such a bundle.
    const resource = { resourceType: "Client", id: "broken", grant_types: 7 };
    const up = await stack.command(
      "up",
      "--yes",
      ...(await overrides({ "aidbox.initBundle.resources": [{ resource }] })),
    );
    expectSuccess(up);
    expect(up.stderr).toContain("There is no licence for Aidbox. The secrets are in the pod all the same");
    const ready = await kubectl("-n", "aidbox", "get", "pods", "-l", "app.kubernetes.io/name=aidbox", "-o", states);
    expect(ready.split("\n").filter(Boolean).sort()).toEqual(["0 false", "0 true"]);
  });

  step("destroy leaves nothing but the chart's CRDs", async () => {
    expectSuccess(await stack.pulumi("destroy"));
    const after = await listEverything();
    expect(after.filter((name) => !before.includes(name) && !leftBehind.includes(name))).toEqual([]);
    expect(before.filter((name) => !after.includes(name))).toEqual([]);
  });
});

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((file) => statSync(file).isFile())
    .map((file) => readFileSync(file, "utf8"));
}
