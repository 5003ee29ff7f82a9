import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, posix, relative, resolve } from "node:path";

const root = resolve(__dirname, "..");

/** What a package is, beside what the repository's own `package.json` says. */
interface Definition {
  readonly name: string;
  readonly description: string;
  readonly keywords: readonly string[];
  readonly bin?: Readonly<Record<string, string>>;
  /** Compiled modules by entry, without their endings. */
  readonly exports: Readonly<Record<string, string>>;
  /** Folders of the sources that it holds. */
  readonly folders: readonly string[];
  readonly peerDependencies: Readonly<Record<string, "needed" | "optional">>;
}

type Versions = Readonly<Record<string, string>>;

interface Repository {
  readonly version: string;
  readonly license: string;
  readonly engines: Versions;
  readonly dependencies: Versions;
  readonly devDependencies: Versions;
  readonly peerDependencies: Versions;
}

/** The packages, each after those that it needs. */
export const packageNames = ["cdk8s-pulumi", "aidbox-secrets", "aidbox-secrets-stack"] as const;

/**
 * Builds the packages as they are published, each in a folder of its own: `npm publish FOLDER`.
 *
 * @param target folder to build in, which is emptied first
 * @param compilerOptions further arguments of `tsc`
 * @returns the folders, by name of the package
 */
export function buildPackages(
  target: string,
  compilerOptions: readonly string[] = [],
): Readonly<Record<string, string>> {
  rmSync(target, { recursive: true, force: true });
  const compiled = join(target, "compiled");
  const tsc = join(root, "node_modules/typescript-7/bin/tsc");
  const options = ["--project", join(root, "tsconfig.build.json"), "--outDir", compiled, ...compilerOptions];
  execFileSync(process.execPath, [tsc, ...options], { stdio: "inherit" });
  const repository = readJson(join(root, "package.json")) as Repository;
  const definitions = packageNames.map((name) => readJson(join(__dirname, `${name}.json`)) as Definition);
  const folders = definitions.map((definition) => {
    const folder = join(target, definition.name);
    for (const each of definition.folders) cpSync(join(compiled, each), join(folder, each), { recursive: true });
    const needed = importAcrossPackages(folder, definition, definitions, compiled);
    writeFileSync(
      join(folder, "package.json"),
      `${JSON.stringify(manifestOf(definition, repository, needed), undefined, 2)}\n`,
    );
    for (const file of ["LICENSE", "CHANGELOG.md"]) copyFileSync(join(root, file), join(folder, file));
    copyFileSync(join(__dirname, `${definition.name}.md`), join(folder, "README.md"));
    for (const file of Object.values(definition.bin ?? {})) chmodSync(join(folder, file), 0o755);
    return [definition.name, folder] as const;
  });
  rmSync(compiled, { recursive: true });
  return Object.fromEntries(folders);
}

function manifestOf(definition: Definition, repository: Repository, needed: ReadonlySet<string>): object {
  const { name, description, keywords, bin, exports: entries, peerDependencies: peers } = definition;
  const own = [...needed].filter((each) => peers[each] === undefined).sort();
  const versionOf = (each: string): string => {
    const version = (packageNames as readonly string[]).includes(each)
      ? repository.version
      : repository.dependencies[each];
    if (version === undefined) throw new Error(`${name} imports ${each}, which package.json has not as a dependency`);
    return version;
  };
  const optional = Object.keys(peers).filter((each) => peers[each] === "optional");
  const { ".": main, ...others } = entries;
  return {
    name,
    version: repository.version,
    description,
    keywords,
    license: repository.license,
    type: "commonjs",
    engines: repository.engines,
    ...(bin === undefined ? {} : { bin }),
    ...(main === undefined ? {} : { main: `./${main}.js`, types: `./${main}.d.ts` }),
    exports: {
      ...Object.fromEntries(
        Object.entries(entries).map(([entry, module]) => [
          entry,
          { types: `./${module}.d.ts`, default: `./${module}.js` },
        ]),
      ),
      "./package.json": "./package.json",
    },
    // For TypeScript's `moduleResolution: node10`, which does not know `exports`.
    typesVersions: {
      "*": Object.fromEntries(
        Object.entries(others).map(([entry, module]) => [entry.replace("./", ""), [`./${module}.d.ts`]]),
      ),
    },
    sideEffects: false,
    dependencies: Object.fromEntries(own.map((each) => [each, versionOf(each)])),
    peerDependencies: Object.fromEntries(
      Object.keys(peers)
        .sort()
        .map((each) => [each, repository.peerDependencies[each]]),
    ),
    peerDependenciesMeta: Object.fromEntries(optional.map((each) => [each, { optional: true }])),
  };
}

/**
 * Has the modules of a package import those of another by its name, where the sources have one tree.
 *
 * @param compiled folder with the compiled modules of all packages
 * @returns names of all packages that the modules import
 */
function importAcrossPackages(
  folder: string,
  { name, folders }: Definition,
  definitions: readonly Definition[],
  compiled: string,
): ReadonlySet<string> {
  const needed = new Set<string>();
  for (const file of modulesIn(folder)) {
    const path = relative(folder, file);
    const text = readFileSync(file, "utf8");
    const changed = text.replace(
      file.endsWith(".js") ? /((?:require|import)\()(["'])([^"'\n]+)\2(?=\))/g : /(import\(|from )(["'])([^"'\n]+)\2/g,
      (whole, before: string, quote: string, specifier: string, at: number) => {
        if (/^\s*\*/.test(text.slice(text.lastIndexOf("\n", at) + 1, at))) return whole; // of an example in a docstring
        if (!specifier.startsWith(".")) {
          const [scope, second] = specifier.split("/");
          const imported = scope!.startsWith("@") ? `${scope!}/${second!}` : scope!;
          // An import of types alone needs nobody to have it at run time, but by whoever checks types.
          if (!specifier.startsWith("node:") && !builtinModules.includes(imported)) needed.add(imported);
          return whole;
        }
        const module = posix.join(dirname(path), specifier);
        const top = module.split("/")[0]!;
        if (folders.includes(top)) return whole;
        const other = definitions.find((each) => each.folders.includes(top));
        if (other === undefined || other.name === name) return whole;
        needed.add(other.name);
        const inside = existsSync(join(compiled, `${module}.js`)) ? module : `${module}/index`;
        return `${before}${quote}${specifierOf(other, inside)}${quote}`;
      },
    );
    if (changed !== text) writeFileSync(file, changed);
  }
  return needed;
}

/** By which a module of a package is imported: its entry, or what the package keeps for the others of this repository. */
function specifierOf({ name, exports: entries }: Definition, module: string): string {
  const [entry] = Object.entries(entries).find(([, each]) => each === module) ?? [];
  if (entry !== undefined) return posix.join(name, entry);
  if (entries["./internal/*"] === undefined)
    throw new Error(`${name} exports no ${module}, which another package needs`);
  return `${name}/internal/${module.slice(module.indexOf("/") + 1)}`;
}

function modulesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => /\.(js|d\.ts)$/.test(file))
    .map((file) => join(folder, file));
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, "utf8"));
}

if (require.main === module) {
  const target = join(root, "lib");
  mkdirSync(target, { recursive: true });
  for (const folder of Object.values(buildPackages(target))) console.log(relative(root, folder));
}
