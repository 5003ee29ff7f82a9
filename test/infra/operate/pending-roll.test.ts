import { Duration } from "cdk8s";
import { rollPendingAnnotation } from "../../../constructs/kubernetes";
import { InvalidRequestError } from "../../../infra/operate/errors";
import type { RotateOptions, Rotation } from "../../../infra/operate/follow-change";
import { nextRoll } from "../../../infra/operate/pending-roll";
import { rotate } from "../../../infra/operate/rotate";
import { readStatus } from "../../../infra/operate/status";
import { hurryTimers } from "../../hurry-timers";
import { errorOf } from "../../mocks";
import { config, rootToken, Site } from "./site";

hurryTimers();

const database = { name: "database-password", path: "aidbox/pg", environment: "BOX_DB_PASSWORD", source: "seeded" };
const batch = { rolls: { batch: "1h" }, secrets: [...config.secrets, database] };
const hour = 3_600_000;

let site: Site;
beforeEach(() => {
  delete process.env.VAULT_TOKEN;
});
afterEach(() => site.stop());

async function start(changes: Record<string, unknown>): Promise<void> {
  site = await Site.start(changes);
  site.rolls = false;
  process.env.KUBECONFIG = site.cluster.kubeconfig;
}

function rotated(name: string, options: RotateOptions = {}): Promise<Rotation> {
  return rotate(site.environment, name, () => Promise.resolve("second hunter2"), { vaultToken: rootToken, ...options });
}

const deploymentWrites = (): readonly string[] => site.cluster.writes.filter((each) => each.includes("deployments"));

function pendSince(seconds: string): void {
  site.cluster.change("Deployment", "aidbox", { metadata: { annotations: { [rollPendingAnnotation]: seconds } } });
}

describe("a rotation whose roll waits", () => {
  test("says when the roll is, from its own change on, and asks for none", async () => {
    await start(batch);
    const before = Date.now();
    const { synced } = await rotated("admin-password", { vaultToken: site.restrictTo("rotator") });
    const [consumer, ...others] = synced!.consumers;
    expect(others).toEqual([]);
    expect(consumer).toEqual({
      kind: "Deployment",
      name: "aidbox",
      rollsByItself: true,
      rollsAt: expect.any(Date) as Date,
    });
    expect(consumer!.rollsAt!.getTime()).toBeGreaterThanOrEqual(before + hour);
    expect(consumer!.rollsAt!.getTime()).toBeLessThanOrEqual(Date.now() + hour);
    expect(deploymentWrites()).toEqual([]);
  });

  test("comes to the roll that waits already", async () => {
    await start(batch);
    const since = Math.floor(Date.now() / 1000) - 600;
    pendSince(String(since));
    const { synced } = await rotated("admin-password");
    expect(synced!.consumers[0]!.rollsAt).toEqual(new Date((since + 3600) * 1000));
  });

  test("is refused where it shall wait for it, before anything is written", async () => {
    await start({ rolls: { batch: "1h", quietWindow: { from: "01:00", to: "04:00" } } });
    const error = await errorOf(rotated("admin-password", { restart: true }));
    expect(error).toBeInstanceOf(InvalidRequestError);
    expect(error.message).toBe(
      "the roll for admin-password waits for others within 1h and the quiet window from 01:00 to 04:00 UTC: leave out " +
        "--restart, and it is rolled then, or pass --now to roll at once",
    );
    expect(site.vault.writes.filter((each) => !/login$|revoke-self$/.test(each))).toEqual([]);
  });

  test("waits with --restart where it is a file only, as there is no roll", async () => {
    await start(batch);
    expect(await rotated("client-secret", { restart: true })).not.toHaveProperty("synced");
  });

  test("does not wait with --now: it has the Republisher roll, again where that forgot it, and waits for that", async () => {
    await start(batch);
    let asked = 0;
    site.cluster.intercept = ({ verb, resource, body }) => {
      if (verb !== "patch" || resource !== "deployments") return undefined;
      expect(body).toEqual({ metadata: { annotations: { [rollPendingAnnotation]: "now" } } });
      if (++asked === 2) {
        setTimeout(() => {
          site.rollAidbox();
        }, 100);
      }
      return undefined;
    };
    const vaultToken = site.restrictTo("rotator");
    const { synced } = await rotated("admin-password", { now: true, vaultToken });
    expect(asked).toBe(2);
    expect(synced).toMatchObject({ restarted: true, consumers: [{ name: "aidbox", rollsByItself: true }] });
    expect(synced!.consumers[0]).not.toHaveProperty("rollsAt");
  });

  test("rolls by itself with --now where no Republisher does", async () => {
    await start({ rotationBound: "90s" });
    await rotated("admin-password", { now: true, vaultToken: site.restrictTo("rotator") });
    const { spec } = site.cluster.object("Deployment", "aidbox") as unknown as {
      spec: { template: { metadata: { annotations: object } } };
    };
    expect(Object.keys(spec.template.metadata.annotations)).toContain("kubectl.kubernetes.io/restartedAt");
  });
});

test("a database's password does not wait: no time is told, and --restart waits for the roll", async () => {
  await start(batch);
  const { synced } = await rotated("database-password");
  expect(synced!.consumers).toEqual([{ kind: "Deployment", name: "aidbox", rollsByItself: true }]);
  // A roll before it is waited for is not the one that is waited for.
  const onProgress = (text: string): void => {
    if (text === "rolling Deployment aidbox") site.rollAidbox();
  };
  const again = await rotated("database-password", { restart: true, onProgress });
  expect(again.synced).toMatchObject({ restarted: true });
});

describe("the status", () => {
  const status = () => readStatus(site.environment, { vaultToken: site.restrictTo("viewer") });

  test("tells of a roll that waits", async () => {
    await start(batch);
    const since = Math.floor(Date.now() / 1000) - 600;
    pendSince(String(since));
    expect((await status()).pendingRoll).toEqual({
      since: new Date(since * 1000),
      at: new Date((since + 3600) * 1000),
    });
  });

  test("tells of none where none waits", async () => {
    await start(batch);
    expect(await status()).not.toHaveProperty("pendingRoll");
  });
});

describe("the next roll", () => {
  beforeEach(() => start({}));
  const now = new Date("2026-11-26T12:00:00Z");
  const annotated = (time: string) => ({ [rollPendingAnnotation]: String(Date.parse(time) / 1000) });
  const quietWindow = { fromMinute: 60, toMinute: 240 };

  it.each([
    {
      what: "from now on",
      schedule: { batch: Duration.seconds(300) },
      annotations: undefined,
      at: "2026-11-26T12:05:00Z",
    },
    {
      what: "at once",
      schedule: { quietWindow },
      annotations: { [rollPendingAnnotation]: "now" },
      at: "2026-11-26T12:00:00Z",
    },
    {
      what: "in a moment, as it is due",
      schedule: { batch: Duration.seconds(300) },
      annotations: annotated("2026-11-26T11:00:00Z"),
      at: "2026-11-26T12:00:00Z",
    },
    {
      what: "in the next window, as it missed the last",
      schedule: { batch: Duration.seconds(300), quietWindow },
      annotations: annotated("2026-11-25T11:00:00Z"),
      at: "2026-11-27T01:00:00Z",
    },
    {
      what: "from now on, where nobody can read since when",
      schedule: { batch: Duration.seconds(300) },
      annotations: { [rollPendingAnnotation]: "08" },
      at: "2026-11-26T12:05:00Z",
    },
  ])("is $what", ({ schedule, annotations, at }) => {
    expect(nextRoll(schedule, annotations, now)).toEqual(new Date(at));
  });
});
