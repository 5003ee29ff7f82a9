import type { V1DaemonSet } from "@kubernetes/client-node" with { "resolution-mode": "import" };

/** Label of the driver's DaemonSets, by its own chart and by clouds' add-ons. */
export const driverLabel = "app=secrets-store-csi-driver";

/** The one of several DaemonSets that runs pods: beside that for Linux an add-on has one for Windows, wanted on no node. */
export function running(daemonSets: readonly V1DaemonSet[]): V1DaemonSet | undefined {
  const wanted = ({ status }: V1DaemonSet): number => status?.desiredNumberScheduled ?? 0;
  return [...daemonSets].sort((one, other) => wanted(other) - wanted(one))[0];
}

/**
 * How often a driver looks by itself for new values, in seconds; undefined where it does not. Before 1.6 it had to: kubelet
 * publishes nothing again there, so a new value comes neither sooner by the Republisher nor by `rotate`.
 */
export function pollSeconds({ spec }: V1DaemonSet): number | undefined {
  const args =
    spec?.template.spec?.containers.flatMap(({ args: own = [], command = [] }) => [...command, ...own]) ?? [];
  const flags = new Map(
    args.map((arg) => {
      const [name = "", value = "true"] = arg.replace(/^--?/, "").split("=");
      return [name, value.replaceAll('"', "")] as const;
    }),
  );
  if (flags.get("enable-secret-rotation") !== "true") return undefined;
  return goSeconds(flags.get("rotation-poll-interval") ?? "2m");
}

/** What is left to driver and provider beside the poll, in seconds. */
const marginSeconds = 30;

/** The least `rotationBound`, in seconds, that a driver keeps which polls; never one that the Republisher would have to keep. */
export function leastBoundOf(poll: number): number {
  return Math.max(poll + marginSeconds, 90);
}

/** Seconds of a duration as Go writes it: 2m, 1h0m0s, 90s. */
function goSeconds(text: string): number {
  const units: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1 };
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(h|m(?!s)|s)/g)];
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * units[unit!]!, 0);
}
