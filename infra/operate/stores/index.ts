import type { Environment } from "../../config/environment";
import { storeConfigOf } from "../../config/stores";
import type { StoreKey } from "../../config/stores/schemas";
import { InvalidRequestError } from "../errors";
import type { OpenOptions, OpenStore, OperatedStore } from "../store-operator";
import { operatedKeyVault } from "./azure-key-vault/operated";
import { operatedVault } from "./vault/operated";

/** The stores that an operator's commands know. */
const byKey: Readonly<Partial<Record<StoreKey, OperatedStore<Environment>>>> = {
  vault: operatedVault,
  azureKeyVault: operatedKeyVault,
};

/**
 * The environment's store, as an operator's commands know it.
 *
 * @throws InvalidRequestError where they do not know it yet
 */
export function operatedStore(environment: Environment): OperatedStore<Environment> {
  const { key, title } = storeConfigOf(environment);
  const found = byKey[key];
  if (found !== undefined) return found;
  throw new InvalidRequestError(`environment "${environment.name}": this command is not for ${title} yet`);
}

/** The environment's cluster and store. Touches nothing yet. */
export async function openStore(environment: Environment, options: OpenOptions = {}): Promise<OpenStore> {
  return operatedStore(environment).open(environment, options);
}

/** What the store says after an `up` that went well; nothing where these commands do not know it, or one may not look. */
export async function noticeAfterUp(environment: Environment): Promise<string> {
  const notice = byKey[storeConfigOf(environment).key]?.noticeAfterUp?.(environment);
  return (await notice?.catch(() => undefined)) ?? "";
}
