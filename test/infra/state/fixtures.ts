import { checkEnvironment } from "../../../infra/config/check-environment";
import type { Environment } from "../../../infra/config/environment";
import type { StateResource } from "../../../infra/state/stack-state";
import { holderTypes } from "../../../infra/state/value-holders";

export const clientSecret = { name: "client-secret", path: "aidbox/client", source: "seeded" };

const common = { kubeContext: "production", aidbox: { image: "healthsamurai/aidboxone:2605" } };

/** An environment for production on a Vault of others. */
export function external(config: Record<string, unknown> = {}): Environment {
  const { vault = {}, ...rest } = config as { vault?: object };
  return checkEnvironment("prod", {
    ...common,
    secrets: [clientSecret],
    vault: { mode: "external", address: "https://vault.example:8200", login: { method: "kubernetes" }, ...vault },
    ...rest,
  });
}

/** An environment whose Vault the stack runs, with storage. */
export function stored(config: Record<string, unknown> = {}): Environment {
  return checkEnvironment("prod", {
    ...common,
    secrets: [clientSecret],
    vault: { mode: "standalone" },
    ...config,
  });
}

/** A resource as the stack's state has it. */
export function resource(
  type: string,
  name: string,
  inputs: Record<string, unknown>,
  options: Partial<StateResource> = {},
): StateResource {
  const urn = `urn:pulumi:prod::aidbox-secrets::${type}::${name}`;
  return { urn, type, inputs, retainOnDelete: true, protect: false, ...options };
}

/** A resource as an older version of the program has left it. */
export const unprotected = { retainOnDelete: false };

export function seededPath(
  path: string,
  options: Partial<StateResource> & { readonly mount?: string; readonly access?: string } = {},
): StateResource {
  const { mount = "secret", access = "vault-access", ...rest } = options;
  return resource(holderTypes.seeded, `${access}/${path}`, { path: `${mount}/metadata/${path}` }, rest);
}

export function managedPath(path: string, options: Partial<StateResource> = {}): StateResource {
  return resource(holderTypes.managed, `vault-access/${path}`, { mount: "secret", name: path }, options);
}

export function kvMount(path: string, options: Partial<StateResource> = {}): StateResource {
  return resource(holderTypes.mount, "vault-access-kv", { path, type: "kv-v2" }, options);
}

export function sealToken(options: Partial<StateResource> = {}): StateResource {
  const metadata = { name: "vault-seal-token", namespace: "vault" };
  return resource(holderTypes.sealToken, "vault-seal-token", { metadata }, options);
}

export function vaultServers(options: Partial<StateResource> = {}): StateResource {
  const values = { server: { dataStorage: { enabled: true } } };
  return resource(holderTypes.servers, "vault", { name: "vault", namespace: "vault", values }, options);
}

export function namespace(name: string): StateResource {
  return resource(holderTypes.namespace, `namespaces/${name}/namespace/Resource`, { metadata: { name } }, unprotected);
}
