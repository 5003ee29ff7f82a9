import { join, resolve } from "node:path";

const docs = resolve(__dirname, "../docs");

/** What was measured, of which the documentation tells; the benchmark writes it. */
export const figuresFile = join(docs, "figures.json");
export const measurementsPage = join(docs, "measurements.md");

export interface Figure {
  /** Day, or month. */
  readonly measured: string;
  /** Of this stack: the median. */
  readonly seconds?: number;
  /** Time of what it is compared with. */
  readonly beside?: string;
  /** The median of the pairs' ratios: not always that of the two medians. */
  readonly ratio?: number;
}

export interface Figures {
  readonly cores: number;
  /** Of the parts on the cluster on which it was measured, by name. */
  readonly versions: Readonly<Record<string, string>>;
  readonly figures: Readonly<Record<string, Figure>>;
  /** What an installation of each package brings; `npm run measure:packages` writes it. */
  readonly packages: Readonly<
    Record<string, { readonly measured: string; readonly packages: number; readonly megabytes: number }>
  >;
}

/** What each figure is of, and what it is compared with, in the order of the page. */
const rows: Readonly<Record<string, readonly [what: string, beside: string]>> = {
  fromEmpty: [
    "`pulumi up` from an empty cluster to the secret in the pod",
    "the vendor's guide by helm, kubectl and vault",
  ],
  firstUp: ["the same by `npm run up` in a fresh clone, compiled first", "the same guide"],
  noOp: ["a no-op `pulumi up`", "an empty Pulumi TypeScript program, not type-checked"],
  rotate: ["`npm run rotate` until 3 pods serve it (10 rotations)", "kubelet by itself"],
  changedByHand: [
    "a change by `vault kv put` until 3 pods serve it",
    "kubelet by itself with driver 1.6 (the guide says 35 s)",
  ],
  verify: ["`npm run verify` on a healthy stack", ""],
};

const header = ["what", "this stack", "beside it", "ratio", "measured"];

/** The cells of the page's table. */
export function tableOf({ figures }: Figures): string[][] {
  const lines = Object.entries(rows).map(([name, [what, compared]]) => {
    const figure = figures[name];
    if (figure === undefined) throw new Error(`${figuresFile} lacks ${name}`);
    const { seconds, beside, ratio, measured } = figure;
    return [
      what,
      seconds === undefined ? "" : `${seconds} s`,
      [compared, beside].filter(Boolean).join(": "),
      ratio === undefined ? "" : String(ratio),
      measured,
    ];
  });
  return [header, ...lines];
}

/** The page with the table of the figures. */
export function withTable(page: string, figures: Figures): string {
  const [first, ...others] = tableOf(figures);
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const table = [line(first!), line(first!.map(() => "---")), ...others.map(line)].join("\n");
  return page.replace(/^\|[^]*?\|\n(?=\n)/m, `${table}\n`);
}

/** The line of README that names what it was tested with. */
export function testedWith({ versions }: Figures): string {
  const parts = Object.entries(versions).map((part) => part.join(" "));
  return `Tested with ${parts.slice(0, -1).join(", ")} and ${parts.at(-1)!}.`;
}
