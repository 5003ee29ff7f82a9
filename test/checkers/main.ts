import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import { readEnvironment } from "../../infra/config/environment-file";
import { checkers } from "./checkers";
import { type Exception, type Finding, unexplained } from "./finding";
import { render } from "./render";

const fixtures = resolve(__dirname, "../environments");
/** Beside what the project begins with, one with every part that the stack can have. */
const environments = [
  { folder: fixtures, name: "dev" },
  { folder: fixtures, name: "staging" },
  { folder: fixtures, name: "prod" },
  { folder: __dirname, name: "everything" },
];

async function main(): Promise<void> {
  const findings: Finding[] = [];
  for (const { folder, name } of environments) {
    const manifests = join("dist/checkers", name);
    await render(readEnvironment(folder, name).environment, manifests);
    for (const [checker, check] of Object.entries(checkers)) {
      const checked = check(manifests);
      findings.push(...checked.findings);
      const own = checked.findings.filter(({ where }) => where.startsWith("objects ")).length;
      const said = `${own} findings in our objects, ${checked.findings.length - own} in the charts`;
      console.log(`${name}, ${checker}: ${checked.passed} passed, ${said}`);
    }
  }
  const exceptions = parse(readFileSync(join(__dirname, "exceptions.yaml"), "utf8")) as Exception[];
  const { withoutReason, withoutFinding } = unexplained(findings, exceptions);
  for (const line of new Set(withoutReason)) console.error(`Mend this, or give a reason in exceptions.yaml: ${line}`);
  for (const line of withoutFinding) console.error(`Nothing needs this exception any more, take it out: ${line}`);
  process.exitCode = withoutReason.length + withoutFinding.length === 0 ? 0 : 1;
}

void main();
