import type { PodLogin } from "../../../../constructs/platform/index";
import { mountOfLogin } from "../../../../constructs/stores/vault/login-mount";
import type { Environment } from "../../environment";

/** How the environment's pods log in. */
export function podLogin({ vault }: Pick<Environment, "vault">): PodLogin {
  return vault.mode === "external" ? vault.login : { method: "kubernetes" };
}

/** Path of the environment's auth mount, without `auth/`. */
export function loginMount(environment: Pick<Environment, "vault">): string {
  return mountOfLogin(podLogin(environment));
}
