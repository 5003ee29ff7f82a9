import type { Duration } from "cdk8s";

/** What is watched; what is left out has no rules. */
export interface Watched {
  /** Name of the environment, which the rules' groups bear. */
  readonly environment: string;
  /** Vault's servers. @default - a Vault that others watch */
  readonly vault?: WatchedVault;
  /** The Secrets Store CSI driver. @default - one that others watch */
  readonly driver?: WatchedDriver;
  /** The Republishers, by their Deployments. */
  readonly republishers: readonly {
    /** Namespace of the Deployment. */
    readonly namespace: string;
    /** Its name. */
    readonly deployment: string;
  }[];
  /** Whether values may only grow so old, so that their ages are to be known. */
  readonly hasAges: boolean;
}

/** Servers of a Vault in the cluster. */
export interface WatchedVault {
  /** Namespace of its servers. */
  readonly namespace: string;
  /** Name of the StatefulSet, and of the pods before their numbers. */
  readonly name: string;
  /** When the servers' certificate ends, where the stack issues it. @default - it is not known */
  readonly certificateEnd?: Date;
  /** cert-manager's Certificate of the servers. @default - none */
  readonly certificate?: string;
  /** The CronJob that takes snapshots. @default - none are taken */
  readonly snapshots?: {
    /** Name of the CronJob, in the servers' namespace. */
    readonly cronJob: string;
    /** Longest time between two of its runs. */
    readonly longestInterval: Duration;
    /** Whether a run that has not copied its snapshot has failed. @default false */
    readonly areCopied?: boolean;
  };
}

/** The driver's DaemonSet, and the provider that it is watched for. */
export interface WatchedDriver {
  /** Namespace of the DaemonSet. */
  readonly namespace: string;
  /** Its name. */
  readonly daemonSet: string;
  /** As the driver's metrics name it: `vault`. */
  readonly provider: string;
}
