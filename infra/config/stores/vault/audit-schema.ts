import * as z from "zod";
import { objectName, size } from "../../kubernetes-schema";
import { flag, whole } from "../../primitives";
import { isSize, mebibytes } from "../../quantity";

export const audit = z
  .strictObject({
    enabled: flag
      .default(true)
      .describe(
        "Whether `vault:init` and `vault:grant` have Vault log each request: to a file, and to standard output",
      ),
    size: size
      .prefault("10Gi")
      .describe("Size of each server's volume for the file; servers that were made without one write to their storage"),
    storageClass: objectName.optional().describe("Storage class of these volumes; by default the cluster's own"),
    rotateAt: size.prefault("100Mi").describe("Size at which the file is closed, and another begun"),
    keep: whole
      .min(1, "keep at least one")
      .max(1000, "keep 1000 at most")
      .default(20)
      .describe("Number of closed files that stay; a log collector keeps what is older"),
  })
  .superRefine(({ size: volume, rotateAt, keep }, context) => {
    // The file, one that is about to be closed, and those that are.
    const [most, room] = [(mebibytes(rotateAt) ?? 0) * (keep + 2), mebibytes(volume) ?? 0];
    if (most <= room || !isSize(volume) || !isSize(rotateAt)) return;
    const message = `keep + 2 files of ${rotateAt} are ${most} MiB, and the volume has ${room}: write a larger size, or keep fewer`;
    context.addIssue({ code: "custom", path: ["size"], input: volume, message });
  })
  .prefault({})
  .describe("Vault's audit log");
