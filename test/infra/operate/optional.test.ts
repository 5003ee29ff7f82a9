import { withoutSecrets } from "../../../infra/config/optional";
import { InvalidRequestError } from "../../../infra/operate/errors";
import { explain } from "../../../infra/operate/explain";
import type { LinkReport } from "../../../infra/operate/link";
import { rotate } from "../../../infra/operate/rotate";
import { readStatus } from "../../../infra/operate/status";
import { VaultSession } from "../../../infra/operate/stores/vault/session";
import { verify } from "../../../infra/operate/verify";
import { writeFirst } from "../../../infra/operate/write";
import { type Mounted, mountedEnvironments } from "../../../infra/program/stores/mounted-environments";
import { errorOf } from "../../mocks";
import { checkVaultEnvironment } from "../vault-environment";
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
  return [...(await mountedEnvironments(session)).values()].flatMap(({ environment }) => {
    const mounted = environment.table.secrets.map(({ name }) => name);
    return site.environment.table.secrets.flatMap(({ name }) => (mounted.includes(name) ? [] : [name]));
  });
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

describe("all keys of a secret", () => {
  const partner = { name: "partner", path: "apps/partner", keys: "all" };
  const token = { name: "partner-token", path: "apps/partner", key: "token" };

  beforeEach(async () => {
    await site.stop();
    site = await Site.start({ secrets: [...config.secrets, partner] });
    process.env.KUBECONFIG = site.cluster.kubeconfig;
  });

  const hold = (...keys: readonly string[]): number =>
    site.vault.put("apps/partner", Object.fromEntries(keys.map((key) => [key, `${key}'s hunter2`])));

  async function mountedBy(environment = site.environment): Promise<Mounted> {
    const session = await VaultSession.open(environment, rootToken);
    return [...(await mountedEnvironments(session)).values()][0]!;
  }

  const files = ({ environment }: Mounted): readonly string[] =>
    environment.table.secrets.flatMap(({ keysOf, file, key }) => (keysOf === undefined ? [] : [`${file}: ${key}`]));

  test("are an object each, in a folder of the row's name, and in the policy by their path", async () => {
    const found = await mountedBy();
    expect(files(found)).toEqual(["partner/password: password", "partner/user: user"]);
    expect(found).toMatchObject({ notices: [], warnings: [] });
    const { parameters } = site.cluster.object("SecretProviderClass", "aidbox-vault-secrets").spec as {
      parameters: { objects: string };
    };
    expect(parameters.objects).toContain(
      "- objectName: partner/user\n  secretPath: secret/data/apps/partner\n  secretKey: user\n",
    );
    expect(parameters.objects).not.toContain("*");
    expect(broken(await links())).toEqual([]);
    expect((await links())["keys partner"]).toMatchObject({ seen: "2 of 2 keys are mounted" });
    const { secrets, warnings } = await readStatus(site.environment, { vaultToken: rootToken });
    expect(secrets.slice(-2).map(({ secret, pods }) => [secret, pods.map(({ isCurrent }) => isCurrent)])).toEqual([
      ["partner/user", [true, true]],
      ["partner/password", [true, true]],
    ]);
    expect(warnings).toEqual([]);
  });

  test("that is added is mounted by the next up, which verify and status tell", async () => {
    hold("user", "password", "token");
    for (const pod of ["aidbox-a", "aidbox-b"]) site.publish(pod);
    const all = await links();
    expect(broken(all)).toEqual([]);
    expect(all["keys partner"]).toMatchObject({ seen: `2 of 3 keys are mounted, and token by the next \`${up}\`` });
    expect((await readStatus(site.environment, { vaultToken: rootToken })).warnings).toEqual([
      `secret/apps/partner has the key token, and pods mount it after ${up}`,
    ]);
    expect(files(await mountedBy())).toContain("partner/token: token");
  });

  test("that goes would fail the mount, which up, verify and status tell by its name", async () => {
    hold("user");
    const { warnings, ...found } = await mountedBy();
    expect(warnings).toEqual(["partner/password: apps/partner has no such key any more, and pods lose the file"]);
    expect(files({ ...found, warnings })).toEqual(["partner/user: user"]);
    expect((await links())["keys partner"]).toMatchObject({
      state: "broken",
      cause: "secret/apps/partner has no password any more, which pods mount: no new pod starts",
      fix: `${up}, which takes the file away, or write the value again`,
    });
    expect((await readStatus(site.environment, { vaultToken: rootToken })).warnings).toContain(
      `secret/apps/partner has no key password any more, and no new pod starts until ${up}`,
    );
  });

  test("of which none is there stop the up, and verify names the command that writes one", async () => {
    site.vault.remove("apps/partner");
    expect(files(await mountedBy())).toEqual([]);
    expect((await links())["keys partner"]).toMatchObject({
      cause: "secret/apps/partner has no key, or is not there",
      fix: "npm run write -- partner/KEY --env test",
    });
    jest.replaceProperty(process, "env", { ...process.env, VAULT_TOKEN: rootToken });
    await writeFirst(site.environment, "partner/user", () => Promise.resolve("a new hunter2"));
    jest.restoreAllMocks();
    expect(site.vault.data("apps/partner")).toEqual({ user: "a new hunter2" });
  });

  test("are rotated each by its name, once it is mounted", async () => {
    const value = (): Promise<string> => Promise.resolve("another");
    await rotate(site.environment, "partner/user", value, { vaultToken: rootToken });
    expect(site.vault.data("apps/partner")).toEqual({ user: "another", password: "another's hunter2" });
    expect(await errorOf(rotate(site.environment, "partner/token", value, { vaultToken: rootToken }))).toEqual(
      new InvalidRequestError(
        'environment "test" has no secret "partner/token": did you mean partner/user? It has client-secret, neighbour, ' +
          "admin-password, db-password, partner/user, partner/password",
      ),
    );
  });

  test("with a row of their own keep it", async () => {
    hold("user", "token");
    const environment = checkVaultEnvironment("test", {
      ...siteConfig(),
      secrets: [...config.secrets, partner, token],
    });
    expect(files(await mountedBy(environment))).toEqual(["partner/user: user"]);
  });

  test.each([
    ["client secret", 'secrets[4].keys[0]: "client secret": is no file\'s name'],
    ["../up", 'secrets[4].keys[0]: "../up": is no file\'s name'],
    ["user/name", 'secrets[4].file: "partner/user/name": lies below the file of secrets[5]'],
  ])("that cannot be a file are refused before anything is touched: %s", async (key, problem) => {
    hold(key);
    const other = { name: "other", path: "apps/other", file: "partner/user" };
    const environment = checkVaultEnvironment("test", {
      ...siteConfig(),
      secrets: [...config.secrets, partner, other],
    });
    const error = await errorOf(mountedBy(environment));
    expect(String(error)).toContain(`is not valid:\n  aidbox-secrets:${problem}`);
  });

  test("stay as pods mount them where Vault cannot be asked, which up says", async () => {
    hold("user", "password", "token");
    jest.spyOn(VaultSession.prototype, "anonymousVault").mockResolvedValue({
      waitUntilUsable: () => Promise.reject(new Error("sealed")),
    } as never);
    const found = await mountedBy();
    jest.restoreAllMocks();
    expect(files(found)).toEqual(["partner/user: user", "partner/password: password"]);
    expect(found.notices).toEqual([
      "Vault cannot be asked yet which keys apps/partner has: pods keep those of partner that they have",
    ]);
  });

  test("need no more rights than the documented ones of each role", async () => {
    const vaultToken = site.restrictTo("viewer");
    const { ok } = await verify(site.environment, { vaultToken });
    expect(ok).toBe(true);
    expect((await readStatus(site.environment, { vaultToken })).warnings).toEqual([]);
  });

  test("are explained by one that is not there yet, too", () => {
    const linesOf = (name: string): string => JSON.stringify(explain(site.environment, name).stations);
    expect(linesOf("partner/any")).toContain("secret/apps/partner, key any");
    expect(linesOf("partner")).toContain("objectName: partner/*");
  });

  function siteConfig(): Record<string, unknown> {
    const { address } = site.vault;
    return { ...config, vault: { ...config.vault, addressFromHere: address } };
  }
});
