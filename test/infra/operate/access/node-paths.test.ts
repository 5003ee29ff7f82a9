import type { V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { waysToNode } from "../../../../infra/operate/access/node-paths";

/** A pod as JSON has it. */
const pod = (spec: object): V1Pod =>
  JSON.parse(JSON.stringify({ spec: { containers: [{ name: "c" }], ...spec } })) as V1Pod;
const mounting = (path: string): V1Pod => pod({ volumes: [{ name: "v", hostPath: { path } }] });

test.each([
  "/",
  "/var",
  "/var/lib/kubelet",
  "/var/lib/kubelet/",
  "/var/lib/kubelet/pods",
  "/var/lib/kubelet/pods/uid/volumes",
  "/var/lib/kubelet/../kubelet",
  "/run/containerd/containerd.sock",
  "/var/run/docker.sock",
  "/etc/kubernetes/manifests",
  "/var/run/secrets-store-csi-providers",
  "/proc",
])("a pod that mounts %s reaches the others", (path) => {
  expect(waysToNode(mounting(path))).toEqual([`mounts ${path} of the node`]);
});

test.each([
  "/var/log",
  "/var/lib/kubelet/plugins",
  "/var/lib/kubelet/plugins_registry",
  "/etc/ssl",
  "/opt",
  "/processes",
])("one that mounts %s does not", (path) => {
  expect(waysToNode(mounting(path))).toEqual([]);
});

test.each<[object, string]>([
  [{ containers: [{ name: "c", securityContext: { privileged: true } }] }, "is privileged"],
  [{ initContainers: [{ name: "c", securityContext: { privileged: true } }] }, "is privileged"],
  [{ ephemeralContainers: [{ name: "c", securityContext: { privileged: true } }] }, "is privileged"],
  [{ hostPID: true }, "sees the node's processes (hostPID)"],
  [
    { containers: [{ name: "c", securityContext: { capabilities: { add: ["CAP_SYS_ADMIN", "NET_ADMIN"] } } }] },
    "has the capability SYS_ADMIN",
  ],
])("one with %j does", (spec, way) => {
  expect(waysToNode(pod(spec))).toEqual([way]);
});

test("one with nothing of it does not", () => {
  expect(waysToNode(pod({ volumes: [{ name: "v", emptyDir: {} }] }))).toEqual([]);
});
