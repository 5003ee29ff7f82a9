import { randomBytes } from "node:crypto";
import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import type { Release } from "@pulumi/kubernetes/helm/v3/release";
import * as pulumi from "@pulumi/pulumi";
import {
  type Check,
  flag,
  given,
  oneOf,
  optional,
  refuseProps,
  shape,
  size,
  text,
  variant,
  volumeSize,
  wholeNumber,
} from "../../check-props";
import { imageFrom } from "../../images";
import { defaultVaultImage, devRootTokenName, vaultServiceAddress } from "../../stores/vault/names";
import { containerSecurityContext } from "../container-security";
import type { HelmChart } from "../helm-chart";
import { helmRelease } from "../helm-release";
import { releaseChecks } from "../release-checks";
import { type PlatformSite, platformSite, vaultServerSiteValues } from "../site";
import { overrideValues } from "../values";
import type { AuditLog, AuditVolume } from "./audit-log";
import { autoUnseal } from "./auto-unseal";
import { splitImage } from "./image";
import {
  readyServers,
  serverResources,
  type StandaloneServer,
  storedServerValues,
  type VaultRelease,
  type VaultServer,
  type VaultStorage,
  writableFolders,
} from "./server";

/** Which servers, and where. */
export interface VaultArgs {
  /** Dev mode, one server, or three or five. In dev mode a restart loses every value. */
  readonly server: VaultServer;
  /** @default 0.34.1 from HashiCorp's repository */
  readonly chart?: HelmChart;
  /** @default "vault", as in the vendor's guide */
  readonly releaseName?: string;
  /** Must exist; it can be at the `restricted` Pod Security level. */
  readonly namespace: string;
  /**
   * Image of the servers, with its tag.
   * @default - `Vault.defaultImage`
   */
  readonly image?: string | undefined;
  /** PriorityClass of the servers: by one above others', a full node ends these last. @default - the cluster's own */
  readonly priorityClass?: string | undefined;
  /** How servers, and the containers beside them, write their log. @default "standard" */
  readonly logFormat?: "standard" | "json" | undefined;
  /** @default - nothing more than the chart has */
  readonly site?: PlatformSite;
  /** Further values of the chart; they win over those of this component. @default - none */
  readonly values?: Record<string, unknown>;
  /** Another text than before has Helm put back objects of the release that were lost. @default - none */
  readonly repair?: string;
  /**
   * Root token of dev mode that is in the cluster already, as a run leaves it that was killed before its state was written.
   * @default - one is drawn, and the state keeps it
   */
  readonly devRootToken?: string | undefined;
  /**
   * Whether Pulumi refuses to delete the release until somebody unprotects it by name. Its component's `protect` would hold
   * for the objects beside it too, and one of them alone would keep the rest of a `destroy` from its end.
   * @default false
   */
  readonly protectsServers?: boolean;
}

/**
 * Vault's servers, from HashiCorp's chart; without the injector, which files by CSI make needless.
 * @example
 * ```ts
 * import { Provider } from "@pulumi/kubernetes";
 * import { Size } from "cdk8s";
 * import { Vault } from "aidbox-secrets/platform";
 *
 * const provider = new Provider("cluster", { context: "production" });
 * const { address } = new Vault(
 *   "vault",
 *   {
 *     namespace: "vault",
 *     server: {
 *       mode: "ha",
 *       replicas: 3,
 *       storage: { size: Size.gibibytes(10) },
 *       tls: { secretName: "vault-tls", caConfigMapName: "vault-ca" },
 *     },
 *     protectsServers: true,
 *   },
 *   { provider },
 * );
 * export { address };
 * ```
 */
export class Vault extends pulumi.ComponentResource {
  /** HashiCorp's chart at the version that this package was tested with. */
  public static readonly defaultChart: HelmChart = {
    repository: "https://helm.releases.hashicorp.com",
    name: "vault",
    version: "0.34.1",
  };
  /** The default chart's own. */
  public static readonly defaultImage = defaultVaultImage;

  /** Done when its objects are made; no server may be ready yet. */
  public readonly release: Release;
  /** URL of Vault as seen from the cluster's pods. */
  public readonly address: string;
  /** Dev mode's root token, secret; none in other modes. */
  public readonly devRootToken: pulumi.Output<string> | undefined;

