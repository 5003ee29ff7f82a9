import { ownCommand } from "../../config/command-line";
import { inWords } from "../age";
import { dueRow, whyNotUnasked } from "../due-row";
import { BrokenLinkError, type Link, secretLink } from "../link";
import { allRotated, type Rotated } from "../rotated";
import type { OpenStore } from "../store-operator";

/** The rows whose values may only grow so old. */
export function ageLinks(opened: OpenStore): Link[] {
  return allRotated(opened.session.environment).flatMap((rotated): Link[] => {
    const { name, maxAgeSeconds, secrets } = rotated;
    if (maxAgeSeconds === undefined) return [];
    return [
      {
        name: `age of ${name}`,
        checks: `the value of ${name} is no older than ${inWords(maxAgeSeconds)}`,
        needs: secrets.map(secretLink),
        check: () => checkAge(opened, rotated),
      },
    ];
  });
}

async function checkAge({ session, store }: OpenStore, rotated: Rotated): Promise<string> {
  const { environment } = session;
  const { rotatedAt } = await store.state(rotated.secrets[0]!);
  const due = dueRow(rotated, rotatedAt);
  if (due !== undefined) {
    const fix = whyNotUnasked(environment, rotated)?.command ?? ownCommand("rotate", environment, "--due");
    throw new BrokenLinkError(`its value is ${inWords(due.ageSeconds)} old`, fix);
  }
  const age = rotatedAt === undefined ? "no" : inWords((Date.now() - rotatedAt.getTime()) / 1000);
  return `${age} old`;
}
