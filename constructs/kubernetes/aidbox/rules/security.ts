import type { Problem } from "../../../secrets";
import type { CheckedProps } from "./checked-props";

export function securityProblems({ security }: CheckedProps): Problem[] {
  if (security?.user !== 0) return [];
  return [
    { key: "security.user", message: "0: is root, whom the restricted level refuses: write the image's user, 1000" },
  ];
}