  public constructor(name: string, args: VaultArgs, opts?: pulumi.ComponentResourceOptions) {
    refuseProps(`Vault ${name}`, args, checks);
    super("aidbox-secrets:platform:Vault", name, {}, opts);
    const releaseName = args.releaseName ?? "vault";
    const tokenSecret = args.server.mode === "dev" ? this.makeDevRootToken(name, args, releaseName) : undefined;
    const image = imageFrom(args.image ?? Vault.defaultImage, args.site?.images);
    const release = { releaseName, namespace: args.namespace, image };
    const values = {
      fullnameOverride: releaseName,
      injector: { enabled: false },
      server:
        args.server.mode === "dev"
          ? devServer(release, tokenSecret!.metadata.name)
          : { ...storedServerValues(args.server, release, args.logFormat === "json"), ...operationOf(args) },
      // A release of its own has it, in a namespace that admits host paths.
      csi: { enabled: false },
      ...(args.server.mode === "dev" ? {} : { global: { tlsDisable: false } }),
    };
    this.release = helmRelease(
      name,
      {
        chart: args.chart ?? Vault.defaultChart,
        releaseName,
        namespace: args.namespace,
        values: overrideValues(values, vaultServerSiteValues(args.site ?? {})),
        overrides: args.values,
        repair: args.repair,
      },
      { parent: this, dependsOn: tokenSecret ?? [], protect: args.protectsServers ?? false },
    );
    this.address = vaultServiceAddress(releaseName, args.namespace, args.server.mode !== "dev");
    this.devRootToken = tokenSecret?.data.apply((data) => Buffer.from(data[tokenKey] ?? "", "base64").toString());
    this.registerOutputs();
  }

  private makeDevRootToken(name: string, { namespace, devRootToken }: VaultArgs, releaseName: string): Secret {
    const token = devRootToken ?? randomBytes(24).toString("base64url");
    return new Secret(
      `${name}-dev-root-token`,
      {
        metadata: { name: devRootTokenName(releaseName), namespace },
        data: {
          [tokenKey]: Buffer.from(token).toString("base64"),
        },
      },
      // Made once: every run draws another token, and the state keeps the first.
      { parent: this, ignoreChanges: ["data"] },
    );
  }
}

function operationOf({ priorityClass, logFormat }: VaultArgs): object {
  return {
    ...(priorityClass === undefined ? {} : { priorityClassName: priorityClass }),
    ...(logFormat === "json" ? { logFormat } : {}),
  };
}

const auditVolume = shape<AuditVolume>({ size: volumeSize, storageClass: optional(text) });
const auditPlace: Check = (value) => (value === "storage" ? undefined : auditVolume(value));

const stored = {
  storage: shape<VaultStorage>({ size: volumeSize, storageClass: optional(text), retain: optional(flag) }),
  tls: shape<StandaloneServer["tls"]>({ secretName: given, caConfigMapName: given }),
  seal: optional(autoUnseal),
  auditLog: optional(shape<AuditLog>({ place: auditPlace, rotateAt: size, keep: wholeNumber })),
  metrics: optional(flag),
  tlsMinVersion: optional(oneOf("1.2", "1.3")),
};
const server = variant<VaultServer, "mode">("mode", {
  dev: {},
  standalone: stored,
  ha: { ...stored, replicas: oneOf(3, 5), antiAffinity: optional(oneOf("required", "preferred", "none")) },
});

const checks = {
  server,
  ...releaseChecks,
  namespace: text,
  image: optional(text),
  priorityClass: optional(text),
  logFormat: optional(oneOf("standard", "json")),
  site: optional(platformSite),
  devRootToken: optional(() => undefined), // no message may show it
  protectsServers: optional(flag),
};

const tokenKey = "token";

function devServer(release: VaultRelease, tokenSecretName: pulumi.Input<string>): object {
  const variable = "VAULT_DEV_ROOT_TOKEN_ID";
  return {
    image: splitImage(release.image),
    ...writableFolders,
    resources: serverResources,
    statefulSet: { securityContext: { container: containerSecurityContext } },
    dev: {
      enabled: true,
      // Rendered in plain; the variable of the same name below comes after it and wins.
      devRootToken: "replaced-by-the-secret",
    },
    extraSecretEnvironmentVars: [{ envName: variable, secretName: tokenSecretName, secretKey: tokenKey }],
    readinessProbe: { initialDelaySeconds: 1, periodSeconds: 2 },
    ...readyServers,
    preStopSleepSeconds: 0,
  };
}
