import { createHash, createPublicKey, type JsonWebKey, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OciRegistry, packageChart } from "../oci-registry";
import {
  expectExit,
  expectSuccess,
  expectUnchanged,
  kubectl,
  listEverything,
  overrides,
  printFromAidbox,
  type Ran,
  readSecretFile,
  readVariable,
  story,
  succeed,
  TestStack,
  waitUntil,
} from "./harness";
import { NodeImages } from "./node-images";
import { SecondVault } from "./second-vault";

// What people already have, in one `up`: a Vault of another team with its auth mount, its names and its rules, nodes with a
// taint, and a namespace that somebody gives.
const mount = "Payments:Data";
const account = { account: { uri: "https://x.example/?a=1&b=2", id: 1 } };
const bytes = randomBytes(64);
const secrets = [
  {
    name: "client-secret",
    path: "apps/user@example.com",
    key: "client secret",
    scope: { resourceType: "Client", id: "basic" },
  },
  { name: "account", path: "apps/account", key: "/etc/account.json" },
  { name: "keystore", path: "apps/keystore", key: "bytes" },
  { name: "note", path: "apps/note", environment: "PARTNER_NOTE", mayBeEmpty: true },
  { name: "supplier", path: "apps/supplier", keys: "all" },
  { name: "partner", path: "apps/partner", environment: "PARTNER_KEY", optional: true },
];
const taint = "dedicated=aidbox:NoSchedule";

