/** Labels by which Services, selectors and people find an Aidbox's objects (Kubernetes' recommended labels). */
export function aidboxLabels(instance: string): Record<string, string> {
  return {
    "app.kubernetes.io/name": "aidbox",
    "app.kubernetes.io/instance": instance,
  };
}

/** Labels as a selector's text, as `kubectl --selector` and the API server take it. */
export function labelSelector(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([label, value]) => `${label}=${value}`)
    .join(",");
}
