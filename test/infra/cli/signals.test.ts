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
while [ -e began ] || [ ! -e signals ]; do /bin/sleep 0.03; done
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

/** Where a run's Pulumi notes what it is told, and is told that it may end. */
class Notes {
  public readonly folder = mkdtempSync(join(checkout.root, "notes-"));
  private readonly began = join(this.folder, "began");

  /** Waits until Pulumi runs, unless the command has ended. */
  public async untilBegun(hasEnded: () => boolean): Promise<void> {
    await until(() => existsSync(this.began) || hasEnded());
  }

  public letEnd(): void {
    rmSync(this.began);
  }

  /** The signals that Pulumi got, and at last that it has ended. */
  public get lines(): string[] {
    const file = join(this.folder, "signals");
    return existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean) : [];
  }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(20);
}

/**
 * Starts an `up` in a process of its own, and sends signals to it once Pulumi runs.
 *
 * @param pause milliseconds after each signal
 * @param passed how many of them Pulumi is to be told, before it ends
 * @returns what it left, and what Pulumi noted
 */
async function signalled(
  signals: readonly NodeJS.Signals[],
  pause: number,
  passed = 1,
): Promise<{ readonly ran: Ran; readonly noted: string[] }> {
  const notes = new Notes();
  const { child, ended } = checkout.start(["up", "--yes"], { NOTES: notes.folder });
  const hasEnded = (): boolean => child.exitCode !== null;
  await notes.untilBegun(hasEnded);
  for (const [index, signal] of signals.entries()) {
    child.kill(signal);
    // So that, however busy the machine is, the command has the first one before the next comes.
    if (index === 0 && passed > 1) await until(() => notes.lines.length > 0 || hasEnded());
    await sleep(pause);
  }
  await until(() => notes.lines.length >= passed || hasEnded());
  notes.letEnd();
  return { ran: await ended, noted: notes.lines };
}

// All at once: most of each is waiting.
const begun = new Map<string, ReturnType<typeof signalled>>();
beforeAll(() => {
  begun.set("a second one", signalled(["SIGTERM", "SIGTERM"], 700, 2));
  begun.set("one that npm passes on again", signalled(["SIGINT", "SIGINT"], 50));
});

test.each(["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT"] as const)(
  "%s is passed on to Pulumi as an interrupt, and the command waits until it has ended",
  async (signal) => {
    const notes = new Notes();
    const before = process.listeners(signal);
    let ran: Ran | undefined;
    const running = checkout.run(["up", "--yes"], { NOTES: notes.folder }).then((left) => (ran = left));
    await notes.untilBegun(() => ran !== undefined);
    const [tell, ...others] = process.listeners(signal).filter((each) => !before.includes(each));
    expect(others).toEqual([]);
    tell!(signal); // as Node does; the signal itself would come to Jest, too
    await until(() => notes.lines.length > 0 || ran !== undefined);
    expect(ran).toBeUndefined();
    notes.letEnd();
    const { code, stderr } = await running;
    expect(notes.lines).toEqual(["INT", "ended"]);
    expect(code).toBe(1);
    expect(stderr).toContain(
      `${signal}: interrupting Pulumi, and waiting until it has ended\n` +
        `${signal}: Pulumi has ended. To go on, run the command again.\n`,
    );
    expect(process.listeners(signal)).toEqual(before);
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
