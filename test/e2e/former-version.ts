import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root, succeed } from "./harness";

/** Commit whose program makes the stacks that this one brings up; without it there is nothing to upgrade from. */
export const formerCommit = process.env.UPGRADE_FROM;

/** Config of Aidbox that every version of the program knows. */
export const commonAidbox = {
  image: "healthsamurai/aidboxone:2605",
  resources: { cpuRequest: "100m", memoryRequest: "64Mi" },
};

/** `describe` where there is a former version, else one that is skipped and says why. */
export const describeUpgrade: (name: string, tests: () => void) => void =
  formerCommit === undefined
    ? (name, tests) => {
        describe.skip(`${name} (skipped: set UPGRADE_FROM to the commit to upgrade from)`, tests);
      }
    : (name, tests) => {
        describe(`${name}, from ${formerCommit}`, tests);
      };

/** The program as another commit has it, in a temporary folder. */
export class FormerVersion {
  /** Folder of its `Pulumi.yaml`: run Pulumi or its commands there. */
  public readonly folder = mkdtempSync(join(tmpdir(), "aidbox-secrets-former-"));

  /** @param commit by default that of `UPGRADE_FROM` */
  public static async checkOut(commit = formerCommit ?? "HEAD"): Promise<FormerVersion> {
    const version = new FormerVersion();
    await succeed("sh", ["-c", 'git archive "$1" | tar -x -C "$2"', "sh", commit, version.folder]);
    // What it needs is what this checkout has installed.
    symlinkSync(join(root, "node_modules"), join(version.folder, "node_modules"));
    return version;
  }

  public dispose(): void {
    rmSync(this.folder, { recursive: true });
  }
}
