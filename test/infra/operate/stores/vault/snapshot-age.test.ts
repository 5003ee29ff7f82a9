import { checkLinks, type LinkReport } from "../../../../../infra/operate/link";
import { operatorRights } from "../../../../../infra/operate/rights";
import type { Backup } from "../../../../../infra/operate/store-operator";
import { VaultOperator } from "../../../../../infra/operate/stores/vault/operator";
import { VaultSession } from "../../../../../infra/operate/stores/vault/session";
import { snapshotLinks } from "../../../../../infra/operate/stores/vault/snapshot-age";
import { config, StoredSite } from "./stored-site";

// Runs at 00:00, 06:00, 12:00 and 18:00.
const now = new Date("2026-11-26T13:00:00Z");
const logs = "kubectl --context somewhere -n vault-servers logs -l app.kubernetes.io/name=vault-snapshots --tail=20";

let site: StoredSite;
beforeEach(async () => {
  jest.useFakeTimers({ now, doNotFake: ["nextTick", "setImmediate", "setTimeout", "clearTimeout", "queueMicrotask"] });
  site = await StoredSite.start({}, { ...config.vault, snapshots: {} });
  process.env.KUBECONFIG = site.cluster.kubeconfig;
});
afterEach(async () => {
  jest.useRealTimers();
  delete process.env.KUBECONFIG;
  await site.stop();
});

function addCronJob(status: object, spec: object = {}, creationTimestamp = "2026-11-01T00:00:00Z"): void {
  site.cluster.add({
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name: "store-snapshots", namespace: "vault-servers", creationTimestamp },
    spec,
    status,
  });
}
const backup = async (): Promise<Backup | undefined> =>
  new VaultOperator(await VaultSession.open(site.environment)).backup();
async function report(): Promise<Partial<LinkReport>> {
  const [link] = snapshotLinks(await VaultSession.open(site.environment));
  const [found] = await checkLinks([{ ...link!, needs: [] }]);
  const { name, checks, ...rest } = found!;
  expect([name, checks]).toEqual(["snapshots", "a snapshot of Vault is not older than 3 runs of 0 */6 * * *"]);
  return rest;
}

test("a new snapshot is in order", async () => {
  addCronJob({ lastSuccessfulTime: "2026-11-26T12:01:00Z" });
  expect(await backup()).toEqual({ takenAt: new Date("2026-11-26T12:01:00Z") });
  expect(await report()).toEqual({ state: "ok", seen: "the newest one is 59 min old" });
});

test("so is one after which two runs took none", async () => {
  addCronJob({ lastSuccessfulTime: "2026-11-26T00:01:00Z" });
  expect(await report()).toEqual({ state: "ok", seen: "the newest one is 12 h old" });
});

test("so is one of the very time of the third run before", async () => {
  addCronJob({ lastSuccessfulTime: "2026-11-26T00:00:00Z" });
  expect(await report()).toMatchObject({ state: "ok" });
});

test("one after which three runs took none is too old", async () => {
  addCronJob({ lastSuccessfulTime: "2026-11-25T23:59:00Z" });
  const cause = "the newest snapshot is 13 h old: 3 runs of 0 */6 * * * took none";
  expect(await report()).toEqual({ state: "broken", cause, fix: logs });
  expect(await backup()).toEqual({
    takenAt: new Date("2026-11-25T23:59:00Z"),
    problem: { cause, fix: logs },
  });
});

test("none at all is in order until three runs took none", async () => {
  addCronJob({}, {}, "2026-11-26T11:00:00Z");
  expect(await report()).toEqual({ state: "ok", seen: "none yet: its time has not come" });
  addCronJob({}, {}, "2026-11-20T11:00:00Z");
  expect(await report()).toMatchObject({
    state: "broken",
    cause: expect.stringMatching(/^there is no snapshot after 6 d/) as string,
  });
});

test("with copies a run counts that has copied, and the log of both its parts is shown", async () => {
  await site.stop();
  const copies = { image: "rclone/rclone:1.71.2", bucket: "backups" };
  const allowTo = [{ peer: { cidr: "192.0.2.1/32" }, ports: [443] }];
  site = await StoredSite.start({}, { ...config.vault, snapshots: { copies, allowTo } });
  process.env.KUBECONFIG = site.cluster.kubeconfig;
  addCronJob({ lastSuccessfulTime: "2026-11-25T23:59:00Z" });
  expect(await backup()).toMatchObject({
    problem: {
      cause: "the newest copied snapshot is 13 h old: 3 runs of 0 */6 * * * took none",
      fix: logs.replace("--tail", "--all-containers --tail"),
    },
  });
});

test("a CronJob that is gone or suspended takes none", async () => {
  expect(await report()).toEqual({
    state: "broken",
    cause: "the CronJob store-snapshots that takes snapshots is gone",
    fix: "npm run up -- --refresh --env test",
  });
  addCronJob({ lastSuccessfulTime: "2026-11-26T12:01:00Z" }, { suspend: true });
  expect(await report()).toMatchObject({ state: "broken", cause: "the CronJob store-snapshots is suspended" });
});

test("nothing is looked at where the config asks for none", async () => {
  await site.stop();
  site = await StoredSite.start();
  process.env.KUBECONFIG = site.cluster.kubeconfig;
  expect(await backup()).toBeUndefined();
  expect(snapshotLinks(await VaultSession.open(site.environment))).toEqual([]);
  expect(site.cluster.requests).toEqual([]);
});

test("a viewer may look, and whoever may not is told what it needs", async () => {
  addCronJob({ lastSuccessfulTime: "2026-11-26T12:01:00Z" });
  site.cluster.roles = operatorRights(site.environment, "viewer", "operators").kubernetes;
  expect(await report()).toMatchObject({ state: "ok" });
  site.cluster.roles = [];
  expect(await report()).toMatchObject({
    state: "not permitted",
    right: expect.stringContaining("cronjobs") as string,
  });
});
