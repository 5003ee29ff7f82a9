import * as z from "zod";
import { aidboxOperation } from "./aidbox-schema";
import { database } from "./database-schema";
import { rolls } from "./rolls-schema";
import { plaintextKeys } from "./plaintext-problems";
import { cpu, isImage, objectName, ownNamespace, serviceName, size, taggedImage } from "./kubernetes-schema";
import { peers, targets } from "./network-schema";
import { dnsLabel, duration, filled, flag, lasting, matching, mountPath, text, word } from "./primitives";
import { seconds } from "./quantity";

const url = z.url({
  protocol: /^https?$/,
  error: "write a URL that begins with http:// or https://",
});

const chartVersion = matching(/^v?\d+\.\d+\.\d+([-+].+)?$/, "write the chart's version, as 1.6.1");

/** Where a chart comes from. */
export const chartSchema = z.union(
  [
    z.strictObject({ repository: url, version: chartVersion }),
    z.strictObject({ path: text.describe("Folder or archive of the chart") }),
  ],
  { error: "write { repository, version } with a version as 1.6.1, or { path } for a local folder or archive" },
);

const chart = chartSchema.optional();

const values = z.record(text, z.unknown(), "write an object of the chart's values").optional();

const maxAge = matching(/^0*[1-9]\d*(s|m|h|d)$/, "write the greatest age as a whole number with its unit: 90d or 12h");

const secret = z.strictObject({
  name: z.string("write the secret's name, a DNS label").describe("Name by which Aidbox's resources refer to it"),
  path: z
    .string("write the path in the KV mount, as aidbox/client")
    .describe("Path in the KV mount, without `data/`; of source `database` the name of the static role"),
  key: text.optional().describe("Key inside the secret; by default the name, of source `database` `password`"),
  file: text.optional().describe("File below `mountPath`; by default the name"),
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
});

export const vaultCommon = {
  release: serviceName(48) // of its CSI provider's Helm release, with -node, 53 characters
    .default("vault")
    .describe("Name of the Helm release of Vault; that of its CSI provider is called so too, with `-node`"),
  chart: chart.describe("`{ repository, version }` or `{ path }`; by default 0.34.1 from HashiCorp's repository"),
  values: values.describe("Further values of HashiCorp's chart, for the servers' release and for the CSI provider's"),
  csiProvider: z
    .boolean()
    .default(true)
    .describe("Whether to install the CSI provider; false where the cluster has it"),
  role: matching(
    /^[a-z0-9]([a-z0-9_.-]{0,61}[a-z0-9])?$/, // Vault writes a policy's name in lower case
    "write up to 63 lower-case letters, digits, '.', '_' and '-', as aidbox",
  )
    .refine((name) => name !== "root" && name !== "default", "is a policy of Vault's own: write another, as aidbox")
    .default("aidbox")
    .describe("Vault role and policy of the Aidbox pods"),
  audience: word("the audience")
    .default("vault")
    .describe("Audience of the pod tokens with which Aidbox's pods log in"),
  tokenTtl: duration("the life of a login")
    .refine((text) => seconds(text) >= 60 && seconds(text) <= 24 * 3600, "write 60s or more, and 24h at most")
    .default("1h")
    .describe("Life of a login's Vault token, from 60s to 24h; it is not renewed beyond that"),
  kvMount: z
    .strictObject({
      path: text.default("secret").describe("KV v2 mount of the secrets"),
      owned: flag
        .optional()
        .describe(
          "Whether this stack makes the mount, and removes it with all that is in it; by default where Vault is its own",
        ),
    })
    .prefault({})
    .describe("KV v2 mount of the secrets, and whether this stack makes and removes it"),
  allowTo: targets
    .optional()
    .describe(
      "Whom servers and provider may reach beside each other and DNS: the API server, a seal's key; by default everybody",
    ),
  databaseMount: text
    .default("database")
    .describe("Mount of Vault's database engine, for secrets of source `database`; an operator's, it is there already"),
};

