import { KubeApi } from "../cluster/kube-api";
import { findInstalledPulumi } from "../cli/pulumi-cli";
import type { Environment } from "../config/environment";

/** Something that going live needs and this machine lacks. */
export interface Lack {
  readonly what: string;
  readonly howToGet: string;
}

/** What this machine lacks to go live with an environment. */
export async function findLacks(environment: Environment): Promise<Lack[]> {
  const lacks: Lack[] = [];
  if (findInstalledPulumi() === undefined) {
    lacks.push({
      what: "the Pulumi CLI on PATH",
      howToGet: "`npm run up` downloads it at first use; or install it: https://www.pulumi.com/docs/install/",
    });
  }
  if (!(await KubeApi.contexts()).includes(environment.kubeContext)) {
    lacks.push({
      what: `the kube context "${environment.kubeContext}"`,
      howToGet:
        environment.kubeContext === "kind-aidbox"
          ? "`kind create cluster --name aidbox` makes it; or pass --config kubeContext=NAME with one of your own"
          : "set KUBECONFIG to the file that has it, or pass --config kubeContext=NAME",
    });
  }
  return lacks;
}
