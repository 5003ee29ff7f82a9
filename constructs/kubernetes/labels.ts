/** Labels by which Services, selectors and people find an Aidbox's objects (Kubernetes' recommended labels). */
export function aidboxLabels(instance: string): Record<string, string> {
  return {
    "app.kubernetes.io/name": "aidbox",
    "app.kubernetes.io/instance": instance,
  };
}
