/** What a store's releases have in the cluster that nobody else may have, each with the key that names it. */
export interface StoreReleases {
  readonly namespaces: readonly {
    /** Name of its construct. */
    readonly id: string;
    readonly key: string;
    readonly name: string;
    /** Its Pod Security level. */
    readonly level: "restricted" | "privileged";
  }[];
  /** Charts name their cluster-wide objects after the release alone. */
  readonly clusterRoleBindings: readonly {
    readonly key: string;
    readonly name: string;
    /** Namespace of the release that has it. */
    readonly namespace: string;
  }[];
}
