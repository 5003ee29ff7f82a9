import { date, duration, each, flag, optional, shape, text } from "../../check-props";
import type { Watched, WatchedDriver, WatchedVault } from "./watched";

export const watchedRepublisher = shape<Watched["republishers"][number]>({ namespace: text, deployment: text });

/** What each part of what is watched is. */
export const watchedChecks = {
  environment: text,
  vault: optional(
    shape<WatchedVault>({
      namespace: text,
      name: text,
      certificateEnd: optional(date),
      certificate: optional(text),
      snapshots: optional(
        shape<NonNullable<WatchedVault["snapshots"]>>({
          cronJob: text,
          longestInterval: duration,
          areCopied: optional(flag),
        }),
      ),
    }),
  ),
  driver: optional(shape<WatchedDriver>({ namespace: text, daemonSet: text, provider: text })),
  republishers: each(watchedRepublisher),
  hasAges: flag,
};
