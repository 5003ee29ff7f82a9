import type { AccessEvidence } from "../../infra/operate/access";
import {
  clientSecret,
  expectSuccess,
  kubectl,
  overrides,
  run,
  story,
  succeed,
  TestStack,
  vaultCommand,
  waitUntil,
} from "./harness";

/** As JSON has it. */
type Printed = Pick<AccessEvidence, "changers" | "ways" | "nodePods" | "notRead"> & {
  readonly secrets: readonly (Pick<AccessEvidence["secrets"][number], "secret" | "readers"> & {
    readonly lastReads?: readonly { readonly who: string }[];
  })[];
};

const secrets = [
  clientSecret,
  { name: "admin-password", path: "aidbox/admin", environment: "BOX_ADMIN_PASSWORD", source: "seeded" },
];

/** What neither the stack, nor Kubernetes, nor `rights` gives. */
function ofOthers({ secrets: rows, changers, ways, nodePods }: Printed): string[] {
  const isOfOthers = ({ origin }: { readonly origin: string }): boolean => origin === "others";
  return [
    ...rows.flatMap(({ secret, readers }) => readers.filter(isOfOthers).map(({ who }) => `${secret}: ${who}`)),
    ...changers.filter(isOfOthers).map(({ who, may }) => `${who} ${may.join()}`),
    ...ways
      .filter(isOfOthers)
      .map(({ who, may, reaches }) => `${reaches}: ${who} ${may.map(({ power }) => power).join()}`),
    ...nodePods.filter(isOfOthers).map(({ pod, ways: by }) => `${pod} ${by.join()}`),
  ].sort();
}

async function apply(...objects: readonly object[]): Promise<void> {
  await succeed("kubectl", ["apply", "-f", "-"], {
    input: objects.map((each) => JSON.stringify(each)).join("\n---\n"),
  });
}

async function vaultPolicy(name: string, text: string): Promise<void> {
  const args = ["-n", "vault", "exec", "-i", "vault-0", "--", "vault", "policy", "write", name, "-"];
  await succeed("kubectl", args, { input: text });
}

describe("who can read what", () => {
  const step = story();
  let stack: TestStack;
  let options: string[];
  let before: string[];

  const access = async (
    env: NodeJS.ProcessEnv = {},
  ): Promise<{ readonly code: number; readonly evidence: Printed }> => {
    const { code, stdout, stderr } = await stack.commandAs({ env }, "access", "--json", ...options);
    if (stdout === "") throw new Error(stderr);
    return { code, evidence: JSON.parse(stdout) as Printed };
  };

  beforeAll(async () => {
    stack = await TestStack.create("dev");
    options = await overrides({ secrets });
    expectSuccess(await stack.command("up", "--yes", ...options));
  });
  afterAll(async () => {
    await run("kubectl", ["delete", "namespace", "planted", "--ignore-not-found"]);
    await stack.dispose();
  });

  step("of a stack alone nobody but the stack and the cluster's own parts is named", async () => {
    const { evidence } = await access();
    before = ofOthers(evidence);
    expect(before).toEqual([]);
    expect(evidence.secrets.map(({ readers }) => readers.map(({ who, origin }) => [who, origin]))).toEqual(
      secrets.map(() => [["ServiceAccount aidbox/aidbox", "stack"]]),
    );
  });

  step(
    "a planted policy, a RoleBinding for commands in pods and a pod with the node's paths are named, nothing else",
    async () => {
      await vaultPolicy("extra", 'path "secret/data/+/admin" { capabilities = ["read"] }');
      const [image] = (await kubectl("-n", "aidbox", "get", "deployment", "aidbox", "-o", "jsonpath={..image}")).split(
        " ",
      );
      await apply(
        { apiVersion: "v1", kind: "Namespace", metadata: { name: "planted" } },
        {
          ...{
            apiVersion: "rbac.authorization.k8s.io/v1",
            kind: "Role",
            metadata: { name: "planted", namespace: "aidbox" },
          },
          rules: [{ apiGroups: [""], resources: ["pods/exec"], verbs: ["create"] }],
        },
        {
          ...{
            apiVersion: "rbac.authorization.k8s.io/v1",
            kind: "RoleBinding",
            metadata: { name: "planted", namespace: "aidbox" },
          },
          roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "planted" },
          subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: "support" }],
        },
        { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default", namespace: "planted" } },
        {
          ...{ apiVersion: "v1", kind: "Pod", metadata: { name: "shell", namespace: "planted" } },
          spec: {
            automountServiceAccountToken: false,
            containers: [
              {
                name: "shell",
                image,
                command: ["sleep", "3600"],
                volumeMounts: [{ name: "node", mountPath: "/node", readOnly: true }],
              },
            ],
            volumes: [{ name: "node", hostPath: { path: "/var/lib/kubelet" } }],
          },
        },
      );
      const { evidence } = await access();
      expect(ofOthers(evidence)).toEqual(
        [
          "admin-password: whoever has a token with the policy extra",
          "aidbox/aidbox: Group support exec",
          "planted/shell mounts /var/lib/kubelet of the node",
        ].sort(),
      );
    },
  );

  step("the last readers are those of the audit log", async () => {
    await vaultCommand(["audit", "enable", "file", "file_path=stdout"]);
    await waitUntil(async () => {
      const { evidence } = await access();
      return evidence.secrets[0]!.lastReads?.some(({ who }) => who === "ServiceAccount aidbox/aidbox") === true;
    }, 180);
  });

  step("an auditor's policy is enough, and reads no value", async () => {
    const policy = await stack.command("rights", "--role", "auditor", "--for", "store", ...options);
    expectSuccess(policy);
    await vaultPolicy("auditor", policy.stdout);
    const made = await vaultCommand(["token", "create", "-policy=auditor", "-field=token"]);
    const { code, evidence } = await access({ VAULT_TOKEN: made.trim() });
    expect({ code, notRead: evidence.notRead }).toEqual({ code: 0, notRead: [] });
    expect(ofOthers(evidence)).toHaveLength(3);
    const read = run("kubectl", [
      "-n",
      "vault",
      "exec",
      "vault-0",
      "--",
      "sh",
      "-c",
      `VAULT_TOKEN=${made.trim()} vault kv get secret/aidbox/client`,
    ]);
    expect((await read).code).not.toBe(0);
  });
});
