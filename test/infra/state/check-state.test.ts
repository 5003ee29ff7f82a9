import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KubeApi } from "../../../infra/cluster/kube-api";
import { resultFileVariable } from "../../../infra/program/program-result";
import { checkState, noticeText, ValuesAtRiskError } from "../../../infra/state/check-state";
import { errorOf } from "../../mocks";
import { external, namespace, seededPath, stored, vaultServers } from "./fixtures";

interface Claim {
  readonly name: string;
  readonly deletionTimestamp?: Date;
}

/** A cluster with volume claims, by namespace. */
function cluster(claims: Readonly<Record<string, readonly Claim[]>>): KubeApi {
  const listNamespacedPersistentVolumeClaim = (request: { readonly namespace: string }): Promise<object> =>
    Promise.resolve({ items: (claims[request.namespace] ?? []).map((metadata) => ({ metadata })) });
  return Object.assign(Object.create(KubeApi.prototype) as KubeApi, {
    client: {},
    config: { makeApiClient: () => ({ listNamespacedPersistentVolumeClaim }) },
  });
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "check-state-"));
  process.env[resultFileVariable] = join(folder, "result.json");
});
afterEach(() => {
  // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- the variable's name is the program's to say
  delete process.env[resultFileVariable];
  rmSync(folder, { recursive: true });
});

test("what stays is told beside what Pulumi says of it", () => {
  expect(noticeText(["secret/one stays.", "secret/two stays."]).split("\n")).toEqual([
    'No value is deleted; what Pulumi calls "deleted [retain]" stays where it is:',
    "  secret/one stays.",
    "  secret/two stays.",
  ]);
});

test("a namespace that goes without a volume may go", async () => {
  const comparison = await checkState(cluster({}), external(), [
    namespace("aidbox-north"),
    seededPath("aidbox/client"),
  ]);
  expect(comparison).toEqual({ notices: [], refusals: [], unprotected: [], leavingNamespaces: ["aidbox-north"] });
});

test("a namespace that goes with volumes that are given up already may go", async () => {
  const api = cluster({ "aidbox-north": [{ name: "data", deletionTimestamp: new Date() }] });
  await expect(checkState(api, external(), [namespace("aidbox-north")])).resolves.toBeDefined();
});

test("a namespace that stays is not looked into", async () => {
  const api = cluster({ aidbox: [{ name: "data" }] });
  await expect(checkState(api, external(), [namespace("aidbox")])).resolves.toBeDefined();
});

test("a namespace that would go with somebody's volumes is refused, with all else that is, and told as such", async () => {
  const api = cluster({ "aidbox-north": [{ name: "data-0" }, { name: "data-1" }] });
  const servers = vaultServers({ protect: true });
  const error = await errorOf(
    checkState(api, stored({ vault: { mode: "standalone", release: "other" } }), [servers, namespace("aidbox-north")]),
  );
  expect(error).toBeInstanceOf(ValuesAtRiskError);
  expect(error.message.split("\n")).toEqual([
    "This would delete what holds values, so nothing was touched:",
    expect.stringMatching(/^ {2}aidbox-secrets:vault: Vault's release vault of namespace vault would go/),
    "  aidbox-secrets:namespaces: the namespace aidbox-north would go, and with it the volumes data-0, data-1: put its " +
      "name or its tenant back; or, where nothing on them is needed any more, delete them by name first: " +
      "`kubectl --context production -n aidbox-north delete pvc data-0 --wait=false`, " +
      "`kubectl --context production -n aidbox-north delete pvc data-1 --wait=false`",
  ]);
  expect(JSON.parse(readFileSync(join(folder, "result.json"), "utf8"))).toEqual({ reason: "values-at-risk" });
});
