import * as z from "zod";
import { chart, url, values } from "../../chart-schema";
import { objectName, serviceName, size, taggedImage } from "../../kubernetes-schema";
import { peers, targets } from "../../network-schema";
import { certificates, publicKey } from "../../pem";
import {
  dnsLabel,
  duration,
  filled,
  flag,
  guid,
  lasting,
  matching,
  mountPath,
  text,
  whole,
  word,
} from "../../primitives";
import { seconds } from "../../quantity";
import { audit } from "./audit-schema";
import { snapshots } from "./snapshots-schema";

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
  csiProviderMakesTokens: flag
    .default(false)
    .describe(
      "UNSAFE: whether the CSI provider may make tokens of every ServiceAccount, for a driver that hands it none of `audience`",
    ),
  priorityClass: objectName
    .optional()
    .describe("PriorityClass of Vault's servers and of its CSI provider; by default the cluster's own"),
  provider: z
    .enum(["vault", "openbao"], "write vault or openbao")
    .optional()
    .describe("CSI provider that reads the secrets, by default `vault`; `openbao` is OpenBao's, which the cluster has"),
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
      casRequired: flag
        .optional()
        .describe(
          "Whether the mount takes no write without a version (`cas_required`), by default not. A value of source `managed` that somebody else " +
            "wrote is refused then, and not overwritten",
        ),
    })
    .prefault({})
    .describe("KV v2 mount of the secrets, and whether this stack makes and removes it"),
  objects: z
    .record(
      text,
      z.strictObject({
        encoding: z.enum(["utf-8", "base64", "hex"], "write utf-8, base64 or hex").optional(),
        permission: text.optional(),
      }),
      "write an object, by the secret's name in the table",
    )
    .default({})
    .describe(
      "How single secrets become files, by their names in the table: `{ encoding, permission }`, as `{ encoding: base64 }` for bytes",
    ),
  allowTo: targets
    .min(1, "name the API server at least, by which Vault checks logins, or leave allowTo out")
    .optional()
    .describe(
      "Whom servers and provider may reach beside each other and DNS: the API server, a seal's key; by default everybody",
    ),
  databaseMount: text
    .default("database")
    .describe("Mount of Vault's database engine, for secrets of source `database`; an operator's, it is there already"),
};

