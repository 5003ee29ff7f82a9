import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { type Exception, type Finding, unexplained } from "./finding";

const finding: Finding = {
  checker: "checkov",
  check: "CKV_K8S_16",
  where: "csi DaemonSet/driver",
  says: "Container should not be privileged",
};
const exception: Exception = {
  checker: "checkov",
  check: "CKV_K8S_16",
  where: ["csi DaemonSet/driver"],
  reason: "It mounts.",
};
const asLines = {
  finding: "checkov CKV_K8S_16, csi DaemonSet/driver: Container should not be privileged",
  exception: "checkov CKV_K8S_16, csi DaemonSet/driver",
};

test("a finding with a reason is explained, and the reason is needed", () => {
  expect(unexplained([finding], [exception])).toEqual({ withoutReason: [], withoutFinding: [] });
});

test("a new finding lacks a reason", () => {
  expect(unexplained([finding], [])).toEqual({ withoutReason: [asLines.finding], withoutFinding: [] });
});

test("a reason is no longer needed once its finding is gone", () => {
  expect(unexplained([], [exception])).toEqual({ withoutReason: [], withoutFinding: [asLines.exception] });
});

test.each<[what: string, other: Partial<Exception>]>([
  ["checker", { checker: "kube-score" }],
  ["check", { check: "CKV_K8S_1" }],
  ["place", { where: ["vault DaemonSet/driver"] }],
  ["place that begins like it", { where: ["csi DaemonSet/driv"] }],
  ["place in which a dot is no wildcard", { where: ["csi.DaemonSet/driver"] }],
])("the reason of another %s explains nothing", (_, other) => {
  const { withoutReason, withoutFinding } = unexplained([finding], [{ ...exception, ...other }]);
  expect(withoutReason).toEqual([asLines.finding]);
  expect(withoutFinding).toHaveLength(1);
});

test("a star stands for anything, and each place of a reason must be needed", () => {
  const places = { ...exception, where: ["csi DaemonSet/*", "csi Job/*"] };
  expect(unexplained([finding], [places])).toEqual({
    withoutReason: [],
    withoutFinding: ["checkov CKV_K8S_16, csi Job/*"],
  });
});

test("each exception names a checker, a check, a place and a reason, and none is there twice", () => {
  const exceptions = parse(readFileSync(join(__dirname, "exceptions.yaml"), "utf8")) as Exception[];
  for (const each of exceptions) {
    expect(Object.keys(each).sort()).toEqual(["check", "checker", "reason", "where"]);
    expect(["checkov", "kube-score", "pod-security"]).toContain(each.checker);
    expect(each.reason).toMatch(/^[A-Z].{20,}\.$/);
  }
  const places = exceptions.flatMap(({ checker, check, where }) => where.map((each) => `${checker} ${check} ${each}`));
  expect(new Set(places).size).toBe(places.length);
});
