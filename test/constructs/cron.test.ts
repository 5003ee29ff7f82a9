import { CronSchedule } from "../../constructs/cron";

const runs = (schedule: string, end: string, count = 3): string[] =>
  CronSchedule.parse(schedule)
    .runsBefore(new Date(end), count)
    .map((run) => run.toISOString().slice(0, 16));

// Of the days that Kubernetes' own parser (robfig/cron) takes.
test.each<[schedule: string, end: string, expected: string[]]>([
  ["0 */6 * * *", "2026-11-26T07:00Z", ["2026-11-26T06:00", "2026-11-26T00:00", "2026-11-25T18:00"]],
  ["0 */6 * * *", "2026-11-26T06:00Z", ["2026-11-26T00:00", "2026-11-25T18:00", "2026-11-25T12:00"]],
  ["17 3 * * *", "2026-03-01T03:17:01Z", ["2026-03-01T03:17", "2026-02-28T03:17", "2026-02-27T03:17"]],
  ["*/20 1-2 * * *", "2026-01-02T02:01Z", ["2026-01-02T02:00", "2026-01-02T01:40", "2026-01-02T01:20"]],
  ["5,50 10 * * mon-tue", "2026-11-25T00:00Z", ["2026-11-24T10:50", "2026-11-24T10:05", "2026-11-23T10:50"]],
  ["0 0 1 JAN *", "2026-11-25T00:00Z", ["2026-01-01T00:00", "2025-01-01T00:00", "2024-01-01T00:00"]],
  ["0 0 29 2 *", "2026-11-25T00:00Z", ["2024-02-29T00:00", "2020-02-29T00:00"]],
  ["0 0 1 * sun", "2026-11-30T00:00Z", ["2026-11-29T00:00", "2026-11-22T00:00", "2026-11-15T00:00"]],
  ["0 0 13,28 * 5", "2026-11-28T01:00Z", ["2026-11-28T00:00", "2026-11-27T00:00", "2026-11-20T00:00"]],
  ["0 0 */10 * 5", "2026-11-28T01:00Z", ["2026-11-27T00:00", "2026-11-21T00:00", "2026-11-20T00:00"]],
  ["0 12/6 * * *", "2026-11-26T00:00Z", ["2026-11-25T18:00", "2026-11-25T12:00", "2026-11-24T18:00"]],
])("%s ran before %s at %j", (schedule, end, expected) => {
  expect(runs(schedule, end)).toEqual(expected);
});

const form = "write five fields, as 0 */6 * * *: minute, hour, day of the month, month, day of the week";

test.each<[schedule: string, problem: string]>([
  ["", form],
  ["@daily", form],
  ["0 0 * * * *", form],
  ["60 * * * *", '"60" is no minute: write numbers from 0 to 59, as 59, 0-59 or */2'],
  ["* 24 * * *", '"24" is no hour: write numbers from 0 to 23, as 23, 0-23 or */2'],
  ["0 0 0 * *", '"0" is no day of the month: write numbers from 1 to 31, as 31, 1-31 or */2'],
  ["0 0 * 13 *", '"13" is no month: write numbers from 1 to 12, as 12, 1-12 or */2'],
  ["0 0 * * 7", '"7" is no day of the week: write numbers from 0 to 6, as 6, 0-6 or */2'],
  ["5-1 * * * *", '"5-1" is no minute: write numbers from 0 to 59, as 59, 0-59 or */2'],
  ["*/0 * * * *", '"*/0" is no minute: write numbers from 0 to 59, as 59, 0-59 or */2'],
  ["1-2-3 * * * *", '"1-2-3" is no minute: write numbers from 0 to 59, as 59, 0-59 or */2'],
  ["1, * * * *", '"" is no minute: write numbers from 0 to 59, as 59, 0-59 or */2'],
  ["0 0 31 2 *", "no day of any year is one of its days"],
])("%j is refused", (schedule, problem) => {
  expect(() => CronSchedule.parse(schedule)).toThrow(new Error(problem));
});
