import { flag, optional, shape } from "../check-props";
import { imageFrom, type ImageSource, imageSource, pullSecretReferences } from "../images";

/** What a site wants of the pods of every chart. */
export interface PlatformSite {
  /** @default - each image's own registry, without credentials */
  readonly images?: ImageSource;
  /**
   * Whether the platform gives each namespace users of its own, as OpenShift does: no pod names a user or a group then.
   * @default false
   */
  readonly assignsUsers?: boolean;
}

/** What each part of it is. */
export const platformSite = shape<PlatformSite>({ images: optional(imageSource), assignsUsers: optional(flag) });

/** Values of the CSI driver's chart. What it does not name stays the chart's own, tags among it. */
export function driverSiteValues({ images = {} }: PlatformSite): Record<string, unknown> {
  const driver = "registry.k8s.io/csi-secrets-store";
  const sidecars = "registry.k8s.io/sig-storage";
  return {
    ...pullSecretValue(images),
    ...(images.registry === undefined
      ? {}
      : {
          linux: {
            image: repository(`${driver}/driver`, images),
            registrarImage: repository(`${sidecars}/csi-node-driver-registrar`, images),
            livenessProbeImage: repository(`${sidecars}/livenessprobe`, images),
            crds: { image: repository(`${driver}/driver-crds`, images) },
          },
        }),
  };
}

/** Values of HashiCorp's chart, for servers; their image is given by itself. */
export function vaultServerSiteValues({ images = {}, assignsUsers = false }: PlatformSite): Record<string, unknown> {
  const secrets = pullSecretValue(images);
  return {
    ...("imagePullSecrets" in secrets || assignsUsers
      ? { global: { ...secrets, ...(assignsUsers ? { openshift: true } : {}) } }
      : {}),
    ...(assignsUsers ? { server: { statefulSet: { securityContext: { pod: { runAsNonRoot: true } } } } } : {}),
  };
}

/** Values of HashiCorp's chart, for the CSI provider. */
export function vaultProviderSiteValues({ images = {}, assignsUsers = false }: PlatformSite): Record<string, unknown> {
  return {
    ...vaultServerSiteValues({ images }),
    ...(images.registry === undefined ? {} : { csi: { image: repository("hashicorp/vault-csi-provider", images) } }),
    ...(assignsUsers ? { global: { ...pullSecretValue(images), openshift: true } } : {}),
  };
}

/** Values of the chart of Azure's CSI provider. */
export function azureProviderSiteValues({ images = {}, assignsUsers = false }: PlatformSite): Record<string, unknown> {
  return {
    ...pullSecretValue(images),
    linux: {
      ...(images.registry === undefined
        ? {}
        : { image: repository("mcr.microsoft.com/oss/v2/azure/secrets-store/provider-azure", images) }),
      ...(assignsUsers ? { privileged: true } : {}),
    },
  };
}

function pullSecretValue(images: ImageSource): Record<string, unknown> {
  const imagePullSecrets = pullSecretReferences(images);
  return imagePullSecrets === undefined ? {} : { imagePullSecrets };
}

function repository(name: string, images: ImageSource): { readonly repository: string } {
  return { repository: imageFrom(name, images) };
}
