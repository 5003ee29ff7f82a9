import * as z from "zod";
import { csiDriverName } from "../../constructs/platform/names";
import { aidboxOperation } from "./aidbox-schema";
import { chart, values } from "./chart-schema";
import { database } from "./database-schema";
import {
  cpu,
  givenOrOwnNamespace,
  isImage,
  namespaceOptions,
  objectName,
  ownNamespace,
  registry,
  serviceName,
  size,
  taggedImage,
} from "./kubernetes-schema";
import { monitoring } from "./monitoring-schema";
import { targets } from "./network-schema";
import { plaintextKeys } from "./plaintext-problems";
import { dnsLabel, duration, flag, matching, once, text, whole } from "./primitives";
import { mebibytes, seconds } from "./quantity";
import { rolls } from "./rolls-schema";
import { storeSchemas } from "./stores/schemas";

const maxAge = matching(
  /^0*[1-9]\d*(s|m|h|d)$/,
  "write the greatest age as a whole number with its unit: 90d or 12h",
).refine((age) => seconds(age) <= 100 * 365 * 86_400, "write a greatest age of up to 36500d");

const secret = z.strictObject({
  name: z.string("write the secret's name, a DNS label").describe("Name by which Aidbox's resources refer to it"),
  path: z
    .string("write the path in the KV mount, as aidbox/client")
    .describe("Path in the KV mount, without `data/`; of source `database` the name of the static role"),
  key: text.optional().describe("Key inside the secret; by default the name, of source `database` `password`"),
  keys: z
    .union([z.literal("all"), z.array(text)], "write all, or a list of keys")
    .optional()
    .describe(
      "Makes the row one secret for each key at the path, called `NAME/KEY`: a list, or `all` that the next `up` finds in Vault",
    ),
  file: text
    .optional()
    .describe("File below `mountPath`, by default the name; of a row with `keys` the folder of their files"),
  scope: z
    .strictObject({
      resourceType: z
        .string("write a FHIR resource type, as Client")
        .describe("FHIR resource type that may use it; without a scope it is a file only"),
      id: text.optional().describe("Id of the one resource that may use it; by default all of the type"),
    })
    .optional(),
  environment: text
    .optional()
    .describe(
      "Variable of the container that takes it too, by a synced Kubernetes Secret; a change of it rolls the pods",
    ),
  source: z
    .enum(["managed", "seeded", "external", "database"], "write managed, seeded, external or database")
    .optional()
    .describe("Where the value comes from, by default `external`"),
  keypair: z
    .enum(
      ["rsa", "ec", "certificate"],
      "write rsa or ec, which sign Aidbox's tokens, or certificate, of an IdentityProvider",
    )
    .optional()
    .describe("Makes the row a keypair: `rsa` or `ec` sign Aidbox's tokens, a `certificate` is an IdentityProvider's"),
  maxAge: maxAge
    .optional()
    .describe(
      "How old the value may grow, as `90d`: `status` and `verify` tell, `rotate --due` rotates; by default any age",
    ),
  mayBeEmpty: flag
    .optional()
    .describe("Whether the value may be empty; by default no pod starts with an empty file, and `up` says so"),
  optional: flag
    .optional()
    .describe("Whether pods go without it until an `up` finds it in Vault; of source `external` alone"),
});

const image = z
  .string("write the image with its tag, as healthsamurai/aidboxone:2605")
  .refine((reference) => !/:\/\/|\s/.test(reference), {
    error: "write the image's name alone, without https:// and spaces, as healthsamurai/aidboxone:2605",
    abort: true,
  })
  .refine((reference) => isImage(reference) || !/[A-Z]/.test(reference.replace(/[:@].*$/, "")), {
    error: "write the image's name in lower case, as healthsamurai/aidboxone:2605",
    abort: true,
  })
  .refine(isPinned, "pin the image with a tag of 2602 or later, as healthsamurai/aidboxone:2605, or with a digest");

