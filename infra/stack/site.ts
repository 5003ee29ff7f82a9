import type { SiteOptions } from "../../constructs/kubernetes/index";
import type { PlatformSite } from "../../constructs/platform/index";
import type { Environment } from "../config/environment";

/** What the environment's site wants of the charts' pods. */
export function platformSiteOf({ images, assignsUsers }: Environment): PlatformSite {
  return { images, assignsUsers };
}

/** What it wants of the others. What runs beside Aidbox runs where that may. */
export function siteOf(environment: Environment): SiteOptions {
  const { nodeSelector, tolerations } = environment.aidbox;
  return { ...platformSiteOf(environment), nodeSelector, tolerations };
}
