import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { KubeApi } from "../../../../infra/cluster/kube-api";
import { resultFileVariable } from "../../../../infra/program/program-result";
import { prepareKeyVault } from "../../../../infra/program/stores/azure-key-vault";
import type { StackArgs } from "../../../../infra/stack/stack-args";
import { clientId, clientSecret, strangerId, tenantId } from "../../../azure/fixtures";
import { roles } from "../../../azure/key-vault";
import { AzureStandIn } from "../../../azure/stand-in";
import { useStandIn } from "../../../azure/use-stand-in";
import { Engine, type EngineOptions, errorOf } from "../../../mocks";
import { checkKeyVaultEnvironment } from "../../key-vault-environment";
import { actAs } from "../../operate/stores/azure-key-vault/operator-login";

/** Nothing of a cluster is looked at where it has driver and provider of its own. */
const environment = checkKeyVaultEnvironment({
  secrets: [{ name: "client-secret", path: "aidbox/client", source: "seeded" }],
  csiDriver: { install: false },
  azureKeyVault: { name: "aidbox-test", tenantId, identity: { type: "workload", clientId }, csiProvider: "there" },
});

const folder = mkdtempSync(join(tmpdir(), "prepare-key-vault-"));
const resultFile = join(folder, "result.json");
let azure: AzureStandIn;
let ends: (() => void)[];
beforeEach(async () => {
  azure = await AzureStandIn.start();
  azure.addVault("aidbox-test", tenantId).grant(strangerId, roles.secretsOfficer);
  azure.addIdentity({ clientId: strangerId, tenantId, clientSecret });
  azure.addIdentity({ clientId, tenantId, clientSecret });
  ends = [actAs(strangerId), useStandIn(azure)];
  rmSync(resultFile, { force: true });
  process.env[resultFileVariable] = resultFile;
});
afterEach(async () => {
  for (const end of ends) end();
  Reflect.deleteProperty(process.env, resultFileVariable);
  await azure.stop();
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function prepare(run: EngineOptions["run"] = "up"): ReturnType<typeof prepareKeyVault> {
  await Engine.start({ run, types: {} });
  return prepareKeyVault({
    environment,
    api: Object.create(KubeApi.prototype) as KubeApi,
    config: new pulumi.Config("aidbox-secrets"),
    common: {} as Omit<StackArgs, "environment" | "cluster">,
    unprotected: [],
    state: [],
  });
}

/** What the command that runs Pulumi is told of why the program stopped. */
const told = (): unknown => (existsSync(resultFile) ? JSON.parse(readFileSync(resultFile, "utf8")) : undefined);

test("asks once for the first secret, and hands over a client of whoever runs it", async () => {
  const { keyVault } = await prepare();
  expect(azure.calls.some(({ path }) => path === "/secrets/aidbox-client/versions")).toBe(true);
  expect(keyVault()).toBe(keyVault());
  expect(told()).toBeUndefined();
});

test("a preview asks nobody", async () => {
  await prepare("first preview");
  expect(azure.calls).toEqual([]);
});

test.each<[string, () => void, RegExp]>([
  [
    "who has no role",
    () => ends.push(actAs(clientId)),
    /^Key Vault answered GET secrets\/aidbox-client\/versions with 403 Forbidden$/,
  ],
  ["who is not logged in", () => ends.push(actAs("no-such-app")), /^Entra ID gives no token: /],
])("%s is told so before anything is touched", async (_, plant, message) => {
  plant();
  const error = await errorOf(prepare());
  expect(error.message).toMatch(message);
  expect(told()).toEqual({ reason: "rights-missing" });
});
