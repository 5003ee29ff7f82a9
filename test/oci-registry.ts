import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { issueCa, issueServer } from "../infra/certificates/issue";

/** A chart as `helm package` makes its archive. */
export interface PackagedChart {
  readonly name: string;
  readonly version: string;
  readonly archive: Buffer;
}

/** Packages the chart of a folder, or takes an archive as it is. */
export function packageChart(source: string): PackagedChart {
  const { name, version } = parse(
    execFileSync("helm", ["show", "chart", source], { encoding: "utf8" }),
  ) as PackagedChart;
  const folder = mkdtempSync(join(tmpdir(), "packaged-chart-"));
  if (source.endsWith("gz")) copyFileSync(source, join(folder, `${name}-${version}.tgz`));
  else execFileSync("helm", ["package", source, "--destination", folder]);
  const archive = readFileSync(join(folder, `${name}-${version}.tgz`));
  rmSync(folder, { recursive: true });
  return { name, version, archive };
}

const manifestType = "application/vnd.oci.image.manifest.v1+json";

/** A registry of Helm charts on 127.0.0.1, with TLS, that serves those alone who log in. */
export class OciRegistry {
  /** Paths that were asked for, each with the answer's status. */
  public readonly asked: string[] = [];
  private readonly blobs = new Map<string, Buffer>();
  private readonly manifests = new Map<string, Buffer>();

  private constructor(
    private readonly server: Server,
    /** CA of its certificate, PEM. */
    public readonly ca: string,
    private readonly login: string,
  ) {
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      this.answer(request, response);
    });
  }

  public static async start(
    { user, password }: { readonly user: string; readonly password: string },
    charts: readonly PackagedChart[],
  ): Promise<OciRegistry> {
    const ca = await issueCa("a registry of charts");
    const pair = await issueServer(ca, { dns: ["localhost"], ip: ["127.0.0.1"] });
    const login = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
    const registry = new OciRegistry(createServer(pair), ca.cert, login);
    for (const chart of charts) registry.add(chart);
    await new Promise<void>((done) => registry.server.listen(0, "127.0.0.1", done));
    return registry;
  }

  /** Host and port, as `helm registry login` takes it. */
  public get host(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  public async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }

  private add({ name, version, archive }: PackagedChart): void {
    const config = Buffer.from(JSON.stringify({ apiVersion: "v2", name, version }));
    const layer = (mediaType: string, content: Buffer): object => ({
      mediaType,
      digest: this.keep(this.blobs, content),
      size: content.length,
    });
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: manifestType,
        config: layer("application/vnd.cncf.helm.config.v1+json", config),
        layers: [layer("application/vnd.cncf.helm.chart.content.v1.tar+gzip", archive)],
      }),
    );
    this.keep(this.manifests, manifest);
    this.manifests.set(`${name}:${version}`, manifest);
  }

  private keep(among: Map<string, Buffer>, content: Buffer): string {
    const digest = `sha256:${createHash("sha256").update(content).digest("hex")}`;
    among.set(digest, content);
    return digest;
  }

  private answer({ url = "", method, headers }: IncomingMessage, response: ServerResponse): void {
    const end = (status: number, extra: Record<string, string | number> = {}, content?: Buffer): void => {
      this.asked.push(`${url}: ${status}`);
      response.writeHead(status, extra).end(method === "HEAD" ? undefined : content);
    };
    if (headers.authorization !== this.login) {
      end(401, { "www-authenticate": 'Basic realm="charts"' });
      return;
    }
    if (url === "/v2/") {
      end(200);
      return;
    }
    const [, name = "", kind, reference = ""] = /^\/v2\/charts\/([^/]+)\/(manifests|blobs)\/(.+)$/.exec(url) ?? [];
    const isManifest = kind === "manifests";
    const found = isManifest
      ? (this.manifests.get(`${name}:${reference}`) ?? this.manifests.get(reference))
      : this.blobs.get(reference);
    if (found === undefined) {
      end(404);
      return;
    }
    const digest = this.keep(new Map(), found);
    const type = isManifest ? manifestType : "application/octet-stream";
    end(200, { "content-type": type, "content-length": found.length, "docker-content-digest": digest }, found);
  }
}
