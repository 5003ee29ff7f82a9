import { parseSchedule } from "../../constructs/cron";

const runs = (schedule: string, end: string, count: number): string[] =>
  parseSchedule(schedule)
    .previousRuns(count, new Date(end))
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
  ["0 0 */1 * 5", "2026-11-28T01:00Z", ["2026-11-27T00:00", "2026-11-20T00:00"]],
  ["0 12/6 * * *", "2026-11-26T00:00Z", ["2026-11-25T18:00", "2026-11-25T12:00", "2026-11-24T18:00"]],
])("%s ran before %s at %j", (schedule, end, expected) => {
  expect(runs(schedule, end, expected.length)).toEqual(expected);
});

const form =
  "write five fields, as 0 */6 * * *: minute (0-59), hour (0-23), day of the month (1-31), month (1-12), " +
  "day of the week (0-6, 0 is Sunday)";

// What Kubernetes refuses; and what it takes, but croner reads otherwise: `*,5`.
test.each([
  "",
  "@daily",
  "0 0 * * * *",
  "60 * * * *",
  "* 24 * * *",
  "0 0 0 * *",
  "0 0 * 13 *",
  "0 0 * * 7",
  "5-1 * * * *",
  "*/0 * * * *",
  "1-2-3 * * * *",
  "1, * * * *",
  "0 0 L * *",
  "0 0 1W * *",
  "0 0 * * 5#2",
  "0 0 *,5 * 1",
])("%j is refused", (schedule) => {
  expect(() => parseSchedule(schedule)).toThrow(new Error(form));
});

test("one that never runs is refused", () => {
  expect(() => parseSchedule("0 0 31 2 *")).toThrow(new Error("no day of any year is one of its days"));
});
