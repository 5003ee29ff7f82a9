import { peerProblems, targetProblems } from "../../constructs/kubernetes/network/rules";
import type { Problem } from "../../constructs/secrets";
import { peers, targets } from "./network-schema";

type Fields = Readonly<Record<string, unknown>>;

/** The rules of who may reach whom, in the config as it is, so that all errors show at once. */
export function networkProblems({ vault, database, republisher, monitoring }: Fields): Problem[] {
  return [
    ...fromProblems("vault.allowFrom", asFields(vault).allowFrom),
    ...toProblems("vault.allowTo", asFields(vault).allowTo),
    ...toProblems("vault.snapshots.allowTo", asFields(asFields(vault).snapshots).allowTo),
    ...fromProblems("monitoring.from", asFields(monitoring).from),
    ...fromProblems("database.allowFrom", asFields(database).allowFrom),
    ...toProblems("republisher.allowTo", asFields(republisher).allowTo),
    ...shutOutProviderProblems(asFields(vault)),
  ];
}

function fromProblems(key: string, value: unknown): Problem[] {
  const known = peers.safeParse(value).data ?? [];
  return known.flatMap((peer, index) => peerProblems(`${key}[${index}]`, peer));
}

function toProblems(key: string, value: unknown): Problem[] {
  const known = targets.safeParse(value).data ?? [];
  return known.flatMap((target, index) => targetProblems(`${key}[${index}]`, target));
}

/** A CSI provider whose pods the stack does not know must be named, or no pod gets its secrets. */
function shutOutProviderProblems({ mode, csiProvider, allowFrom, values }: Fields): Problem[] {
  if (mode !== "dev" && mode !== "standalone" && mode !== "ha") return [];
  const named = peers.safeParse(allowFrom ?? []).data;
  if (named === undefined) return []; // the schema says what is wrong with it
  const isOnNodesNetwork = asFields(asFields(values).csi).hostNetwork === true;
  if (csiProvider === false && named.length === 0) {
    const pods =
      "{ namespaceLabels: { kubernetes.io/metadata.name: NAMESPACE }, podLabels: { app.kubernetes.io/name: vault-csi-provider } }";
    return [
      {
        key: "vault.allowFrom",
        message: `is missing: csiProvider false shuts out the one that the cluster has: name its pods, as ${pods}`,
      },
    ];
  }
  if (csiProvider !== false && isOnNodesNetwork && !named.some((peer) => "cidr" in peer)) {
    return [
      {
        key: "vault.allowFrom",
        message:
          "is missing: values.csi.hostNetwork puts the CSI provider on the nodes' network: name the nodes' addresses, as { cidr: 10.1.0.0/16 }",
      },
    ];
  }
  return [];
}

function asFields(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}
