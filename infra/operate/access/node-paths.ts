import type { V1Container, V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };

/** Folders of a node that hold pods' files or tokens, or by which one becomes the node. */
const secretFolders = [
  "/var/lib/kubelet/pods",
  "/var/lib/kubelet/pki",
  "/etc/kubernetes",
  "/var/lib/etcd",
  "/run/containerd",
  "/run/crio",
  "/run/docker.sock",
  "/run/secrets-store-csi-providers",
  "/var/lib/containerd",
  "/var/lib/containers",
  "/var/lib/docker",
  "/proc",
  "/dev",
];

const strongCapabilities = ["ALL", "SYS_ADMIN", "SYS_PTRACE", "SYS_MODULE", "DAC_READ_SEARCH"];

/** By what a pod reaches what other pods of its node have, a part of a sentence each; none where it does not. */
export function waysToNode({ spec }: V1Pod): string[] {
  const containers: readonly V1Container[] = [
    ...(spec?.containers ?? []),
    ...(spec?.initContainers ?? []),
    ...(spec?.ephemeralContainers ?? []),
  ];
  const paths = spec?.volumes?.flatMap(({ hostPath }) => hostPath?.path ?? []) ?? [];
  const added = containers.flatMap(({ securityContext }) => securityContext?.capabilities?.add ?? []);
  const strong = added.map((name) => name.replace(/^CAP_/, "")).filter((name) => strongCapabilities.includes(name));
  return [
    ...(containers.some(({ securityContext }) => securityContext?.privileged === true) ? ["is privileged"] : []),
    ...new Set(paths.filter(holdsSecrets).map((path) => `mounts ${path} of the node`)),
    ...(spec?.hostPID === true ? ["sees the node's processes (hostPID)"] : []),
    ...new Set(strong.map((name) => `has the capability ${name}`)),
  ];
}

/** Whether a folder of the node has such a folder in it, or is in one. */
function holdsSecrets(path: string): boolean {
  const folder = `${normal(path)}/`.replace("//", "/");
  return secretFolders.some((each) => `${each}/`.startsWith(folder) || folder.startsWith(`${each}/`));
}

/** `/var/run` is `/run` on a node. */
function normal(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== "" && segment !== ".") segments.push(segment);
  }
  return `/${segments.join("/")}`.replace(/^\/var\/run(?=\/|$)/, "/run");
}
