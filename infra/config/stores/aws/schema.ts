import * as z from "zod";
import { chart, values } from "../../chart-schema";
import { filled, text } from "../../primitives";

const identity = z
  .discriminatedUnion(
    "type",
    [
      z.strictObject({
        type: z.literal("irsa"),
        roleArn: filled.describe("ARN of an IAM role that trusts Aidbox's ServiceAccount"),
      }),
      z.strictObject({ type: z.literal("pod-identity") }),
    ],
    { error: "write type: irsa (an IAM role that trusts the ServiceAccount) or pod-identity (an association of EKS)" },
  )
  .describe("As whom Aidbox's pods read");

/** How one secret stands at AWS; its rules across keys are the store's own. */
const object = z.strictObject({
  service: z.enum(["secretsmanager", "ssmparameter"], "write secretsmanager or ssmparameter").optional(),
  permission: text.optional(),
  versionLabel: text.optional(),
});

/** AWS Secrets Manager and Parameter Store. Its rules across keys are those of `config.ts`. */
export const awsSecrets = z
  .strictObject(
    {
      region: filled.describe("Region of the secrets, as eu-central-1"),
      failoverRegion: filled.optional().describe("Region that is asked where the first one fails; by default none"),
      identity,
      objects: z
        .record(text, object, "write an object, by the secret's name in the table")
        .default({})
        .describe(
          "How single secrets stand there, by their names in the table: `{ service, permission, versionLabel }`; by default " +
            "all lie in Secrets Manager",
        ),
      csiProvider: z
        .enum(["install", "there"], "write install, or there where the cluster has it")
        .default("install")
        .describe("Whether to install AWS's CSI provider"),
      chart: chart.describe("`{ repository, version }` or `{ path }`; by default 3.2.0 from the provider's repository"),
      values: values.describe("Further values of the provider's chart"),
    },
    "write an object with region and identity",
  )
  .describe(
    "AWS Secrets Manager and Parameter Store as the store, in place of `vault`; for secrets of source `external`",
  );
