/** How the page looks, in light and dark surroundings. */
export const pageStyle = `
:root { color-scheme: light dark; --ground: #ffffff; --raised: #f6f8fa; --edge: #d1d9e0; --text: #1f2328; --dim: #59636e;
  --link: #0969da; --unsafe: #b42318; --seeded: #1a7f37; --external: #0969da; --managed: #8250df; --database: #9a6700; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #0d1117; --raised: #161b22; --edge: #3d444d; --text: #e6edf3; --dim: #9198a1;
    --link: #58a6ff; --unsafe: #ff7b72; --seeded: #3fb950; --external: #58a6ff; --managed: #a371f7; --database: #d29922; }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 4.5rem; }
body { margin: 0; overflow-wrap: anywhere; background: var(--ground); color: var(--text); font: 15px/1.5 ui-sans-serif, system-ui, sans-serif; }
header, main, footer { max-width: 1680px; margin: 0 auto; padding: 0 1.5rem; }
h1 { font-size: 1.6rem; margin: 1.5rem 0 .25rem; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .75rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
code, .mono { font: .9em ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
a { color: var(--link); }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 4px; }
.facts { color: var(--dim); margin: 0; }
.warning { border-left: 4px solid var(--unsafe); padding-left: .75rem; }
nav { position: sticky; top: 0; z-index: 1; background: var(--ground); border-bottom: 1px solid var(--edge); margin-top: 1rem; }
nav div { max-width: 1680px; margin: 0 auto; padding: .6rem 1.5rem; display: flex; flex-wrap: wrap; gap: .5rem 1.25rem; align-items: center; }
nav label { margin-left: auto; color: var(--dim); }
nav input { font: inherit; color: inherit; background: var(--raised); border: 1px solid var(--edge); border-radius: 6px; padding: .25rem .6rem; width: 16rem; max-width: 100%; }
.picture { overflow-x: auto; border: 1px solid var(--edge); border-radius: 8px; }
.picture svg { display: block; margin: 0 auto; max-width: 100%; min-width: 62rem; height: auto; }
.picture a:hover .cell, .picture a:focus .cell, .picture a:hover .own, .picture a:focus .own { stroke-width: 2.5; }
.picture a:hover .way, .picture a:focus .way { stroke-width: 3; stroke-opacity: 1; }
.picture a:focus { outline: none; }
.picture a:focus-visible .cell, .picture a:focus-visible .own, .picture a:focus-visible .shared, .picture a:focus-visible .store { stroke: var(--link); stroke-width: 3; }
details { border: 1px solid var(--edge); border-radius: 8px; margin: .4rem 0; background: var(--raised); }
details details { background: var(--ground); margin: .4rem 1rem; }
details details:last-child { margin-bottom: 1rem; }
summary { cursor: pointer; padding: .45rem .9rem; display: flex; flex-wrap: wrap; gap: 0 .75rem; align-items: baseline; }
summary::before { content: "▸"; color: var(--dim); }
details[open] > summary::before { content: "▾"; }
summary::-webkit-details-marker { display: none; }
summary b { font-weight: 600; }
summary span { color: var(--dim); }
.body { padding: 0 1.1rem 1rem 2rem; }
.body dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .2rem 1rem; margin: .25rem 0; }
.body dt { color: var(--dim); }
.body dd { margin: 0; }
.way { list-style: none; margin: .25rem 0; padding: 0; }
ol.way > li { position: relative; padding: .1rem 0 .7rem 1.6rem; border-left: 2px solid var(--edge); margin-left: .5rem; }
ol.way > li:last-child { border-left-color: transparent; padding-bottom: 0; }
ol.way > li::before { content: ""; position: absolute; left: -7px; top: .45rem; width: 12px; height: 12px; border-radius: 50%; background: var(--edge); }
ol.way.seeded > li::before { background: var(--seeded); } ol.way.external > li::before { background: var(--external); }
ol.way.managed > li::before { background: var(--managed); } ol.way.database > li::before { background: var(--database); }
.badge { border: 1px solid; border-radius: 999px; padding: 0 .55rem; font-size: .8rem; }
summary .badge.seeded { color: var(--seeded); } summary .badge.external { color: var(--external); }
summary .badge.managed { color: var(--managed); } summary .badge.database { color: var(--database); }
:target > summary { outline: 2px solid var(--link); border-radius: 8px; }
footer { color: var(--dim); padding-bottom: 3rem; margin-top: 2rem; }
@media (max-width: 700px) { .body dl { grid-template-columns: 1fr; } .body dd { margin-bottom: .4rem; } nav label { margin-left: 0; } }
@media print { nav { position: static; } details { break-inside: avoid; } }
`;

/** Opens what a link leads to, and hides what is not looked for. Without it, all is there to scroll to and to open by hand. */
export const pageScript = `
"use strict";
const find = document.getElementById("find");
const found = document.getElementById("found");
const entries = [...document.querySelectorAll("details")];
const groups = [...document.querySelectorAll("[data-group]")];
function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target === null) return;
  if (target.closest("[hidden]") !== null) { find.value = ""; filter(); }
  for (let each = target; each !== null; each = each.parentElement) if (each.tagName === "DETAILS") each.open = true;
  target.scrollIntoView();
  const summary = target.querySelector(":scope > summary");
  if (summary !== null) summary.focus({ preventScroll: true });
}
function filter() {
  const words = find.value.toLowerCase().split(/\\s+/).filter(Boolean);
  const shown = new Set();
  let count = 0;
  for (const each of entries) {
    const text = each.dataset.text;
    if (!words.every((word) => text.includes(word))) continue;
    count++;
    shown.add(each);
    for (let up = each.parentElement.closest("details"); up !== null; up = up.parentElement.closest("details")) {
      shown.add(up);
      if (words.length > 0) up.open = true;
    }
  }
  for (const each of entries) each.hidden = !shown.has(each);
  for (const each of groups) each.hidden = each.querySelector("details:not([hidden])") === null;
  found.textContent = words.length === 0 ? "" : count + " found";
}
find.addEventListener("input", filter);
addEventListener("hashchange", openTarget);
addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== find) { event.preventDefault(); find.focus(); }
  if (event.key === "Escape" && document.activeElement === find) { find.value = ""; filter(); }
});
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='#']");
  // The link of where one is already changes no address.
  if (link !== null && link.getAttribute("href") === location.hash) openTarget();
});
openTarget();
`;
