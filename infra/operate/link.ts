import { firstLine } from "./errors";
import { PermissionDeniedError } from "./permission-denied";

/** One link of the chain from Vault to Aidbox. */
export interface Link {
  /** Short name, as `role`. */
  readonly name: string;
  /** What is checked. */
  readonly checks: string;
  /** Names of the links without which this one cannot be checked. */
  readonly needs: readonly string[];
  /** Names of links that break this one too where they are broken: it is checked beside them, and then excused. */
  readonly suffersFrom?: readonly string[];
  /**
   * Looks at it.
   *
   * @returns what was seen
   * @throws BrokenLinkError where it is broken, PermissionDeniedError where the operator may not look
   */
  readonly check: () => Promise<string>;
}

/** Name of the link of one secret of the table. */
export function secretLink({ name }: { readonly name: string }): string {
  return `secret ${name}`;
}

/** Why a link is broken, and the command that fixes it. */
export class BrokenLinkError extends Error {
  public constructor(
    cause: string,
    /** What to do, as a command where there is one. */
    public readonly fix: string,
  ) {
    super(cause);
    this.name = "BrokenLinkError";
  }
}

/** What became of one link. */
export type LinkReport = {
  /** Short name, as `role`. */
  readonly name: string;
  /** What was to be checked, as a part of a sentence. */
  readonly checks: string;
} & (
  | {
      /** It is in order. */
      readonly state: "ok";
      /** What was found, as a part of a sentence. */
      readonly seen: string;
    }
  | {
      /** Secrets do not come through here. */
      readonly state: "broken";
      /** What is wrong. */
      readonly cause: string;
      /** What to do, as a command where there is one. */
      readonly fix: string;
    }
  | {
      /** The operator may not look. */
      readonly state: "not permitted";
      /** The permission that is missing. */
      readonly right: string;
    }
  | {
      /** Links before it are broken. */
      readonly state: "not checked";
      /** Names of those links. */
      readonly behind: readonly string[];
    }
);

/**
 * Checks all links, each as soon as those that it needs are in order.
 *
 * @param onReport called with each report as it comes
 * @returns the reports in the order of the links
 */
export async function checkLinks(
  links: readonly Link[],
  onReport: (report: LinkReport) => void = () => undefined,
): Promise<LinkReport[]> {
  const reports = new Map<string, Promise<LinkReport>>();
  const faultyOf = async (names: readonly string[]): Promise<string[]> => {
    const known = await Promise.all(names.flatMap((name) => reports.get(name) ?? []));
    return known.filter(({ state }) => state === "broken" || state === "not checked").map(({ name }) => name);
  };
  const reportOn = async (link: Link): Promise<LinkReport> => {
    const { name, checks } = link;
    const behind = await faultyOf(link.needs);
    if (behind.length > 0) return { name, checks, state: "not checked", behind };
    try {
      return { name, checks, state: "ok", seen: await link.check() };
    } catch (error) {
      if (error instanceof PermissionDeniedError) return { name, checks, state: "not permitted", right: error.right };
      const causes = await faultyOf(link.suffersFrom ?? []);
      if (causes.length > 0) return { name, checks, state: "not checked", behind: causes };
      const cause = error instanceof BrokenLinkError ? error.message : firstLine(error);
      const fix =
        error instanceof BrokenLinkError ? error.fix : "try again: this was no finding, but a call that failed";
      return { name, checks, state: "broken", cause, fix };
    }
  };
  // A link may name one that comes after it, so all are begun in a later turn than they are listed.
  for (const link of links) {
    const report = Promise.resolve().then(() => reportOn(link));
    reports.set(link.name, report);
    void report.then(onReport);
  }
  return Promise.all(reports.values());
}
