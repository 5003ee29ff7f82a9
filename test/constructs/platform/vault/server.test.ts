import { Size } from "cdk8s";
import type { AuditLog, AutoUnseal, HaServer, StandaloneServer } from "../../../../constructs/platform";
import { serverConfig, storedServerValues, tlsFolder } from "../../../../constructs/platform/vault/server";

const standalone: StandaloneServer = {
  mode: "standalone",
  storage: { size: Size.gibibytes(5) },
  tls: { secretName: "vault-tls", caConfigMapName: "vault-ca" },
};
const ha: HaServer = { ...standalone, mode: "ha", replicas: 3 };

const seals: Record<AutoUnseal["type"], AutoUnseal> = {
  transit: {
    type: "transit",
    address: "https://keys.example:8200",
    keyName: "unseal",
    tokenSecretName: "vault-seal-token",
  },
  awskms: { type: "awskms", region: "eu-central-1", kmsKeyId: "alias/vault" },
  azurekeyvault: { type: "azurekeyvault", tenantId: "tenant", vaultName: "keys", keyName: "unseal" },
  gcpckms: { type: "gcpckms", project: "site", region: "global", keyRing: "vault", cryptoKey: "unseal" },
};
const everySeal = Object.values(seals);

interface Config {
  readonly disable_mlock: boolean;
  readonly listener: readonly Record<string, Record<string, unknown>>[];
  readonly storage: readonly {
    readonly raft: { readonly path: string; readonly retry_join?: readonly Record<string, string>[] };
  }[];
  readonly seal?: readonly Record<string, Record<string, string>>[];
}

const auditLog: AuditLog = {
  place: { size: Size.gibibytes(8), storageClass: "slow" },
  rotateAt: Size.mebibytes(100),
  keep: 20,
};