/** The address alone, to which the paths of Vault's API are appended. */
const vaultUrl = url.refine((text) => {
  const known = URL.canParse(text) ? new URL(text) : undefined;
  return known !== undefined && !/[?#]|\/$/.test(text) && !/\/(v1|ui)$/.test(known.pathname) && known.port !== "0";
}, "write the URL alone, as https://vault.example.com:8200, without slash, path of the API or query at its end");

const pem = matching(/^-----BEGIN CERTIFICATE-----/, "write the certificate as PEM");

const operatorMount = mountPath("aidbox-operators")
  .refine((path) => !/^(auth|token)(\/|$)/.test(path), "write it without auth/, and not token, which is Vault's own")
  .default("aidbox-operators")
  .describe("Path of the operators' auth mount, without auth/, which vault:grant makes");

const operatorTtl = lasting("the life of an operator's login").default("8h").describe("Life of an operator's login");

const operators = z
  .discriminatedUnion(
    "method",
    [
      z.strictObject({ method: z.literal("token") }),
      z.strictObject({
        method: z.literal("userpass"),
        mount: operatorMount,
        ttl: operatorTtl,
        users: z
          .array(
            matching(
              /^[a-z0-9]([a-z0-9_.-]*[a-z0-9])?$/,
              "write a name of lower-case letters, digits, '.', '_' and '-'",
            ),
          )
          .min(1, "name at least one user")
          .refine((names) => new Set(names).size === names.length, "names a user twice: name each once")
          .describe("Names of the operators; each gets a password once"),
      }),
      z.strictObject({ method: z.literal("approle"), mount: operatorMount, ttl: operatorTtl }),
      z.strictObject({
        method: z.literal("oidc"),
        mount: operatorMount,
        ttl: operatorTtl,
        discoveryUrl: url.describe("URL of the provider, as Vault reaches it, without `.well-known`"),
        discoveryCa: pem.optional().describe("CA of that URL, PEM; by default one that everybody trusts"),
        clientId: filled.describe("Vault's client at the provider; its secret comes by `VAULT_OIDC_CLIENT_SECRET`"),
        userClaim: filled.default("sub").describe("Claim that names the user"),
        groupsClaim: filled.default("groups").describe("Claim that lists the user's groups"),
        groups: z.array(filled).min(1, "name at least one group").describe("Groups whose members may write secrets"),
        redirectUris: z
          .array(url)
          .optional()
          .describe("Where the provider may send the login's code; by default to `vault login` on the user's machine"),
      }),
    ],
    { error: "write method: token, userpass, approle or oidc" },
  )
  .prefault({ method: "token" })
  .describe("How the operators who write secrets log in to Vault; vault:init and vault:grant set it up");

const localPort = z
  .int("write a whole number")
  .min(1024, "write a port from 1024 to 65535")
  .max(65535, "write a port from 1024 to 65535")
  .optional()
  .describe("Port of 127.0.0.1 on which `up` reaches Vault; by default one made from the stack's name");

const server = {
  localPort,
  allowFrom: peers
    .default([])
    .describe(
      "Who may reach Vault beside its CSI provider, as Prometheus: `{ podLabels, namespaceLabels }` or `{ cidr }`",
    ),
  image: taggedImage("hashicorp/vault:2.0.4")
    .optional()
    .describe("Image of the servers, with its tag; by default hashicorp/vault:2.0.4"),
};

const stored = {
  ...server,
  operators,
  storage: z
    .strictObject({
      size: size.prefault("10Gi").describe("Size of each server's volume"),
      storageClass: objectName.optional().describe("Storage class of the volumes; by default the cluster's own"),
      retain: flag.default(true).describe("Whether the volumes stay when the stack is destroyed"),
    })
    .prefault({}),
  certManager: z
    .strictObject({
      issuer: objectName.describe(
        "Issuer of cert-manager for Vault's certificate; without one, a CA of the stack's own signs it",
      ),
      kind: z
        .enum(["Issuer", "ClusterIssuer"], "write Issuer or ClusterIssuer")
        .default("ClusterIssuer")
        .describe("Kind of the issuer"),
      ca: pem.describe(
        "CA of the issuer, PEM, as in the key `ca.crt` of a Secret that it has issued; while it changes, the old and the new",
      ),
    })
    .optional(),
  seal: z
    .discriminatedUnion(
      "type",
      [
        z.strictObject({
          type: z.literal("transit"),
          address: vaultUrl.describe("URL of the Vault that holds the key"),
          keyName: filled.describe("Name of the key"),
          mountPath: mountPath("transit").optional().describe("Path of the transit mount, by default `transit`"),
          ca: pem.optional().describe("CA of that Vault's certificate, PEM; by default one that everybody trusts"),
        }),
        z.strictObject({
          type: z.literal("awskms"),
          region: filled.describe("Region of the key"),
          kmsKeyId: filled.describe("Id or ARN of the key"),
          roleArn: matching(
            /^arn:[\w-]+:iam::\d{12}:role\/\S+$/,
            "write the role's ARN, as arn:aws:iam::111122223333:role/vault",
          )
            .optional()
            .describe("IAM role of the servers' ServiceAccount (IRSA); by default that of Pod Identity, or the node's"),
        }),
        z.strictObject({
          type: z.literal("azurekeyvault"),
          tenantId: filled.describe("Tenant of the key vault"),
          vaultName: matching(
            /^[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]$/,
            "write its name: 3 to 24 letters, digits and dashes",
          ).describe("Name of the key vault"),
          keyName: filled.describe("Name of the key"),
          clientId: text
            .optional()
            .describe("Managed identity that trusts the servers' ServiceAccount; by default the node's"),
        }),
        z.strictObject({
          type: z.literal("gcpckms"),
          project: filled.describe("Project of the key"),
          region: filled.describe("Region of the key"),
          keyRing: filled.describe("Ring of the key"),
          cryptoKey: filled.describe("Name of the key"),
          serviceAccount: matching(
            /^\S+@\S+\.gserviceaccount\.com$/,
            "write its address, as vault@PROJECT.iam.gserviceaccount.com",
          )
            .optional()
            .describe("Google service account that the servers' ServiceAccount stands for"),
        }),
      ],
      {
        error: "write type: transit, awskms, azurekeyvault or gcpckms, or leave seal out for operators with key shares",
      },
    )
    .optional()
    .describe("What unseals Vault without operators; clouds' credentials come by workload identity"),
};

/** As Vault checks the cluster's tokens with it. A JWKS, which Kubernetes gives, is another format. */
const publicKey = matching(
  /^-----BEGIN (RSA PUBLIC KEY|PUBLIC KEY|CERTIFICATE)-----/,
  "write the public key as PEM; docs/own-vault.md shows how to make it of the cluster's JWKS",
);

const authMount = mountPath("kubernetes")
  .refine((path) => !/^(auth|token)(\/|$)/.test(path), "write it without auth/, and not token, which is Vault's own")
  .default("kubernetes")
  .describe("Path of the auth mount, without auth/");

const login = z
  .discriminatedUnion(
    "method",
    [
      z.strictObject({
        method: z.literal("kubernetes"),
        mount: authMount,
        apiServer: url.optional().describe("URL of the API server as seen from Vault"),
      }),
      z.strictObject({
        method: z.literal("jwt"),
        mount: authMount,
        issuer: word("the issuer").optional().describe("Issuer of the cluster's tokens; by default any"),
        keys: z
          .union(
            [
              z.strictObject({ publicKeys: z.array(publicKey).min(1, "write at least one public key, PEM") }),
              z.strictObject({
                discoveryUrl: url.refine((text) => !text.includes("/.well-known"), "write it without /.well-known"),
                discoveryCa: pem.optional(),
              }),
            ],
            {
              error:
                "write { publicKeys: [PEM, …] } or { discoveryUrl, discoveryCa: PEM }; docs/own-vault.md makes PEM of a JWKS",
            },
          )
          .describe(
            "Keys that sign the cluster's tokens: `{ publicKeys: [PEM, …] }` or `{ discoveryUrl, discoveryCa }`",
          ),
      }),
    ],
    {
      error: "write method: kubernetes (a Vault in this cluster) or jwt (a Vault anywhere)",
    },
  )
  .describe("How Vault checks the token with which a pod logs in");

const vault = z
  .discriminatedUnion(
    "mode",
    [
      z.strictObject({
        mode: z.literal("dev"),
        ...vaultCommon,
        ...server,
      }),
      z.strictObject({
        mode: z.literal("standalone"),
        ...vaultCommon,
        ...stored,
      }),
      z.strictObject({
        mode: z.literal("ha"),
        ...vaultCommon,
        ...stored,
        replicas: z
          .literal([3, 5], "write 3 or 5")
          .default(3)
          .describe("Number of servers: 3, of which one may fail, or 5"),
        antiAffinity: z
          .enum(["required", "preferred", "none"], "write required, preferred or none")
          .default("required")
          .describe("Whether each server must lie on a node of its own"),
      }),
      z.strictObject({
        mode: z.literal("external"),
        ...vaultCommon,
        address: vaultUrl.describe("URL of Vault as seen from the cluster's pods"),
        addressFromHere: vaultUrl.optional().describe("URL of Vault as seen from where `up` runs; by default the same"),
        operators,
        vaultNamespace: matching(/^[\w.-]+(\/[\w.-]+)*\/?$/, "write the namespace's path, as admin/health")
          .optional()
          .describe("Namespace of Vault Enterprise or HCP Vault"),
        ca: pem.optional().describe("CA of Vault's certificate, PEM; by default one that everybody trusts"),
        caCertPath: matching(/^\/[^\s]+$/, "write the absolute path of a file, as /vault/tls/ca.crt")
          .optional()
          .describe("File with that CA in the container of a CSI provider that is not this stack's"),
        login,
      }),
    ],
    {
      error:
        "write mode: dev (in memory, for development), standalone or ha (with storage and TLS) or external (a Vault that is " +
        "there already)",
    },
  )
  .describe("In memory and UNSAFE, for development; with storage, one server or several; or there already");

const image = z
  .string("write the image with its tag, as healthsamurai/aidboxone:2605")
  .refine((reference) => !/:\/\/|\s/.test(reference), {
    error: "write the image's name alone, without https:// and spaces, as healthsamurai/aidboxone:2605",
    abort: true,
  })
  .refine(isPinned, "pin the image with a tag of 2602 or later, as healthsamurai/aidboxone:2605, or with a digest");

/** `BOX_VAULT_CONFIG` came with 2602; tags that move (edge, latest) may be older, and change under a running pod. */
function isPinned(reference: string): boolean {
  if (!isImage(reference)) return false;
  if (/@sha256:[0-9a-f]{64}$/.test(reference)) return true;
  const release = /:(\d{4})([.-][\w.-]+)?$/.exec(reference)?.[1];
  return release !== undefined && Number(release) >= 2602;
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
  mountPath: text.default("/run/vault-secrets").describe("Folder of the container with the secrets' files"),
  rotationBound: duration("the bound")
    .default("30s")
    .describe(
      "Time within which a change in Vault reaches the files; below 90s, kubelet's own, the Republisher is deployed for it",
    ),
  republisher: z
    .strictObject({
      image: taggedImage("docker.io/curlimages/curl:8.17.0")
        .default("docker.io/curlimages/curl:8.17.0")
        .describe("Image with sh and curl of the part that has kubelet publish the volumes again"),
      allowTo: targets
        .optional()
        .describe("Whom it may reach beside DNS: the API server, its one need; by default everybody"),
    })
    .prefault({}),
  rolls,
  namespaces: z
    .strictObject({
      aidbox: ownNamespace.default("aidbox").describe("Namespace of Aidbox, at Pod Security level `restricted`"),
      vault: ownNamespace.default("vault").describe("Namespace of Vault's servers, at level `restricted`"),
      csiProvider: ownNamespace
        .default("vault-csi-provider")
        .describe("Namespace of Vault's CSI provider, at level `privileged`, which its host paths need"),
    })
    .prefault({})
    .describe("Namespaces that the stack makes"),
  csiDriver: z
    .strictObject({
      install: flag.default(true).describe("Whether to install the driver; false where the cluster has it"),
      release: dnsLabel.default("csi").describe("Name of the driver's Helm release"),
      namespace: dnsLabel.default("kube-system").describe("Namespace of the driver's Helm release"),
      chart: chart.describe("`{ repository, version }` or `{ path }`; by default 1.6.1 from the driver's repository"),
      values: values.describe("Further values of the driver's chart"),
    })
    .prefault({}),
  vault,
  database,
  aidbox: z.strictObject(
    {
      name: serviceName(55).default("aidbox").describe("Name of the Deployment, the Service and the ServiceAccount"),
      image: image.describe("Image with a tag of 2602 or later, or a digest"),
      replicas: z.int("write a whole number").min(1, "write 1 or more").default(1).describe("Number of pods"),
      readOnlyRootFilesystem: flag.default(true).describe("Whether the root file system is read-only"),
      resources: z
        .strictObject({
          cpuRequest: cpu.prefault("500m").describe("CPU that a pod asks for"),
          memoryRequest: size.prefault("2Gi").describe("Memory that a pod asks for"),
          memoryLimit: size.prefault("4Gi").describe("Memory that a pod may use"),
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
