import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeTokenKeys } from "../../../constructs/secrets/keypair-values";
import type { Rotation } from "../../../infra/operate/follow-change";
import type { Status } from "../../../infra/operate/status";
import { clientSecret, strangerId, tenantId } from "../../azure/fixtures";
import { keyVaultConfig, KeyVaultSite } from "../operate/key-vault-site";
import { config, rootToken, Site } from "../operate/site";
import { Checkout } from "./checkout";
import type { Ran } from "./ran";

const files = mkdtempSync(join(tmpdir(), "key-vault-commands-"));
const hook = join(files, "hook.cjs");
const loadedFile = join(files, "loaded.json");
// Of each process: which modules it has loaded when it ends.
writeFileSync(
  hook,
  `const { writeFileSync } = require("node:fs");
   process.on("exit", () => writeFileSync(process.env.LOADED_FILE, JSON.stringify(Object.keys(require.cache))));`,
);

let checkout: Checkout;
let site: KeyVaultSite;
beforeAll(async () => {
  const azure = { kubeContext: "somewhere", aidbox: { image: "healthsamurai/aidboxone:2605" }, ...keyVaultConfig };
  checkout = new Checkout({ azure }, true);
  const pair = Object.entries(await makeTokenKeys("ec")).map(
    ([part, value]) => [`aidbox-auth-keys-${part}`, value] as const,
  );
  const values = { "aidbox-client": "client's hunter2", "aidbox-admin": "admin's hunter2" };
  site = await KeyVaultSite.start({ ...values, ...Object.fromEntries(pair) });
  writeFileSync(join(files, "ca.crt"), site.azure.ca);
});
afterAll(async () => {
  await site.stop();
  checkout.dispose();
  rmSync(files, { recursive: true });
});

/** Runs a command on the environment `azure` in a process of its own, as the operator who may look and write. */
async function run(args: readonly string[], input = ""): Promise<Ran> {
  const { HTTPS_PROXY, NODE_EXTRA_CA_CERTS } = site.azure.variables(join(files, "ca.crt"));
  const operator = { AZURE_TENANT_ID: tenantId, AZURE_CLIENT_ID: strangerId, AZURE_CLIENT_SECRET: clientSecret };
  const env = { KUBECONFIG: site.cluster.kubeconfig, HTTPS_PROXY, NODE_EXTRA_CA_CERTS, NO_PROXY: "127.0.0.1" };
  const ran = await checkout.spawn([...args, "--env", "azure"], { ...env, ...operator, ...hooked }, input);
  expect(ran.stdout + ran.stderr).not.toMatch(/hunter2|eyJ|^\s+at /m);
  return ran;
}

const hooked = { NODE_OPTIONS: `--require ${hook}`, LOADED_FILE: loadedFile };
const ofClouds = (): string[] =>
  (JSON.parse(readFileSync(loadedFile, "utf8")) as string[]).filter((file) =>
    /node_modules\/(@azure|@aws-sdk|@pulumi\/(azure|aws))/.test(file),
  );

test("rotate takes a value from standard input, and ends once every pod serves it", async () => {
  const { code, stdout } = await run(["rotate", "client-secret", "--stdin", "--json"], "new hunter2\n");
  expect(code).toBe(0);
  const { version, pods } = JSON.parse(stdout) as Rotation;
  expect(site.vault.current("aidbox-client")).toMatchObject({ value: "new hunter2", version });
  expect(pods.map(({ pod }) => pod)).toEqual(["aidbox-a", "aidbox-b"]);
  expect(ofClouds().length).toBeGreaterThan(0);
});

test("status tells the same version of each pod, and in words for people", async () => {
  const { code, stdout } = await run(["status", "--json"]);
  expect(code).toBe(0);
  const { secrets } = JSON.parse(stdout) as Status;
  const { version } = site.vault.current("aidbox-client")!;
  expect(secrets[0]).toMatchObject({ secret: "client-secret", version, pods: [{ version }, { version }] });
  expect((await run(["status"])).stdout).toMatch(/^Environment "azure", cluster "somewhere", key vault aidbox-test$/m);
});

test("a keypair cannot go back to one version: that ends with 2, and writes nothing", async () => {
  const { version, versions } = site.vault.current("aidbox-auth-keys-private")!;
  const { code, stderr } = await run(["rotate", "auth-keys", "--rollback", version, "--yes"]);
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: expect.stringContaining("have versions of their own") as string,
  });
  expect(site.vault.current("aidbox-auth-keys-private")!.versions).toBe(versions);
});

test("verify ends with 5 where a secret is disabled, and says so", async () => {
  site.vault.enable("aidbox-admin", false);
  const { code, stdout } = await run(["verify"]);
  expect({ code, stdout }).toEqual({ code: 5, stdout: expect.stringContaining("aidbox-admin is disabled") as string });
  site.vault.enable("aidbox-admin", true);
});

test("Vault's own commands are refused, and so are all without Azure's SDK, with the command that brings it", async () => {
  const env = { KUBECONFIG: site.cluster.kubeconfig };
  const refused = await checkout.run(["vault:init", "--env", "azure"], env);
  expect(refused).toMatchObject({
    code: 2,
    stderr: 'environment "azure" has Azure Key Vault as its store, and this command is for Vault alone\n',
  });
  rmSync(join(checkout.root, "constructs/stores/azure-key-vault/node_modules"), { recursive: true });
  for (const args of [["status"], ["verify"], ["rotate", "client-secret", "--generate", "32"]]) {
    const { code, stderr } = await checkout.run([...args, "--env", "azure"], env);
    expect({ args, code, stderr }).toMatchObject({
      code: 4,
      stderr: expect.stringMatching(
        /@azure\/identity and @azure\/keyvault-secrets.*`npm run azure:install`/s,
      ) as string,
    });
  }
});

test("a Vault user's plan and rotation load no module of a cloud, with all of them there", async () => {
  const vaultSite = await Site.start();
  const { environment } = vaultSite;
  const { address, addressFromHere } = environment.vault as { address: string; addressFromHere: string };
  const own = new Checkout({ test: { ...config, vault: { ...config.vault, address, addressFromHere } } }, true);
  try {
    const env = { KUBECONFIG: vaultSite.cluster.kubeconfig, VAULT_TOKEN: rootToken, ...hooked };
    for (const args of [["rotate", "client-secret", "--generate", "32"], ["status"], ["verify"], ["plan"]]) {
      rmSync(loadedFile, { force: true });
      const { code, stderr } = await own.spawn([...args, "--env", "test"], env);
      expect({ args, code, stderr, loaded: ofClouds() }).toMatchObject({ code: 0, loaded: [] });
    }
  } finally {
    own.dispose();
    await vaultSite.stop();
  }
});
