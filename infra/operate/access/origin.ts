/**
 * Whose a way to a secret is: made by this stack, by Kubernetes itself, by somebody who applied what `rights` prints, or by
 * others. The last ones are to be looked at.
 */
export type Origin = "stack" | "kubernetes" | "rights" | "others";
