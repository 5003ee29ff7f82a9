import * as z from "zod";
import { isImage, objectName, size } from "./kubernetes-schema";
import { peers } from "./network-schema";
import { matching } from "./primitives";

const postgresName = (what: string) =>
  matching(
    /^[A-Za-z_][A-Za-z0-9_.@-]{0,62}$/,
    `write the ${what}'s name: up to 63 letters, digits, '_', '.', '@' and '-'`,
  );

const common = {
  name: postgresName("database")
    .refine((name) => !/^template[01]$/.test(name), "is PostgreSQL's own: write another, as aidbox")
    .default("aidbox")
    .describe("Name of the database"),
  user: postgresName("user")
    .refine(
      (name) => !/^(pg_.*|public|none|current_role|current_user|session_user)$/.test(name),
      "is a name that PostgreSQL keeps for itself: write another, as aidbox",
    )
    .default("aidbox")
    .describe("User as whom Aidbox logs in"),
};

const hostFix = "write a host name or an address alone, as postgres.example.com or [fd00::1]";
const portFix = "write a port from 1 to 65535";
const tlsFix = "write { mode: verify-full, caConfigMap }, or mode: verify-ca, require or disable";
const imageFix =
  "pin the image on Debian, 17 or later, with a tag, as docker.io/library/postgres:17.9, or with a digest";

const tls = z.strictObject(
  {
    mode: z
      .enum(["disable", "require", "verify-ca", "verify-full"], "write verify-full, verify-ca, require or disable")
      .describe("TLS, and what is checked of the certificate"),
    caConfigMap: matching(
      /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/,
      "write a ConfigMap's name: lower-case letters, digits, dots and dashes",
    )
      .optional()
      .describe("ConfigMap of Aidbox's namespace with the CA, PEM; the modes that verify require it"),
    caKey: matching(/^[A-Za-z0-9_.-]+$/, "write a ConfigMap's key: letters, digits, '_', '.' and '-'")
      .optional()
      .describe("Key of the CA in it, by default `ca.crt`"),
  },
  tlsFix,
);

const external = z.strictObject({
  mode: z.literal("external"),
  host: matching(/^([A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])$/, hostFix)
    .refine(
      (name) => !/^(localhost|127\..*|0\.0\.0\.0|\[::1?\])$/.test(name),
      "is Aidbox's own pod: write PostgreSQL's host as the pod sees it",
    )
    .describe("Host as seen from Aidbox's pods"),
  port: z.int("write a whole number").min(1, portFix).max(65535, portFix).default(5432).describe("TCP port"),
  ...common,
  tls,
});

const development = z.strictObject({
  mode: z.literal("development"),
  ...common,
  image: z
    .string(imageFix)
    .refine(isPinnedDebian, imageFix)
    .default("docker.io/library/postgres:17.9")
    .describe("Official image on Debian, 17 or later, or one made from it; pinned"),
  storage: z
    .strictObject({
      size: size.prefault("1Gi").describe("Size of the volume"),
      storageClass: objectName.optional().describe("StorageClass of the volume, by default the cluster's"),
    })
    .prefault({}),
  allowFrom: peers
    .default([])
    .describe("Who may reach it beside Aidbox: `{ podLabels, namespaceLabels }` or `{ cidr }`"),
});

const leastMajor = 17;

/** On Alpine the image's user has another id, and a tag that moves may change PostgreSQL's major under a volume. */
function isPinnedDebian(reference: string): boolean {
  if (!isImage(reference)) return false;
  if (/@sha256:[0-9a-f]{64}$/.test(reference)) return true;
  const tag = /:([\w][\w.-]*)$/.exec(reference)?.[1];
  // Of the official image the tag is PostgreSQL's version.
  if (/(^|\/)postgres:/.test(reference) && Number.parseInt(tag ?? "") < leastMajor) return false;
  return tag !== undefined && /\d/.test(tag) && !/^alpine|-alpine|^latest/.test(tag);
}

/** PostgreSQL, if it is the stack that tells Aidbox of it. */
export const database = z
  .discriminatedUnion("mode", [external, development], {
    error: "write mode: external (a PostgreSQL that is there already) or development (one in this cluster)",
  })
  .optional()
  .describe("PostgreSQL that is there, or one for development; by default the stack sets none");