describe("a Vault and a cluster that people already have", () => {
  const step = story();
  let stack: TestStack;
  let vault: SecondVault;
  let config: Record<string, unknown>;
  let options: string[];
  let env: NodeJS.ProcessEnv;
  let node: string;
  let before: string[];
  let givenNamespace: unknown[];

  const command = (...args: string[]): Promise<Ran> => stack.commandAs({ env }, args[0]!, ...args.slice(1), ...options);
  const put = (path: string, content: object): Promise<string> =>
    vault.succeed(["kv", "put", "-cas=0", `-mount=${mount}`, path, "-"], JSON.stringify(content));
  const stored = async (path: string): Promise<Record<string, unknown>> => {
    const text = await vault.succeed(["kv", "get", `-mount=${mount}`, "-format=json", path]);
    return (JSON.parse(text) as { data: { data: Record<string, unknown> } }).data.data;
  };
  const ofOthers = (): Promise<string[]> =>
    Promise.all(
      [
        ["auth", "list", "-format=json"],
        ["list", "-format=json", "auth/k8s/role"],
        ["policy", "list"],
        ["secrets", "list", "-format=json"],
      ].map((args) => vault.succeed(args)),
    );

  const inNamespace = async (): Promise<string[]> =>
    (await listEverything()).filter((each) => each.includes(" aidbox/"));
  const namespaceAsItIs = async (): Promise<unknown[]> => {
    const text = await kubectl("get", "namespace", "aidbox", "-o", "json", "--show-managed-fields");
    const { metadata } = JSON.parse(text) as { metadata: Record<string, unknown> };
    return [metadata.uid, metadata.labels, metadata.annotations, metadata.managedFields, await inNamespace()];
  };

  beforeAll(async () => {
    node = await kubectl("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}");
    vault = await SecondVault.start(8400, 8401);
    const { keys } = JSON.parse(await kubectl("get", "--raw", "/openid/v1/jwks")) as { keys: JsonWebKey[] };
    const pem = createPublicKey({ key: keys[0]!, format: "jwk" }).export({ type: "spki", format: "pem" }).toString();
    await vault.succeed(["auth", "enable", "-path=k8s", "jwt"]);
    await vault.succeed(["write", "auth/k8s/config", "jwt_validation_pubkeys=-"], pem);
    const theirs = ["role_type=jwt", "user_claim=sub", "bound_audiences=theirs"];
    await vault.succeed(["write", "auth/k8s/role/theirs", ...theirs]);
    await vault.succeed(["secrets", "enable", `-path=${mount}`, "kv-v2"]);
    await waitUntil(async () => (await vault.command("write", `${mount}/config`, "cas_required=true")).code === 0, 20);
    await put("apps/user@example.com", { "client secret": "hunter2" });
    await put("apps/account", { "/etc/account.json": account });
    await put("apps/note", { note: "" });
    await put("apps/supplier", { user: "theirs", token: "t1" });
    await put("apps/keystore", { bytes: bytes.toString("base64") });
    before = await ofOthers();
    await kubectl("create", "namespace", "aidbox");
    await kubectl("label", "namespace", "aidbox", "team=payments", "pod-security.kubernetes.io/enforce=restricted");
    // Kubernetes puts a ServiceAccount and a ConfigMap into each.
    await waitUntil(async () => (await inNamespace()).length === 2, 20);
    givenNamespace = await namespaceAsItIs();

    config = {
      secrets,
      namespaces: { options: { aidbox: { create: false } } },
      vault: {
        mode: "external",
        address: vault.strict!.address,
        ca: vault.strict!.ca,
        clientCertificate: { secretName: "vault-client" },
        kvMount: { path: mount, casRequired: true },
        login: { method: "jwt", mount: "k8s", owned: false },
        objects: { keystore: { encoding: "base64", permission: "0444" } },
      },
      aidbox: {
        image: "healthsamurai/aidboxone:2605",
        resources: { cpuRequest: "100m", memoryRequest: "512Mi" },
        tolerations: [{ key: "dedicated", value: "aidbox", effect: "NoSchedule" }],
      },
    };
    stack = await TestStack.create("dev");
    options = await overrides(config);
    const { cert, key } = vault.strict!.files;
    env = { VAULT_CLIENT_CERT: cert, VAULT_CLIENT_KEY: key };
    await kubectl("taint", "node", node, taint);
  });
  afterAll(async () => {
    await kubectl("taint", "node", node, `${taint}-`).catch(() => undefined);
    await command("destroy", "--yes");
    await kubectl("delete", "namespace", "aidbox", "--ignore-not-found");
    vault.stop();
    await stack.dispose();
  });

  step(
    "up with a token that may write its own role and policy alone serves all values, on a tainted node",
    async () => {
      const policy = await command("rights", "--role", "stack", "--for", "store");
      expectSuccess(policy);
      expect(policy.stdout).not.toMatch(/sudo|sys\/auth/);
      await vault.succeed(["policy", "write", "stack", "-"], policy.stdout);
      env.VAULT_TOKEN = await vault.succeed([
        "token",
        "create",
        "-orphan",
        "-policy=stack",
        "-period=1h",
        "-field=token",
      ]);
      // Vault's listener answers nobody without a certificate, and pods have one of their own.
      const waiting = await command("up", "--yes");
      expectExit(waiting, 3);
      const [make] = /kubectl .* create secret tls vault-client/.exec(waiting.stdout + waiting.stderr) ?? [""];
      await succeed("sh", ["-c", `${make} --cert=${env.VAULT_CLIENT_CERT!} --key=${env.VAULT_CLIENT_KEY!}`]);
      expectSuccess(await command("up", "--yes"));
      expect(await stack.exportState()).not.toMatch(/PRIVATE KEY|client\.key/);
      expect(await readSecretFile()).toBe("hunter2");
      expect(await readSecretFile("account")).toBe(
        String.raw`{"account":{"id":1,"uri":"https://x.example/?a=1\u0026b=2"}}`,
      );
      expectUnchanged(await command("up", "--yes"));
    },
  );

  step("bytes are bytes in their file, of the mode that was asked for", async () => {
    const digest = await printFromAidbox(["sha256sum", "/run/vault-secrets/keystore"]);
    expect(digest.split(" ")[0]).toBe(createHash("sha256").update(bytes).digest("hex"));
    expect(await printFromAidbox(["ls", "-lL", "/run/vault-secrets/keystore"])).toMatch(/^-r--r--r--/);
  });

  step("a value that may be empty is, as a file and as a variable, and an optional one is not asked for", async () => {
    expect(await readSecretFile("note")).toBe("");
    const show = 'echo "[$PARTNER_NOTE]" "${PARTNER_NOTE-unset}" "${PARTNER_KEY-unset}"; ls /run/vault-secrets';
    const shown = (await printFromAidbox(["sh", "-c", show])).split("\n").filter(Boolean);
    expect(shown).toEqual(["[]  unset", "account", "client-secret", "keystore", "note", "supplier"]);
  });

  step("verify is green with an operator's rights", async () => {
    const operator = await command("rights", "--for", "store");
    await vault.succeed(["policy", "write", "operator", "-"], operator.stdout);
    const token = await vault.succeed(["token", "create", "-policy=operator", "-field=token"]);
    expectSuccess(await stack.commandAs({ env: { ...env, VAULT_TOKEN: token } }, "verify", ...options));
  });

  step("an optional value that has come is mounted by the next up", async () => {
    await put("apps/partner", { partner: "come at last" });
    expectSuccess(await command("up", "--yes"));
    expect(await readSecretFile("partner")).toBe("come at last");
    expect(await readVariable("PARTNER_KEY")).toBe("come at last");
    expectUnchanged(await command("up", "--yes"));
  });

  step("all keys of a secret are a file each, and one more or less of them is, by the next up", async () => {
    const root = { env: { ...env, VAULT_TOKEN: SecondVault.rootToken } };
    const files = async (): Promise<string[]> =>
      (await printFromAidbox(["ls", "/run/vault-secrets/supplier"])).split("\n").filter(Boolean);
    const write = (version: number, content: object): Promise<string> =>
      vault.succeed(["kv", "put", `-cas=${version}`, `-mount=${mount}`, "apps/supplier", "-"], JSON.stringify(content));
    expect(await files()).toEqual(["token", "user"]);
    expect(await readSecretFile("supplier/user")).toBe("theirs");
    expectSuccess(await stack.commandAs(root, "rotate", "supplier/token", "--generate", "32", ...options));
    expect(await readSecretFile("supplier/token")).toBe((await stored("apps/supplier")).token);

    await write(2, { ...(await stored("apps/supplier")), added: "new" });
    const added = await stack.commandAs(root, "verify", ...options);
    expectSuccess(added);
    expect(added.stdout).toContain("2 of 3 keys are mounted, and added by the next");
    expectSuccess(await command("up", "--yes"));
    expect(await files()).toEqual(["added", "token", "user"]);

    await write(3, { user: "theirs", added: "new" });
    const gone = await stack.commandAs(root, "verify", ...options);
    expectExit(gone, 5);
    expect(gone.stdout).toContain("has no token any more, which pods mount: no new pod starts");
    const without = await command("up", "--yes");
    expectSuccess(without);
    expect(without.stdout + without.stderr).toContain("supplier/token: apps/supplier has no such key any more");
    expect(await files()).toEqual(["added", "user"]);
    expectUnchanged(await command("up", "--yes"));
  });

  step("a managed value is written with the version, and somebody else's is not overwritten", async () => {
    const row = { name: "smtp-password", path: "apps/smtp", source: "managed" };
    const withRow = { ...config, secrets: [...secrets, row] };
    const args = ["--role", "stack", "--for", "store", ...(await overrides(withRow))];
    await vault.succeed(["policy", "write", "stack", "-"], (await stack.commandAs({ env }, "rights", ...args)).stdout);
    stack.configure({ ...withRow, database: null });
    const upWith = async (value: string): Promise<Ran> => {
      await stack.setSecret("aidbox-secrets:values.smtp-password", value);
      return stack.pulumiAs({ env }, "up");
    };
    const smtp = async (): Promise<unknown> => (await stored("apps/smtp"))["smtp-password"];
    for (const value of ["of the config", "of the config, changed"]) {
      expectSuccess(await upWith(value));
      expect(await smtp()).toBe(value);
      expectUnchanged(await upWith(value));
    }
    expect(await readSecretFile("smtp-password")).toBe("of the config, changed");

    await vault.succeed(["kv", "put", "-cas=2", `-mount=${mount}`, "apps/smtp", "smtp-password=-"], "by hand");
    const left = await upWith("of the config, changed");
    expectSuccess(left);
    expect(left.stdout + left.stderr).toContain("somebody else wrote smtp-password (version 3), which stays");
    const refused = await upWith("another of the config");
    expect(refused.code).not.toBe(0);
    expect(await smtp()).toBe("by hand");
    const [overwrite = ""] = /kv metadata patch .*/.exec(refused.stdout + refused.stderr) ?? [];
    await vault.shell(`vault ${overwrite}`);
    expectSuccess(await upWith("another of the config"));
    expect(await smtp()).toBe("another of the config");
  });

  step("rotate and a rollback write with the version that the mount wants, and JSON stays JSON", async () => {
    const root = { env: { ...env, VAULT_TOKEN: SecondVault.rootToken } };
    expectSuccess(await stack.commandAs(root, "rotate", "client-secret", "--generate", "32", ...options));
    expect(await readSecretFile()).toBe((await stored("apps/user@example.com"))["client secret"]);
    const other = { "/etc/account.json": { account: { uri: "https://y.example/", more: true } } };
    const write = ["kv", "put", "-cas=1", `-mount=${mount}`, "apps/account", "-"];
    await vault.succeed(write, JSON.stringify(other));
    expectSuccess(await stack.commandAs(root, "rotate", "account", "--rollback", "1", ...options));
    expect(await stored("apps/account")).toEqual({ "/etc/account.json": account });
  });

  step("destroy leaves what is of others as it was", async () => {
    await kubectl("taint", "node", node, `${taint}-`);
    expectSuccess(await command("destroy", "--yes"));
    for (const policy of ["stack", "operator"]) await vault.succeed(["policy", "delete", policy]);
    expect(await ofOthers()).toEqual(before);
    // The synced Secret's and the pods' own objects go a little later.
    await waitUntil(async () => (await inNamespace()).length === 2, 60);
    expect(await namespaceAsItIs()).toEqual(givenNamespace);
  });
});

