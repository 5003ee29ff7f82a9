import { mostReplicas } from "../../../../constructs/kubernetes/aidbox/roll";
import type { Publications } from "../../../../constructs/stores/azure-key-vault/load";
import { publicationSeconds, republishes } from "../../rotation-bound";

/** The least time after which kubelet publishes a volume again by itself, in seconds. */
const kubeletSeconds = 60;

/** What publishes the secrets of an Aidbox: each pod reads each of them, as often as its bound wants. */
export function publicationsOf(
  secrets: number,
  aidbox: Parameters<typeof mostReplicas>[0],
  rotationBoundSeconds: number,
): Publications {
  const pods = mostReplicas(aidbox);
  const everySeconds = republishes({ rotationBoundSeconds })
    ? rotationBoundSeconds - publicationSeconds
    : kubeletSeconds;
  return { objects: secrets * pods, pods, everySeconds };
}
