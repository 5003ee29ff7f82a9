import { Readable, Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { openWebSocket } from "../cluster/bounded-calls";
import type { KubeApi } from "../cluster/kube-api";
import { messageOf, PermissionDeniedError } from "./permission-denied";

/** A container of a pod. */
export interface ContainerReference {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/** What a command in a container left behind. */
export interface Executed {
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/**
 * Runs a command in a container to its end, whatever its exit code.
 *
 * @param seconds how long it may take
 * @throws PermissionDeniedError where the operator may run none; Error where it did not run, or took too long
 */
export async function execute(
  api: KubeApi,
  { namespace, pod, container }: ContainerReference,
  command: readonly string[],
  seconds = 10,
): Promise<Executed> {
  const stdout = new Collected();
  const stderr = new Collected();
  const runner = new api.client.Exec(api.config);
  Object.assign(runner.handler, { socketFactory: openWebSocket }); // its class is not exported
  let connection: { close: () => void } | undefined;
  const late = new AbortController();
  const deadline = sleep(seconds * 1000, undefined, { ref: false, signal: late.signal }).then((): never => {
    throw new Error(`${command[0] ?? ""} gave no answer in pod ${pod} for ${seconds} s`);
  });
  const finished = new Promise<number>((resolve, reject) => {
    runner
      .exec(namespace, pod, container, [...command], stdout, stderr, null, false, (status) => {
        const code = status.details?.causes?.find(({ reason }) => reason === "ExitCode")?.message;
        if (status.status === "Success" || code !== undefined) resolve(Number(code ?? 0));
        else reject(new Error(`${command[0]} did not run in pod ${pod}: ${status.message ?? "no reason given"}`));
      })
      .then((socket) => {
        connection = socket;
        if (late.signal.aborted) socket.close(); // nobody waits for it any more
        socket.on("error", reject);
        socket.on("close", () => {
          reject(new Error(`the connection to pod ${pod} broke`));
        });
      }, reject);
  });
  try {
    const exitCode = await Promise.race([finished, deadline]);
    return { exitCode, stdout: stdout.content, stderr: stderr.content.toString() };
  } catch (error) {
    throw asExecError(error, namespace, pod);
  } finally {
    late.abort();
    deadline.catch(() => undefined);
    finished.catch(() => undefined);
    connection?.close();
  }
}

/** Keeps what is written to it. */
class Collected extends Writable {
  private readonly chunks: Buffer[] = [];

  public get content(): Buffer {
    return Buffer.concat(this.chunks);
  }

  public override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.chunks.push(chunk);
    done();
  }
}

/**
 * Ends a container once this process is no more, however it ended: a command in it waits for the end of its input, which
 * comes with the connection's. The container's own process ends at SIGTERM.
 *
 * @returns lets the container go, and so ends it
 */
export async function leash(api: KubeApi, { namespace, pod, container }: ContainerReference): Promise<() => void> {
  const input = new Readable({ read: () => undefined });
  const ignored = new Collected();
  const runner = new api.client.Exec(api.config);
  Object.assign(runner.handler, { socketFactory: openWebSocket });
  const command = ["sh", "-c", "cat > /dev/null; kill -TERM 1"];
  try {
    const socket = await runner.exec(namespace, pod, container, command, ignored, ignored, input, false);
    socket.on("error", () => undefined);
    return () => {
      socket.close();
    };
  } catch (error) {
    throw asExecError(error, namespace, pod);
  }
}

/** The client rejects with an event, not an error, where the API server refuses the connection. */
function asExecError(error: unknown, namespace: string, pod: string): Error {
  const message = messageOf(error);
  if (/\b403\b/.test(message)) {
    return new PermissionDeniedError(`"get" and "create" on pods/exec in namespace ${namespace}`);
  }
  return error instanceof Error ? error : new Error(`cannot run a command in pod ${pod}: ${message}`);
}
