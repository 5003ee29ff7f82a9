import { spawnSync } from "node:child_process";
import {
  clientSecret,
  documents,
  expectExit,
  expectSuccess,
  expectUnchanged,
  type Initialisation,
  kubectl,
  overrides,
  type Ran,
  readSecretFile,
  run,
  story,
  succeed,
  TestStack,
  waitUntil,
} from "./harness";
import { servedCertificates, waitUntilServed } from "./server-certificates";

const { CERT_MANAGER_CHART: certManagerChart } = process.env;

const isInstalled = spawnSync("kubectl", ["get", "crd", "certificates.cert-manager.io"]).status === 0;
const describeWithCertManager = isInstalled || certManagerChart !== undefined ? describe : describe.skip;

/** A CA in cert-manager's own namespace, and an issuer by it. */
const issuers = `
apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata: { name: aidbox-secrets-e2e-self-signed }
spec: { selfSigned: {} }
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: { name: aidbox-secrets-e2e, namespace: cert-manager }
spec:
  isCA: true
  commonName: aidbox-secrets-e2e
  secretName: aidbox-secrets-e2e
  privateKey: { algorithm: ECDSA, size: 256 }
  issuerRef: { name: aidbox-secrets-e2e-self-signed, kind: ClusterIssuer, group: cert-manager.io }
---
apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata: { name: aidbox-secrets-e2e }
spec: { ca: { secretName: aidbox-secrets-e2e } }
`;

describeWithCertManager("one server with a certificate of cert-manager's", () => {
  const step = story();
  let stack: TestStack;
  let options: string[];
  let env: NodeJS.ProcessEnv = {};

  const command = (...args: string[]): Promise<Ran> => stack.commandAs({ env }, args[0]!, ...args.slice(1), ...options);

  beforeAll(async () => {
    stack = await TestStack.create("dev");
    if (!isInstalled) await install(certManagerChart!);
    // Its webhook answers a moment after it is ready.
    await waitUntil(async () => (await run("kubectl", ["apply", "-f", "-"], { input: issuers })).code === 0, 60);
    await kubectl("wait", "--for=condition=Ready", "clusterissuer/aidbox-secrets-e2e", "--timeout=60s");
    const path = "jsonpath={.data.ca\\.crt}";
    const encoded = await kubectl("-n", "cert-manager", "get", "secret", "aidbox-secrets-e2e", "-o", path);
    const ca = Buffer.from(encoded, "base64").toString();
    const storage = { size: "1Gi", retain: false };
    const vault = { mode: "standalone", storage, certManager: { issuer: "aidbox-secrets-e2e", ca } };
    options = await overrides({ secrets: [clientSecret], vault });
  });
  afterAll(async () => {
    await command("destroy", "--yes");
    await succeed("kubectl", ["delete", "--ignore-not-found", "-f", "-"], { input: issuers });
    await kubectl("-n", "cert-manager", "delete", "--ignore-not-found", "secret", "aidbox-secrets-e2e");
    await stack.dispose();
    if (!isInstalled) await uninstall();
  });

  step("up, init and up again serve the secret, by that certificate", async () => {
    expectExit(await command("up", "--yes"), 3);
    const init = await command("vault:init", "--json", "--shares", "1", "--threshold", "1");
    expectSuccess(init);
    env = { VAULT_TOKEN: (documents(init) as Initialisation).stackToken };
    expectSuccess(await command("up", "--yes"));
    expect(await readSecretFile()).toMatch(/^[\w-]{32}$/);
    expect((await servedCertificates()).map(({ issuer }) => issuer)).toEqual(["CN=aidbox-secrets-e2e"]);
    expectUnchanged(await command("up", "--yes"));
    await waitUntil(async () => (await command("verify")).code === 0, 60);
  });

  step("a renewal by cert-manager is taken without a restart and without up", async () => {
    const uid = ["-n", "vault", "get", "pod", "vault-0", "-o", "jsonpath={.metadata.uid}"];
    const [before, pod] = [(await servedCertificates())[0]!, await kubectl(...uid)];
    const condition = { type: "Issuing", status: "True", reason: "ByTest", lastTransitionTime: new Date() };
    const patch = ["--subresource=status", "--type=json", "-p"];
    const add = [{ op: "add", path: "/status/conditions/-", value: condition }];
    await kubectl("-n", "vault", "patch", "certificate", "vault-tls", ...patch, JSON.stringify(add));
    const seconds = await waitUntilServed(({ serialNumber }) => serialNumber !== before.serialNumber, 150);
    console.info(`the renewed certificate was taken after ${seconds.toFixed(0)} s`);
    expect(await kubectl(...uid)).toBe(pod);
    expectSuccess(await command("verify"));
    expectUnchanged(await command("up", "--yes"));
  });

  step("destroy leaves nothing of it", async () => {
    expectSuccess(await command("destroy", "--yes"));
    expect(await kubectl("get", "certificates", "-A", "-o", "name")).toBe(
      "certificate.cert-manager.io/aidbox-secrets-e2e\n",
    );
  });
});

async function install(chart: string): Promise<void> {
  const values = ["crds.enabled=true", "startupapicheck.enabled=false"].flatMap((value) => ["--set", value]);
  const place = ["--namespace", "cert-manager", "--create-namespace"];
  await succeed("helm", ["install", "cert-manager", chart, ...place, ...values, "--wait", "--timeout", "120s"]);
}

/** Takes it away with its definitions, which its chart keeps. */
async function uninstall(): Promise<void> {
  await succeed("helm", ["uninstall", "cert-manager", "--namespace", "cert-manager", "--wait"]);
  await kubectl("delete", "crd", "-l", "app.kubernetes.io/instance=cert-manager");
  await kubectl("delete", "namespace", "cert-manager");
}
