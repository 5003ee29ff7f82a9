import type { SecretSource } from "../../constructs/secrets";
import { type Row, rowsOf } from "./rows";
import type { Station } from "./station";
import { box, escapeXml, type Font, fonts, line, widthOf } from "./svg";
import type { Reader, Way, Ways } from "./ways";

/** Where the parts of the picture lead to, in a page that has more of them. */
export interface Links {
  /** Id of the part of the page about the ways of a row. */
  readonly ofRow: (reader: Reader, ways: readonly Way[]) => string;
  /** Id of the part of the page about what a station is made of; none where the plan does not make it. */
  readonly ofStation: (station: Station) => string | undefined;
}

/** How each source is told in the legend. */
const sources: Readonly<Record<SecretSource, string>> = {
  seeded: "made once, at random",
  external: "written by an operator",
  managed: "from the stack's encrypted config",
  database: "changed by Vault's database engine",
};

/** What the columns are called that each reader has stations of its own in. */
const heads = { access: "Who may read", file: "Files in the pods", reader: "Who reads" } as const;

/** Rows of all readers together; more ways are grouped. */
const room = 32;
/** Above it, stations say the least of themselves. */
const manyReaders = 8;

const margin = 20;
const padding = 10;
const gap = 36;
const rowGap = 8;
const lineHeight = 16;
const rowHead = 26;
const smallLine = 14;
const laneTitle = 26;
const laneGap = 12;
const top = 60;
const headHeight = 78;
/** Greatest width of the lines below a secret's name. */
const detailWidth = 320;

interface Column {
  readonly x: number;
  readonly width: number;
}

/** The columns from left to right, as a secret passes them. */
type Columns = Readonly<Record<"store" | "access" | "provider" | "driver" | "file" | "reader", Column>>;

/** A row with its texts and its place within its lane. */
interface LaidRow {
  readonly row: Row;
  readonly stored: Texts;
  readonly filed: Texts;
  readonly offset: number;
  readonly height: number;
}

interface Lane {
  readonly reader: Reader;
  readonly rows: readonly LaidRow[];
  readonly accessLines: readonly string[];
  readonly readerLines: readonly string[];
  readonly y: number;
  readonly height: number;
}

/**
 * The ways of an environment's secrets as a picture (SVG), for light and dark surroundings: a lane for each reader, the stations
 * from left to right. Many secrets are grouped, so that the picture grows with the readers alone.
 *
 * @param links for a page that the picture is part of; without them it stands alone
 */
export function drawPicture(ways: Ways, links?: Links): string {
  const lanes = layLanes(ways);
  const columns = layColumns(ways, lanes);
  const last = lanes.at(-1)!;
  const bottom = last.y + last.height + laneGap;
  const width = columns.reader.x + columns.reader.width + margin + padding;
  const height = bottom + 52;
  const title = `The ways of the secrets of ${ways.environment}`;
  const body = [
    box("ground", 0, 0, width, height),
    line(title, fonts.title, margin, 28, width - 2 * margin),
    line(`cluster ${ways.kubeContext}`, fonts.small, margin, 46, width - 2 * margin, "dim"),
    // Behind the shared stations, which stand across all lanes.
    ...lanes.map((lane) => drawGround(lane, columns)),
    ...drawShared(ways, columns, bottom, links),
    ...drawHeads(columns),
    ...lanes.map((lane) => drawLane(lane, columns, links)),
    drawLegend(lanes, bottom + 30),
  ];
  const role = links === undefined ? `role="img"` : `role="group"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ${role} aria-label="${escapeXml(title)}">`,
    `<style>${style}</style>`,
    `<defs>${(Object.keys(sources) as SecretSource[]).map(arrowHead).join("")}</defs>`,
    ...body,
    "</svg>",
    "",
  ].join("\n");
}

function layLanes({ readers }: Ways): Lane[] {
  const isCrowded = readers.length > manyReaders;
  const ownRoom = isCrowded ? 1 : Math.max(4, Math.floor(room / readers.length));
  let y = top + headHeight + laneGap;
  return readers.map((reader) => {
    const rows = layRows(reader, ownRoom);
    const last = rows.at(-1)!;
    const accessLines = isCrowded ? reader.access.lines.slice(0, 1) : reader.access.lines;
    const readerLines = reader.workload.lines;
    const ofText = 2 * padding + lineHeight * (1 + Math.max(accessLines.length, readerLines.length));
    const height = laneTitle + Math.max(last.offset + last.height, ofText) + padding;
    const lane = { reader, rows, accessLines, readerLines, y, height };
    y += height + laneGap;
    return lane;
  });
}

