import type { MarkedRelease } from "../../../constructs/platform/release-mark";
import { describeLost, lostObjects, refusedTokens } from "../../cluster/lost-objects";
import { mendDrift } from "../hints";
import { BrokenLinkError, type Link } from "../link";
import { ownReleases } from "../own-releases";
import { PermissionDeniedError } from "../permission-denied";
import type { Session } from "../session";

/** What Helm has installed for the stack: pods that run already may miss none of it for long. */
export function releaseLinks(session: Session): Link[] {
  const releases = ownReleases(session.environment);
  if (releases.length === 0) return [];
  const names = releases.map(({ namespace, releaseName }) => `${namespace}/${releaseName}`);
  return [
    {
      name: "releases",
      checks: `all that Helm installed is there, of ${names.join(", ")}`,
      needs: ["cluster"],
      // They know more of what they miss.
      suffersFrom: ["driver", "provider", "vault", "login"],
      check: () => checkReleases(session, releases),
    },
  ];
}

async function checkReleases(session: Session, releases: readonly MarkedRelease[]): Promise<string> {
  const findings = await Promise.all(releases.map((release) => inspect(session, release)));
  const lost = findings.flatMap((finding) => (finding.state === "lost" ? [finding.cause] : []));
  if (lost.length > 0) throw new BrokenLinkError(lost.join("; "), mendDrift(session.environment));
  const unseen = releases.filter((_, index) => findings[index]?.state === "unseen");
  return unseen.length === 0
    ? "nothing of theirs is gone"
    : `not looked at: Helm's record in ${unseen.map(({ namespace }) => namespace).join(", ")}, or what it names, is not yours to read`;
}

type Finding =
  { readonly state: "whole" } | { readonly state: "lost"; readonly cause: string } | { readonly state: "unseen" };

async function inspect(session: Session, release: MarkedRelease): Promise<Finding> {
  try {
    const lost = await session.permitted(lostObjects(session.api, release));
    if (lost?.length === 0) return { state: "whole" };
    if (lost !== undefined) return { state: "lost", cause: `${describeLost(release, lost)}${refusedTokens(lost)}` };
    return {
      state: "lost",
      cause: `Helm has no record that release ${release.namespace}/${release.releaseName} is installed`,
    };
  } catch (error) {
    // The record is a Secret, and no role of `rights` reads those of whoever runs the driver.
    if (error instanceof PermissionDeniedError) return { state: "unseen" };
    throw error;
  }
}