interface Values {
  readonly standalone?: { readonly enabled: boolean; readonly config: string };
  readonly ha: {
    readonly apiAddr: string;
    readonly enabled?: boolean;
    readonly replicas?: number;
    readonly raft?: { readonly enabled: boolean; readonly setNodeId: boolean; readonly config: string };
  };
  readonly affinity?: object | string;
  readonly dataStorage: object;
  readonly persistentVolumeClaimRetentionPolicy: object;
  readonly volumes: readonly { readonly name: string }[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly auditStorage?: object;
  readonly extraContainers: readonly {
    readonly name: string;
    readonly volumeMounts: readonly object[];
    readonly image: string;
    readonly command: readonly string[];
    readonly securityContext: object;
  }[];
  readonly shareProcessNamespace: boolean;
  readonly extraEnvironmentVars: Record<string, string>;
  readonly extraSecretEnvironmentVars?: readonly object[];
}

const release = (releaseName: string) => ({ releaseName, namespace: "secrets", image: "hashicorp/vault:2.0.4" });

function configOf(server: StandaloneServer | HaServer, releaseName = "vault"): Config {
  return JSON.parse(serverConfig(server, release(releaseName))) as Config;
}

function valuesOf(server: StandaloneServer | HaServer, releaseName = "vault"): Values {
  return storedServerValues(server, release(releaseName)) as Values;
}

const servers: [name: string, server: StandaloneServer | HaServer][] = [
  ["one server", standalone],
  ["three servers", ha],
  ["five servers", { ...ha, replicas: 5 }],
];

describe.each(servers)("the configuration of %s", (_, server) => {
  test("is this", () => {
    expect(configOf(server)).toMatchSnapshot();
  });

  test("has no listener without TLS", () => {
    const { listener } = configOf(server);
    expect(listener.map((each) => Object.keys(each))).toEqual([["tcp"]]);
    const { tcp } = listener[0]!;
    expect(tcp).toMatchObject({ tls_cert_file: "/vault/tls/tls.crt", tls_key_file: "/vault/tls/tls.key" });
    expect(serverConfig(server, release("vault"))).not.toMatch(/tls_disable|http:/);
  });

  test("takes TLS 1.2 at least", () => {
    expect(configOf(server).listener[0]!.tcp).toMatchObject({ tls_min_version: "tls12" });
  });

  test("takes TLS 1.3 alone where it shall", () => {
    expect(configOf({ ...server, tlsMinVersion: "1.3" }).listener[0]!.tcp).toMatchObject({ tls_min_version: "tls13" });
  });

  test("keeps what it holds in integrated storage, on the volume", () => {
    expect(configOf(server).storage.map(({ raft }) => raft.path)).toEqual(["/vault/data"]);
  });

  test("has no seal: operators unseal it", () => {
    expect(configOf(server)).not.toHaveProperty("seal");
  });

  test("is the same in the values, as it is the whole of it", () => {
    const { standalone: alone, ha: several } = valuesOf(server);
    expect(alone?.config ?? several.raft?.config).toBe(serverConfig(server, release("vault")));
  });
});

test("metrics come without a token by a port of their own, by the same TLS, and nowhere else", () => {
  const { listener, telemetry } = configOf({ ...ha, metrics: true }) as unknown as {
    readonly listener: readonly { readonly tcp: Record<string, unknown> }[];
    readonly telemetry: unknown;
  };
  const [api, metrics] = listener.map(({ tcp }) => tcp);
  expect(api).not.toHaveProperty("telemetry");
  expect(metrics).toEqual({
    ...api,
    address: "[::]:8202",
    cluster_address: "127.0.0.1:8203",
    telemetry: [{ unauthenticated_metrics_access: true }],
  });
  expect(telemetry).toEqual([{ prometheus_retention_time: "24h", disable_hostname: true }]);
  expect(valuesOf({ ...ha, metrics: true })).toMatchObject({ extraPorts: [{ containerPort: 8202, name: "metrics" }] });
  expect([configOf(ha), valuesOf(ha)].map((each) => JSON.stringify(each)).join()).not.toMatch(
    /telemetry|8202|extraPorts/,
  );
});

test("one server joins no other", () => {
  expect(configOf(standalone).storage).toEqual([{ raft: { path: "/vault/data" } }]);
});

test.each([3, 5] as const)("each of %i servers joins whichever leads, by TLS with the CA", (replicas) => {
  const { retry_join: peers } = configOf({ ...ha, replicas }, "store").storage[0]!.raft;
  expect(peers).toEqual(
    Array.from({ length: replicas }, (_, index) => ({
      leader_api_addr: `https://store-${index}.store-internal.secrets.svc:8200`,
      leader_ca_cert_file: "/vault/tls/ca.crt",
    })),
  );
});

describe.each(everySeal)("a seal of type $type", (seal) => {
  const server: HaServer = { ...ha, seal };

  test("is configured as this", () => {
    expect(configOf(server).seal).toMatchSnapshot();
    expect(Object.keys(configOf(server).seal![0]!)).toEqual([seal.type]);
  });

  test("is the same for one server", () => {
    expect(configOf({ ...standalone, seal }).seal).toEqual(configOf(server).seal);
  });

  test("brings no credentials into the configuration", () => {
    expect(serverConfig(server, release("vault"))).not.toMatch(/token|access_key|secret_key|client_secret|credentials/);
  });
});

describe("the token of a transit seal", () => {
  const server: StandaloneServer = { ...standalone, seal: seals.transit };

  test("comes from its Secret alone", () => {
    expect(valuesOf(server).extraSecretEnvironmentVars).toEqual([
      { envName: "VAULT_TOKEN", secretName: "vault-seal-token", secretKey: "token" },
    ]);
    expect(serverConfig(server, release("vault"))).not.toContain("vault-seal-token");
  });

  test.each(["awskms", "azurekeyvault", "gcpckms"] as const)("is none for %s", (type) => {
    expect(valuesOf({ ...standalone, seal: seals[type] })).not.toHaveProperty("extraSecretEnvironmentVars");
  });
});

// VAULT_CACERT, for whoever runs Vault's command line in the pod, would be the transit seal's CA too.
describe("a transit seal trusts", () => {
  const sealOf = (change: object): Record<string, string> => {
    const seal = { ...seals.transit, ...change };
    expect(valuesOf({ ...standalone, seal }).extraEnvironmentVars).toEqual({ VAULT_CACERT: "/vault/tls/ca.crt" });
    return configOf({ ...standalone, seal }).seal![0]!.transit!;
  };

  test("the CAs that everybody trusts, and not this Vault's", () => {
    expect(sealOf({}).tls_ca_cert).toBe("/etc/ssl/certs/ca-certificates.crt");
  });

  test("nobody where it goes without TLS", () => {
    expect(sealOf({ address: "http://10.0.0.1:8200" })).not.toHaveProperty("tls_ca_cert");
  });

  test("the other Vault's own CA, which lies in the Secret of its token", () => {
    expect(sealOf({ trustsOwnCa: true }).tls_ca_cert).toBe("/vault/seal/ca.crt");
    const { volumes, volumeMounts } = valuesOf({
      ...standalone,
      seal: { ...seals.transit, trustsOwnCa: true } as AutoUnseal,
    });
    expect(volumes).toContainEqual({
      name: "seal",
      secret: { secretName: "vault-seal-token", items: [{ key: "ca.crt", path: "ca.crt" }] },
    });
    expect(volumeMounts).toContainEqual({ name: "seal", mountPath: "/vault/seal", readOnly: true });
  });
});

describe("credentials of a cloud", () => {
  test.each<[what: string, seal: AutoUnseal, expected: object]>([
    [
      "AWS, by an IAM role",
      { ...seals.awskms, roleArn: "arn:aws:iam::111122223333:role/vault" } as AutoUnseal,
      { serviceAccount: { annotations: { "eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/vault" } } },
    ],
    [
      "Azure, by a managed identity",
      { ...seals.azurekeyvault, clientId: "client" } as AutoUnseal,
      {
        serviceAccount: { annotations: { "azure.workload.identity/client-id": "client" } },
        extraLabels: { "azure.workload.identity/use": "true" },
      },
    ],
    [
      "Google, by a service account",
      { ...seals.gcpckms, serviceAccount: "vault@site.iam.gserviceaccount.com" } as AutoUnseal,
      { serviceAccount: { annotations: { "iam.gke.io/gcp-service-account": "vault@site.iam.gserviceaccount.com" } } },
    ],
  ])("%s, come to the servers' ServiceAccount and not into the configuration", (_, seal, expected) => {
    const server: StandaloneServer = { ...standalone, seal };
    expect(valuesOf(server)).toMatchObject(expected);
    expect(configOf(server).seal).toEqual(configOf({ ...standalone, seal: seals[seal.type] }).seal);
  });

  test.each(["awskms", "azurekeyvault", "gcpckms"] as const)("are the node's for %s by default", (type) => {
    const values = valuesOf({ ...standalone, seal: seals[type] });
    expect(values).not.toHaveProperty("serviceAccount");
    expect(values).not.toHaveProperty("extraLabels");
  });
});

test("a transit mount may lie at another path", () => {
  const seal = { ...seals.transit, mountPath: "keys/transit" } as AutoUnseal;
  expect(configOf({ ...standalone, seal }).seal).toMatchObject([{ transit: { mount_path: "keys/transit/" } }]);
});

describe.each(servers)("the chart's values of %s", (_, server) => {
  test("are these", () => {
    expect(valuesOf(server)).toMatchSnapshot();
  });

  test("mount the certificate, and the CA of the others', where the configuration looks for them", () => {
    const { volumes, volumeMounts } = valuesOf(server);
    expect(volumes.find(({ name }) => name === "tls")).toEqual({
      name: "tls",
      projected: {
        sources: [
          {
            secret: {
              name: "vault-tls",
              items: [
                { key: "tls.crt", path: "tls.crt" },
                { key: "tls.key", path: "tls.key" },
              ],
            },
          },
          { configMap: { name: "vault-ca", items: [{ key: "ca.crt", path: "ca.crt" }] } },
        ],
      },
    });
    expect(volumeMounts.find(({ name }) => name === "tls")).toEqual({
      name: "tls",
      mountPath: tlsFolder,
      readOnly: true,
    });
  });

  test("say the address by which a client may be sent on to a server, which its certificate names", () => {
    expect(valuesOf(server, "store").ha.apiAddr).toBe("https://$(VAULT_K8S_POD_NAME).store-internal.secrets.svc:8200");
  });

  test("have a container of the same image that signals Vault, under the restricted level", () => {
    const { extraContainers, shareProcessNamespace } = valuesOf({ ...server, auditLog });
    expect(shareProcessNamespace).toBe(true);
    expect(extraContainers.map(({ name }) => name)).toEqual(["certificate-reloader", "audit-log-rotator"]);
    for (const { image, securityContext, command } of extraContainers) {
      expect(image).toBe("hashicorp/vault:2.0.4");
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        capabilities: { drop: ["ALL"] },
        readOnlyRootFilesystem: true,
        seccompProfile: { type: "RuntimeDefault" },
      });
      // A probe's `vault status`, which is younger, is no server.
      expect(command[2]).toContain("kill -HUP $(pidof vault | tr ' ' '\\n' | sort -n | head -n 1)");
    }
  });

