/** Whether Node itself waits for the disk, for a name's address, or for a process. */
function isWaiting(): boolean {
  return process.getActiveResourcesInfo().some((each) => /^(FSReq|GetAddrInfo|ProcessWrap)/.test(each));
}

/**
 * Has time pass some 25 times as fast in each test, `Date` too, so that a test of a wait does not wait. What answers within
 * the process keeps its pace: time stands still while it works, reads a file, or waits for a process that it started.
 *
 * @param step how much time passes in two milliseconds, in milliseconds
 */
export function hurryTimers(step = 50): void {
  const { setInterval, clearInterval } = globalThis;
  let clock: NodeJS.Timeout | undefined;
  beforeEach(() => {
    jest.useFakeTimers({
      doNotFake: ["nextTick", "setImmediate", "clearImmediate", "queueMicrotask", "performance", "hrtime"],
    });
    clock = setInterval(() => {
      if (!isWaiting()) void jest.advanceTimersByTimeAsync(step);
    }, 2);
  });
  afterEach(() => {
    clearInterval(clock);
    jest.useRealTimers();
  });
}
