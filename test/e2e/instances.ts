import { type ChildProcess, spawn } from "node:child_process";
import { request } from "node:http";

interface PodList {
  readonly items: readonly {
    readonly status: {
      readonly conditions?: readonly { readonly type: string; readonly status: string }[];
      readonly initContainerStatuses?: readonly { readonly state: { readonly terminated?: object } }[];
      readonly containerStatuses?: readonly { readonly state: { readonly terminated?: object } }[];
    };
    readonly metadata: { readonly deletionTimestamp?: string };
  }[];
}

/** How many there were in a while. */
export interface Counted {
  /** Most processes of Aidbox at once, those that start or stop counted. */
  readonly mostInstances: number;
  /** Fewest pods at once that were ready and not told to stop. */
  readonly fewestReady: number;
  readonly samples: number;
}

/** Counts Aidbox's processes each 100 ms, by the API server's own list. */
export class InstanceCounter {
  private constructor(
    private readonly proxy: ChildProcess,
    private readonly port: number,
  ) {}

  public static async start(): Promise<InstanceCounter> {
    const proxy = spawn("kubectl", ["proxy", "--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
    const port = await new Promise<number>((resolve, reject) => {
      proxy.stdout.on("data", (chunk: Buffer) => {
        const [, found] = /127\.0\.0\.1:(\d+)/.exec(chunk.toString()) ?? [];
        if (found !== undefined) resolve(Number(found));
      });
      proxy.on("exit", (code) => {
        reject(new Error(`kubectl proxy ended with ${code ?? "a signal"}`));
      });
    });
    return new InstanceCounter(proxy, port);
  }

  /** Counts until something is done. */
  public async during(action: Promise<unknown>): Promise<Counted> {
    const state = { isDone: false };
    const done = action.finally(() => (state.isDone = true));
    const [instances, ready]: [number[], number[]] = [[], []];
    while (!state.isDone) {
      const [list] = await Promise.all([this.list(), new Promise((next) => setTimeout(next, 100))]);
      instances.push(list.items.filter(runs).length);
      ready.push(list.items.filter(isReady).length);
    }
    await done;
    return {
      mostInstances: Math.max(...instances),
      fewestReady: Math.min(...ready),
      samples: instances.length,
    };
  }

  public stop(): void {
    this.proxy.removeAllListeners("exit");
    this.proxy.kill();
  }

  private async list(): Promise<PodList> {
    const selector = encodeURIComponent("app.kubernetes.io/name=aidbox");
    const answer = await fetch(`http://127.0.0.1:${this.port}/api/v1/namespaces/aidbox/pods?labelSelector=${selector}`);
    return (await answer.json()) as PodList;
  }
}

/** Whether Aidbox runs in it, or is about to: the container that waits for the secrets is through. */
function runs({ status }: PodList["items"][number]): boolean {
  const { initContainerStatuses = [], containerStatuses = [] } = status;
  const isThrough = initContainerStatuses.length > 0 && initContainerStatuses.every(({ state }) => state.terminated);
  return isThrough && containerStatuses.some(({ state }) => state.terminated === undefined);
}

function isReady({ metadata, status }: PodList["items"][number]): boolean {
  const { conditions = [] } = status;
  return (
    metadata.deletionTimestamp === undefined &&
    conditions.some(({ type, status: is }) => type === "Ready" && is === "True")
  );
}

/**
 * Calls an address on a connection of its own each time, until something is done.
 *
 * @returns what each call came to: an HTTP status, or why there was none
 */
export async function callDuring(
  action: Promise<unknown>,
  host: string,
  path: string,
  authorization: string,
): Promise<(number | string)[]> {
  const state = { isDone: false };
  const done = action.finally(() => (state.isDone = true));
  const results: (number | string)[] = [];
  while (!state.isDone) {
    const call = new Promise<number | string>((resolve) => {
      const headers = { Authorization: authorization };
      const asked = request({ host, port: 8080, path, headers, agent: false, timeout: 5000 }, (answer) => {
        answer.resume();
        answer.on("close", () => {
          resolve(answer.complete ? (answer.statusCode ?? 0) : "cut off");
        });
      });
      asked.on("timeout", () => asked.destroy(new Error("no answer for 5 s")));
      asked.on("error", ({ message }) => {
        resolve(message);
      });
      asked.end();
    });
    results.push(await call);
    await new Promise((next) => setTimeout(next, 20));
  }
  await done;
  return results;
}