describe("a mirror for all images", () => {
  const step = story();
  const registry = "mirror.example.com/all";
  let images: NodeImages;
  let mirrored: readonly string[] = [];
  let stack: TestStack;
  let options: string[];

  beforeAll(async () => {
    images = await NodeImages.open();
    mirrored = await images.mirror(registry);
    stack = await TestStack.create("dev");
    const password = { name: "db-password", path: "aidbox/db", environment: "BOX_DB_PASSWORD", source: "seeded" };
    options = await overrides({
      secrets: [{ ...secrets[0], path: "aidbox/client", key: "client-secret", source: "seeded" }, password],
      database: { mode: "development" },
      images: { registry },
    });
  });
  afterAll(async () => {
    await stack.command("destroy", "--yes", ...options);
    await stack.dispose();
    await images.remove(mirrored);
  });

  step("every pod of the stack and of its charts runs an image of it, and the secret is served", async () => {
    expectSuccess(await stack.command("up", "--yes", ...options));
    expect(await readSecretFile()).toMatch(/^[\w-]{32}$/);
    const format = 'jsonpath={range .items[*]}{.spec.initContainers[*].image} {.spec.containers[*].image}{"\\n"}{end}';
    const pods = await Promise.all(
      ["aidbox", "vault", "vault-csi-provider"].map((each) => kubectl("-n", each, "get", "pods", "-o", format)),
    );
    const driver = await kubectl(
      "-n",
      "kube-system",
      "get",
      "pods",
      "-l",
      "app=secrets-store-csi-driver",
      "-o",
      format,
    );
    const used = [...pods, driver].flatMap((each) => each.split(/\s+/)).filter(Boolean);
    expect(used.length).toBeGreaterThan(8);
    expect(used.filter((image) => !image.startsWith(`${registry}/`))).toEqual([]);
    expectUnchanged(await stack.command("up", "--yes", ...options));
  });
});

