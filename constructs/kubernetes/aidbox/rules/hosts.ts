import { isPlaceholder } from "../../../placeholder";
import type { Problem } from "../../../secrets";

/** What is wrong with names by which the world reaches Aidbox. */
export function hostProblems(
  key: string,
  hosts: readonly string[],
  keyOf = (index: number) => `${key}[${index}]`,
): Problem[] {
  if (hosts.length === 0) {
    return [{ key, message: "[]: would take the requests for every host: name at least one, as aidbox.example.com" }];
  }
  return hosts.flatMap((host, index): Problem[] => {
    const at = keyOf(index);
    if (hosts.indexOf(host) < index) return [{ key: at, message: `"${host}": is named twice: remove one of them` }];
    if (isPlaceholder(host) || /^[^/:\s]+$/.test(host)) return [];
    return [{ key: at, message: `"${host}": write a host name alone, as aidbox.example.com` }];
  });
}
