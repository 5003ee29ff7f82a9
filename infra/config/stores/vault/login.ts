import type { PodLogin } from "../../../../constructs/platform/index";
import { mountOfLogin } from "../../../../constructs/stores/vault/login-mount";
import type { VaultEnvironment } from "../../environment";

/** How the environment's pods log in. */
export function podLogin({ vault }: Pick<VaultEnvironment, "vault">): PodLogin {
  if (vault.mode !== "external") return { method: "kubernetes" };
  const login: PodLogin & { owned?: boolean } = { ...vault.login };
  delete login.owned;
  return login;
}

/** Path of the environment's auth mount, without `auth/`. */
export function loginMount(environment: Pick<VaultEnvironment, "vault">): string {
  return mountOfLogin(podLogin(environment));
}

/** Whether the stack makes the auth mount, and removes it; else it makes role and policy alone. */
export function ownsAuthMount({ vault }: Pick<VaultEnvironment, "vault">): boolean {
  return vault.mode !== "external" || vault.login.owned;
}
