// croner: it has no dependencies, and says when a schedule ran before, not only when it runs next.
import { Cron } from "croner";

const form =
  "write five fields, as 0 */6 * * *: minute (0-59), hour (0-23), day of the month (1-31), month (1-12), " +
  "day of the week (0-6, 0 is Sunday)";

/** Croner knows more than Kubernetes: `@daily`, `L`, `#`, `?` and a 7 for Sunday. */
const kubernetesField = /^([\d*,/-]|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat)+$/i;

/**
 * A schedule of five fields, in UTC, as a CronJob of Kubernetes takes it.
 *
 * @throws Error with the fix, where it is no such schedule
 */
export function parseSchedule(text: string): Cron {
  const fields = text.trim().split(/\s+/);
  if (fields.length !== 5 || !fields.every((field) => kubernetesField.test(field)) || fields[4]!.includes("7")) {
    throw new Error(form);
  }
  // To Kubernetes a step of 1 names no day of its own, so that the other kind of days decides alone.
  const plain = fields.map((field) => field.replace(/\*\/0*1(?!\d)/g, "*"));
  if (plain.some((field) => field !== "*" && field.split(",").includes("*"))) throw new Error(form);
  let schedule: Cron;
  try {
    // Kubernetes takes 12/6 for 12-23/6.
    schedule = new Cron(plain.join(" "), { mode: "5-part", timezone: "UTC", sloppyRanges: true });
  } catch {
    throw new Error(form); // its own words count days and months from 0
  }
  if (schedule.nextRun() === null) throw new Error("no day of any year is one of its days");
  return schedule;
}
