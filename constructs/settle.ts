import { ConstantBackoff } from "cockatiel";
import { retry } from "./retry";
import { visible } from "./visible";

/** A request that got no answer in time: whether it was carried out is not known. */
export class NoAnswerError extends Error {
  /**
   * @param who did not answer, as `Vault`
   * @param request method and path, as `GET secret/data/aidbox/client`
   */
  public constructor(who: string, request: string, seconds: number) {
    super(`${who} gave no answer to ${request} for ${seconds} s`);
    this.name = "NoAnswerError";
  }
}

/** A connection that failed, of a library whose own errors hold more than may be shown. */
export class ConnectionFailedError extends Error {
  /** @param code Node's, as `ECONNREFUSED` */
  public constructor(
    message: string,
    public readonly code?: unknown,
  ) {
    super(message);
    this.name = "ConnectionFailedError";
  }
}

/** A write that got no clear answer, and of which nobody could say whether it was carried out. */
export class UnknownOutcomeError extends Error {
  public constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "UnknownOutcomeError";
  }
}

/** A write, and how to see what became of it. */
export interface UncertainWrite<T> {
  /** What is written, for an error: `secret/aidbox/client`. */
  readonly what: string;
  readonly write: () => Promise<T>;
  /**
   * Looks whether it was carried out.
   *
   * @returns what `write` would have returned; undefined where it was not carried out
   */
  readonly lookUp: () => Promise<T | undefined>;
  /** Whether a second one does no harm, so that it may be sent again. @default true */
  readonly repeatable?: boolean;
  /** How long to try to look, in seconds. @default 30 */
  readonly seconds?: number;
}

/**
 * Makes a write. Where its answer is lost, it is looked up before it is called failed, and sent again where it was not
 * carried out.
 *
 * @throws UnknownOutcomeError where nobody can say what became of it; else what `write` throws
 */
export async function settle<T>(uncertain: UncertainWrite<T>): Promise<T> {
  const { what, write, repeatable = true } = uncertain;
  for (let attempt = 1; ; attempt++) {
    try {
      return await write();
    } catch (error) {
      const isOpen = isUncertain(error);
      if (attempt === 1 && !isOpen) throw error;
      // Also where the second is refused: the first may have come late, and be the reason.
      const found = await look(uncertain, error);
      if (found !== undefined) return found;
      if (!isOpen) throw error;
      if (attempt === 2 || !repeatable) {
        if (saysWhy(error)) throw error;
        throw new UnknownOutcomeError(
          `The write of ${what} got no clear answer (${wordsOf(error)}). It was not carried out so far, but may yet be.`,
          { cause: error },
        );
      }
    }
  }
}

async function look<T>({ what, lookUp, seconds = 30 }: UncertainWrite<T>, lost: unknown): Promise<T | undefined> {
  try {
    return await retry(lookUp, {
      seconds,
      backoff: new ConstantBackoff(500),
      mayPass: (error) => isUncertain(error) || isRefused(error),
      timedOut: (last) => (last === undefined ? "no answer" : wordsOf(last)),
    });
  } catch (error) {
    throw new UnknownOutcomeError(
      `The write of ${what} got no clear answer (${wordsOf(lost)}), and it cannot be looked up (${wordsOf(error)}): ` +
        "whether it was carried out is not known.",
      { cause: error },
    );
  }
}

/** Whether an error leaves open what became of a request: its answer never came, or says nothing of it. */
export function isUncertain(error: unknown): boolean {
  if (error instanceof NoAnswerError) return true;
  const { status, code } = Object(error) as { status?: unknown; code?: unknown };
  // Those of Vault's client and of the Kubernetes client. Below 500 they are decisions.
  const answered = typeof status === "number" ? status : code;
  if (typeof answered === "number") return answered >= 500;
  return isConnectionFailure(error) && !isRefused(error);
}

/** Whether Vault itself says why, and not somebody on the way: it answers some refusals with 500, as of a value too large. */
function saysWhy(error: unknown): boolean {
  const { errors } = Object(error) as { errors?: unknown };
  return Array.isArray(errors) && errors.length > 0;
}

/** A connection that failed, also in the words of Node's fetch and of the Kubernetes client's. */
export function isConnectionFailure(error: unknown): boolean {
  if (error instanceof ConnectionFailedError) return true;
  const { name, message } = Object(error) as { name?: unknown; message?: unknown };
  return name === "FetchError" || (name === "TypeError" && (message === "fetch failed" || message === "terminated"));
}

/** Whether nobody can have got the request. */
function isRefused(error: unknown): boolean {
  const { code, cause } = Object(error) as { code?: unknown; cause?: { code?: unknown } };
  return [code, cause?.code].some((each) => each === "ECONNREFUSED" || each === "ENOTFOUND");
}

/**
 * The words of a failed call, in one line that steers no terminal: those of the API where it gave some, since the Kubernetes
 * client puts the whole answer into its message, and those of the cause, since Node's fetch says only "fetch failed" itself.
 */
export function wordsOf(error: unknown): string {
  const { body, message, cause } = Object(error) as {
    body?: unknown;
    message?: unknown;
    cause?: { message?: unknown; cause?: { message?: unknown } };
  };
  const said = typeof body === "string" ? messageIn(body) : undefined;
  if (said !== undefined) return visible(said);
  const own = typeof message === "string" ? (message.split("\n")[0] ?? "") : String(error);
  const isInMessage = error instanceof UnknownOutcomeError;
  // Fetch says of a proxy that refuses no more than that the request was cancelled.
  const reason = (cause?.message === "Request was cancelled." ? cause.cause : undefined) ?? cause;
  const behind = typeof reason?.message === "string" && !isInMessage ? `: ${reason.message}` : "";
  return visible(`${own}${behind}`);
}

/** The message of an answer in JSON, which may be cut off; undefined where it has none, as of a proxy on the way. */
function messageIn(body: string): string | undefined {
  const quoted = /"message":\s*("(?:[^"\\]|\\.)*")/.exec(body)?.[1];
  try {
    return quoted === undefined ? undefined : (JSON.parse(quoted) as string);
  } catch {
    return undefined;
  }
}
