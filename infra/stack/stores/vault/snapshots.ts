import type * as pulumi from "@pulumi/pulumi";
import type { Chart } from "cdk8s";
import { Duration } from "cdk8s";
import { DeployedChart } from "../../../../bridge/index";
import { type Vault, VaultSnapshotAccess } from "../../../../constructs/platform/index";
import { vaultSnapshotsName } from "../../../../constructs/stores/vault/names";
import type { ReachableVault } from "../../../cluster/vault-cluster";
import { policyMark, snapshotsRole } from "../../../config/names";
import { podLogin } from "../../../config/stores/vault/login";
import { snapshotsOf } from "../../../config/stores/vault/server";
import { keptClaims } from "../../kept-claims";
import type { VaultStackArgs } from "../../stack-args";
import { type FirstAccess, inVaultOptions } from "./access";
import { snapshotsChart } from "./snapshots-chart";

/** Life of a login that takes a snapshot, in seconds. */
const loginSeconds = 900;

/** Takes snapshots of the stack's own Vault, where the config asks for them, once their login is there. */
export function deploySnapshots(
  { environment, kubernetes }: VaultStackArgs,
  namespaces: DeployedChart<Chart>,
  vault: Vault | undefined,
  reachable: pulumi.Output<ReachableVault>,
  { provider, access }: FirstAccess,
): void {
  if (snapshotsOf(environment) === undefined) return;
  const { release, audience } = environment.vault;
  const login = new VaultSnapshotAccess(
    "vault-snapshots",
    {
      method: podLogin(environment).method,
      authMount: access.authMount,
      role: {
        name: snapshotsRole(environment),
        serviceAccount: vaultSnapshotsName(release),
        namespace: environment.namespaces.vault,
        audience,
        ttl: Duration.seconds(loginSeconds),
      },
      policyMark: policyMark(environment),
      resourceOptions: inVaultOptions(environment, vault, reachable),
    },
    { provider, dependsOn: access },
  );
  new DeployedChart(
    "vault-snapshots",
    ({ app, waitFor }) => {
      const { chart, snapshots } = snapshotsChart(app, environment);
      // No pod mounts it before the first snapshot, and not every class binds it before.
      snapshots.claim.metadata.addAnnotation("pulumi.com/skipAwait", "true");
      waitFor(snapshots.cronJob, login.role);
      return chart;
    },
    {
      provider: kubernetes,
      dependsOn: namespaces,
      transformations: [keptClaims],
    },
  );
}
