import { date, duration, each, flag, optional, shape, text } from "../../check-props";
import type { Watched, WatchedDriver, WatchedVault } from "./alert-rules";

/** What each part of what is watched is. */
export const watchedChecks = {
  environment: text,
  vault: optional(
    shape<WatchedVault>({
      namespace: text,
      name: text,
      certificateEnd: optional(date),
      certificate: optional(text),
      snapshots: optional(shape<NonNullable<WatchedVault["snapshots"]>>({ cronJob: text, longestInterval: duration })),
    }),
  ),
  driver: optional(shape<WatchedDriver>({ namespace: text, daemonSet: text, provider: text })),
  republishers: each(shape<Watched["republishers"][number]>({ namespace: text, deployment: text })),
  hasAges: flag,
};
