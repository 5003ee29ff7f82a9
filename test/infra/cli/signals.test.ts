import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Checkout } from "./checkout";
import type { Ran } from "./ran";

/** A Pulumi that takes some seconds to end in good order once it is interrupted, and notes each signal. */
const pulumi = (seconds: number): string => `#!/bin/sh
case "$1" in up) ;; *) exit 0 ;; esac
for signal in INT TERM HUP QUIT; do trap "echo $signal >> signals" "$signal"; done
echo began > began
while [ -e began ] && [ ! -e signals ]; do /bin/sleep 0.1; done
/bin/sleep ${seconds}
echo ended >> signals
exit 255
`;

let checkout: Checkout;
beforeAll(() => {
  checkout = new Checkout();
  checkout.setContexts({ "kind-aidbox": "http://127.0.0.1:1" });
});
afterAll(() => {
  checkout.dispose();
});

/** Starts an `up`, and sends signals to it once Pulumi runs. @returns what it left, and what Pulumi noted */
async function signalled(
  signals: readonly NodeJS.Signals[],
  pause = 0,
  seconds = 0.5,
): Promise<{ readonly ran: Ran; readonly noted: string[] }> {
  writeFileSync(join(checkout.bin, "pulumi"), pulumi(seconds), { mode: 0o755 });
  for (const each of ["began", "signals"]) rmSync(join(checkout.root, each), { force: true });
  const { child, ended } = checkout.start(["up", "--yes"]);
  while (!existsSync(join(checkout.root, "began")) && child.exitCode === null) await sleep(50);
  for (const signal of signals) {
    child.kill(signal);
    await sleep(pause);
  }
  const ran = await ended;
  return { ran, noted: readFileSync(join(checkout.root, "signals"), "utf8").split("\n").filter(Boolean) };
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
