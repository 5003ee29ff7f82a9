import { once } from "node:events";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Checkout } from "./checkout";
import type { Ran } from "./ran";

/** A Pulumi that notes each signal, and ends in good order once it was interrupted and may. */
const pulumi = `#!/bin/sh
case "$1" in up) ;; *) exit 0 ;; esac
for signal in INT TERM HUP QUIT; do trap "echo $signal >> signals" "$signal"; done
echo began > began
while [ -e began ] || [ ! -e signals ]; do /bin/sleep 0.1; done
echo ended >> signals
exit 255
`;

/** A cluster that tells its version, which is all that is asked for before Pulumi runs. */
const cluster = createServer((_, answer) => {
  answer.setHeader("content-type", "application/json");
  answer.end(JSON.stringify({ major: "1", minor: "34" }));
});

let checkout: Checkout;
beforeAll(async () => {
  await once(cluster.listen(0, "127.0.0.1"), "listening");
  checkout = new Checkout();
  checkout.setContexts({ "kind-aidbox": `http://127.0.0.1:${(cluster.address() as AddressInfo).port}` });
});
afterAll(() => {
  cluster.close();
  cluster.closeAllConnections();
  checkout.dispose();
});

/**
 * Starts an `up`, and sends signals to it once Pulumi runs.
 *
 * @param pause milliseconds after each signal
 * @param passed how many of them Pulumi is to be told, before it ends
 * @returns what it left, and what Pulumi noted
 */
async function signalled(
  signals: readonly NodeJS.Signals[],
  pause = 0,
  passed = 1,
): Promise<{ readonly ran: Ran; readonly noted: string[] }> {
  writeFileSync(join(checkout.bin, "pulumi"), pulumi, { mode: 0o755 });
  const [began, noted] = ["began", "signals"].map((each) => join(checkout.root, each)) as [string, string];
  for (const each of [began, noted]) rmSync(each, { force: true });
  const { child, ended } = checkout.start(["up", "--yes"]);
  const lines = (): string[] => (existsSync(noted) ? readFileSync(noted, "utf8").split("\n").filter(Boolean) : []);
  const until = async (isSo: () => boolean): Promise<void> => {
    while (!isSo() && child.exitCode === null) await sleep(50);
  };
  await until(() => existsSync(began));
  for (const [index, signal] of signals.entries()) {
    child.kill(signal);
    // So that, however busy the machine is, the command has the first one before the next comes.
    if (index === 0 && passed > 1) await until(() => lines().length > 0);
    await sleep(pause);
  }
  await until(() => lines().length >= passed);
  rmSync(began);
  const ran = await ended;
  return { ran, noted: lines() };
}

test.each<NodeJS.Signals>(["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT"])(
  "%s is passed on to Pulumi as an interrupt, and the command waits until it has ended",
  async (signal) => {
    const { ran, noted } = await signalled([signal]);
    expect(noted).toEqual(["INT", "ended"]);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain(
      `${signal}: interrupting Pulumi, and waiting until it has ended\n` +
        `${signal}: Pulumi has ended. To go on, run the command again.\n`,
    );
  },
);

test("a second signal is passed on too", async () => {
  const { noted, ran } = await signalled(["SIGTERM", "SIGTERM"], 700, 2);
  expect(noted).toEqual(["INT", "INT", "ended"]);
  expect(ran.stderr).toContain("SIGTERM: ending Pulumi at once\n");
});

test("a signal that npm passes on again is one", async () => {
  expect((await signalled(["SIGINT", "SIGINT"], 50)).noted).toEqual(["INT", "ended"]);
});
