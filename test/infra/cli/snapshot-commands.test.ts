import { Readable } from "node:stream";
import { runDrill } from "../../../infra/cli/drill";
import { exitCodes } from "../../../infra/cli/exit-codes";
import { type RestoreArguments, runRestore } from "../../../infra/cli/restore";
import * as waiting from "../../../infra/cluster/wait-until";
import { InvalidRequestError } from "../../../infra/operate/errors";
import type { LinkReport } from "../../../infra/operate/link";
import * as drilling from "../../../infra/operate/stores/vault/drill";
import { drill, type DrilledSecret } from "../../../infra/operate/stores/vault/drill";
import * as restoring from "../../../infra/operate/stores/vault/restore";
import { type Restoration, restore, type RestoreShares } from "../../../infra/operate/stores/vault/restore";
import * as verifying from "../../../infra/operate/verify";
import { verify } from "../../../infra/operate/verify";
import { errorOf } from "../../mocks";
import { config } from "../operate/stores/vault/stored-site";
import { checkVaultEnvironment } from "../vault-environment";

const environment = checkVaultEnvironment("test", { ...config, vault: { ...config.vault, snapshots: {} } });
const takenAt = new Date(Date.now() - 3 * 3600 * 1000);
const snapshot = { name: "20261126T060000Z.snap", takenAt };
const serving: Restoration = { snapshot: snapshot.name, takenAt, seconds: 41, servers: ["store-0", "store-1"] };
const ok: LinkReport = { name: "vault", checks: "it", state: "ok", seen: "it" };

const printed: string[] = [];
beforeEach(() => {
  printed.length = 0;
  jest.spyOn(restoring, "restore");
  jest.spyOn(drilling, "drill");
  jest.spyOn(verifying, "verify");
  jest.spyOn(waiting, "waitUntil").mockImplementation((holds) => holds());
  jest.spyOn(console, "log").mockImplementation((text: string) => printed.push(text));
  jest.spyOn(console, "error").mockImplementation(() => undefined);
});
afterEach(() => {
  jest.restoreAllMocks();
});

function give(text: string): void {
  jest.spyOn(process, "stdin", "get").mockReturnValue(Readable.from([Buffer.from(text)]) as never);
}

/** Runs vault:restore up to the shares that it would use. */
async function sharesOf(input: string, args: RestoreArguments, initialised = true): Promise<RestoreShares> {
  give(input);
  let shares: RestoreShares | undefined;
  jest.mocked(restore).mockImplementation(async (_, options) => {
    await options.confirm(snapshot);
    shares = await options.shares({ initialised, unsealsItself: false });
    return serving;
  });
  jest.mocked(verify).mockResolvedValue({ environment: "test", ok: true, links: [ok] });
  await runRestore(environment, args);
  return shares!;
}

test("one group of shares is that of both Vaults, two are of each", async () => {
  expect(await sharesOf("a\nb\n", { confirm: "test" })).toEqual({ present: ["a", "b"], original: ["a", "b"] });
  expect(await sharesOf("a\r\nb\r\n\r\nc\n", { confirm: "test" })).toEqual({ present: ["a", "b"], original: ["c"] });
});

test.each<[what: string, args: RestoreArguments, message: string]>([
  ["another name", { confirm: "prod" }, 'not confirmed by the name "test": nothing was touched'],
  ["no name, where nobody can be asked", {}, "is lost. Pass --confirm test"],
])("%s confirms nothing", async (_, args, message) => {
  const error = await errorOf(sharesOf("a", args));
  expect(error).toBeInstanceOf(InvalidRequestError);
  expect(error.message).toContain(message);
});

test.each<[what: string, restored: Restoration, link: LinkReport, code: number, told: RegExp]>([
  [
    "all is back",
    serving,
    ok,
    exitCodes.done,
    /in place after 41 s.*Serving: store-0, store-1\n.*1 of 1 links in order/,
  ],
  [
    "a link is broken",
    serving,
    { name: "vault", checks: "it", state: "broken", cause: "refused", fix: "look" },
    exitCodes.broken,
    /vault: refused; fix: look[^]*npm run vault:grant -- --shares --env test/,
  ],
  [
    "a right is lacking",
    serving,
    { name: "vault", checks: "it", state: "not permitted", right: "a token" },
    exitCodes.notAllChecked,
    /vault: you lack a right: a token/,
  ],
  [
    "a server is missing",
    { ...serving, missing: ["store-2"] },
    ok,
    exitCodes.waits,
    /store-2 did not run, and was left out[^]*npm run vault:unseal -- --env test/,
  ],
  [
    "it is sealed",
    { ...serving, servers: [], sealed: { servers: [{ pod: "store-0", given: 1, needed: 2 }] } },
    ok,
    exitCodes.waits,
    /store-0 has 1 of 2 key shares\nVault is sealed[^]*npm run vault:unseal -- --env test/,
  ],
])("a restoration after which %s", async (_, restored, link, code, told) => {
  give("a");
  jest.mocked(restore).mockResolvedValue(restored);
  jest.mocked(verify).mockResolvedValue({ environment: "test", ok: link.state === "ok", links: [link] });
  expect(await runRestore(environment, { confirm: "test" })).toBe(code);
  expect(printed.join("\n")).toMatch(told);
});

test.each<[state: DrilledSecret["state"], code: number, told: string]>([
  ["same", exitCodes.done, "✔ client-secret: same"],
  ["differs", exitCodes.broken, "✘ client-secret: differs: it was changed after the snapshot"],
  ["not live", exitCodes.broken, "✘ client-secret: not live"],
])("a drill that finds a secret %s", async (state, code, told) => {
  give("a\n\nb");
  const found = { snapshot: snapshot.name, takenAt, lostSeconds: 10_800, seconds: 9 };
  let shares: readonly string[] = [];
  jest.mocked(drill).mockImplementation(async (_, options) => {
    shares = await options.shares();
    return { ...found, secrets: [{ secret: "client-secret", state }] };
  });
  expect(await runDrill(environment, {})).toBe(code);
  expect(shares).toEqual(["a", "b"]);
  const text = printed.join("\n");
  expect(text).toContain(told);
  expect(text).toContain("A restore now would lose the last 3 h");
  printed.length = 0;
  jest.spyOn(restoring, "restore");
  jest.spyOn(drilling, "drill");
  jest.spyOn(verifying, "verify");
  jest.spyOn(waiting, "waitUntil").mockImplementation((holds) => holds());
  give("a");
  await runDrill(environment, { json: true });
  expect(JSON.parse(printed.join(""))).toMatchObject({ lostSeconds: 10_800, secrets: [{ state }] });
});
