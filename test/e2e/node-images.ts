import { kubectl, succeed } from "./harness";

/** Images of the one node, which is this machine, by containerd's `ctr`. */
export class NodeImages {
  private constructor(private readonly ctr: readonly string[]) {}

  /** Finds containerd as kubelet does. */
  public static async open(): Promise<NodeImages> {
    const node = await kubectl("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}");
    const configuration = await kubectl("get", "--raw", `/api/v1/nodes/${node}/proxy/configz`);
    const { kubeletconfig } = JSON.parse(configuration) as { kubeletconfig: { containerRuntimeEndpoint: string } };
    return new NodeImages([
      "--address",
      kubeletconfig.containerRuntimeEndpoint.replace("unix://", ""),
      "--namespace=k8s.io",
      "images",
    ]);
  }

  /** Gives each image another name, as a mirror has it. @returns the names */
  public async mirror(registry: string): Promise<readonly string[]> {
    const names = (await succeed("ctr", [...this.ctr, "list", "--quiet"])).split("\n").filter(Boolean);
    const mirrored = names
      .filter((name) => !name.startsWith("sha256:") && !name.startsWith(registry))
      .map((name) => [name, name.replace(/^[^/]+/, registry)] as const);
    for (const [name, other] of mirrored) await succeed("ctr", [...this.ctr, "tag", "--force", name, other]);
    return mirrored.map(([, other]) => other);
  }

  public async remove(names: readonly string[]): Promise<void> {
    await succeed("ctr", [...this.ctr, "remove", ...names]);
  }
}
