import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { VaultClient } from "../../../constructs/stores/vault/api/client";
import { CommandError, exitCodes } from "../../../infra/cli/exit-codes";
import { runVault } from "../../../infra/cli/vault-cli";
import { certifiedKey } from "../../constructs/secrets/certificates";
import { errorOf } from "../../mocks";
import { Site } from "../operate/site";

const { PATH } = process.env;
let folder: string;
let site: Site;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vault-cli-"));
});
afterEach(async () => {
  process.env.PATH = PATH;
  rmSync(folder, { recursive: true });
  await site.stop();
});

/** Has `vault` on PATH be a script that notes how it was run, and ends with an exit code. */
function install(exitCode: number): void {
  const file = join(folder, "vault");
  const script = `#!/bin/sh
printf '%s\\n' "$VAULT_ADDR" "$VAULT_NAMESPACE" "$@" > "${folder}/ran"
[ -z "$VAULT_CACERT" ] || { cp "$VAULT_CACERT" "${folder}/ca"; printf %s "$VAULT_CACERT" > "${folder}/ca-file"; }
exit ${exitCode}
`;
  writeFileSync(file, script);
  chmodSync(file, 0o755);
  process.env.PATH = `${folder}:${PATH}`;
}

async function startSite(vault: Record<string, unknown> = {}): Promise<void> {
  site = await Site.start({ vault });
  process.env.KUBECONFIG = site.cluster.kubeconfig;
}

test("passes each argument on as it is, with the environment's address, and returns the exit code", async () => {
  await startSite({ vaultNamespace: "team" });
  install(2);
  const hostile = "$(touch x) 'y' ; z";
  expect(await runVault(site.environment, ["kv", "get", hostile])).toBe(2);
  expect(readFileSync(join(folder, "ran"), "utf8").split("\n")).toEqual([
    site.vault.address,
    "team",
    "kv",
    "get",
    hostile,
    "",
  ]);
  expect(existsSync(join(folder, "ca"))).toBe(false);
});

test("gives it the CA as a file, which is gone afterwards", async () => {
  const caCert = (await certifiedKey(90)).certificate;
  await startSite({ ca: caCert });
  // Jest cannot load what speaks TLS with a CA.
  const health = jest.spyOn(VaultClient.prototype, "health");
  health.mockResolvedValue({ initialized: true, sealed: false, standby: false, version: "", clusterId: "" });
  install(0);
  expect(await runVault(site.environment, ["status"])).toBe(0);
  expect(readFileSync(join(folder, "ca"), "utf8").trim()).toBe(caCert.trim());
  expect(existsSync(readFileSync(join(folder, "ca-file"), "utf8"))).toBe(false);
  health.mockRestore();
});

test("interrupts it by its own name, and waits until it has ended", async () => {
  await startSite();
  install(0);
  const began = join(folder, "began");
  writeFileSync(
    join(folder, "vault"),
    `#!/bin/sh\ntrap 'exit 130' INT\n: > "${began}"\nwhile :; do /bin/sleep 0.03; done\n`,
  );
  const told = jest.spyOn(console, "error").mockImplementation();
  const failed = errorOf(runVault(site.environment, ["login"]));
  while (!existsSync(began)) await sleep(10);
  process.emit("SIGINT", "SIGINT");
  expect(await failed).toEqual(
    new CommandError("SIGINT: Vault's command line has ended. To go on, run the command again.", exitCodes.failed),
  );
  expect(told.mock.calls).toEqual([["SIGINT: interrupting Vault's command line, and waiting until it has ended"]]);
  told.mockRestore();
});

test("says what to install where it is not there, and leaves no file behind", async () => {
  await startSite();
  process.env.PATH = folder;
  const before = readdirSync(tmpdir()).filter((each) => each.startsWith("aidbox-secrets-"));
  expect(await errorOf(runVault(site.environment, ["status"]))).toEqual(
    new CommandError(
      "Vault's command line is not on this machine: install it, so that `vault version` works",
      exitCodes.notEquipped,
    ),
  );
  expect(readdirSync(tmpdir()).filter((each) => each.startsWith("aidbox-secrets-"))).toEqual(before);
});
