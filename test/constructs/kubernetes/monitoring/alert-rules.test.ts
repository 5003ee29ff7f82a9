import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import {
  type AlertRule,
  alertRules,
  dashboard,
  type RecordingRule,
  type RuleGroup,
  type Watched,
} from "../../../../constructs/kubernetes/monitoring";
import { type AlertCase, alertCases, watchedAll, watchedByCertManager } from "./alert-cases";

const rules = [watchedAll, watchedByCertManager].flatMap((watched) =>
  alertRules(watched).flatMap((group) => group.rules),
);
const isAlert = (rule: AlertRule | RecordingRule): rule is AlertRule => "alert" in rule;
const alerts = rules.filter(isAlert);

test("each alert has a case in which it fires, and one in which it is silent", () => {
  for (const { alert } of alerts) {
    const firing = alertCases.filter((each) => each.alert === alert).map((each) => each.firing > 0);
    expect({ alert, firing: new Set(firing) }).toEqual({ alert, firing: new Set([true, false]) });
  }
});

test("each alert says in what case somebody must act, and how soon", () => {
  for (const { alert, labels, annotations } of alerts) {
    expect(alert).toMatch(/^[A-Z][A-Za-z]+$/);
    expect(["critical", "warning"]).toContain(labels.severity);
    expect(annotations.summary.length).toBeGreaterThan(10);
    expect(annotations.description).toMatch(/\.$/);
  }
});

test("each alert has a row in the docs, which leads where the alert itself leads, and each row an alert", () => {
  const page = readFileSync(join(__dirname, "../../../../docs/monitoring.md"), "utf8");
  const rows = [...page.matchAll(/^\| \[`([A-Z]\w+)`\]\(([^)]+)\) +\|/gm)].map(([, alert, link]) => {
    const path = link!.startsWith("#") ? `docs/monitoring.md${link!}` : `docs/${link!}`;
    return [alert!, path] as const; // that it leads somewhere, docs.test.ts tells
  });
  expect(new Map(rows)).toEqual(new Map(alerts.map(({ alert, annotations }) => [alert, annotations.runbook_url])));
  expect(rows).toHaveLength(new Set(alerts.map(({ alert }) => alert)).size);
});

test("where snapshots are copied, the alert is of those that are", () => {
  const { vault } = watchedAll;
  const snapshots = { ...vault!.snapshots!, areCopied: true };
  const [rule] = alertRules({ ...watchedAll, vault: { ...vault!, snapshots } })
    .flatMap((group) => group.rules.filter(isAlert))
    .filter(({ alert }) => alert === "VaultSnapshotTooOld");
  expect(rule!.annotations).toMatchObject({
    summary: "Vault's newest copied snapshot is older than two of its schedule's intervals, or its CronJob is gone",
    description:
      "What was written since would be lost with the cluster. Look at the jobs of the CronJob: container snapshot takes it, copy copies it.",
  });
});

test("a text names labels alone that its rule's result has", () => {
  for (const { alert, expr, annotations } of alerts) {
    const named = [...`${annotations.summary} ${annotations.description}`.matchAll(/\$labels\.(\w+)/g)].map(
      ([, label]) => label!,
    );
    const [, by] = /^(?:max|sum) by \(([^)]*)\)/.exec(expr) ?? [];
    const kept = by?.split(", ") ?? ["namespace", "pod", "secret", "environment"];
    for (const label of named)
      expect({ alert, label, isKept: kept.includes(label) }).toEqual({ alert, label, isKept: true });
  }
});

test("what one Prometheus says of two environments is told apart", () => {
  const other = alertRules({ ...watchedAll, environment: "staging" }).flatMap((group) => group.rules);
  const own = alertRules(watchedAll).flatMap((group) => group.rules);
  for (const [index, rule] of own.entries()) {
    expect([rule.labels?.environment, other[index]!.labels?.environment]).toEqual(["prod", "staging"]);
    const shared = /vault_certificate_end|aidbox_secret/;
    if (shared.test(rule.expr)) expect(rule.expr).toContain('environment="prod"');
  }
});

