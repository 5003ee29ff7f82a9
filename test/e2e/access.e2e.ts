import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import {
  expectExit,
  expectSuccess,
  expectUnchanged,
  kubectl,
  makeRootToken,
  overrides,
  printFromAidbox,
  type Ran,
  readSecretFile,
  root,
  run,
  story,
  TestStack,
  waitUntil,
} from "./harness";

/** The documents that vault:init and vault:grant print for machines. */
interface Printed {
  readonly keyShares?: readonly string[];
  readonly stackToken?: string;
  readonly operator?: { readonly user: string; readonly password: string };
  readonly rootTokenRevoked?: boolean;
}

function documents(ran: Ran): Printed[] {
  return ran.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Printed);
}

const staging = (parse(readFileSync(join(root, "Pulumi.staging.yaml"), "utf8")) as { config: Record<string, unknown> })
  .config;
const own = (key: string): Record<string, unknown> => staging[`aidbox-secrets:${key}`] as Record<string, unknown>;

/** README's production path as `staging` has it, where operators write the secrets; each with a token of their own. */
describe("production from empty, by the documented steps", () => {
  const step = story();
  let stack: TestStack;
  let options: string[];
  let keyShares: readonly string[];
  let stackToken: string;
  let password: string;
  let writer: string;
  let secrets: object[] = own("secrets") as unknown as object[];

  const command = async (token: string, name: string, args: string[] = [], input = ""): Promise<Ran> => {
    const changed = await overrides({ secrets });
    return stack.commandAs({ env: { VAULT_TOKEN: token }, input }, name, ...args, ...options, ...changed.slice(2));
  };
  const vault = (token: string, args: readonly string[], input = ""): Promise<Ran> =>
    stack.commandAs({ env: { VAULT_TOKEN: token }, input }, "vault", ...options, "--", ...args);
  /** Options by which curl reaches Vault, with its CA in a file. */
  const reachVault = async (): Promise<string[]> => {
    const ip = await kubectl("-n", "vault", "get", "service", "vault", "-o", "jsonpath={.spec.clusterIP}");
    const ca = join(stack.folder, "vault-ca.pem");
    await run("sh", ["-c", `kubectl -n vault get configmap vault-ca -o 'jsonpath={.data.ca\\.crt}' > ${ca}`]);
    return ["--cacert", ca, "--resolve", `vault:8200:${ip}`, "-o", "/dev/null", "-w", "%{http_code}", "-s"];
  };
  const api = async (
    target: readonly string[],
    token: string,
    method: string,
    path: string,
    body?: object,
  ): Promise<number> => {
    const url = `https://vault:8200/v1/${path}`;
    const data = body === undefined ? [] : ["-d", JSON.stringify(body)];
    const ran = await run("curl", [...target, "-X", method, "-H", "@-", ...data, url], {
      input: `X-Vault-Token: ${token}\n`,
    });
    return Number(ran.stdout);
  };

  beforeAll(async () => {
    stack = await TestStack.create("staging");
    const storage = { ...(own("vault").storage as object), size: "1Gi", retain: false };
    const operators = { method: "userpass", users: ["alice"] };
    options = await overrides({ vault: { ...own("vault"), storage, operators } });
    options.push("--env", "staging");
  });
  afterAll(async () => {
    await stack.unprotect();
    await command(stackToken, "destroy", ["--yes"]);
    await stack.dispose();
  });

  step("up stops before Vault is initialised; vault:init gives the stack a token and alice a password", async () => {
    expectExit(await command("", "up", ["--yes"]), 3);
    const init = await command("", "vault:init", ["--json", "--shares", "3", "--threshold", "2"]);
    expectSuccess(init);
    const printed = documents(init);
    keyShares = printed.find((each) => each.keyShares !== undefined)!.keyShares!;
    stackToken = printed.find((each) => each.stackToken !== undefined)!.stackToken!;
    const { operator } = printed.find((each) => each.operator !== undefined)!;
    expect(operator!.user).toBe("alice");
    password = operator!.password;
    expect(printed.at(-1)).toEqual({ rootTokenRevoked: true });
  });

  step("without a token, up says so before it touches anything", async () => {
    const up = await command("", "up", ["--yes"]);
    expectExit(up, 4);
    expect(up.stdout + up.stderr).toContain("set VAULT_TOKEN to the stack's");
  });

  let printed = "";
  step("up waits for the secret, and prints the command that writes it", async () => {
    const up = await command(stackToken, "up", ["--yes"]);
    expectExit(up, 3);
    printed = /^\s+(npm run write -- client-secret.*)$/m.exec(up.stdout)?.[1] ?? "";
    expect(printed).toBe("npm run write -- client-secret --env staging");
  });

  step("alice logs in, and the printed command works as printed", async () => {
    const login = ["login", "-no-store", "-field=token", "-method=userpass", "-path=aidbox-operators"];
    const ran = await vault("", [...login, "username=alice", "password=-"], password);
    expectSuccess(ran);
    writer = ran.stdout.trim();
    const line = `printf %s first-value | ${printed}`;
    const refused = await stack.shell(line, options, { VAULT_TOKEN: stackToken });
    expect({ code: refused.code, said: refused.stderr }).toEqual({
      code: 4,
      said: expect.stringContaining('Missing permission: "create" on secret/data/aidbox/client in Vault') as string,
    });
    const written = await stack.shell(line, options, { VAULT_TOKEN: writer });
    expectSuccess(written);
    expectExit(await stack.shell(line, options, { VAULT_TOKEN: writer }), 2);
  });

  step("up serves it, and a second one changes nothing", async () => {
    expectSuccess(await command(stackToken, "up", ["--yes"]));
    expect(await readSecretFile()).toBe("first-value");
    expectUnchanged(await command(stackToken, "up", ["--yes"]));
  });

  step("rotate, status and verify work with alice's token", async () => {
    expectSuccess(await command(writer, "rotate", ["client-secret", "--generate", "32"]));
    expect(await readSecretFile()).toMatch(/^[\w-]{32}$/);
    expectSuccess(await command(writer, "status"));
    await waitUntil(async () => (await command(writer, "verify", ["--json"])).code === 0, 60);
    expectSuccess(await vault(writer, ["kv", "metadata", "get", "-mount=secret", "aidbox/client"]));
  });

  step("the life of a pod's login is not renewed beyond the config's", async () => {
    const jwt = await kubectl("-n", "aidbox", "create", "token", "aidbox", "--audience", "vault");
    const login = ["write", "-field=token", "auth/kubernetes/login", "role=aidbox", "jwt=-"];
    const token = (await vault("", login, jwt.trim())).stdout.trim();
    await run("sh", ["-c", "sleep 2"]);
    const renewed = await vault(token, ["token", "renew", "-format=json", "-increment=700h"]);
    const { auth } = JSON.parse(renewed.stdout) as { auth: { lease_duration: number } };
    expect(auth.lease_duration).toBeLessThan(3600);
    await vault(token, ["token", "revoke", "-self"]);
  });

  step("a changed table: up says that rights are lacking before it touches anything; key shares mend it", async () => {
    secrets = [...secrets, { name: "second", path: "aidbox/second" }];
    const before = await kubectl("-n", "aidbox", "get", "secretproviderclass,deployment,configmap", "-o", "yaml");
    for (const name of ["up", "preview"]) {
      const ran = await command(stackToken, name, name === "up" ? ["--yes"] : []);
      expectExit(ran, 4);
      expect(ran.stdout).toContain("npm run vault:grant -- --shares --no-tokens --env staging");
    }
    expect(await kubectl("-n", "aidbox", "get", "secretproviderclass,deployment,configmap", "-o", "yaml")).toBe(before);
    const few = await command(stackToken, "vault:grant", ["--shares", "--no-tokens"], keyShares[0]);
    expectExit(few, 2);
    expect(few.stderr).toContain("1 key shares are too few: 2 are needed");
    const granted = await command(
      stackToken,
      "vault:grant",
      ["--json", "--shares", "--no-tokens"],
      keyShares.slice(1).join("\n"),
    );
    expectSuccess(granted);
    expect(documents(granted)).toEqual([{ rootTokenRevoked: true }]);
    expectExit(await command(stackToken, "up", ["--yes"]), 3);
    expectSuccess(await command(writer, "write", ["second", "--generate", "24"]));
    expectSuccess(await command(stackToken, "up", ["--yes"]));
    expect(await printFromAidbox(["cat", "/run/vault-secrets/second"])).toMatch(/^[\w-]{24}$/);
  });

  step("an attacker with the stack's token reads nobody's secret", async () => {
    // What another team has in the same Vault, by an administrator with a root token.
    const rootToken = await makeRootToken((args, input) => vault(stackToken, args, input), keyShares.slice(0, 2));
    const asRoot = async (args: string[], input = ""): Promise<string> => {
      const ran = await vault(rootToken, args, input);
      expectSuccess(ran);
      return ran.stdout.trim();
    };
    await asRoot(["kv", "put", "-mount=secret", "theirs/license", "license=-"], "their-license");
    await asRoot(["policy", "write", "theirs", "-"], 'path "secret/data/theirs/*" { capabilities = ["read"] }');
    await asRoot(["auth", "enable", "userpass"]);
    const theirPolicy = await asRoot(["policy", "read", "theirs"]);

    const wide = { policy: 'path "*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }' };
    const role = (change: object): object => ({
      bound_service_account_names: ["aidbox"],
      bound_service_account_namespaces: ["aidbox"],
      audience: "vault",
      token_policies: ["aidbox"],
      ...change,
    });
    const host = "https://attacker.example";
    const tries: [method: string, path: string, body?: object][] = [
      ["PUT", "sys/policies/acl/aidbox", wide],
      ["PUT", "sys/policies/acl/aidbox", { policy: Buffer.from(wide.policy).toString("base64") }],
      ["PUT", "sys/policy/aidbox", wide],
      ["PUT", "sys/policies/acl/theirs", wide],
      ["DELETE", "sys/policies/acl/theirs"],
      ["PUT", "sys/policies/acl/aidbox-stack", wide],
      ["PUT", "sys/policies/acl/aidbox-writer", wide],
      ["PUT", "sys/policies/acl/default", wide],
      ["PUT", "sys/policies/acl/aidbox-more", wide],
      ["POST", "auth/kubernetes/config", { kubernetes_host: host }],
      [
        "POST",
        "auth/kubernetes/config",
        { kubernetes_host: "https://kubernetes.default.svc", token_reviewer_jwt: "x" },
      ],
      [
        "POST",
        "auth/kubernetes/config",
        { kubernetes_host: "https://kubernetes.default.svc", kubernetes_ca_cert: "x" },
      ],
      ["POST", "auth/kubernetes/config", { kubernetes_host: "https://kubernetes.default.svc", pem_keys: ["x"] }],
      ["POST", "auth/kubernetes/role/aidbox", role({ bound_service_account_names: ["default"] })],
      ["POST", "auth/kubernetes/role/aidbox", role({ bound_service_account_names: ["*"] })],
      ["POST", "auth/kubernetes/role/aidbox", role({ bound_service_account_namespaces: ["kube-system"] })],
      ["POST", "auth/kubernetes/role/aidbox", role({ bound_service_account_namespace_selector: "{}" })],
      ["POST", "auth/kubernetes/role/aidbox", role({ token_policies: ["theirs"] })],
      ["POST", "auth/kubernetes/role/aidbox", role({ policies: ["theirs"] })],
      ["POST", "auth/kubernetes/role/aidbox", role({ token_policies: ["aidbox", "root"] })],
      ["POST", "auth/kubernetes/role/other", role({})],
      ["DELETE", "sys/auth/kubernetes"],
      ["POST", "sys/auth/kubernetes", { type: "userpass" }],
      ["POST", "sys/auth/other", { type: "userpass" }],
      ["POST", "sys/mounts/auth/kubernetes/tune", { token_type: "service" }],
      ["POST", "sys/mounts/secret/tune", { options: { version: "1" } }],
      ["POST", "sys/mounts/secret/tune", { audit_non_hmac_request_keys: ["data"] }],
      ["DELETE", "sys/mounts/secret"],
      ["POST", "sys/mounts/other", { type: "kv" }],
      ["POST", "sys/remount", { from: "secret", to: "other" }],
      ["POST", "identity/entity", { name: "me", policies: ["theirs"] }],
      ["POST", "identity/group", { name: "us", policies: ["theirs"] }],
      ["GET", "identity/entity/id?list=true"],
      ["POST", "auth/token/create", { policies: ["theirs"] }],
      ["POST", "auth/token/create-orphan", { policies: ["theirs"] }],
      ["GET", "auth/token/accessors?list=true"],
      ["POST", "auth/userpass/users/me", { password: "x", token_policies: "theirs" }],
      ["POST", "auth/aidbox-operators/users/alice", { password: "x" }],
      ["GET", "secret/data/theirs/license"],
      ["GET", "secret/metadata/theirs/license"],
      ["GET", "secret/subkeys/theirs/license"],
      ["GET", "secret/data/aidbox/client"],
      ["PUT", "secret/data/aidbox/client", { data: { "client-secret": "x" } }],
      ["DELETE", "secret/metadata/aidbox/client"],
      ["GET", "sys/raw/core/master"],
      ["GET", "sys/storage/raft/snapshot"],
      ["POST", "sys/seal"],
      ["POST", "sys/audit/file", { type: "file", options: { file_path: "stdout", log_raw: "true" } }],
      ["GET", "sys/leases/lookup/"],
    ];
    const target = await reachVault();
    const answers = await Promise.all(
      tries.map(async ([method, path, body]) => ({
        method,
        path,
        body,
        status: await api(target, stackToken, method, path, body),
      })),
    );
    expect(answers.filter(({ status }) => status !== 403)).toEqual([]);
    // The root that key shares make is not to be had without them.
    expect(await api(target, stackToken, "PUT", "sys/generate-root/update", { key: "eA==", nonce: "x" })).toBe(400);
    expect(await asRoot(["policy", "read", "theirs"])).toBe(theirPolicy);
    await asRoot(["token", "revoke", "-self"]);
    // Nothing that it may do has changed what the stack has: up has nothing to mend.
    expectUnchanged(await command(stackToken, "up", ["--yes", "--refresh"]));
    await waitUntil(async () => (await command(writer, "verify", ["--json"])).code === 0, 60);
  });

  step("destroy is refused until the protection is taken away, and leaves nothing then", async () => {
    expectExit(await command(stackToken, "destroy", ["--yes"]), 2);
    expectSuccess(await stack.unprotect());
    expectSuccess(await command(stackToken, "destroy", ["--yes"]));
    expect(await kubectl("get", "pvc", "-A", "-o", "name")).toBe("");
  });
});
