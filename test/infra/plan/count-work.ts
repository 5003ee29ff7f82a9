import { mkdtempSync, rmSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkEnvironment } from "../../../infra/config/check-environment";
import { writePage } from "../../../infra/plan/page";
import { drawPicture } from "../../../infra/plan/picture";
import { recordPlan } from "../../../infra/plan/record";
import { formatTree } from "../../../infra/plan/tree";
import { waysOf } from "../../../infra/plan/ways";
import { writeYaml } from "../../../infra/stack/write-yaml";

// Run as a program of its own: prints how often each piece of code ran for plans of growing size, as JSON.

/** Rows with all that a row may have, on paths of their own and on one together. */
function rows(count: number, folder: string): object[] {
  return Array.from({ length: count }, (_, index): object => {
    const row = { name: `${folder}-${index}`, path: `${folder}/folder-${index % 7}/${index}`, source: "seeded" };
    const isVariable = index % 3 === 0 ? { environment: `SOME_${folder.toUpperCase()}_${index}` } : {};
    switch (index % 5) {
      case 0:
        return { ...row, source: "managed", ...isVariable };
      case 1:
        return { ...row, source: "external", scope: { resourceType: "Client", id: `client-${index}` } };
      case 2:
        return { ...row, path: `${folder}/together`, file: `files/${folder}/${index}` };
      case 3:
        return { ...row, maxAge: "90d", ...isVariable };
      default:
        return { ...row, source: "external", keypair: "certificate", scope: { resourceType: "IdentityProvider" } };
    }
  });
}

async function plan(secrets: number, tenants: number): Promise<void> {
  const environment = checkEnvironment("counted", {
    development: true,
    kubeContext: "kind-aidbox",
    secrets: rows(secrets, "a"),
    vault: { mode: "dev" },
    aidbox: { image: "healthsamurai/aidboxone:2605" },
    tenants: Array.from({ length: tenants }, (_, index) => ({
      name: `clinic-${index}`,
      secrets: rows(2, `t${index}`),
    })),
  });
  const planned = await recordPlan(environment);
  const ways = waysOf(environment);
  writeYaml(environment);
  formatTree(planned, 80);
  drawPicture(ways);
  writePage(planned, ways, environment);
}

/** How often each piece of code runs, by file and place. */
async function count(session: Session, run: () => Promise<void>): Promise<Record<string, number>> {
  await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  await run();
  const { result } = await session.post("Profiler.takePreciseCoverage");
  await session.post("Profiler.stopPreciseCoverage");
  const counts: Record<string, number> = {};
  for (const { url, functions } of result) {
    for (const { functionName, ranges } of functions) {
      for (const range of ranges) {
        const place = `${url.replace(/^file:\/\//, "")} ${functionName} ${ranges[0]!.startOffset}-${range.startOffset}`;
        counts[place] = (counts[place] ?? 0) + range.count;
      }
    }
  }
  return counts;
}

void (async () => {
  const folder = mkdtempSync(join(tmpdir(), "count-work-"));
  process.chdir(folder);
  try {
    const session = new Session();
    session.connect();
    await session.post("Profiler.enable");
    await plan(5, 1); // what runs once
    const counts = [];
    for (const size of process.argv.slice(2)) {
      const [secrets = 0, tenants = 0] = size.split("x").map(Number);
      counts.push(await count(session, () => plan(secrets, tenants)));
    }
    process.stdout.write(JSON.stringify(counts));
  } finally {
    rmSync(folder, { recursive: true });
  }
})();
