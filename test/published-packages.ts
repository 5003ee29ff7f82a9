import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { buildPackages, packageNames } from "../packages/build";

const root = resolve(__dirname, "..");

export interface Manifest {
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>;
}

/** The packages as they are published: built, packed and unpacked again. */
export class PublishedPackages {
  /** @param folder in which they were made */
  public constructor(private readonly folder: string) {}

  /** @param folder for all that is made */
  public static make(folder: string): PublishedPackages {
    // `npm test` has checked its types.
    const built = buildPackages(join(folder, "built"), ["--noCheck"]);
    const published = new PublishedPackages(folder);
    published.pack(packageNames.map((name) => built[name]!));
    rmSync(join(folder, "built"), { recursive: true });
    return published;
  }

  public manifest(name: string): Manifest {
    return JSON.parse(readFileSync(join(this.unpacked(name), "package.json"), "utf8")) as Manifest;
  }

  /** A folder in which a stranger has installed packages, with what they need and nothing else. */
  public install(id: string, names: readonly string[], optional: readonly string[] = []): string {
    const stranger = join(this.folder, id);
    mkdirSync(join(stranger, "node_modules"), { recursive: true });
    for (const name of names) {
      // Copied, as npm does: what it imports is found beside it.
      execFileSync("cp", ["-r", this.unpacked(name), join(stranger, "node_modules", name)]);
    }
    const needed = names.flatMap((name) => {
      const { dependencies, peerDependencies, peerDependenciesMeta } = this.manifest(name);
      const peers = Object.keys(peerDependencies).filter((each) => peerDependenciesMeta[each]?.optional !== true);
      return [...Object.keys(dependencies), ...peers];
    });
    for (const name of new Set([...needed, ...optional].filter((each) => !names.includes(each)))) {
      const place = join(stranger, "node_modules", name);
      mkdirSync(dirname(place), { recursive: true });
      symlinkSync(join(root, "node_modules", name), place);
    }
    return stranger;
  }

  /** A folder in which a stranger has installed all packages, and copied the examples with their component for other languages. */
  public installWithExamples(id: string, optional: readonly string[]): string {
    const stranger = this.install(id, packageNames, optional);
    for (const each of ["component", "programs", "python", "yaml"]) {
      cpSync(join(root, "examples", each), join(stranger, each), { recursive: true });
    }
    // What the component depends on lies above it, and the packages are on no registry.
    const file = join(stranger, "component/package.json");
    const { dependencies, ...rest } = JSON.parse(readFileSync(file, "utf8")) as Manifest;
    const absent = Object.keys(dependencies).filter((each) => !existsSync(join(stranger, "node_modules", each)));
    if (absent.length > 0) throw new Error(`the component depends on ${absent.join(", ")}, which nobody installed`);
    writeFileSync(file, JSON.stringify(rest));
    return stranger;
  }

  private unpacked(name: string): string {
    return join(this.folder, "unpacked", name);
  }

  private pack(built: readonly string[]): void {
    const args = ["pack", ...built, "--json", "--ignore-scripts", "--pack-destination", this.folder];
    const packed = JSON.parse(execFileSync("npm", args, { encoding: "utf8" })) as { name: string; filename: string }[];
    for (const { name, filename } of packed) {
      mkdirSync(this.unpacked(name), { recursive: true });
      const unpack = ["-xzf", join(this.folder, filename), "--strip-components=1", "-C", this.unpacked(name)];
      execFileSync("tar", unpack);
    }
  }
}
