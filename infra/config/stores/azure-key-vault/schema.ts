import * as z from "zod";
import { keyVaultNameProblem } from "../../../../constructs/stores/azure-key-vault/rules";
import { chart, values } from "../../chart-schema";
import { objectName } from "../../kubernetes-schema";
import { filled, guid, text } from "../../primitives";

const identity = z
  .discriminatedUnion(
    "type",
    [
      z.strictObject({
        type: z.literal("workload"),
        clientId: guid("the managed identity's client").describe(
          "Client id of a managed identity or an app with a federated credential for Aidbox's ServiceAccount",
        ),
      }),
      z.strictObject({
        type: z.literal("node"),
        clientId: guid("the managed identity's client")
          .optional()
          .describe("Client id of a user-assigned managed identity; by default the node's system-assigned one"),
      }),
      z.strictObject({
        type: z.literal("service-principal"),
        secretName: objectName.describe(
          "Kubernetes Secret in Aidbox's namespace with the keys `clientid` and `clientsecret`; you make it",
        ),
      }),
    ],
    {
      error:
        "write type: workload (Aidbox's own), or, UNSAFE, node (every pod of the node has it too) or service-principal " +
        "(a password in a Secret)",
    },
  )
  .describe("As whom Aidbox's pods read; UNSAFE but for `workload`");

/** How one secret stands in Key Vault; its rules across keys are the store's own. */
const object = z.strictObject({
  type: z.enum(["secret", "key", "certificate"], "write secret, key or certificate").optional(),
  version: text.optional(),
  format: z.enum(["pem", "pfx"], "write pem or pfx").optional(),
  encoding: z.enum(["utf-8", "base64", "hex"], "write utf-8, base64 or hex").optional(),
  permission: text.optional(),
});

/** A key vault of Azure's that is there already. */
export const azureKeyVault = z
  .strictObject(
    {
      name: filled
        .superRefine((name, context) => {
          const problem = keyVaultNameProblem(name);
          if (problem !== undefined) context.addIssue({ code: "custom", message: problem, input: name });
        })
        .describe("Name of the key vault, which is there already"),
      tenantId: guid("the tenant").describe("Tenant of Entra ID that the key vault trusts"),
      identity,
      cloud: z
        .enum(["public", "us-government", "china"], "write public, us-government or china")
        .default("public")
        .describe("Azure's cloud"),
      objects: z
        .record(text, object, "write an object, by the secret's name in the table")
        .default({})
        .describe(
          "How single secrets stand there, by their names in the table: `{ type, version, format, encoding, permission }`",
        ),
      csiProvider: z
        .enum(["install", "there"], "write install, or there where the cluster has it, as by AKS's add-on")
        .default("install")
        .describe("Whether to install Azure's CSI provider; AKS's add-on brings one, and the driver with it"),
      chart: chart.describe("`{ repository, version }` or `{ path }`; by default 1.8.2 from the provider's repository"),
      values: values.describe("Further values of the provider's chart"),
    },
    "write an object with name, tenantId and identity",
  )
  .describe("Azure Key Vault as the store, in place of `vault`");
