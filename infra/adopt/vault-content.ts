import { type VaultClient, VaultError } from "../../constructs/stores/vault/api/client";
import type { VaultEnvironment } from "../config/environment";
import { loginMount, ownsAuthMount } from "../config/stores/vault/login";
import { ownsKvMount, vaultPaths } from "../config/stores/vault/server";
import { roleNames } from "../operate/stores/vault/own-names";

/** What in Vault the stack would take for its own that others need, or that holds values; each with the line that leaves it. */
export async function vaultMisfits(vault: VaultClient, environment: VaultEnvironment): Promise<string[]> {
  const found = await Promise.all([
    authMountMisfits(vault, environment),
    kvMountMisfits(vault, environment),
    rowMisfits(vault, environment),
  ]);
  return found.flat();
}

/** A `destroy` of the stack would take the mount away from all who log in there. */
async function authMountMisfits(vault: VaultClient, environment: VaultEnvironment): Promise<string[]> {
  const mount = loginMount(environment);
  if (!ownsAuthMount(environment) || !(await vault.hasAuthMount(mount))) return [];
  const listed = (await vault.request("LIST", `auth/${mount}/role`).catch(absent)) as
    { readonly data?: { readonly keys?: readonly string[] } } | undefined;
  const own = roleNames(environment);
  const others = (listed?.data?.keys ?? []).filter((name) => !own.includes(name));
  if (others.length === 0) return [];
  return [
    `auth/${mount} has roles of others, ${others.join(", ")}, which would go with the stack: write vault.login.owned: false, ` +
      "and the mount stays theirs",
  ];
}

async function kvMountMisfits(vault: VaultClient, environment: VaultEnvironment): Promise<string[]> {
  const { kvMount } = vaultPaths(environment);
  if (!ownsKvMount(environment)) return [];
  const mounts = ((await vault.read("sys/mounts")) ?? {}) as Readonly<Record<string, unknown>>;
  if (!Object.keys(mounts).includes(`${kvMount}/`)) return [];
  return [
    `The KV mount ${kvMount}/ is there, with what it holds, and is not taken over: leave vault.kvMount.owned out`,
  ];
}

/** Of these sources the stack writes, be it the metadata alone. */
async function rowMisfits(vault: VaultClient, environment: VaultEnvironment): Promise<string[]> {
  const written = [environment, ...environment.tenants].flatMap(({ table }) =>
    table.paths.filter(({ source }) => source === "managed" || source === "seeded"),
  );
  const found = await Promise.all(
    written.map(async (path) => {
      const at = vaultPaths(environment).metadata(path);
      if ((await vault.read(at)) === undefined) return [];
      const rows = path.secrets.map(({ name }) => name).join(", ");
      return [`${at} is there, and ${rows} of source ${path.source} would write to it: write source: external`];
    }),
  );
  return found.flat();
}

function absent(error: unknown): undefined {
  if (error instanceof VaultError && error.status === 404) return undefined;
  throw error;
}
