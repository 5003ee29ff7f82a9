/** A field of a schedule: its name, its least and greatest number, and names that stand for numbers. */
interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  /** The first stands for the least number. */
  readonly names?: readonly string[];
}

const fields: readonly Field[] = [
  { name: "minute", least: 0, most: 59 },
  { name: "hour", least: 0, most: 23 },
  { name: "day of the month", least: 1, most: 31 },
  {
    name: "month",
    least: 1,
    most: 12,
    names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
  },
  { name: "day of the week", least: 0, most: 6, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] },
];

const dayMilliseconds = 24 * 3600 * 1000;
/** How far back runs are looked for: the 29th of February is eight years from the one before, where a century ends. */
const longestYears = 9;

/**
 * A schedule of five fields, in UTC, as a CronJob of Kubernetes takes it; those of Kubernetes that are no fields, as
 * `@daily`, are refused.
 */
export class CronSchedule {
  private constructor(private readonly parts: readonly Part[]) {}

  /** @throws Error with the fix, where it is no such schedule */
  public static parse(text: string): CronSchedule {
    const words = text.trim().split(/\s+/);
    if (words.length !== fields.length) {
      throw new Error("write five fields, as 0 */6 * * *: minute, hour, day of the month, month, day of the week");
    }
    const schedule = new CronSchedule(fields.map((field, index) => partOf(field, words[index]!.toLowerCase())));
    if (schedule.runsBefore(new Date(), 1).length === 0) throw new Error("no day of any year is one of its days");
    return schedule;
  }

  /**
   * The times at which it ran last, newest first.
   *
   * @param end runs at this time or later do not count
   */
  public runsBefore(end: Date, count: number): Date[] {
    const [minutes, hours] = this.parts as readonly [Part, Part];
    const times = [...hours.numbers].flatMap((hour) => [...minutes.numbers].map((minute) => hour * 60 + minute));
    times.sort((one, other) => other - one);
    const runs: Date[] = [];
    const today = Math.floor(end.getTime() / dayMilliseconds) * dayMilliseconds;
    for (let day = today; day > today - longestYears * 366 * dayMilliseconds; day -= dayMilliseconds) {
      if (!this.hasDay(new Date(day))) continue;
      for (const minute of times) {
        const run = new Date(day + minute * 60_000);
        if (run < end) runs.push(run);
        if (runs.length === count) return runs;
      }
    }
    return runs;
  }

  /** As Kubernetes reads it: where both kinds of days are named, either will do. */
  private hasDay(day: Date): boolean {
    const [, , dates, months, weekdays] = this.parts as readonly [Part, Part, Part, Part, Part];
    if (!months.numbers.has(day.getUTCMonth() + 1)) return false;
    const isDate = dates.numbers.has(day.getUTCDate());
    const isWeekday = weekdays.numbers.has(day.getUTCDay());
    return dates.isAny || weekdays.isAny ? isDate && isWeekday : isDate || isWeekday;
  }
}

interface Part {
  readonly numbers: ReadonlySet<number>;
  /** Whether it names all by an asterisk without a step, and so no day of its own. */
  readonly isAny: boolean;
}

function partOf(field: Field, text: string): Part {
  const numbers = new Set<number>();
  for (const item of text.split(",")) {
    const { from, to, step } = rangeOf(field, item);
    for (let each = from; each <= to; each += step) numbers.add(each);
  }
  return { numbers, isAny: text.split(",").some((item) => /^\*(\/0*1)?$/.test(item)) };
}

function rangeOf(field: Field, item: string): { readonly from: number; readonly to: number; readonly step: number } {
  const { name, least, most } = field;
  const [, range = "", stepText] = /^([^/]+)(?:\/(\d{1,2}))?$/.exec(item) ?? [];
  const [first = "", last] = range.split("-");
  const from = range === "*" ? least : numberOf(field, first);
  const to = range === "*" || (last === undefined && stepText !== undefined) ? most : numberOf(field, last ?? first);
  const step = Number(stepText ?? 1);
  if (from === undefined || to === undefined || from > to || step < 1 || range.split("-").length > 2) {
    throw new Error(
      `"${item}" is no ${name}: write numbers from ${least} to ${most}, as ${most}, ${least}-${most} or */2`,
    );
  }
  return { from, to, step };
}

function numberOf({ least, most, names = [] }: Field, text: string): number | undefined {
  const named = names.indexOf(text);
  if (named >= 0) return least + named;
  if (!/^\d{1,2}$/.test(text)) return undefined;
  const number = Number(text);
  return number >= least && number <= most ? number : undefined;
}
