import { gunzipSync, gzipSync } from "node:zlib";
import * as pulumi from "@pulumi/pulumi";
import { recoverInterruptedInstall } from "../../../infra/cluster/interrupted-install";
import { KubeApi } from "../../../infra/cluster/kube-api";
import { hurryTimers } from "../../hurry-timers";

class ApiException extends Error {
  public constructor(public readonly code: number) {
    super(`HTTP ${code}`);
  }
}

/** Helm's record of a release, a Secret. */
interface HelmRecord {
  metadata: { name: string; labels: Record<string, string>; creationTimestamp: Date };
  data: { release: string };
}

const release = { namespace: "vault", releaseName: "vault" };

function packed(status: string): string {
  const json = JSON.stringify({ name: "vault", info: { status }, chart: { values: { a: 1 } } });
  return Buffer.from(gzipSync(json).toString("base64")).toString("base64");
}

function unpacked({ data }: HelmRecord): unknown {
  return JSON.parse(gunzipSync(Buffer.from(Buffer.from(data.release, "base64").toString(), "base64")).toString());
}

function helmRecord(status: string, secondsAgo: number): HelmRecord {
  const labels = { owner: "helm", name: "vault", status };
  const creationTimestamp = new Date(Date.now() - secondsAgo * 1000);
  return {
    metadata: { name: "sh.helm.release.v1.vault.v1", labels, creationTimestamp },
    data: { release: packed(status) },
  };
}

/** A cluster that holds Helm's records, and perhaps the mark of a release that Pulumi's state knows. */
class FakeApi {
  public record: HelmRecord | undefined;
  public isMarked = false;
  public replaced: HelmRecord[] = [];
  /** What happens at each question for records. */
  public onList: (times: number) => void = () => undefined;
  private lists = 0;

  public readonly api = Object.assign(Object.create(KubeApi.prototype) as KubeApi, {
    client: { ApiException },
    config: {
      makeApiClient: () => ({
        readNamespacedConfigMap: ({ namespace, name }: { namespace: string; name: string }) => {
          expect([namespace, name]).toEqual(["vault", "vault-in-pulumi-state"]);
          return this.isMarked ? Promise.resolve({}) : Promise.reject(new ApiException(404));
        },
        listNamespacedSecret: ({ namespace, labelSelector }: { namespace: string; labelSelector: string }) => {
          this.onList(++this.lists);
          const [, wanted] = /^owner=helm,name=vault,status in \((.*)\)$/.exec(labelSelector)!;
          const isWanted = wanted!.split(",").includes(this.record?.metadata.labels.status ?? "");
          expect(namespace).toBe("vault");
          return Promise.resolve({ items: isWanted ? [structuredClone(this.record!)] : [] });
        },
        replaceNamespacedSecret: ({ name, body }: { name: string; body: HelmRecord }) => {
          expect(name).toBe(this.record!.metadata.name);
          this.record = body;
          this.replaced.push(body);
          return Promise.resolve(body);
        },
      }),
    },
  });
}

hurryTimers();

let cluster: FakeApi;
let info: jest.SpyInstance;
let warn: jest.SpyInstance;
beforeEach(() => {
  cluster = new FakeApi();
  info = jest.spyOn(pulumi.log, "info").mockResolvedValue();
  warn = jest.spyOn(pulumi.log, "warn").mockResolvedValue();
});
afterEach(() => jest.restoreAllMocks());

const leftBehind = "Helm release vault/vault was left behind by a killed run: installing it again";

test("a release of which Helm knows nothing needs nothing", async () => {
  await recoverInterruptedInstall(cluster.api, release);
  expect([cluster.replaced, info.mock.calls, warn.mock.calls]).toEqual([[], [], []]);
});

test.each(["deployed", "pending-install"])("a %s release that the state knows is left alone", async (status) => {
  cluster.record = helmRecord(status, 0);
  cluster.isMarked = true;
  await recoverInterruptedInstall(cluster.api, release);
  expect([cluster.replaced, info.mock.calls, warn.mock.calls]).toEqual([[], [], []]);
});

test.each(["failed", "pending-upgrade"])("a %s release is left to Helm", async (status) => {
  cluster.record = helmRecord(status, 0);
  await recoverInterruptedInstall(cluster.api, release);
  expect([cluster.replaced, info.mock.calls, warn.mock.calls]).toEqual([[], [], []]);
});

test.each([
  ["deployed", 0],
  ["pending-install", 61],
])("a %s release of %i s ago that the state does not know is marked as failed at once", async (status, secondsAgo) => {
  cluster.record = helmRecord(status, secondsAgo);
  const before = structuredClone(cluster.record);
  await recoverInterruptedInstall(cluster.api, release);
  const labels = { ...before.metadata.labels, status: "failed" };
  expect(cluster.record.metadata).toEqual({ ...before.metadata, labels });
  expect(unpacked(cluster.record)).toEqual({ name: "vault", info: { status: "failed" }, chart: { values: { a: 1 } } });
  expect([info.mock.calls, warn.mock.calls]).toEqual([[], [[leftBehind]]]);
});

test("Helm that goes on after its run was killed is let finish first, and cannot write over the mark", async () => {
  cluster.record = helmRecord("pending-install", 1);
  cluster.onList = (times) => {
    if (times === 3) cluster.record = helmRecord("deployed", 1);
  };
  await recoverInterruptedInstall(cluster.api, release);
  expect(info.mock.calls).toEqual([["Letting Helm finish vault/vault, which a killed run began to install"]]);
  expect(cluster.replaced.map(({ metadata }) => metadata.labels.status)).toEqual(["failed"]);
  expect(unpacked(cluster.record)).toMatchObject({ info: { status: "failed" } });
  expect(warn.mock.calls).toEqual([[leftBehind]]);
});

test("Helm that finds out by itself that it failed is left to it", async () => {
  cluster.record = helmRecord("pending-install", 1);
  cluster.onList = (times) => {
    if (times === 3) cluster.record = helmRecord("failed", 1);
  };
  await recoverInterruptedInstall(cluster.api, release);
  expect([cluster.replaced, warn.mock.calls]).toEqual([[], []]);
});
