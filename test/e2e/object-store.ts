import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { issueCa, issueServer } from "../../infra/certificates/issue";
import { freePort } from "./dev-vault";
import { nodeAddress, waitUntil } from "./harness";

/** Image with rclone that the cluster has; none where there is none, or no program `versitygw` on this machine. */
export const rcloneImage = spawnSync("versitygw", ["--version"]).status === 0 ? process.env.RCLONE_IMAGE : undefined;

/** A real S3-compatible store on the node, with TLS by a CA of its own: the program `versitygw`. */
export class ObjectStore {
  public static readonly accessKey = "access-of-the-test";
  public static readonly secretKey = "secret-of-the-test";
  public static readonly bucket = "backups";

  private constructor(
    private readonly process: ChildProcess,
    private readonly folder: string,
    /** URL as pods reach it. */
    public readonly endpoint: string,
    /** CA of its certificate, PEM. */
    public readonly ca: string,
  ) {}

  public static async start(): Promise<ObjectStore> {
    const node = await nodeAddress();
    const folder = mkdtempSync(join(tmpdir(), "object-store-"));
    mkdirSync(join(folder, "data", ObjectStore.bucket), { recursive: true });
    const ca = await issueCa("object store");
    const server = await issueServer(ca, { dns: ["object-store"], ip: [node] });
    writeFileSync(join(folder, "server.pem"), server.cert);
    writeFileSync(join(folder, "server.key"), server.key);
    const port = await freePort();
    const tls = ["--cert", join(folder, "server.pem"), "--key", join(folder, "server.key")];
    const child = spawn("versitygw", ["--port", `${node}:${port}`, ...tls, "posix", "--nometa", join(folder, "data")], {
      stdio: "ignore",
      env: { ...process.env, ROOT_ACCESS_KEY: ObjectStore.accessKey, ROOT_SECRET_KEY: ObjectStore.secretKey },
    });
    const endpoint = `https://${node}:${port}`;
    const store = new ObjectStore(child, folder, endpoint, ca.cert);
    const curl = ["-s", "-o", "/dev/null", "--insecure", endpoint];
    await waitUntil(() => Promise.resolve(spawnSync("curl", curl).status === 0), 20);
    return store;
  }

  /** Names of what is in a folder of the bucket. */
  public list(path: string): string[] {
    return readdirSync(join(this.folder, "data", ObjectStore.bucket, path)).sort();
  }

  public read(path: string): Buffer {
    return readFileSync(join(this.folder, "data", ObjectStore.bucket, path));
  }

  public stop(): void {
    this.process.kill("SIGKILL");
    rmSync(this.folder, { recursive: true });
  }
}
