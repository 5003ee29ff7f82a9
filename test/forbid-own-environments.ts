import fs from "node:fs";
import { dirname, resolve } from "node:path";

// Whoever works in the clone edits its environments. So that no test fails by that, none may read them: tests have some
// of their own in test/environments.

const root = resolve(__dirname, "..");

function refuse(path: unknown): void {
  if (typeof path !== "string") return;
  const file = resolve(path);
  if (dirname(file) === root && /\/Pulumi\..+\.yaml$/.test(file)) {
    throw new Error(`a test reads ${file}, which belongs to whoever works here: read one of test/environments`);
  }
}

const guarded = Symbol.for("aidbox-secrets: own environments are guarded");

// Jest gives each test file of one worker the same module.
if (!(guarded in fs)) {
  for (const name of ["readFileSync", "copyFileSync", "cpSync"] as const) {
    const original = fs[name] as (...args: unknown[]) => unknown;
    const guard = (...args: unknown[]): unknown => {
      refuse(args[0]);
      return original(...args);
    };
    Object.assign(fs, { [name]: guard });
  }
  Object.assign(fs, { [guarded]: true });
}
