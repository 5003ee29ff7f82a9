import * as pulumi from "@pulumi/pulumi";

/**
 * Has the claims of volumes go with their namespace alone. Pulumi would replace one that is to become larger: `checkVolumes`
 * has it grow in place instead.
 */
export const keptClaims: pulumi.ResourceTransformation = ({ type, props, opts }) =>
  type === "kubernetes:core/v1:PersistentVolumeClaim"
    ? { props, opts: pulumi.mergeOptions(opts, { retainOnDelete: true, ignoreChanges: ["spec"] }) }
    : undefined;