function layRows(reader: Reader, ownRoom: number): LaidRow[] {
  const rows = rowsOf(reader.ways, ownRoom);
  const lines = Math.max(1, Math.floor(ownRoom / 2 / rows.length));
  let offset = 0;
  return rows.map((row) => {
    const stored = storeTexts(row, lines);
    const filed = fileTexts(row, reader);
    const height = rowHead + smallLine * Math.max(stored.details.length, filed.details.length);
    const laid = { row, stored, filed, offset, height };
    offset += height + rowGap;
    return laid;
  });
}

function layColumns({ store, provider, driver, readers }: Ways, lanes: readonly Lane[]): Columns {
  const wide = (texts: readonly (readonly [string, Font])[], least: number, most: number): number =>
    Math.ceil(Math.min(most, Math.max(least, ...texts.map(([text, font]) => widthOf(text, font) + 2 * padding))) + 2);
  const titled = (stations: readonly Station[], font: Font = fonts.title): (readonly [string, Font])[] =>
    stations.flatMap(({ title, lines }) => [
      [title, font] as const,
      ...lines.map((each) => [each, fonts.small] as const),
    ]);
  const rows = lanes.flatMap((lane) => lane.rows);
  const listed = ({ name, details }: Texts, more = ""): (readonly [string, Font])[] => [
    [`${name}${more}`, fonts.name] as const,
    ...details.map((each) => [each, fonts.small] as const),
  ];
  const headed = (title: string): readonly [string, Font] => [title, fonts.title];
  const widths = {
    store:
      wide(
        [...titled([store]), ...rows.flatMap(({ row, stored }) => listed(stored, `  ${row.source}`))],
        220,
        detailWidth + 2 * padding,
      ) +
      2 * padding,
    access: wide(
      [
        headed(heads.access),
        ...titled(
          readers.map(({ access }) => access),
          fonts.label,
        ),
      ],
      150,
      290,
    ),
    provider: wide(titled([provider]), 130, 220),
    driver: wide(titled([driver]), 130, 220),
    file: wide([headed(heads.file), ...rows.flatMap(({ filed }) => listed(filed))], 150, 320),
    reader: wide(
      [
        headed(heads.reader),
        ...titled(
          readers.map(({ workload }) => workload),
          fonts.label,
        ),
      ],
      150,
      260,
    ),
  };
  let x = margin;
  const next = (width: number): Column => {
    const column = { x, width };
    x += width + gap;
    return column;
  };
  return {
    store: next(widths.store),
    access: next(widths.access),
    provider: next(widths.provider),
    driver: next(widths.driver),
    file: next(widths.file),
    reader: next(widths.reader),
  };
}

/** The stations that all secrets pass, from the heads of their columns to the bottom. */
function drawShared({ store, provider, driver }: Ways, columns: Columns, bottom: number, links?: Links): string[] {
  return (
    [
      [store, columns.store, "store"],
      [provider, columns.provider, "shared"],
      [driver, columns.driver, "shared"],
    ] as const
  ).map(([station, { x, width }, kind]) =>
    linked(
      links?.ofStation(station),
      station.title,
      [
        box(kind, x, top, width, bottom - top),
        line(station.title, fonts.title, x + padding, top + 24, width - 2 * padding),
        ...station.lines.map((each, index) =>
          line(each, fonts.small, x + padding, top + 42 + index * 14, width - 2 * padding, warning(each)),
        ),
      ].join(""),
    ),
  );
}

function drawHeads({ access, file, reader }: Columns): string[] {
  return (
    [
      [access, heads.access],
      [file, heads.file],
      [reader, heads.reader],
    ] as const
  ).map(([{ x, width }, title]) => line(title, fonts.title, x + padding, top + 24, width - 2 * padding));
}

function drawGround({ y, height }: Lane, { store, reader }: Columns): string {
  return box("lane", store.x, y, reader.x + reader.width + padding - store.x, height);
}

function drawLane(
  { reader, rows, accessLines, readerLines, y, height }: Lane,
  columns: Columns,
  links?: Links,
): string {
  const inner = y + laneTitle;
  const innerHeight = height - laneTitle - padding;
  return [
    `<g>`,
    line(reader.title, fonts.label, columns.store.x + padding, y + 18, columns.store.width - 2 * padding),
    line(
      `${reader.mountPath}/`,
      fonts.small,
      columns.file.x + padding,
      y + 18,
      columns.file.width - 2 * padding,
      "dim",
    ),
    drawStation(reader.access, accessLines, columns.access, inner, innerHeight, links),
    drawStation(reader.workload, readerLines, columns.reader, inner, innerHeight, links),
    ...rows.map((row) => drawRow(row, reader, inner + row.offset, columns, links)),
    `</g>`,
  ].join("\n");
}

