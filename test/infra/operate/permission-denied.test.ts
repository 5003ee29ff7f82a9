import { setTimeout as sleep } from "node:timers/promises";
import { allPermitted, PermissionDeniedError } from "../../../infra/operate/permission-denied";

/** A call that is refused after some milliseconds. */
async function refused(right: string, milliseconds = 0): Promise<never> {
  await sleep(milliseconds);
  throw new PermissionDeniedError(right);
}

test("calls that all may be made return what they return", async () => {
  expect(await allPermitted([Promise.resolve("pods"), Promise.resolve(2)])).toEqual(["pods", 2]);
});

test("every right that lacks is named, in the calls' order and not in that of the answers", async () => {
  const calls = allPermitted([refused("nodes", 20), Promise.resolve(1), refused("drivers")]);
  await expect(calls).rejects.toEqual(new PermissionDeniedError("nodes; drivers"));
});

test("a right that lacks to two calls is named once", async () => {
  await expect(allPermitted([refused("nodes"), refused("nodes", 5)])).rejects.toEqual(
    new PermissionDeniedError("nodes"),
  );
});

test("where something else failed too, the first failure in the calls' order is told as it is", async () => {
  const broken = new Error("connection reset");
  await expect(allPermitted([Promise.reject(broken), refused("nodes")])).rejects.toBe(broken);
  await expect(allPermitted([refused("nodes", 5), Promise.reject(broken)])).rejects.toEqual(
    new PermissionDeniedError("nodes"),
  );
});