/** `BOX_VAULT_CONFIG` came with 2602; tags that move (edge, latest) may be older, and change under a running pod. */
function isPinned(reference: string): boolean {
  if (!isImage(reference)) return false;
  if (/@sha256:[0-9a-f]{64}$/.test(reference)) return true;
  const release = /:(\d{4})([.-][\w.-]+)?$/.exec(reference)?.[1];
  return release !== undefined && Number(release) >= 2602 && /(0[1-9]|1[0-2])$/.test(release); // year and month
}

/** Everything that `Pulumi.<env>.yaml` may say, with its defaults. */
export const environmentSchema = z.strictObject({
  development: flag.default(false).describe("Whether this environment may be unsafe, as Vault's dev mode is"),
  allowPlaintext: z
    .array(z.enum(plaintextKeys, `write one of ${plaintextKeys.join(", ")}`), "write a list of keys")
    .default([])
    .describe("UNSAFE: keys whose connection may go without TLS outside development, as `[vault.addressFromHere]`"),
  kubeContext: z
    .string("write the name of a context of the kubeconfig")
    .regex(/\S/, "write the name of a context of the kubeconfig")
    .describe("The one context of the kubeconfig that this environment may touch"),
  secrets: z.array(secret, "write the table of secrets, a list").describe("The table of secrets"),
  mountPath: text
    .optional()
    .describe(
      "Folder of the container with the secrets' files; by default the store's own, of Vault `/run/vault-secrets`",
    ),
  rotationBound: duration("the bound")
    .default("30s")
    .describe(
      "Time within which a change in the store reaches the files; below 90s, kubelet's own, the Republisher is deployed for it",
    ),
  republisher: z
    .strictObject({
      image: taggedImage("docker.io/curlimages/curl:8.17.0")
        .default("docker.io/curlimages/curl:8.17.0")
        .describe("Image with sh and curl of the part that has kubelet publish the volumes again"),
      priorityClass: objectName.optional().describe("PriorityClass of its pod; by default the cluster's own"),
      logFormat: z
        .enum(["standard", "json"], "write standard or json")
        .optional()
        .describe("Form of its log; by default standard"),
      allowTo: targets
        .min(1, "name the API server, its one need, or leave allowTo out")
        .optional()
        .describe("Whom it may reach beside DNS: the API server, its one need; by default everybody"),
    })
    .prefault({}),
  rolls,
  namespaces: z
    .strictObject({
      aidbox: givenOrOwnNamespace.default("aidbox").describe("Namespace of Aidbox, at Pod Security level `restricted`"),
      vault: ownNamespace.default("vault").describe("Namespace of Vault's servers, at level `restricted`"),
      csiProvider: ownNamespace
        .optional()
        .describe(
          "Namespace of the store's CSI provider, at level `privileged`, which its host paths need; by default the store's " +
            "own, of Vault `vault-csi-provider`",
        ),
      options: z
        .strictObject({
          aidbox: namespaceOptions("restricted"),
          vault: namespaceOptions("restricted"),
          csiProvider: namespaceOptions("privileged"),
        })
        .prefault({})
        .describe("How each is made, or that it is given"),
    })
    .superRefine(({ aidbox, options }, context) => {
      if (aidbox !== "default" || !options.aidbox.create) return;
      const message = "is Kubernetes' own: write another, or options.aidbox.create: false, and it is left as it is";
      context.addIssue({ code: "custom", path: ["aidbox"], input: aidbox, message });
    })
    .prefault({})
    .describe("Namespaces of the stack"),
  images: z
    .strictObject({
      registry: registry
        .optional()
        .describe(
          "Registry, with a path in it, that takes the place of every image's own, as registry.example.com/mirror",
        ),
      pullSecrets: z
        .array(objectName)
        .refine(once, "names a Secret twice, which Kubernetes refuses: name each once")
        .default([])
        .describe("Kubernetes Secrets with the registry's credentials; one of each name in each namespace with pods"),
    })
    .prefault({})
    .describe("Where all images come from"),
  assignsUsers: flag
    .default(false)
    .describe(
      "Whether the platform assigns users to namespaces, as OpenShift does: no pod names a user or a group then",
    ),
  csiDriver: z
    .strictObject({
      install: flag.default(true).describe("Whether to install the driver; false where the cluster has it"),
      release: dnsLabel
        .refine((name) => csiDriverName(name).length <= 63, {
          error: `write up to ${63 - csiDriverName("").length} characters: its DaemonSet is called ${csiDriverName("RELEASE")}`,
        })
        .default("csi")
        .describe("Name of the driver's Helm release"),
      namespace: dnsLabel.default("kube-system").describe("Namespace of the driver's Helm release"),
      chart: chart.describe("`{ repository, version }` or `{ path }`; by default 1.6.1 from the driver's repository"),
      priorityClass: objectName.optional().describe("PriorityClass of the driver's pods; by default the cluster's own"),
      logFormat: z
        .enum(["standard", "json"], "write standard or json")
        .default("standard")
        .describe("Form of the driver's log"),
      values: values.describe("Further values of the driver's chart"),
    })
    .prefault({}),
  ...storeSchemas,
  database,
  monitoring,
  aidbox: z.strictObject(
    {
      name: serviceName(55).default("aidbox").describe("Name of the Deployment, the Service and the ServiceAccount"),
      image: image.describe("Image with a tag of 2602 or later, or a digest"),
      replicas: whole.min(1, "write 1 or more").default(1).describe("Number of pods"),
      readOnlyRootFilesystem: flag.default(true).describe("Whether the root file system is read-only"),
      resources: z
        .strictObject({
          cpuRequest: cpu.prefault("500m").describe("CPU that a pod asks for"),
          memoryRequest: size.prefault("2Gi").describe("Memory that a pod asks for"),
          memoryLimit: size
            .refine((given) => (mebibytes(given) ?? 0) >= 256, "Aidbox does not start in so little: write 2Gi or more")
            .prefault("4Gi")
            .describe("Memory that a pod may use"),
        })
        .prefault({})
        .describe("What a pod asks for, and may use at most"),
      environment: z
        .record(matching(/^[A-Za-z_][A-Za-z0-9_]*$/, "write a variable's name"), text)
        .default({})
        .describe("Plain settings of Aidbox, as BOX_WEB_BASE_URL; what is secret belongs into the table"),
      ...aidboxOperation,
    },
    "write at least { image }",
  ),
  tenants: z
    .array(
      z.strictObject({
        name: dnsLabel.describe("Name of the tenant"),
        namespace: ownNamespace.optional().describe("Its namespace; by default `aidbox-` and the name"),
        objects: z
          .record(text, z.unknown(), "write an object, by the secret's name in the tenant's table")
          .default({})
          .describe("How single secrets of its own become files, as `vault.objects`"),
        namespaceOptions: z
          .record(text, z.unknown(), "write an object with keys of namespaces.options.aidbox, as { create: false }")
          .default({})
          .describe("What differs from `namespaces.options.aidbox`"),
        secrets: z
          .array(z.unknown(), "write its table of secrets, a list")
          .describe("Its table of secrets, as `secrets`"),
        database: z
          .record(text, z.unknown(), "write an object with keys of database, as { name, user }")
          .optional()
          .describe(
            "Its own database: `{ name, user }` on the server of `database`, or a whole one; required beside an `external` one",
          ),
        aidbox: z
          .record(text, z.unknown(), "write an object with keys of aidbox")
          .default({})
          .describe(
            "What differs from `aidbox`, of which it takes over neither `ingress`, `gatewayRoute` nor `initBundle`",
          ),
      }),
      "write a list of tenants",
    )
    .default([])
    .describe("Further Aidboxes beside the first, none of which can read another's secrets"),
});

/** An environment's settings as the schema leaves them. */
export type EnvironmentConfig = z.infer<typeof environmentSchema>;
