import { setTimeout as sleep } from "node:timers/promises";

/**
 * Asks again and again until something holds.
 *
 * @param deadline until when, in milliseconds of `Date.now()`; it is asked once more after it
 * @param pause time between two questions, in milliseconds
 * @returns whether it did hold in time
 */
export async function waitUntil(holds: () => Promise<boolean>, deadline: number, pause = 500): Promise<boolean> {
  while (!(await holds())) {
    if (Date.now() > deadline) return false;
    await sleep(pause);
  }
  return true;
}
