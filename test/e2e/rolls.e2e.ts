import {
  answersTo,
  authKeys,
  clientSecret,
  expectExit,
  expectSuccess,
  kubectl,
  overrides,
  readSecretFile,
  readVariable,
  story,
  TestStack,
  tokenAnswers,
  tokenOf,
  waitForVariable,
  waitUntil,
} from "./harness";
import { callDuring, InstanceCounter } from "./instances";

const admin = { name: "admin-password", path: "aidbox/admin", environment: "BOX_ADMIN_PASSWORD", source: "seeded" };
const root = { name: "root-secret", path: "aidbox/root", environment: "BOX_ROOT_CLIENT_SECRET", source: "seeded" };
const secrets = [clientSecret, authKeys, admin, root];

/** A stop takes 10 s at most, so that each step of a roll waits for 20 s. */
const common = { secrets, "aidbox.replicas": 3, "aidbox.terminationGracePeriod": "10s" };

/** What the Republisher's interval and a roll may take beside what is waited for, in seconds. */
const rollSeconds = 240;

describe("the rolls of three replicas", () => {
  const step = story();
  let stack: TestStack;
  let counter: InstanceCounter | undefined;
  let options: string[];
  let token: string;

  beforeAll(async () => {
    stack = await TestStack.create("dev", { secrets });
  });
  afterAll(async () => {
    counter?.stop();
    await stack.dispose();
  });

  const configure = async (config: Record<string, unknown>): Promise<void> => {
    options = await overrides({ ...common, ...config });
    expectSuccess(await stack.command("up", "--yes", ...options));
  };
  const rotate = (...args: string[]) => stack.command("rotate", ...args, ...options);
  const generated = (name: string, ...args: string[]) => rotate(name, "--generate", "32", ...args);
  const ofDeployment = (path: string): Promise<string> =>
    kubectl("-n", "aidbox", "get", "deployment", "aidbox", "-o", `jsonpath={${path}}`);
  /** Number of the Deployment's last roll. */
  const revision = async (): Promise<number> =>
    Number(await ofDeployment(".metadata.annotations.deployment\\.kubernetes\\.io/revision"));
  const pendingSince = (): Promise<string> => ofDeployment(".metadata.annotations.aidbox-secrets/roll-pending");
  const pause = (seconds: number): Promise<void> => new Promise((done) => setTimeout(done, seconds * 1000));
  /** A time of the day in UTC, some hours from now. */
  const inHours = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString().slice(11, 16);

  step("by default misses no pod and no request, and the token of one pod stays good in all", async () => {
    await configure({});
    counter = await InstanceCounter.start();
    const secret = await readSecretFile();
    token = await tokenOf(secret);
    const host = await kubectl("-n", "aidbox", "get", "service", "aidbox", "-o", "jsonpath={.spec.clusterIP}");
    const rolled = generated("admin-password", "--restart");
    const [counted, calls] = await Promise.all([
      counter.during(rolled),
      callDuring(rolled, host, "/fhir/Patient", `Bearer ${token}`),
    ]);
    expectSuccess(await rolled);
    console.info(`a roll of 3, by default: ${JSON.stringify(counted)}, ${calls.length} calls`);
    expect(calls.filter((each) => each !== 200)).toEqual([]);
    expect(calls.length).toBeGreaterThan(100);
    expect(counted.fewestReady).toBeGreaterThanOrEqual(3);
    expect(await tokenAnswers(token)).toEqual([200, 200, 200]);
  });

  for (const { maxInstances, fewestReady } of [
    { maxInstances: 5, fewestReady: 3 },
    { maxInstances: 4, fewestReady: 2 },
  ]) {
    step(`with maxInstances ${maxInstances} never runs more, and keeps ${fewestReady} ready`, async () => {
      await configure({ "aidbox.maxInstances": maxInstances });
      const rolled = generated("admin-password", "--restart");
      const counted = await counter!.during(rolled);
      expectSuccess(await rolled);
      console.info(`a roll of 3 with maxInstances ${maxInstances}: ${JSON.stringify(counted)}`);
      expect(counted.samples).toBeGreaterThan(100);
      expect(counted.mostInstances).toBeLessThanOrEqual(maxInstances);
      expect(counted.fewestReady).toBeGreaterThanOrEqual(fewestReady);
    });
  }

  step("with maxInstances 3 stops all before it starts others, as the plan says", async () => {
    await configure({ "aidbox.maxInstances": 3 });
    const plan = await stack.command("plan", ...options);
    expect(plan.stdout).toContain("aidbox.maxInstances 3 leaves no instance beside 3 replicas");
    const rolled = generated("admin-password", "--restart");
    const counted = await counter!.during(rolled);
    expectSuccess(await rolled);
    console.info(`a roll of 3 with maxInstances 3: ${JSON.stringify(counted)}`);
    expect(counted.mostInstances).toBeLessThanOrEqual(3);
  });

  step("ten rotations within a batch give one roll, which brings the last value of each", async () => {
    await configure({ "aidbox.maxInstances": 5, rolls: { batch: "3m" } });
    await pause(30); // until the new Republisher has noted what the pods have
    const before = await revision();
    const start = Date.now();
    for (let count = 0; count < 5; count++) {
      for (const name of ["admin-password", "root-secret"]) expectSuccess(await generated(name));
    }
    console.info(`ten rotations took ${((Date.now() - start) / 1000).toFixed(0)} s`);
    expect(await revision()).toBe(before);
    const counted = await counter!.during(
      waitForVariable("BOX_ROOT_CLIENT_SECRET", await readSecretFile("root-secret"), 180 + rollSeconds),
    );
    expect(counted.mostInstances).toBeLessThanOrEqual(5);
    await waitForVariable("BOX_ADMIN_PASSWORD", await readSecretFile("admin-password"), 10);
    await pause(60);
    expect(await revision()).toBe(before + 1);
    expect(await pendingSince()).toBe("");
  });

  step("a quiet window that is closed is waited for, also by a Republisher that starts anew", async () => {
    await configure({ "aidbox.maxInstances": 5, rolls: { quietWindow: { from: inHours(2), to: inHours(3) } } });
    await pause(30);
    const [before, old] = [await revision(), await readVariable("BOX_ADMIN_PASSWORD")];
    const rotated = await generated("admin-password");
    expectSuccess(rotated);
    expect(rotated.stdout).toMatch(/is rolled by itself within 30 s of \d{4}-/);
    await waitUntil(async () => (await pendingSince()) !== "", 40);
    const since = await pendingSince();
    await kubectl("-n", "aidbox", "delete", "pod", "-l", "app.kubernetes.io/name=aidbox-republisher", "--wait=true");
    await pause(60);
    expect([await revision(), await readVariable("BOX_ADMIN_PASSWORD"), await pendingSince()]).toEqual([
      before,
      old,
      since,
    ]);
    expect((await stack.command("status", ...options)).stdout).toContain("waits to be rolled until");
    expectExit(await generated("admin-password", "--restart"), 2);
  });

  step("--now does not wait for it", async () => {
    const before = await revision();
    expectSuccess(await generated("admin-password", "--now"));
    await waitForVariable("BOX_ADMIN_PASSWORD", await readSecretFile("admin-password"), 10);
    expect([await revision(), await pendingSince()]).toEqual([before + 1, ""]);
  });

  step("the pair that signs tokens does not wait for it either", async () => {
    const before = await revision();
    expectSuccess(await rotate("auth-keys", "--yes", "--restart"));
    expect(await revision()).toBe(before + 1);
    expect(await tokenAnswers(token)).toEqual([401, 401, 401]);
  });

  step("what is due is rotated for a scheduler, and the pair is only named", async () => {
    const aged = secrets.map((row) =>
      [clientSecret, authKeys].includes(row as never) ? { ...row, maxAge: "10s" } : row,
    );
    const own = await overrides({ ...common, secrets: aged });
    const before = await readSecretFile();
    await pause(10);
    const due = await stack.command("rotate", "--due", "--json", ...own);
    expectExit(due, 3);
    const { rotated, waiting } = JSON.parse(due.stdout) as Record<"rotated" | "waiting", { secret: string }[]>;
    expect([rotated, waiting].map((rows) => rows.map(({ secret }) => secret))).toEqual([
      ["client-secret"],
      ["auth-keys"],
    ]);
    expect(await answersTo(await readSecretFile())).toEqual([200, 200, 200]);
    expect(await answersTo(before)).toEqual([401, 401, 401]);
  });
});
