import { aidboxLabels } from "../labels";
import { defaultName, defaultPort, metricsPortOf } from "./defaults";

/** What all of an Aidbox's objects say of it. */
export interface Identity {
  /** Name of the Deployment and its container; the names of all else begin with it. */
  readonly name: string;
  /** Labels of each object, by which Services, budgets and policies find the pods. */
  readonly labels: Record<string, string>;
  /** TCP port of Aidbox in its pods. */
  readonly webPort: number;
  /** Undefined where Aidbox serves no metrics. */
  readonly metricsPort: number | undefined;
}

export function identityOf(props: {
  readonly name?: string;
  readonly port?: number;
  readonly metricsPort?: number;
  readonly serviceMonitor?: object;
}): Identity {
  const name = props.name ?? defaultName;
  return {
    name,
    labels: aidboxLabels(name),
    webPort: props.port ?? defaultPort,
    metricsPort: metricsPortOf(props),
  };
}