function drawStation(
  station: Station,
  lines: readonly string[],
  { x, width }: Column,
  y: number,
  height: number,
  links?: Links,
): string {
  return linked(
    links?.ofStation(station),
    station.title,
    [
      box("own", x, y, width, height),
      line(station.title, fonts.label, x + padding, y + 22, width - 2 * padding),
      ...lines.map((each, index) =>
        line(each, fonts.small, x + padding, y + 22 + (index + 1) * lineHeight, width - 2 * padding, warning(each)),
      ),
    ].join(""),
  );
}

function drawRow(laid: LaidRow, reader: Reader, y: number, columns: Columns, links?: Links): string {
  const { row, stored, filed, height } = laid;
  const { source, ways } = row;
  const { store, access, provider, driver, file } = columns;
  const left = { x: store.x + padding, width: store.width - 2 * padding };
  const sourceWidth = widthOf(source, fonts.small);
  const middle = y + 20;
  const stops = [left, access, provider, driver, file, columns.reader];
  const arrows = stops.slice(1).map((next, index) => {
    const from = stops[index]!;
    return `<path class="way ${source}" marker-end="url(#to-${source})" d="M${from.x + from.width} ${middle}H${next.x - 2}"/>`;
  });
  const throughs = [provider, driver].map(
    ({ x, width }) => `<path class="way through ${source}" d="M${x + 1} ${middle}h${width - 2}"/>`,
  );
  const cell = ({ x, width }: Column): string =>
    `${box(`cell ${source}`, x, y, width, height)}${ways.length > 1 ? box(`pile ${source}`, x + 4, y + height, width - 8, 3) : ""}`;
  const inside = (column: Column): Column => ({ x: column.x + padding, width: column.width - 2 * padding });
  const at = inside(left);
  const to = inside(file);
  const content = [
    cell(left),
    line(stored.name, fonts.name, at.x, y + 17, at.width - sourceWidth - padding),
    `<text class="small source ${source}" x="${at.x + at.width}" y="${y + 17}">${source}</text>`,
    ...detailed(stored, at, y),
    ...throughs,
    ...arrows,
    cell(file),
    line(filed.name, fonts.name, to.x, y + 17, to.width),
    ...detailed(filed, to, y),
  ].join("");
  const label = ways.length === 1 ? `secret ${ways[0]!.secret.name}` : `${ways.length} secrets, ${source}`;
  return linked(links?.ofRow(reader, ways), label, content);
}

/** What a cell says: a name, and lines below it. */
interface Texts {
  readonly name: string;
  readonly details: readonly string[];
}

function detailed({ details }: Texts, { x, width }: Column, y: number): string[] {
  return details.map((each, index) => line(each, fonts.small, x, y + 32 + index * smallLine, width, "dim"));
}

/** @param lines of names, at most; the rest is counted */
function storeTexts({ ways, folder = "" }: Row, lines: number): Texts {
  const [{ secret, place }] = ways as [Way];
  if (ways.length > 1) {
    const names = ways.map((way) => way.secret.name);
    return { name: `${ways.length} ${folder === "" ? "secrets" : `× ${folder}…`}`, details: listed(names, lines) };
  }
  return { name: secret.name, details: [secret.key === secret.name ? place : `${place}, key ${secret.key}`] };
}

function fileTexts({ ways }: Row, { mountPath }: Reader): Texts {
  const [{ secret, file }] = ways as [Way];
  if (ways.length === 1) {
    const { scope, environment } = secret;
    const uses = [
      ...(scope === undefined ? [] : [`for ${scope.resourceType}/${scope.id ?? "any"}`]),
      ...(environment === undefined ? [] : [`also ${environment}`]),
    ];
    return { name: file.slice(mountPath.length + 1), details: [uses.join(", ") || "a file only"] };
  }
  const count = (has: (way: Way) => boolean, what: string): string[] => {
    const found = ways.filter(has).length;
    return found === 0 ? [] : [`${found} ${what}`];
  };
  const uses = [
    ...count((way) => way.secret.scope !== undefined, "for a resource"),
    ...count((way) => way.secret.environment !== undefined, "also a variable"),
  ];
  return { name: `${ways.length} files`, details: [uses.join(", ") || "files only"] };
}