/** The address alone, to which the paths of Vault's API are appended. A slash at its end is left out. */
const vaultUrl = url
  .refine((text) => {
    if (!URL.canParse(text)) return true; // told already
    const known = new URL(text);
    return (
      !known.hostname.includes("..") &&
      !/[?#]/.test(text) &&
      !/\/(v1|ui)\/?$/.test(known.pathname) &&
      known.port !== "0"
    );
  }, "write the URL alone, as https://vault.example.com:8200, without path of the API or query at its end")
  .transform((text) => text.replace(/\/+$/, ""));

/** Name of a ring or a key of Google's Cloud KMS. */
const gcpName = (what: string) =>
  matching(/^[A-Za-z0-9_-]{1,63}$/, `write the name of ${what}: letters, digits, '_' and '-'`);

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
        discoveryUrl: url
          .refine((text) => !/\/\.well-known|[?#]/.test(text), "write it without /.well-known and query")
          .describe("URL of the provider, as Vault reaches it, without `.well-known`"),
        discoveryCa: certificates.optional().describe("CA of that URL, PEM; by default one that everybody trusts"),
        clientId: filled.describe("Vault's client at the provider; its secret comes by `VAULT_OIDC_CLIENT_SECRET`"),
        userClaim: filled.default("sub").describe("Claim that names the user"),
        groupsClaim: filled.default("groups").describe("Claim that lists the user's groups"),
        groups: z
          .array(filled)
          .min(1, "name at least one group")
          .refine((names) => new Set(names).size === names.length, "names a group twice: name each once")
          .describe("Groups whose members may write secrets"),
        redirectUris: z
          .array(url)
          .min(1, "name at least one, or leave redirectUris out")
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
  tlsMinVersion: z
    .enum(["1.2", "1.3"], 'write "1.2" or "1.3"')
    .default("1.2")
    .describe("Least version of TLS that the servers take"),
  logFormat: z
    .enum(["standard", "json"], "write standard or json")
    .default("standard")
    .describe("Form of the log of the servers, of the containers beside each, and of the snapshots' pods"),
  audit,
  loginsPerSecond: whole
    .min(20, "write 20 or more: a node's CSI provider logs in for all of its pods from one address")
    .max(100_000, "write 100000 at most")
    .optional()
    .describe(
      "Most logins of pods that Vault takes each second from one address; `vault:grant` sets it, by default any",
    ),
  snapshots,
  certManager: z
    .strictObject({
      issuer: objectName.describe(
        "Issuer of cert-manager for Vault's certificate; without one, a CA of the stack's own signs it",
      ),
      kind: z
        .enum(["Issuer", "ClusterIssuer"], "write Issuer or ClusterIssuer")
        .default("ClusterIssuer")
        .describe("Kind of the issuer"),
      ca: certificates.describe(
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
          keyName: matching(/^\w([\w.-]*\w)?$/, "write the key's name: letters, digits, '_', '.' and '-'").describe(
            "Name of the key",
          ),
          mountPath: mountPath("transit").optional().describe("Path of the transit mount, by default `transit`"),
          ca: certificates
            .optional()
            .describe("CA of that Vault's certificate, PEM; by default one that everybody trusts"),
        }),
        z.strictObject({
          type: z.literal("awskms"),
          region: matching(/^[a-z]{2,3}(-[a-z]+)+-\d+$/, "write the region, as eu-central-1").describe(
            "Region of the key",
          ),
          kmsKeyId: word("the key's id, ARN or alias").describe("Id or ARN of the key"),
          roleArn: matching(
            /^arn:[\w-]+:iam::\d{12}:role\/\S+$/,
            "write the role's ARN, as arn:aws:iam::111122223333:role/vault",
          )
            .optional()
            .describe("IAM role of the servers' ServiceAccount (IRSA); by default that of Pod Identity, or the node's"),
        }),
        z.strictObject({
          type: z.literal("azurekeyvault"),
          tenantId: guid("the tenant").describe("Tenant of the key vault"),
          vaultName: matching(
            /^[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]$/,
            "write its name: 3 to 24 letters, digits and dashes",
          ).describe("Name of the key vault"),
          keyName: matching(/^[0-9A-Za-z-]{1,127}$/, "write the key's name: letters, digits and dashes").describe(
            "Name of the key",
          ),
          clientId: guid("the managed identity's client")
            .optional()
            .describe("Managed identity that trusts the servers' ServiceAccount; by default the node's"),
        }),
        z.strictObject({
          type: z.literal("gcpckms"),
          project: matching(
            /^([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$/,
            "write the project's id: 6 to 30 lower-case letters, digits and dashes",
          ).describe("Project of the key"),
          region: matching(/^[a-z][a-z0-9-]*$/, "write the region, as europe-west3 or global").describe(
            "Region of the key",
          ),
          keyRing: gcpName("the ring").describe("Ring of the key"),
          cryptoKey: gcpName("the key").describe("Name of the key"),
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

const authMount = mountPath("kubernetes")
  .refine((path) => !/^(auth|token)(\/|$)/.test(path), "write it without auth/, and not token, which is Vault's own")
  .default("kubernetes")
  .describe("Path of the auth mount, without auth/");

const authMountOwned = flag
  .default(true)
  .describe(
    "Whether this stack makes the auth mount, and removes it; false where it is there already: role and policy alone are made then",
  );

const keysFix =
  "write { publicKeys: [PEM, …] } or { discoveryUrl, discoveryCa: PEM }; docs/own-vault.md makes PEM of a JWKS";

const login = z
  .discriminatedUnion(
    "method",
    [
      z.strictObject({
        method: z.literal("kubernetes"),
        mount: authMount,
        owned: authMountOwned,
        apiServer: url.optional().describe("URL of the API server as seen from Vault"),
      }),
      z.strictObject({
        method: z.literal("jwt"),
        mount: authMount,
        owned: authMountOwned,
        issuer: word("the issuer").optional().describe("Issuer of the cluster's tokens; by default any"),
        keys: z
          .union(
            [
              z.strictObject({ publicKeys: z.array(publicKey).min(1, "write at least one public key, PEM") }),
              z.strictObject({
                discoveryUrl: url.refine((text) => !text.includes("/.well-known"), "write it without /.well-known"),
                discoveryCa: certificates.optional(),
              }),
            ],
            { error: keysFix },
          )
          .optional()
          .describe(
            "Keys that sign the cluster's tokens: `{ publicKeys: [PEM, …] }` or `{ discoveryUrl, discoveryCa }`; required where " +
              "the stack makes the auth mount",
          ),
      }),
    ],
    {
      error: "write method: kubernetes (a Vault in this cluster) or jwt (a Vault anywhere)",
    },
  )
  .superRefine((given, context) => {
    if (given.owned) {
      if (given.method === "jwt" && given.keys === undefined) {
        context.addIssue({ code: "custom", path: ["keys"], input: undefined, message: keysFix });
      }
      return;
    }
    for (const [key, input] of Object.entries(given)) {
      if (!["apiServer", "issuer", "keys"].includes(key)) continue;
      const message = "is set in the auth mount, which is not this stack's: leave it out";
      context.addIssue({ code: "custom", path: [key], input, message });
    }
  })
  .describe("How Vault checks the token with which a pod logs in");

const fileInProvider = matching(/^\/[^\s]+$/, "write the absolute path of a file, as /vault/client/tls.crt").optional();

const clientCertificate = z
  .strictObject(
    {
      secretName: objectName
        .optional()
        .describe("Secret of type kubernetes.io/tls in the CSI provider's namespace, which an operator makes"),
      certPath: fileInProvider.describe("File in the container of a CSI provider that is not this stack's"),
      keyPath: fileInProvider.describe("The same of its key"),
    },
    "write { secretName }, or { certPath, keyPath } where the CSI provider is not this stack's",
  )
  .describe(
    "Certificate by which pods show who they are, where Vault or a gateway asks; this machine's is that of VAULT_CLIENT_CERT and VAULT_CLIENT_KEY",
  );

/** What to write where nothing says which Vault it is. */
export const modeFix =
  "write mode: dev (in memory, for development), standalone or ha (with storage and TLS) or external (a Vault that is " +
  "there already)";

export const vault = z
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
        address: vaultUrl
          .refine(
            (text) => !URL.canParse(text) || !/^(localhost|127\..*|0\.0\.0\.0|\[::1?\])$/.test(new URL(text).hostname),
            "is the CSI provider's own pod: write Vault's URL as pods see it",
          )
          .describe("URL of Vault as seen from the cluster's pods"),
        addressFromHere: vaultUrl.optional().describe("URL of Vault as seen from where `up` runs; by default the same"),
        operators,
        vaultNamespace: matching(/^[\w.-]+(\/[\w.-]+)*\/?$/, "write the namespace's path, as admin/health")
          .optional()
          .describe("Namespace of Vault Enterprise or HCP Vault"),
        ca: certificates.optional().describe("CA of Vault's certificate, PEM; by default one that everybody trusts"),
        tlsServerName: matching(/^[\w*][\w.*:-]*$/, "write the name alone, as vault.example.com")
          .optional()
          .describe("Name in Vault's certificate, where the address has another; by default the address' host"),
        caCertPath: matching(/^\/[^\s]+$/, "write the absolute path of a file, as /vault/tls/ca.crt")
          .optional()
          .describe("File with that CA in the container of a CSI provider that is not this stack's"),
        clientCertificate: clientCertificate.optional(),
        serversRelease: z
          .strictObject({
            name: dnsLabel.describe("Name of the release"),
            namespace: dnsLabel.describe("Its namespace"),
          })
          .optional()
          .describe(
            "Helm release of its servers, where Vault's CSI provider came with it: `npm run adopt` takes it over, `up` takes the " +
              "provider out of it; the servers stay, after a `destroy` too",
          ),
        login,
      }),
    ],
    { error: modeFix },
  )
  .describe("In memory and UNSAFE, for development; with storage, one server or several; or there already");
