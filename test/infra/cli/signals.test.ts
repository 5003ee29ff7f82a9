import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Checkout } from "./checkout";
import type { Ran } from "./ran";

/** A Pulumi that notes each signal, and ends in good order once it was interrupted and may. */
const pulumi = `#!/bin/sh
cd "$NOTES"
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
  writeFileSync(join(checkout.bin, "pulumi"), pulumi, { mode: 0o755 });
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
  const notes = mkdtempSync(join(checkout.root, "notes-"));
  const [began, noted] = [join(notes, "began"), join(notes, "signals")];
  const { child, ended } = checkout.start(["up", "--yes"], { NOTES: notes });
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

// All at once: most of each is waiting.
const one = (["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT"] as const).map((signal) => [signal] as const);
const begun = new Map<string, ReturnType<typeof signalled>>();
beforeAll(() => {
  for (const signals of one) begun.set(signals.join(), signalled(signals));
  begun.set("a second one", signalled(["SIGTERM", "SIGTERM"], 700, 2));
  begun.set("one that npm passes on again", signalled(["SIGINT", "SIGINT"], 50));
});

test.each(one)(
  "%s is passed on to Pulumi as an interrupt, and the command waits until it has ended",
  async (signal) => {
    const { ran, noted } = await begun.get(signal)!;
    expect(noted).toEqual(["INT", "ended"]);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain(
      `${signal}: interrupting Pulumi, and waiting until it has ended\n` +
        `${signal}: Pulumi has ended. To go on, run the command again.\n`,
    );
  },
);

test("a second signal is passed on too", async () => {
  const { noted, ran } = await begun.get("a second one")!;
  expect(noted).toEqual(["INT", "INT", "ended"]);
  expect(ran.stderr).toContain("SIGTERM: ending Pulumi at once\n");
});

test("a signal that npm passes on again is one", async () => {
  expect((await begun.get("one that npm passes on again")!).noted).toEqual(["INT", "ended"]);
});
