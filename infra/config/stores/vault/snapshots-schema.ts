import * as z from "zod";
import { parseSchedule } from "../../../../constructs/cron";
import { url } from "../../chart-schema";
import { objectName, size, taggedImage } from "../../kubernetes-schema";
import { targets } from "../../network-schema";
import { matching, text, whole, word } from "../../primitives";

const schedule = text.superRefine((given, context) => {
  try {
    parseSchedule(given);
  } catch (error) {
    context.addIssue({ code: "custom", input: given, message: (error as Error).message });
  }
});

/** Where copies of them are, out of the cluster. */
const copies = z
  .strictObject(
    {
      image: taggedImage("rclone/rclone:1.71.2").describe("Image with rclone and a shell, of your choice"),
      bucket: matching(
        /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/[\w.-]+)*$/,
        "write the bucket, and the folder in it where there is one, as backups or backups/vault",
      ).describe("Bucket, and a folder in it where there is one"),
      endpoint: url.optional().describe("URL of the S3-compatible store; by default that of AWS"),
      region: word("the region, as eu-central-1,")
        .optional()
        .describe("Region of the bucket; by default the store's own"),
      credentialsSecret: objectName
        .optional()
        .describe(
          "Kubernetes Secret in Vault's namespace with `access-key-id` and `secret-access-key`; by default the identity of the pods with AWS",
        ),
      caConfigMap: objectName
        .optional()
        .describe(
          "ConfigMap in Vault's namespace with `ca.crt`, the CA of the store; by default one that everybody trusts",
        ),
      keep: whole
        .min(1, "write 1 or more")
        .max(10_000, "write 10000 at most")
        .optional()
        .describe("How many are kept there, the oldest goes first; by default all"),
    },
    "write { image, bucket, endpoint, credentialsSecret }",
  )
  .optional()
  .describe("Copies of each snapshot in an S3-compatible store; by default none");

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
      copies,
      allowTo: targets
        .optional()
        .describe("Whom the pods that take them may reach beside Vault and DNS; by default nobody"),
    },
    "write { schedule, keep, storage }",
  )
  .superRefine(({ copies, allowTo }, context) => {
    if (copies === undefined || allowTo !== undefined) return;
    const message =
      "name the store of the copies, as [{ peer: { cidr: 0.0.0.0/0 }, ports: [443] }]: the pods reach nobody else";
    context.addIssue({ code: "custom", path: ["allowTo"], input: undefined, message });
  })
  .optional()
  .describe("Snapshots of all that Vault holds, on a volume of their own; `{}` takes the defaults, by default none");
