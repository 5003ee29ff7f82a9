import type { MarkedRelease } from "../../constructs/platform/release-mark";
import type { Environment } from "../config/environment";
import { operatedStore } from "./stores";

/** The Helm releases that the stack of an environment installs. */
export function ownReleases(environment: Environment): readonly MarkedRelease[] {
  const { csiDriver } = environment;
  return [
    ...(csiDriver.install ? [{ namespace: csiDriver.namespace, releaseName: csiDriver.release }] : []),
    ...operatedStore(environment).helmReleases(environment),
  ];
}
