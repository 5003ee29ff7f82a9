import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { VaultEnvironment } from "../config/environment";
import { assertClusterAnswers } from "../operate/assert-reachable";
import { VaultOperator } from "../operate/stores/vault/operator";
import { VaultSession } from "../operate/stores/vault/session";
import { CommandError, exitCodes } from "./exit-codes";
import { run } from "./pulumi-cli";

/**
 * Runs Vault's own command line against the environment's Vault, with the caller's token: by a port-forward and with the
 * CA of its certificate, where it is the stack's own.
 *
 * @returns its exit code
 * @throws CommandError where it is not on this machine
 */
export async function runVault(environment: VaultEnvironment, args: readonly string[]): Promise<number> {
  const session = await VaultSession.open(environment);
  await assertClusterAnswers(session);
  await new VaultOperator(session).assertReachable();
  const { address, caCert, tlsServerName, vaultNamespace } = await session.vaultConnection();
  const folder = mkdtempSync(join(tmpdir(), "aidbox-secrets-"));
  const caFile = join(folder, "vault-ca.pem");
  if (caCert !== undefined) writeFileSync(caFile, caCert);
  try {
    return await run({ title: "Vault's command line", file: "vault", args: [] }, args, {
      cwd: process.cwd(),
      env: {
        ...process.env,
        VAULT_ADDR: address,
        ...(caCert === undefined ? {} : { VAULT_CACERT: caFile }),
        ...(tlsServerName === undefined ? {} : { VAULT_TLS_SERVER_NAME: tlsServerName }),
        ...(vaultNamespace === undefined ? {} : { VAULT_NAMESPACE: vaultNamespace }),
      },
      output: "inherit",
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new CommandError(
      "Vault's command line is not on this machine: install it, so that `vault version` works",
      exitCodes.notEquipped,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}
