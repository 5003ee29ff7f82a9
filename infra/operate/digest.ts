import { createHash } from "node:crypto";

/** SHA-256 in hexadecimal, as `sha256sum` prints it. */
export function digestOf(value: string | Buffer): string {
  return createHash("sha256").update(value).digest("hex");
}