  test("hold no key", () => {
    expect(JSON.stringify(valuesOf(server))).not.toMatch(/PRIVATE KEY|caKey|ca-key/);
  });
});

describe("volumes", () => {
  test.each([
    ["stay by default", undefined, "Retain"],
    ["stay where they shall", true, "Retain"],
    ["go with the release where they shall", false, "Delete"],
  ])("%s", (_, retain, whenDeleted) => {
    const storage = { size: Size.gibibytes(5), ...(retain === undefined ? {} : { retain }) };
    const { persistentVolumeClaimRetentionPolicy } = valuesOf({ ...ha, storage });
    expect(persistentVolumeClaimRetentionPolicy).toEqual({ whenDeleted, whenScaled: "Retain" });
  });

  test("are of the cluster's own storage class by default", () => {
    expect(valuesOf(ha).dataStorage).toEqual({ enabled: true, size: "5Gi" });
  });

  test("are of the storage class that is wanted", () => {
    const storage = { size: Size.gibibytes(20), storageClass: "fast" };
    expect(valuesOf({ ...ha, storage }).dataStorage).toEqual({ enabled: true, size: "20Gi", storageClass: "fast" });
  });
});

describe("the audit log", () => {
  const rotatorOf = (log: AuditLog): Values["extraContainers"][number] =>
    valuesOf({ ...ha, auditLog: log }).extraContainers.at(-1)!;

  test("has a volume of its own for each server, which the rotator mounts too", () => {
    expect(valuesOf({ ...ha, auditLog }).auditStorage).toEqual({ enabled: true, size: "8Gi", storageClass: "slow" });
    expect(rotatorOf(auditLog).volumeMounts).toEqual([{ name: "audit", mountPath: "/vault/audit" }]);
    expect(rotatorOf(auditLog).command[2]).toContain("log=/vault/audit/audit.log\n");
  });

  // Kubernetes refuses an update of a StatefulSet's volumeClaimTemplates, and so Helm an upgrade.
  test("adds no volume to servers that were made without one", () => {
    const values = valuesOf({ ...ha, auditLog: { ...auditLog, place: "storage" } });
    expect(values).not.toHaveProperty("auditStorage");
    expect(rotatorOf({ ...auditLog, place: "storage" }).volumeMounts).toEqual([
      { name: "data", mountPath: "/vault/data" },
    ]);
  });

  test("changes nothing where there is none", () => {
    expect(valuesOf({ ...ha, auditLog: undefined })).toEqual(valuesOf(ha));
  });
});

describe("servers lie", () => {
  const labelSelector = { matchLabels: { "app.kubernetes.io/instance": "store", component: "server" } };
  const term = { labelSelector, topologyKey: "kubernetes.io/hostname" };
  const affinityOf = (antiAffinity?: HaServer["antiAffinity"]): unknown =>
    valuesOf({ ...ha, ...(antiAffinity === undefined ? {} : { antiAffinity }) }, "store").affinity;
  const required = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } };

  test("on nodes of their own by default", () => {
    expect(affinityOf()).toEqual(required);
  });

  test("on nodes of their own where they must", () => {
    expect(affinityOf("required")).toEqual(required);
  });

  test("on nodes of their own where there are enough", () => {
    expect(affinityOf("preferred")).toEqual({
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm: term }],
      },
    });
  });

  test("anywhere, without the chart's own rule too", () => {
    expect(affinityOf("none")).toBe("");
  });

  test("anywhere where there is one", () => {
    expect(valuesOf(standalone)).not.toHaveProperty("affinity");
  });
});

test("the Service, by which pods log in, leads to servers that are ready alone", () => {
  for (const server of [standalone, ha]) {
    expect(valuesOf(server)).toMatchObject({ service: { publishNotReadyAddresses: false } });
  }
});
