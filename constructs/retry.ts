import {
  handleWhen,
  type IBackoffFactory,
  retry as retryPolicy,
  TaskCancelledError,
  timeout,
  TimeoutStrategy,
  wrap,
} from "cockatiel";

export interface RetryOptions {
  /** How long to go on, in seconds. */
  readonly seconds: number;
  readonly backoff: IBackoffFactory<unknown>;
  /** Whether waiting may help after this error. @default - after every one */
  readonly mayPass?: (error: Error) => boolean;
  /** Called after each failed try that another one follows. @default - nothing is done */
  readonly onFailure?: (error: Error) => void;
  /** The error to throw where time ran out, made from that of the last failed try, if any. */
  readonly timedOut: (last: Error | undefined) => string;
}

/** Does something again and again until it succeeds, fails for good, or time runs out. */
export async function retry<T>(action: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { seconds, backoff, mayPass = () => true, onFailure, timedOut } = options;
  const again = retryPolicy(handleWhen(mayPass), { maxAttempts: Infinity, backoff });
  let last: Error | undefined;
  again.onFailure(({ reason }) => {
    if (!("error" in reason)) return;
    last = reason.error;
    onFailure?.(last);
  });
  try {
    return await wrap(timeout(seconds * 1000, TimeoutStrategy.Aggressive), again).execute(action);
  } catch (error) {
    if (!(error instanceof TaskCancelledError)) throw error;
    throw new Error(timedOut(last), { cause: error });
  }
}
