import { withoutSecrets } from "../../../infra/config/optional";
import { InvalidRequestError } from "../../../infra/operate/errors";
import type { LinkReport } from "../../../infra/operate/link";
import { rotate } from "../../../infra/operate/rotate";
import { readStatus } from "../../../infra/operate/status";
import { verify } from "../../../infra/operate/verify";
import { VaultSession } from "../../../infra/operate/stores/vault/session";
import { absentSecrets } from "../../../infra/program/stores/absent-secrets";
import { errorOf } from "../../mocks";
import { config, rootToken, Site } from "./site";

const row = { name: "partner-key", path: "aidbox/partner", optional: true };
const up = "npm run up -- --env test";

let site: Site;
beforeEach(async () => {
  site = await Site.start({ secrets: [...config.secrets, row] });
  process.env.KUBECONFIG = site.cluster.kubeconfig;
});
afterEach(() => site.stop());

/** Has the cluster as an `up` leaves it that has not found the value. */
function unmount(): void {
  site.deploy(withoutSecrets(site.environment, ["partner-key"]));
  for (const pod of ["aidbox-a", "aidbox-b"]) site.publish(pod);
}

const forget = (): boolean => site.vault.remove("aidbox/partner");

async function links(): Promise<Record<string, LinkReport>> {
  const { links: all } = await verify(site.environment, { vaultToken: rootToken });
  return Object.fromEntries(all.map((link) => [link.name, link]));
}

const broken = (all: Record<string, LinkReport>): string[] =>
  Object.values(all).flatMap(({ name, state }) => (state === "ok" ? [] : [`${name}: ${state}`]));

async function absent(): Promise<readonly string[]> {
  const session = await VaultSession.open(site.environment, rootToken);
  return [...(await absentSecrets(session)).values()].flat();
}

describe("an optional value that Vault does not have", () => {
  beforeEach(forget);

  test("stays out of what pods mount, and all is in order", async () => {
    expect(await absent()).toEqual(["partner-key"]);
    unmount();
    const all = await links();
    expect(broken(all)).toEqual([]);
    expect(all["secret partner-key"]).toMatchObject({
      seen: "optional, and pods go without it: secret/aidbox/partner is not there",
    });
    const { secrets, warnings } = await readStatus(site.environment, { vaultToken: rootToken });
    expect(secrets.at(-1)).toMatchObject({
      secret: "partner-key",
      pods: [],
      incomparable: "optional, and not mounted",
    });
    expect(warnings).toEqual([]);
  });

  test("is a break where pods mount it: the whole mount fails", async () => {
    const all = await links();
    expect(all["secret partner-key"]).toMatchObject({ state: "broken", cause: "secret/aidbox/partner is not there" });
    expect((await readStatus(site.environment, { vaultToken: rootToken })).warnings).toEqual([
      "partner-key: secret/aidbox/partner has no live value; the pods keep the value that they have",
    ]);
  });
});

describe("an optional value that has come", () => {
  test("is mounted by the next up, which verify and status tell", async () => {
    unmount();
    expect(await absent()).toEqual([]);
    const all = await links();
    expect(broken(all)).toEqual([]);
    expect(all["secret partner-key"]).toMatchObject({
      seen: expect.stringMatching(
        /^version 1 of .*; optional, and mounted by the next `npm run up -- --env test`$/,
      ) as unknown,
    });
    expect((await readStatus(site.environment, { vaultToken: rootToken })).warnings).toEqual([
      `partner-key: secret/aidbox/partner has a value now, and pods mount it after ${up}`,
    ]);
  });

  test("is not rotated before, since no pod would ever have it", async () => {
    unmount();
    const value = (): Promise<string> => Promise.resolve("another");
    const error = await errorOf(rotate(site.environment, "partner-key", value, { vaultToken: rootToken }));
    expect(error).toEqual(
      new InvalidRequestError(`partner-key is optional, and no pod mounts it: run ${up} once it has a value`),
    );
    expect(site.vault.data("aidbox/partner")).toEqual({ "partner-key": "another's hunter2" });
  });

  test("is as any other once it is mounted", async () => {
    expect(broken(await links())).toEqual([]);
    expect((await links())["secret partner-key"]).toMatchObject({
      seen: expect.not.stringContaining("optional") as unknown,
    });
  });
});

test("where Vault cannot be asked, pods keep what they mount", async () => {
  await site.vault.stop();
  jest.spyOn(VaultSession.prototype, "anonymousVault").mockResolvedValue({
    waitUntilUsable: () => Promise.reject(new Error("sealed")),
  } as never);
  expect(await absent()).toEqual([]);
  unmount();
  expect(await absent()).toEqual(["partner-key"]);
  jest.restoreAllMocks();
});
