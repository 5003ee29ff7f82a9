import {
  Capability,
  type ContainerProps,
  type ContainerSecurityContextProps,
  type PodSecurityContextProps,
  SeccompProfileType,
} from "cdk8s-plus-28";

/** As whom the containers run. What is not named here is as the `restricted` Pod Security level wants it. */
export interface SecurityOptions {
  /**
   * Whether the containers' root file systems are read-only; `/tmp` of Aidbox is writable either way.
   * @default true
   */
  readonly readOnlyRootFilesystem?: boolean;
  /**
   * User of the processes; not 0, which is root.
   * @default 1000, the image's own
   */
  readonly user?: number;
  /** @default - the same number as the user */
  readonly group?: number;
  /**
   * Group of the volumes' files.
   * @default - the group
   */
  readonly fsGroup?: number;
}

const imageUser = 1000;

/** The security context of every container, and that of the pod. */
export function securityContexts(props: SecurityOptions = {}): {
  readonly container: ContainerSecurityContextProps;
  readonly pod: PodSecurityContextProps;
} {
  const user = props.user ?? imageUser;
  const group = props.group ?? user;
  return {
    container: {
      ensureNonRoot: true,
      user,
      group,
      readOnlyRootFilesystem: props.readOnlyRootFilesystem ?? true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: [Capability.ALL] },
      seccompProfile: { type: SeccompProfileType.RUNTIME_DEFAULT },
    },
    pod: { ensureNonRoot: true, user, group, fsGroup: props.fsGroup ?? group },
  };
}

/** A container with every setting of the security context that it does not have itself. */
export function restricted(container: ContainerProps, defaults: ContainerSecurityContextProps): ContainerProps {
  return { ...container, securityContext: { ...defaults, ...container.securityContext } };
}
