import type { Problem } from "../../../secrets";
import { defaultPort, metricsPortOf } from "../defaults";
import type { CheckedProps } from "./checked-props";

export function portProblems(props: CheckedProps): Problem[] {
  const { port = defaultPort } = props;
  if (port !== metricsPortOf(props)) return [];
  return [{ key: "metricsPort", message: `${port}: is Aidbox's own port too: write another, as 8765` }];
}
