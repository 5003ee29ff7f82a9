import type { Secret, SecretPath } from "../../../../constructs/secrets/index";
import type { VaultClient } from "../../../../constructs/stores/vault/api/client";
import { KvMount } from "../../../../constructs/stores/vault/api/kv-mount";
import { fileContent } from "../../../../constructs/stores/vault/file-content";
import { objectOf } from "../../../../constructs/stores/vault/object";
import type { VaultEnvironment } from "../../../config/environment";
import { loginMount } from "../../../config/stores/vault/login";
import { vaultPaths } from "../../../config/stores/vault/server";
import { InvalidRequestError } from "../../errors";
import type { SecretContent } from "../../store-operator";
import type { VaultSession } from "./session";

/** Vault as an Aidbox pod reaches it: logged in with a token of the pod's ServiceAccount, audience and role. */
export async function loginAsPod(session: VaultSession): Promise<VaultClient> {
  const { vault } = session.environment;
  const [anonymous, token] = await Promise.all([session.anonymousVault(), session.podToken(vault.audience)]);
  return anonymous.login(loginMount(session.environment), vault.role, token);
}

/** Does something as an Aidbox pod, and ends that login. */
export async function asPod<T>(session: VaultSession, action: (pod: VaultClient) => Promise<T>): Promise<T> {
  const pod = await loginAsPod(session);
  return action(pod).finally(() => endLogin(pod));
}

/** Ends a login, where that can be done: it ends by itself too, and what came of it is what to tell of. */
export async function endLogin(login: VaultClient | undefined): Promise<void> {
  await login?.revokeSelf().catch(() => undefined);
}

/**
 * A path's values by key as text.
 *
 * @param version number of KV v2's version; by default the current one
 */
export async function readValues(
  pod: VaultClient,
  environment: VaultEnvironment,
  secret: Pick<SecretPath, "path" | "source">,
  version?: number,
): Promise<Record<string, string> | undefined> {
  const values = await readStored(pod, environment, secret, version);
  return values && Object.fromEntries(Object.entries(values).map(([key, value]) => [key, fileContent(value)]));
}

/** What a secret's file has of a value: its text, or the bytes that it stands for. */
export function contentOf({ vault }: VaultEnvironment, secret: Secret, value: unknown): SecretContent {
  const { encoding = "utf-8" } = objectOf(vault.objects, secret);
  return encoding === "utf-8" ? fileContent(value) : Buffer.from(fileContent(value), encoding);
}

/** @throws InvalidRequestError where a value is not written as its file is read: the provider would mount nothing at all */
export function assertEncoded({ vault }: VaultEnvironment, secret: Secret, value: unknown): void {
  const { encoding = "utf-8" } = objectOf(vault.objects, secret);
  const text = fileContent(value);
  if (encoding === "utf-8" || Buffer.from(text, encoding).toString(encoding) === text) return;
  throw new InvalidRequestError(`${secret.name}: the new value is no ${encoding}, as which its file is read`);
}

/** A path's values by key as Vault has them: what is no text is JSON. */
export async function readStored(
  pod: VaultClient,
  environment: VaultEnvironment,
  secret: Pick<SecretPath, "path" | "source">,
  version?: number,
): Promise<Record<string, unknown> | undefined> {
  return secret.source === "database"
    ? pod.read(vaultPaths(environment).data(secret))
    : new KvMount(pod, vaultPaths(environment).kvMount).values(secret.path, version);
}
