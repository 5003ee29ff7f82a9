import { visible } from "../../constructs/visible";

/** A request that cannot be met as it is: an unknown secret, an empty value. Nothing was changed. */
export class InvalidRequestError extends Error {}

/** The cluster or Vault cannot be used. Nothing was changed. */
export class UnreachableError extends Error {}

/** The new value is in Vault, and something does not serve it. The message says how to go on and how to go back. */
export class NotServedError extends Error {}

/** Secrets that Vault gives out once did not arrive, and cannot be had again. The message says how to begin anew. */
export class LostSecretsError extends Error {}

/** What a failed call says, in one line that steers no terminal: the Kubernetes client puts the whole answer into its message. */
export function firstLine(error: unknown): string {
  const { body, message, cause } = Object(error) as { body?: unknown; message?: unknown; cause?: unknown };
  const quoted = typeof body === "string" ? /"message":\s*("(?:[^"\\]|\\.)*")/.exec(body)?.[1] : undefined;
  const answer = quoted === undefined ? undefined : (JSON.parse(quoted) as string);
  const own = typeof message === "string" ? (message.split("\n")[0] ?? "") : String(error);
  const behind = cause instanceof Error ? `: ${cause.message}` : "";
  return visible(answer ?? `${own}${behind}`);
}
