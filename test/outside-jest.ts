import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { runInThisContext } from "node:vm";
import { buildSync } from "esbuild";
import type * as Client from "../constructs/stores/vault/api/client";
import type * as Issue from "../infra/certificates/issue";
import type * as Renew from "../infra/certificates/renew";

/** The modules that tests load so, by their path in the repository. */
interface Modules {
  readonly "constructs/stores/vault/api/client": typeof Client;
  readonly "infra/certificates/issue": typeof Issue;
  readonly "infra/certificates/renew": typeof Renew;
}

/**
 * A module of this project as Node itself loads it. Jest cannot load what a module imports only once it needs it, and its
 * classes are not those of the web that such libraries look for.
 */
export function loadOutsideJest<Path extends keyof Modules>(path: Path): Modules[Path] {
  const folder = mkdtempSync(join(tmpdir(), "outside-jest-"));
  const outfile = join(folder, "module.cjs");
  const entryPoints = [resolve(__dirname, "..", `${path}.ts`)];
  try {
    buildSync({ entryPoints, bundle: true, platform: "node", format: "cjs", outfile, logLevel: "error" });
    const node = runInThisContext("process") as NodeJS.Process; // that of a test has Jest's own require
    return node.getBuiltinModule("node:module").createRequire(__filename)(outfile) as Modules[Path];
  } finally {
    rmSync(folder, { recursive: true });
  }
}
