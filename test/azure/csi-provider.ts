import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:http2";
import { connect as connectSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { AzureStandIn } from "./stand-in";

/** Azure's own CSI provider, version 1.8.2, as the live tests have it too. */
const program = "/usr/local/bin/azure-key-vault-provider";

/** Whether this machine has Azure's CSI provider. */
export const hasCsiProvider = existsSync(program);

/** What the driver would write and note after a mount. */
export interface Mounted {
  readonly files: readonly { readonly path: string; readonly mode: number; readonly content: string }[];
  readonly objects: readonly { readonly id: string; readonly version: string }[];
}

/** Runs Azure's CSI provider against the stand-in, and asks it what the Secrets Store CSI driver asks. */
export class CsiProvider {
  private constructor(
    private readonly process: ChildProcess,
    private readonly folder: string,
  ) {}

  /** @param healthPort of 127.0.0.1; two of this machine want two */
  public static async start(azure: AzureStandIn, healthPort = 18989): Promise<CsiProvider> {
    const folder = mkdtempSync(join(tmpdir(), "azure-provider-"));
    const caFile = join(folder, "ca.crt");
    writeFileSync(caFile, azure.ca);
    const socket = join(folder, "azure.sock");
    const child = spawn(program, [`--endpoint=unix://${socket}`, `--healthz-port=${healthPort}`], {
      env: { ...process.env, ...azure.variables(caFile) },
      stdio: "ignore",
    });
    while (!existsSync(socket)) {
      if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}`);
      await sleep(20);
    }
    return new CsiProvider(child, folder);
  }

  public stop(): void {
    this.process.kill("SIGKILL");
    rmSync(this.folder, { recursive: true });
  }

  /**
   * What the provider makes of a class's parameters for a pod.
   *
   * @param attributes the class's parameters, and what the driver adds to them
   * @param secrets content of the Secret that the volume names
   */
  public async mount(
    attributes: Readonly<Record<string, string>>,
    secrets: Readonly<Record<string, string>> = {},
  ): Promise<Mounted> {
    const pod = { "csi.storage.k8s.io/pod.name": "aidbox-0", "csi.storage.k8s.io/pod.namespace": "aidbox" };
    const mode = JSON.stringify(0o644);
    const request = [JSON.stringify({ ...pod, ...attributes }), JSON.stringify(secrets), "/mnt", mode];
    const answer = fieldsOf(
      await this.call(Buffer.concat(request.map((text, at) => field(at + 1, Buffer.from(text))))),
    );
    const texts = (bytes: Buffer): ReadonlyMap<number, Value> => new Map(fieldsOf(bytes));
    const all = (number: number): ReadonlyMap<number, Value>[] =>
      answer.flatMap(([at, value]) => (at === number && Buffer.isBuffer(value) ? [texts(value)] : []));
    return {
      objects: all(1).map((each) => ({ id: String(each.get(1)), version: String(each.get(2)) })),
      files: all(3).map((each) => ({
        path: String(each.get(1)),
        mode: Number(each.get(2)),
        content: String(each.get(3)),
      })),
    };
  }

  /** A call of gRPC without streams: one message each way, behind five bytes. */
  private call(message: Buffer): Promise<Buffer> {
    const session = connect("http://provider", {
      createConnection: () => connectSocket(join(this.folder, "azure.sock")),
    });
    return new Promise<Buffer>((resolve, reject) => {
      session.once("error", reject);
      const stream = session.request({
        ":method": "POST",
        ":path": "/v1alpha1.CSIDriverProvider/Mount",
        "content-type": "application/grpc",
        te: "trailers",
      });
      const chunks: Buffer[] = [];
      let failure: string | undefined;
      const note = (headers: Readonly<Record<string, unknown>>): void => {
        if (headers["grpc-status"] !== undefined && headers["grpc-status"] !== "0") {
          failure = decodeURIComponent(String(headers["grpc-message"]));
        }
      };
      stream.on("response", note).on("trailers", note).on("error", reject);
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        if (failure === undefined) resolve(Buffer.concat(chunks).subarray(5));
        else reject(new Error(failure));
      });
      const frame = Buffer.alloc(5);
      frame.writeUInt32BE(message.length, 1);
      stream.end(Buffer.concat([frame, message]));
    }).finally(() => {
      session.close();
    });
  }
}

/** A field of a protobuf message: a number, or bytes. */
type Value = number | Buffer;

function field(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2]), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
  return Buffer.from([...bytes, value]);
}

function fieldsOf(message: Buffer): [number, Value][] {
  const fields: [number, Value][] = [];
  let at = 0;
  const read = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = message[at++]!;
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const tag = read();
    const value = read();
    if ((tag & 7) === 0) {
      fields.push([tag >> 3, value]);
      continue;
    }
    fields.push([tag >> 3, message.subarray(at, at + value)]);
    at += value;
  }
  return fields;
}
