/** Annotation of a pod whose change makes kubelet sync it at once, and so publish its volumes again. */
export const republishAnnotation = "aidbox-secrets/republish";

/**
 * Annotation of a Deployment, and of its pods where they were rolled for it: a digest of the versions that the pods' mounts
 * have of what is environment too.
 */
export const environmentAnnotation = "aidbox-secrets/environment";
