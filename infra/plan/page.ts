import type { Environment } from "../config/environment";
import { storeTitle } from "../config/stores";
import { describe, type Description } from "./describe";
import { htmlPage } from "./html-page";
import { drawPicture } from "./picture";
import type { Plan, PlannedResource } from "./record";
import type { Station } from "./station";
import { escapeXml } from "./svg";
import { shown } from "./tree";
import { planWarnings } from "./warnings";
import type { Reader, Way, Ways } from "./ways";

/** Of more than these, a list of links tells the number of the rest. */
const listed = 25;

/** A resource of the plan, with what leads to it and from it. */
interface Entry {
  readonly id: string;
  readonly resource: PlannedResource;
  readonly description: Description;
  readonly children: Entry[];
  readonly awaitedBy: Entry[];
  readonly readers: Reader[];
}

/**
 * The plan as one HTML page that loads nothing: the picture, each secret's way, and each resource, with links between them. It
 * holds no secret's value.
 */
export function writePage(plan: Plan, ways: Ways, environment: Environment): string {
  const entries = enter(plan);
  const byUrn = new Map(entries.map((entry) => [entry.resource.urn, entry]));
  const byText = new Map(entries.map((entry) => [textOf(entry), entry]));
  const entryOf = (made: string): Entry | undefined => byText.get(made);
  noteReaders(ways, entryOf);
  const count = ways.readers.reduce((sum, reader) => sum + reader.ways.length, 0);
  const picture = drawPicture(ways, {
    ofRow: (reader, some) => (some.length === 1 ? wayId(reader, some[0]!) : readerId(reader)),
    ofStation: ({ madeOf }) => madeOf.map(entryOf).find((entry) => entry !== undefined)?.id,
  });
  const title = `Environment ${ways.environment}`;
  return htmlPage(title, [
    "<header>",
    `<h1>${escapeXml(title)}</h1>`,
    `<p class="facts">Cluster <code>${escapeXml(ways.kubeContext)}</code>. A change in ${storeTitle(environment)} reaches the files within ${environment.rotationBoundSeconds} s. This is what <code>up</code> would make in an empty cluster.</p>`,
    ...planWarnings(environment).map((each) => `<p class="warning">${escapeXml(each)}</p>`),
    "</header>",
    '<nav aria-label="Parts of this page"><div>',
    `<a href="#ways">Picture</a> <a href="#secrets">Secrets (${count})</a> <a href="#resources">Resources (${entries.length})</a>`,
    '<label>Find <input id="find" type="search" placeholder="name, path, kind; press /" autocomplete="off"></label>',
    '<span id="found" class="facts" role="status"></span>',
    "</div></nav>",
    "<main>",
    '<h2 id="ways">The ways of the secrets</h2>',
    `<div class="picture" tabindex="0" role="group" aria-label="Picture">${picture}</div>`,
    '<h2 id="secrets">Secrets</h2>',
    ...ways.readers.map((reader) => writeReader(reader, ways, entryOf)),
    '<h2 id="resources">Resources</h2>',
    '<section data-group="">',
    ...entries.filter(({ resource }) => resource.parent === undefined).map((entry) => writeEntry(entry, byUrn)),
    "</section>",
    "</main>",
    `<footer>No value of a secret is in this page.</footer>`,
  ]);
}

function enter({ resources }: Plan): Entry[] {
  const entries = shown(resources).map((resource, index): Entry => ({
    id: `resource.${index}`,
    resource,
    description: describe(resource),
    children: [],
    awaitedBy: [],
    readers: [],
  }));
  const byUrn = new Map(entries.map((entry) => [entry.resource.urn, entry]));
  for (const entry of entries) {
    byUrn.get(entry.resource.parent ?? "")?.children.push(entry);
    for (const urn of new Set(entry.resource.dependencies)) byUrn.get(urn)?.awaitedBy.push(entry);
  }
  return entries;
}

/** As stations name what they are made of. */
function textOf({ description: { kind, name } }: Entry): string {
  return `${kind} ${name}`;
}

function noteReaders({ store, provider, driver, readers }: Ways, entryOf: (made: string) => Entry | undefined): void {
  for (const reader of readers) {
    const stations = [store, provider, driver, reader.access, reader.mount, reader.workload];
    for (const made of stations.flatMap(({ madeOf }) => madeOf)) entryOf(made)?.readers.push(reader);
  }
}

function readerId({ id }: Reader): string {
  return `reader.${id}`;
}

function wayId({ id }: Reader, { secret }: Way): string {
  return `secret.${id}.${secret.name}`;
}

function writeReader(reader: Reader, ways: Ways, entryOf: (made: string) => Entry | undefined): string {
  return [
    '<section data-group="">',
    `<h3 id="${escapeXml(readerId(reader))}">${escapeXml(reader.title)} <span class="facts">reads ${reader.ways.length}</span></h3>`,
    ...reader.ways.map((way) => writeWay(way, reader, ways, entryOf)),
    "</section>",
  ].join("\n");
}

