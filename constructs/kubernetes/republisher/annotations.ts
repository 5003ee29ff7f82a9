/** Annotation of a pod whose change makes kubelet sync it at once, and so publish its volumes again. */
export const republishAnnotation = "aidbox-secrets/republish";

/**
 * Annotation of a Deployment, and of its pods where they were rolled for it: a digest of the versions that the pods' mounts
 * have of what is environment too.
 */
export const environmentAnnotation = "aidbox-secrets/environment";

/**
 * Annotation of a Deployment whose environment changed and which was not rolled for it yet: since when, in seconds of the Unix
 * epoch. Whoever may not wait for the schedule writes `rollNow` into it.
 */
export const rollPendingAnnotation = "aidbox-secrets/roll-pending";

/** Has the Republisher roll in its next round. */
export const rollNow = "now";