describe("charts in a registry that asks for a login", () => {
  const step = story();
  const login = { user: "reader", password: "hunter2-of-the-registry" };
  const { CHARTS_DIR = "" } = process.env;
  let folder: string;
  let registry: OciRegistry;
  let stack: TestStack;
  let options: string[];
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "registry-"));
    const [driver, vault] = ["secrets-store-csi-driver", "vault"].map((name) => packageChart(join(CHARTS_DIR, name)));
    registry = await OciRegistry.start(login, [driver!, vault!]);
    const repository = `oci://${registry.host}/charts`;
    writeFileSync(join(folder, "ca.pem"), registry.ca);
    env = {
      CHARTS_DIR: undefined,
      SSL_CERT_FILE: join(folder, "ca.pem"),
      HELM_REGISTRY_CONFIG: join(folder, "logins.json"),
      DOCKER_CONFIG: folder,
    };
    stack = await TestStack.create("dev");
    options = await overrides({
      secrets: [{ ...secrets[0], path: "aidbox/client", key: "client-secret", source: "seeded" }],
      csiDriver: { chart: { repository, version: driver!.version } },
      vault: { mode: "dev", chart: { repository, version: vault!.version } },
    });
  });
  afterAll(async () => {
    await stack.commandAs({ env }, "destroy", "--yes", ...options);
    await stack.dispose();
    await registry.stop();
    rmSync(folder, { recursive: true });
  });

  step("without it up stops with the command that logs in, and touches nothing", async () => {
    const before = await listEverything();
    const refused = await stack.commandAs({ env }, "up", "--yes", ...options);
    expectExit(refused, 1);
    expect(refused.stdout + refused.stderr).toContain(
      `helm registry login ${registry.host} --username USER --password-stdin`,
    );
    expect(await listEverything()).toEqual(before);
  });

  step("with it the charts are pulled and the secret is served, and the password is said nowhere", async () => {
    const args = ["registry", "login", registry.host, "--username", login.user, "--password-stdin"];
    await succeed("helm", args, { env, input: login.password });
    const up = await stack.commandAs({ env }, "up", "--yes", ...options);
    expectSuccess(up);
    expect(await readSecretFile()).toMatch(/^[\w-]{32}$/);
    expectUnchanged(await stack.commandAs({ env }, "up", "--yes", ...options));
    const told = [up.stdout, up.stderr, await stack.exportState()].join("");
    const encoded = Buffer.from(`${login.user}:${login.password}`).toString("base64");
    for (const secret of [login.password, encoded]) expect(told).not.toContain(secret);
  });
});