function writeWay(way: Way, reader: Reader, ways: Ways, entryOf: (made: string) => Entry | undefined): string {
  const { secret, place, file } = way;
  const { name, source, key, scope, environment, maxAge } = secret;
  const station = (what: string, { title, lines, madeOf }: Station, more: readonly string[] = []): string =>
    `<li><b>${what}</b>: ${escapeXml(`${title}, ${lines.join(" ")}`)}${more.map((each) => `<br>${each}`).join("")}${linksTo(madeOf, entryOf)}</li>`;
  const code = (text: string): string => `<code>${escapeXml(text)}</code>`;
  const uses = [
    ...(scope === undefined ? [] : [`for ${code(`${scope.resourceType}/${scope.id ?? "any"}`)}`]),
    ...(environment === undefined ? [] : [`also the variable ${code(environment)}`]),
  ];
  return [
    `<details id="${escapeXml(wayId(reader, way))}" data-text="${escapeXml(`${name} ${source} ${place} ${file} ${environment ?? ""} ${reader.title}`.toLowerCase())}">`,
    `<summary><b class="mono">${escapeXml(name)}</b> <span class="badge ${source}">${source}</span> <span class="mono">${escapeXml(place)} → ${escapeXml(file)}</span></summary>`,
    `<div class="body"><ol class="way ${source}">`,
    station("Store", { ...ways.store, madeOf: [...ways.store.madeOf, ...way.madeOf] }, [
      `${code(place)}, key ${code(key)}, source ${source}${maxAge === undefined ? "" : `, at most ${maxAge.toSeconds()} s old`}`,
    ]),
    station("Who may read", reader.access),
    station("Provider", ways.provider),
    station("Driver", { ...ways.driver, madeOf: [...ways.driver.madeOf, ...reader.mount.madeOf] }),
    `<li><b>File</b>: ${code(file)}${uses.length === 0 ? "" : `, ${uses.join(", ")}`}</li>`,
    station("Who reads", reader.workload),
    "</ol></div>",
    "</details>",
  ].join("");
}

function linksTo(madeOf: readonly string[], entryOf: (made: string) => Entry | undefined): string {
  const links = madeOf.flatMap((made) => {
    const entry = entryOf(made);
    return entry === undefined ? [] : [link(entry)];
  });
  return links.length === 0 ? "" : `<br>${links.join(", ")}`;
}

function link(entry: Entry): string {
  return `<a href="#${entry.id}">${escapeXml(textOf(entry))}</a>`;
}

function writeEntry(entry: Entry, byUrn: ReadonlyMap<string, Entry>): string {
  const { resource, description, children, awaitedBy, readers } = entry;
  const { kind, name, summary = "" } = description;
  const waitsFor = [...new Set(resource.dependencies)].flatMap((urn) => byUrn.get(urn) ?? []);
  const fact = (term: string, value: string): string => (value === "" ? "" : `<dt>${term}</dt><dd>${value}</dd>`);
  return [
    `<details id="${entry.id}" data-text="${escapeXml(`${kind} ${name} ${summary} ${resource.name}`.toLowerCase())}">`,
    `<summary><b>${escapeXml(kind)}</b> <b class="mono">${escapeXml(name)}</b> <span>${escapeXml(summary)}</span></summary>`,
    `<div class="body"><dl>`,
    fact("Pulumi's name", `<code>${escapeXml(resource.name)}</code>`),
    fact("Pulumi's type", `<code>${escapeXml(resource.type)}</code>`),
    fact("waits for", links(whole(waitsFor, byUrn))),
    fact("awaited by", links(whole(awaitedBy, byUrn))),
    fact(
      "on the way to",
      some(readers.map((reader) => `<a href="#${escapeXml(readerId(reader))}">${escapeXml(reader.title)}</a>`)),
    ),
    "</dl></div>",
    ...children.map((child) => writeEntry(child, byUrn)),
    "</details>",
  ].join("");
}

function links(entries: readonly Entry[]): string {
  return some(entries.map(link));
}

function some(texts: readonly string[]): string {
  if (texts.length <= listed) return texts.join(", ");
  return `${texts.slice(0, listed - 1).join(", ")} and ${texts.length - listed + 1} more`;
}

/** The entries, with a component in the place of all that it is made of. */
function whole(entries: readonly Entry[], byUrn: ReadonlyMap<string, Entry>): Entry[] {
  const counts = new Map<Entry, number>();
  const parentOf = ({ resource }: Entry): Entry | undefined => byUrn.get(resource.parent ?? "");
  for (const entry of entries) {
    const parent = parentOf(entry);
    if (parent !== undefined) counts.set(parent, (counts.get(parent) ?? 0) + 1);
  }
  return [
    ...new Set(
      entries.map((entry) => {
        const parent = parentOf(entry);
        return parent !== undefined && counts.get(parent) === parent.children.length ? parent : entry;
      }),
    ),
  ];
}
