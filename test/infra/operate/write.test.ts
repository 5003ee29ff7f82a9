import { makeTokenKeys } from "../../../constructs/secrets/keypair-values";
import { InvalidRequestError } from "../../../infra/operate/errors";
import { PermissionDeniedError } from "../../../infra/operate/permission-denied";
import { writeFirst } from "../../../infra/operate/write";
import { errorOf } from "../../mocks";
import { config, expectNoSecret, Site } from "./site";

let site: Site;
beforeEach(async () => {
  const secrets = [
    ...config.secrets,
    { name: "first", path: "aidbox/new" },
    { name: "beside", path: "aidbox/more" },
    { name: "jwt", keypair: "ec", path: "aidbox/jwt" },
  ];
  site = await Site.start({ secrets }, { jwt: { ...(await makeTokenKeys("ec")) } });
  site.vault.remove("aidbox/new");
  site.vault.remove("aidbox/more");
  site.vault.put("aidbox/more", { other: "other hunter2" });
  process.env.KUBECONFIG = site.cluster.kubeconfig;
  process.env.VAULT_TOKEN = site.restrictTo("writer");
});
afterEach(async () => {
  delete process.env.VAULT_TOKEN;
  await site.stop();
});

const value = (): Promise<string> => Promise.resolve("written hunter2");
const dataWrites = (): readonly string[] => site.vault.writes.filter((each) => each.includes("secret/data/"));

/** What refuses a write, which makes no value and writes nothing. */
async function refusal(name: string): Promise<unknown> {
  const makeValue = jest.fn(value);
  const error = await errorOf(writeFirst(site.environment, name, makeValue));
  expectNoSecret(error);
  expect(makeValue).not.toHaveBeenCalled();
  expect(dataWrites()).toEqual([]);
  return error;
}

test("the first value of a path that is not there", async () => {
  const written = await writeFirst(site.environment, "first", value);
  expect(written).toEqual({ path: "secret/aidbox/new" });
  expect(site.vault.data("aidbox/new")).toEqual({ first: "written hunter2" });
  expectNoSecret(written);
});

test("a key beside others, which stay", async () => {
  await writeFirst(site.environment, "beside", value);
  expect(site.vault.data("aidbox/more")).toEqual({ other: "other hunter2", beside: "written hunter2" });
});

test("a path whose last version was deleted", async () => {
  site.vault.put("aidbox/new", { first: "deleted hunter2" });
  site.vault.version("aidbox/new").deletion_time = "2026-01-02T03:04:05Z";
  await writeFirst(site.environment, "first", value);
  expect(site.vault.data("aidbox/new")).toEqual({ first: "written hunter2" });
  expect(site.vault.version("aidbox/new", 1).data).toEqual({ first: "deleted hunter2" });
});

test("one that has a value is left as it is; the error names the command that changes it", async () => {
  expect(await refusal("client-secret")).toEqual(
    new InvalidRequestError(
      "client-secret has a value: to change it: npm run rotate -- client-secret --stdin --env test",
    ),
  );
});

test("another's value that comes in between stays", async () => {
  const error = await errorOf(
    writeFirst(site.environment, "first", () => {
      site.vault.put("aidbox/new", { first: "another's hunter2" });
      return value();
    }),
  );
  expect(error).toBeInstanceOf(InvalidRequestError);
  expect(site.vault.data("aidbox/new")).toEqual({ first: "another's hunter2" });
});

test.each([
  ["admin-password", "admin-password is of source seeded: an operator writes those of external alone"],
  ["db-password", "db-password is of source managed: an operator writes those of external alone"],
  ["jwt-private", "jwt-private is a half of the keypair jwt, whose halves are written together"],
])("no secret that is not an operator's: %s", async (name, message) => {
  expect(await refusal(name)).toEqual(new InvalidRequestError(message));
});

test("a name that the table has not", async () => {
  expect(String(await refusal("no-such"))).toContain("no-such");
});

test("a lacking right is named, before there is a value", async () => {
  process.env.VAULT_TOKEN = site.restrictTo("rotator");
  expect(await refusal("first")).toEqual(new PermissionDeniedError('"create" on secret/data/aidbox/new in Vault'));
});

test("the right is that of a change where a value was deleted", async () => {
  site.vault.put("aidbox/new", { first: "former hunter2" });
  site.vault.version("aidbox/new").deletion_time = "2026-02-03T04:05:06Z";
  const rule = (path: string, capability: string): string => `path "${path}" { capabilities = ["${capability}"] }\n`;
  site.vault.allow("hvs.creator", rule("secret/data/aidbox/new", "create") + rule("secret/subkeys/aidbox/new", "read"));
  process.env.VAULT_TOKEN = "hvs.creator";
  expect(await refusal("first")).toEqual(new PermissionDeniedError('"update" on secret/data/aidbox/new in Vault'));
});

test("without a token", async () => {
  delete process.env.VAULT_TOKEN;
  expect(await refusal("first")).toEqual(new PermissionDeniedError("a Vault token: set VAULT_TOKEN"));
});