test("what is not watched has no rules", () => {
  expect(alertRules({ environment: "dev", republishers: [], hasAges: false })).toEqual([]);
  const names = alertRules({ ...watchedAll, hasAges: false, republishers: [] }).map(({ name }) => name);
  expect(names).toEqual([
    "aidbox-secrets-prod-vault",
    "aidbox-secrets-prod-snapshots",
    "aidbox-secrets-prod-publication",
  ]);
});

test("the dashboard shows each metric that an alert of what it watches is made of", () => {
  const shown = JSON.stringify(dashboard(watchedAll));
  const left = ["up", "vault_core_unsealed"];
  const made = alerts.flatMap(({ expr }) =>
    [...expr.matchAll(/\b((?:vault|rotation|kube|aidbox)_\w+)\{/g)].map(([, name]) => name!),
  );
  const elsewhere = /^kube_daemonset|^kube_cronjob_created|stale_pods|looked_at|vault_certificate_end/;
  const missing = [...new Set(made)].filter(
    (name) => !shown.includes(`${name}{`) && !elsewhere.test(name) && !left.includes(name),
  );
  expect(missing).toEqual([]);
});

// PROMTOOL names it where it is not on the PATH.
const promtool = process.env.PROMTOOL ?? "promtool";
const hasPromtool = spawnSync(promtool, ["--version"]).status === 0;
const testWithPromtool = hasPromtool ? test : test.skip;

testWithPromtool("fire and keep silent by Prometheus' own rule tester (skipped where there is no promtool)", () => {
  const folder = mkdtempSync(join(tmpdir(), "rules-"));
  const write = (name: string, content: object): string => {
    writeFileSync(join(folder, name), stringify(content));
    return name;
  };
  const said = (...args: string[]): string => {
    const { status, stdout, stderr } = spawnSync(promtool, args, { cwd: folder, encoding: "utf8" });
    return status === 0 ? "" : stdout + stderr;
  };
  try {
    const whole = [watchedAll, watchedByCertManager].map((watched, index) =>
      write(`rules-${index}.yaml`, { groups: alertRules(watched) }),
    );
    expect(said("check", "rules", ...whole)).toBe("");
    // With each case the tester evaluates every rule of a file at every minute, so an alert's cases are given its rule alone.
    const tests = [watchedAll, watchedByCertManager].flatMap((watched, index) => {
      const cases = alertCases.filter((each) => (each.watched ?? watchedAll) === watched);
      return [...new Set(cases.map(({ alert }) => alert))].map((alert) => {
        const name = `${index}-${alert}.yaml`;
        return write(`tests-${name}`, {
          rule_files: [write(`rules-${name}`, { groups: groupsOf(alert, watched) })],
          evaluation_interval: "1m",
          tests: cases.filter((each) => each.alert === alert).map(testOf),
        });
      });
    });
    expect(said("test", "rules", ...tests)).toBe("");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** The groups with one of the alerts alone, and with what is recorded for it. */
function groupsOf(alert: string, watched: Watched): readonly RuleGroup[] {
  return alertRules(watched)
    .map((group) => ({ ...group, rules: group.rules.filter((rule) => !isAlert(rule) || rule.alert === alert) }))
    .filter(({ rules }) => rules.length > 0);
}

function testOf({ alert, what, series, at, firing }: AlertCase): object {
  return {
    name: `${alert}: ${what}`,
    interval: "1m",
    input_series: Object.entries(series).map(([each, values]) => ({ series: each, values })),
    promql_expr_test: [
      {
        expr: `count(ALERTS{alertname="${alert}",alertstate="firing"}) or vector(0)`,
        eval_time: at,
        exp_samples: [{ labels: "{}", value: firing }],
      },
    ],
  };
}
