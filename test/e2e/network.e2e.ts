import { request } from "node:https";
import {
  clientSecret,
  documents,
  expectExit,
  expectSuccess,
  type Initialisation,
  kubectl,
  overrides,
  type Ran,
  readSecretFile,
  run,
  story,
  TestStack,
  waitUntil,
} from "./harness";

interface Policy {
  readonly metadata: { readonly namespace: string; readonly name: string };
  readonly spec: { readonly podSelector: { readonly matchLabels: Readonly<Record<string, string>> } };
}

/** A call of the API server as whoever has a token, and nobody else: kubectl would show its own certificate too. */
async function callAs(
  token: string,
  method: string,
  path: string,
  body: object,
): Promise<{ status: number; text: string }> {
  const server = await kubectl("config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}");
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  return new Promise((resolve, reject) => {
    const call = request(new URL(path, server), { method, headers, rejectUnauthorized: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, text });
      });
    });
    call.on("error", reject);
    call.end(JSON.stringify(body));
  });
}

describe("a stack's network and the rights of its CSI provider", () => {
  const step = story();
  let stack: TestStack;

  beforeAll(async () => {
    stack = await TestStack.create("dev", {
      secrets: [
        clientSecret,
        { name: "database-password", path: "aidbox/database", environment: "BOX_DB_PASSWORD", source: "seeded" },
      ],
      database: { mode: "development" },
    });
    expectSuccess(await stack.pulumi("up"));
  });
  afterAll(async () => {
    await stack.dispose();
  });

  step("each network policy selects pods that run", async () => {
    const { items } = JSON.parse(await kubectl("get", "networkpolicies", "-A", "-o", "json")) as { items: Policy[] };
    const selected = await Promise.all(
      items.map(async ({ metadata: { namespace, name }, spec }) => {
        const selector = Object.entries(spec.podSelector.matchLabels).map((pair) => pair.join("="));
        const pods = await kubectl("-n", namespace, "get", "pods", "-l", selector.join(","), "-o", "name");
        return `${namespace}/${name}: ${pods.split("\n").filter(Boolean).length}`;
      }),
    );
    expect(selected.sort()).toEqual([
      "aidbox/aidbox-postgres-republisher: 1",
      "aidbox/aidbox-postgres: 1",
      "aidbox/aidbox-republisher: 1",
      "vault-csi-provider/vault-node-csi-provider: 1",
      "vault/vault-servers: 1",
    ]);
  });

  step("Vault's namespace admits restricted pods alone, and its own are such", async () => {
    const level = "jsonpath={.metadata.labels.pod-security\\.kubernetes\\.io/enforce}";
    expect(await kubectl("get", "namespace", "vault", "-o", level)).toBe("restricted");
    const label = ["label", "--dry-run=server", "--overwrite", "namespace", "vault"];
    const ran = await run("kubectl", [...label, "pod-security.kubernetes.io/enforce=restricted"]);
    expect(ran.stderr).toBe(""); // where it warns of pods that would be refused
  });

  step("the CSI provider's account makes no token, of nobody, though its chart's role lets it", async () => {
    const account = "system:serviceaccount:vault-csi-provider:vault-node-csi-provider";
    const may = ["auth", "can-i", "create", "serviceaccounts", "--subresource=token", "-n", "aidbox", "--as", account];
    expect((await kubectl(...may)).trim()).toBe("yes");
    const token = await kubectl("-n", "vault-csi-provider", "create", "token", "vault-node-csi-provider");
    const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { audiences: ["vault"] } };
    for (const victim of ["aidbox/serviceaccounts/aidbox", "kube-system/serviceaccounts/default"]) {
      const answer = await callAs(token.trim(), "POST", `/api/v1/namespaces/${victim}/token`, body);
      expect({ victim, ...answer }).toMatchObject({ victim, status: 422 });
      expect(answer.text).toContain("may make no token: the CSI driver hands it those of the pods");
    }
    expect(await readSecretFile()).toMatch(/^[\w-]{32}$/);
  });
});

describe("of three servers, one that is sealed", () => {
  const step = story();
  let stack: TestStack;
  let options: string[];
  const env: NodeJS.ProcessEnv = {};

  const command = (name: string, ...args: string[]): Promise<Ran> =>
    stack.commandAs({ env }, name, ...args, ...options);
  const readyEndpoints = async (): Promise<string[]> => {
    const format =
      '{{range .items}}{{range .endpoints}}{{if .conditions.ready}}{{.targetRef.name}}{{"\\n"}}{{end}}{{end}}{{end}}';
    const slices = ["get", "endpointslices", "-l", "kubernetes.io/service-name=vault", "-o", `go-template=${format}`];
    return (await kubectl("-n", "vault", ...slices)).split("\n").filter(Boolean).sort();
  };

  beforeAll(async () => {
    stack = await TestStack.create("dev");
    const vault = { mode: "ha", replicas: 3, antiAffinity: "none", storage: { size: "1Gi", retain: false } };
    options = await overrides({ secrets: [clientSecret], vault });
    expectExit(await command("up", "--yes"), 3);
    const init = await command("vault:init", "--json", "--shares", "1", "--threshold", "1");
    expectSuccess(init);
    env.VAULT_TOKEN = (documents(init) as Initialisation).stackToken!;
    expectSuccess(await command("up", "--yes"));
  });
  afterAll(async () => {
    await command("destroy", "--yes");
    await stack.dispose();
  });

  step("gets no login", async () => {
    await waitUntil(async () => (await readyEndpoints()).length === 3, 60);
    await kubectl("-n", "vault", "delete", "pod", "vault-2", "--grace-period=0", "--force");
    const running = ["get", "pod", "vault-2", "-o", "jsonpath={.status.phase} {.metadata.labels.vault-sealed}"];
    await waitUntil(async () => (await run("kubectl", ["-n", "vault", ...running])).stdout === "Running true", 90);
    expect(await readyEndpoints()).toEqual(["vault-0", "vault-1"]);
    const address = await kubectl("-n", "vault", "get", "service", "vault", "-o", "jsonpath={.spec.clusterIP}");
    const reach = { VAULT_ADDR: `https://${address}:8200`, VAULT_SKIP_VERIFY: "true" };
    const jwt = (await kubectl("-n", "aidbox", "create", "token", "aidbox", "--audience", "vault")).trim();
    const login = ["write", "-field=token_policies", "auth/kubernetes/login", "role=aidbox", "jwt=-"];
    const codes = await Promise.all(
      Array.from({ length: 30 }, async () => (await run("vault", login, { env: reach, input: jwt })).code),
    );
    expect(codes.filter((code) => code !== 0)).toEqual([]);
  });
});
