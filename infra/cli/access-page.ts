import type { AccessEvidence, NodePod, SecretEvidence, Way } from "../operate/access";
import { htmlPage } from "../plan/html-page";
import { escapeXml } from "../plan/svg";

const tableStyle = `
table { border-collapse: collapse; width: 100%; margin: .25rem 0 1rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--edge); }
tr.others td:first-child { border-left: 4px solid var(--unsafe); padding-left: .6rem; }
`;

/** The evidence as one HTML page that loads nothing. It holds no secret's value. */
export function accessPage(evidence: AccessEvidence): string {
  const { environment, store, at, secrets, changers, ways, nodePods, nodes, controls, notRead, cannotKnow } = evidence;
  const title = `Who can read the secrets of ${environment}`;
  return htmlPage(
    title,
    [
      "<header>",
      `<h1>${escapeXml(title)}</h1>`,
      `<p class="facts">${escapeXml(store)}, looked at ${at.toISOString()}. A mark stands before what neither this stack, nor Kubernetes itself, nor <code>rights</code> gives.</p>`,
      ...notRead.map((line) => `<p class="warning">Not read: ${escapeXml(line)}</p>`),
      "</header>",
      '<nav aria-label="Parts of this page"><div>',
      '<a href="#secrets">Secrets</a> <a href="#changers">Who can change it</a> <a href="#ways">By way of Kubernetes</a> <a href="#nodes">Nodes</a> <a href="#unknown">What this cannot know</a> <a href="#controls">Controls</a>',
      '<label>Find <input id="find" type="search" placeholder="name, path; press /" autocomplete="off"></label>',
      '<span id="found" class="facts" role="status"></span>',
      "</div></nav>",
      "<main>",
      '<h2 id="secrets">Secrets</h2>',
      '<section data-group="">',
      ...secrets.map(secretEntry),
      "</section>",
      '<h2 id="changers">Who can change who reads</h2>',
      table(
        ["who", "may", "gets in by", "policies", "whose", "controls"],
        changers.map(({ who, may, by, policies, certain, conditions, origin, controls: names }) => ({
          cells: [
            `${certain ? "" : "perhaps "}${who}`,
            may.join("; "),
            by,
            [policies.join(", "), ...conditions].join("; "),
            origin,
            names.join(", "),
          ],
          isOfOthers: origin === "others",
        })),
      ),
      '<h2 id="ways">Besides them, by way of Kubernetes</h2>',
      table(["who", "may", "by", "reaches", "secrets", "whose", "controls"], ways.map(wayRow)),
      '<h2 id="nodes">Pods that reach what others on their node have</h2>',
      table(["pod", "by", "node", "whose", "controls"], nodePods.map(nodeRow)),
      `<p class="facts">Nodes that have the files: ${escapeXml(nodes.join(", ") || "none")}</p>`,
      '<h2 id="unknown">What this cannot know</h2>',
      `<ul>${cannotKnow.map((line) => `<li>${escapeXml(line)}</li>`).join("")}</ul>`,
      '<h2 id="controls">Controls</h2>',
      table(
        ["control", "asks for"],
        controls.map(({ control, asks }) => ({ cells: [control, asks] })),
      ),
      "</main>",
      "<footer>No value of a secret is in this page.</footer>",
    ],
    tableStyle,
  );
}

interface Row {
  readonly cells: readonly string[];
  /** Whether it is to be looked at. */
  readonly isOfOthers?: boolean;
}

function table(heads: readonly string[], rows: readonly Row[]): string {
  if (rows.length === 0) return "<p>None.</p>";
  const head = heads.map((each) => `<th scope="col">${escapeXml(each)}</th>`).join("");
  const body = rows.map(
    ({ cells, isOfOthers = false }) =>
      `<tr${isOfOthers ? ' class="others"' : ""}>${cells.map((each) => `<td>${escapeXml(each)}</td>`).join("")}</tr>`,
  );
  return `<table><thead><tr>${head}</tr></thead><tbody>${body.join("")}</tbody></table>`;
}

function secretEntry({ secret, path, version, rotatedAt, readers, lastReads, controls }: SecretEvidence): string {
  const rows = readers.map(({ who, by, policies, certain, conditions, origin, pods }) => ({
    cells: [
      `${certain ? "" : "perhaps "}${who}`,
      by,
      [policies.join(", "), ...conditions].join("; "),
      pods.join(", "),
      origin,
      controls.readers.join(", "),
    ],
    isOfOthers: origin === "others",
  }));
  const reads = lastReads?.map(({ who, at }) => ({ cells: [who, at.toISOString(), controls.lastReads.join(", ")] }));
  const age = rotatedAt === undefined ? "no live value" : `last changed ${rotatedAt.toISOString()}`;
  return [
    `<details open data-text="${escapeXml(`${secret} ${path} ${readers.map(({ who }) => who).join(" ")}`.toLowerCase())}">`,
    `<summary><b class="mono">${escapeXml(secret)}</b> <span class="mono">${escapeXml(path)}</span> <span>${escapeXml(`${version === undefined ? "" : `version ${version}, `}${age} (${controls.age.join(", ")})`)}</span></summary>`,
    '<div class="body">',
    table(["who", "gets in by", "policies", "pods", "whose", "controls"], rows),
    reads === undefined ? "<p>Last readers: not known.</p>" : table(["last read by", "at", "controls"], reads),
    "</div>",
    "</details>",
  ].join("");
}

function wayRow({ who, may, by, reaches, secrets, origin, controls }: Way): Row {
  return {
    cells: [
      who,
      may.map(({ words }) => words).join("; "),
      by,
      reaches,
      secrets.join(", "),
      origin,
      controls.join(", "),
    ],
    isOfOthers: origin === "others",
  };
}

function nodeRow({ pod, ways, node, isBeside, origin, controls }: NodePod): Row {
  return {
    cells: [
      pod,
      ways.join(", "),
      `${node}${isBeside ? ", beside pods that read secrets" : ""}`,
      origin,
      controls.join(", "),
    ],
    isOfOthers: origin === "others",
  };
}
