import { date, duration, each, flag, object, optional, shape, text } from "../../check-props";
import type { RuleGroup, Watched, WatchedDriver, WatchedVault } from "./alert-rules";

export const watchedRepublisher = shape<Watched["republishers"][number]>({ namespace: text, deployment: text });

/** What a group of rules is, as far as it is looked at: Prometheus' own check says more. */
export const ruleGroup = shape<RuleGroup>({ name: text, rules: each(object) });

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
