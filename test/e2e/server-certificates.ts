import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { kubectl, succeed, waitUntil } from "./harness";

/** What each of Vault's servers serves now. */
export async function servedCertificates(): Promise<X509Certificate[]> {
  const format = ["-o", "jsonpath={.items[*].status.podIP}"];
  const ips = await kubectl("-n", "vault", "get", "pods", "-l", "component=server", ...format);
  return Promise.all(ips.split(" ").map((host) => servedCertificate(host)));
}

function servedCertificate(host: string): Promise<X509Certificate> {
  return new Promise((done, fail) => {
    const socket = connect({ host, port: 8200, rejectUnauthorized: false }, () => {
      done(socket.getPeerX509Certificate()!);
      socket.destroy();
    });
    socket.on("error", fail);
  });
}

/** Waits until each server serves a certificate of which something holds. */
export function waitUntilServed(holds: (certificate: X509Certificate) => boolean, seconds: number): Promise<number> {
  return waitUntil(async () => (await servedCertificates()).every(holds), seconds);
}

/** The CA that the stack's servers are signed by now. */
export async function currentCa(): Promise<X509Certificate> {
  return new X509Certificate(await secretValue("vault-ca-key", "tls.crt"));
}

/** Has the Secret of the servers' certificate hold one by the CA that ends in some days. */
export async function shortenServerCertificate(days: number): Promise<void> {
  await inFolder(async (folder) => {
    for (const name of ["crt", "key"]) {
      writeFileSync(join(folder, `ca.${name}`), await secretValue("vault-ca-key", `tls.${name}`));
    }
    const names = "subjectAltName=DNS:vault.vault,DNS:*.vault-internal.vault.svc,DNS:localhost,IP:127.0.0.1";
    await makeCertificate(folder, days, "vault.vault", ["-CA", "ca.crt", "-CAkey", "ca.key", "-addext", names]);
    await replaceSecret("vault-tls", folder);
  });
}

/** Has the Secret of the CA hold another that ends in some days. */
export async function shortenCa(days: number): Promise<void> {
  await inFolder(async (folder) => {
    await makeCertificate(folder, days, "vault.vault CA", ["-addext", "keyUsage=critical,keyCertSign"]);
    await replaceSecret("vault-ca-key", folder);
  });
}

async function makeCertificate(folder: string, days: number, name: string, options: readonly string[]): Promise<void> {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-keyout", "tls.key"];
  const args = ["req", "-x509", ...key, "-out", "tls.crt", "-days", String(days), "-subj", `/CN=${name}`, ...options];
  await succeed("openssl", args, { cwd: folder });
}

async function replaceSecret(name: string, folder: string): Promise<void> {
  const data = Object.fromEntries(
    ["tls.crt", "tls.key"].map((key) => [key, readFileSync(join(folder, key)).toString("base64")]),
  );
  await kubectl("-n", "vault", "patch", "secret", name, "--type", "merge", "-p", JSON.stringify({ data }));
}

async function secretValue(name: string, key: string): Promise<string> {
  const path = `jsonpath={.data.${key.replace(".", "\\.")}}`;
  return Buffer.from(await kubectl("-n", "vault", "get", "secret", name, "-o", path), "base64").toString();
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "certificates-"));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