/** Names in lines, as many as there is room for; the rest is counted. */
function listed(names: readonly string[], lines: number): string[] {
  const fits = (text: string): boolean => widthOf(text, fonts.small) <= detailWidth;
  const told: string[] = [];
  for (const [index, name] of names.entries()) {
    const isLast = index === names.length - 1;
    const text = isLast ? name : `${name},`;
    const current = told.at(-1);
    // In the last line something must be left for the count of the rest.
    const rest = told.length >= lines && !isLast ? ` and ${names.length} more` : "";
    if (current !== undefined && fits(`${current} ${text}${rest}`)) {
      told[told.length - 1] = `${current} ${text}`;
    } else if (told.length < lines) {
      told.push(text);
    } else {
      told[told.length - 1] = `${current!.replace(/,$/, "")} and ${names.length - index} more`;
      break;
    }
  }
  return told;
}

function warning(text: string): string {
  return text.startsWith("UNSAFE") ? "unsafe" : "dim";
}

function linked(target: string | undefined, label: string, content: string): string {
  if (target === undefined) return `<g>${content}</g>`;
  return `<a href="#${escapeXml(target)}" aria-label="${escapeXml(label)}">${content}</a>`;
}

function drawLegend(lanes: readonly Lane[], y: number): string {
  const used = new Set(lanes.flatMap(({ rows }) => rows.map(({ row }) => row.source)));
  let x = margin;
  return (Object.keys(sources) as SecretSource[])
    .filter((source) => used.has(source))
    .map((source) => {
      const text = `${source}: ${sources[source]}`;
      const entry = `<rect class="sign ${source}" x="${x}" y="${y - 9}" width="10" height="10" rx="2"/>${line(text, fonts.note, x + 16, y, Infinity, "dim")}`;
      x += widthOf(text, fonts.note) + 40;
      return entry;
    })
    .join("");
}

function arrowHead(source: SecretSource): string {
  return (
    `<marker id="to-${source}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto">` +
    `<path class="head ${source}" d="M0 0 8 4 0 8z"/></marker>`
  );
}

/** Without variables and calc, which not all that draw SVG know. */
function palette(colours: {
  readonly ground: string;
  readonly lane: string;
  readonly cell: string;
  readonly edge: string;
  readonly text: string;
  readonly dim: string;
  readonly unsafe: string;
  readonly sources: Readonly<Record<SecretSource, string>>;
}): string {
  const { ground, lane, cell, edge, text, dim, unsafe } = colours;
  return [
    `.ground{fill:${ground}}`,
    `.store,.shared{fill:${cell};stroke:${edge}}`,
    `.lane{fill:${lane}}`,
    `.own{fill:${cell};stroke:${edge}}`,
    `.cell{fill:${ground}}`,
    `text{fill:${text}}`,
    `.dim{fill:${dim}}`,
    `.unsafe{fill:${unsafe}}`,
    ...Object.entries(colours.sources).map(
      ([source, colour]) =>
        `.cell.${source},.way.${source}{stroke:${colour}}.pile.${source},.head.${source},.sign.${source},.source.${source}{fill:${colour}}`,
    ),
  ].join("");
}

const style = [
  `text{font-family:ui-sans-serif,system-ui,sans-serif;font-size:${fonts.note.size}px}`,
  `.title{font-weight:600;font-size:${fonts.title.size}px}`,
  `.name,.small,.label{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}`,
  `.name,.label{font-size:${fonts.name.size}px}.label{font-weight:600}.small{font-size:${fonts.small.size}px}`,
  `.source{text-anchor:end}`,
  `.way{stroke-width:1.5;fill:none}.through{stroke-dasharray:2 4;stroke-opacity:.6}.lane{fill-opacity:.6}`,
  palette({
    ground: "#ffffff",
    lane: "#eef1f4",
    cell: "#f6f8fa",
    edge: "#c4ccd4",
    text: "#1f2328",
    dim: "#59636e",
    unsafe: "#b42318",
    sources: { seeded: "#1a7f37", external: "#0969da", managed: "#8250df", database: "#9a6700" },
  }),
  `@media (prefers-color-scheme:dark){`,
  palette({
    ground: "#0d1117",
    lane: "#1c2530",
    cell: "#161b22",
    edge: "#3d444d",
    text: "#e6edf3",
    dim: "#9198a1",
    unsafe: "#ff7b72",
    sources: { seeded: "#3fb950", external: "#58a6ff", managed: "#a371f7", database: "#d29922" },
  }),
  `}`,
].join("");
