import { inWords } from "../age";
import { dueRow, whyNotUnasked } from "../due";
import { BrokenLinkError, type Link } from "../link";
import { ownCommand } from "../../config/command-line";
import { allRotated, type Rotated } from "../rotated";
import type { Session } from "../session";
import { standingsOf } from "../standing";
import { secretLink } from "../stores/vault/links";

/** The rows whose values may only grow so old. */
export function ageLinks(session: Session): Link[] {
  return allRotated(session.environment).flatMap((rotated): Link[] => {
    const { name, maxAgeSeconds, secrets } = rotated;
    if (maxAgeSeconds === undefined) return [];
    return [
      {
        name: `age of ${name}`,
        checks: `the value of ${name} is no older than ${inWords(maxAgeSeconds)}`,
        needs: secrets.map(secretLink),
        check: () => checkAge(session, rotated),
      },
    ];
  });
}

async function checkAge(session: Session, rotated: Rotated): Promise<string> {
  const { environment } = session;
  const [standing] = await standingsOf(session, [rotated]);
  const rotatedAt = standing?.rotatedAt;
  const due = dueRow(environment, rotated, rotatedAt);
  if (due !== undefined) {
    const fix = whyNotUnasked(environment, rotated)?.command ?? ownCommand("rotate", environment, "--due");
    throw new BrokenLinkError(`its value is ${inWords(due.ageSeconds)} old`, fix);
  }
  const age = rotatedAt === undefined ? "no" : inWords((Date.now() - rotatedAt.getTime()) / 1000);
  return `${age} old`;
}
