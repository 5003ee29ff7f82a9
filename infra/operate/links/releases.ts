import type { MarkedRelease } from "../../../constructs/platform/release-mark";
import { daemonSetsOfFormerAccounts } from "../../cluster/former-accounts";
import { describeLost, lostObjects } from "../../cluster/lost-objects";
import { kubectl, mendDrift } from "../hints";
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
  const broken = findings.flatMap((finding) => (finding.state === "broken" ? [finding] : []));
  if (broken.length > 0) {
    const fixes = new Set(broken.map(({ fix }) => fix));
    throw new BrokenLinkError(broken.map(({ cause }) => cause).join("; "), [...fixes].join(" && "));
  }
  const unseen = releases.filter((_, index) => findings[index]?.state === "unseen");
  return unseen.length === 0
    ? "nothing of theirs is gone"
    : `not looked at: Helm's record in ${unseen.map(({ namespace }) => namespace).join(", ")}, or what it names, is not yours to read`;
}

type Finding =
  | { readonly state: "whole" }
  | { readonly state: "broken"; readonly cause: string; readonly fix: string }
  | { readonly state: "unseen" };

async function inspect(session: Session, release: MarkedRelease): Promise<Finding> {
  const { api, environment, permitted } = session;
  const { namespace, releaseName } = release;
  const fix = mendDrift(environment);
  try {
    const lost = await permitted(lostObjects(api, release));
    if (lost === undefined) {
      return {
        state: "broken",
        cause: `Helm has no record that release ${namespace}/${releaseName} is installed`,
        fix,
      };
    }
    if (lost.length > 0) return { state: "broken", cause: describeLost(release, lost), fix };
    const [former] = await permitted(daemonSetsOfFormerAccounts(api, release));
    if (former === undefined) return { state: "whole" };
    return {
      state: "broken",
      cause:
        `the pods of DaemonSet ${former.namespace}/${former.name} are older than their ServiceAccount, and the cluster refuses ` +
        "the tokens that they have: until kubelet renews these, within an hour, no pod starts that mounts secrets",
      fix: kubectl(environment, former.namespace, "rollout", "restart", "daemonset", former.name),
    };
  } catch (error) {
    // The record is a Secret, and no role of `rights` reads those of whoever runs the driver.
    if (error instanceof PermissionDeniedError) return { state: "unseen" };
    throw error;
  }
}
