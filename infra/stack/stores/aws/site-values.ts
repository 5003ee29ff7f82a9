import { imageFrom, pullSecretReferences } from "../../../../constructs/images";
import type { PlatformSite } from "../../../../constructs/platform/index";

const image = "public.ecr.aws/aws-secrets-manager/secrets-store-csi-driver-provider-aws";

/** What a site wants of the pods of AWS's CSI provider, as values of its chart. */
export function awsSiteValues({ images = {}, assignsUsers = false }: PlatformSite): Record<string, unknown> {
  const imagePullSecrets = pullSecretReferences(images);
  return {
    ...(imagePullSecrets === undefined ? {} : { imagePullSecrets }),
    ...(images.registry === undefined ? {} : { image: { repository: imageFrom(image, images) } }),
    ...(assignsUsers ? { securityContext: { privileged: true, allowPrivilegeEscalation: true } } : {}),
  };
}
