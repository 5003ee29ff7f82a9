import * as z from "zod";
import { parseSchedule } from "../../../../constructs/cron";
import { objectName, size } from "../../kubernetes-schema";
import { targets } from "../../network-schema";
import { text, whole } from "../../primitives";

const schedule = text.superRefine((given, context) => {
  try {
    parseSchedule(given);
  } catch (error) {
    context.addIssue({ code: "custom", input: given, message: (error as Error).message });
  }
});

/** Snapshots of Vault's storage. */
export const snapshots = z
  .strictObject(
    {
      schedule: schedule
        .default("0 */6 * * *")
        .describe("When each is taken, in UTC: minute, hour, day of the month, month, day of the week"),
      keep: whole
        .min(1, "write 1 or more")
        .max(10_000, "write 10000 at most")
        .default(28)
        .describe("How many are kept; the oldest goes first"),
      storage: z
        .strictObject({
          size: size.prefault("10Gi").describe("Size of the volume that has them"),
          storageClass: objectName.optional().describe("Storage class of that volume; by default the cluster's own"),
        })
        .prefault({}),
      allowTo: targets
        .optional()
        .describe("Whom the pods that take them may reach beside Vault and DNS; by default nobody"),
    },
    "write { schedule, keep, storage }",
  )
  .optional()
  .describe("Snapshots of all that Vault holds, on a volume of their own; `{}` takes the defaults, by default none");
