/** What a checker does not like about an object. */
export interface Finding {
  readonly checker: string;
  /** The checker's own name of the check, as `CKV_K8S_11`. */
  readonly check: string;
  /** Where, as `SOURCE KIND/NAME`: `objects Deployment/aidbox`, `vault StatefulSet/vault`. */
  readonly where: string;
  /** The checker's words. */
  readonly says: string;
}

/** A finding that stays, and why. */
export interface Exception {
  readonly checker: string;
  readonly check: string;
  /** Where it stays, each as in a finding; `*` stands for anything. */
  readonly where: readonly string[];
  readonly reason: string;
}

/** Findings that no exception covers, and what of the exceptions covers no finding; both as lines to print. */
export function unexplained(
  findings: readonly Finding[],
  exceptions: readonly Exception[],
): { readonly withoutReason: string[]; readonly withoutFinding: string[] } {
  const places = exceptions.flatMap(({ checker, check, where }) =>
    where.map((pattern) => ({ checker, check, pattern, matches: matcher(pattern) })),
  );
  const covers = (place: (typeof places)[number], finding: Finding): boolean =>
    place.checker === finding.checker && place.check === finding.check && place.matches(finding.where);
  return {
    withoutReason: findings
      .filter((finding) => !places.some((place) => covers(place, finding)))
      .map(({ checker, check, where, says }) => `${checker} ${check}, ${where}: ${says}`),
    withoutFinding: places
      .filter((place) => !findings.some((finding) => covers(place, finding)))
      .map(({ checker, check, pattern }) => `${checker} ${check}, ${pattern}`),
  };
}

function matcher(pattern: string): (where: string) => boolean {
  const expression = new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`);
  return (where) => expression.test(where);
}
