import { aFunction, atLeastZero, flag, optional, secretText, shape } from "../../constructs/check-props";
import type { RotateOptions } from "./follow-change";
import type { OpenOptions } from "./store-operator";

// What each of the operator's options is.

export const openChecks = { vaultToken: optional(secretText) };

export const openOptions = shape<OpenOptions>(openChecks);

export const rotateOptions = shape<RotateOptions>({
  ...openChecks,
  timeoutSeconds: optional(atLeastZero),
  restart: optional(flag),
  now: optional(flag),
  onProgress: optional(aFunction),
});
