/** A request that cannot be met as it is: an unknown secret, an empty value. Nothing was changed. */
export class InvalidRequestError extends Error {}

/** The cluster or Vault cannot be used. Nothing was changed. */
export class UnreachableError extends Error {}

/** The new value is in Vault, and something does not serve it. The message says how to go on and how to go back. */
export class NotServedError extends Error {}
