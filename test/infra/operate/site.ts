import { environmentAnnotation } from "../../../constructs/kubernetes";
import type { Secret } from "../../../constructs/secrets";
import { readPolicy } from "../../../constructs/stores/vault";
import { fileContent } from "../../../constructs/stores/vault/file-content";
import { everyKeyOf, withKeys } from "../../../infra/config/all-keys";
import type { VaultEnvironment } from "../../../infra/config/environment";
import { vaultPaths } from "../../../infra/config/stores/vault/server";
import { operatorRights, type OperatorRole } from "../../../infra/operate/rights";
import { checkVaultEnvironment } from "../vault-environment";
import { addAidboxPod, addDeployed, longAgo } from "./deployed";
import { FakeKubernetes, podToken } from "./fake-kubernetes";
import { OperatedVault } from "./operated-vault";

export { longAgo, node } from "./deployed";

/** Token of an operator who may do everything in Vault. */
export const rootToken = "hvs.root";

export const clientSecret = "/run/vault-secrets/client-secret";

/** Config of an environment whose Vault is outside of the cluster. */
export const config = {
  allowPlaintext: ["vault.addressFromHere"],
  kubeContext: "somewhere",
  secrets: [
    { name: "client-secret", path: "aidbox/client", scope: { resourceType: "Client", id: "basic" } },
    { name: "neighbour", path: "aidbox/client" },
    { name: "admin-password", path: "aidbox/admin", environment: "BOX_ADMIN_PASSWORD", source: "seeded" },
    { name: "db-password", path: "aidbox/db", source: "managed" },
  ],
  namespaces: { aidbox: "health", vault: "vault-csi" },
  vault: { mode: "external", address: "https://vault.example:8200", login: { method: "kubernetes" } },
  aidbox: { image: "healthsamurai/aidboxone:2605" },
};

/** A row that `config` has not: the password of a static role of Vault's database engine. */
export const staticRole = { name: "box-password", path: "box", source: "database" };

/** The values that the secrets have at first; none may ever be shown. */
export const values = {
  "client-secret": "first hunter2",
  neighbour: "neighbour's hunter2",
  "admin-password": "admin's hunter2",
  "db-password": "database's hunter2",
  "box-password": "box's hunter2",
} as const;

/**
 * An environment of which all is in order: a Vault with its secrets at version 1, and a cluster whose two pods serve them.
 * Its pods' volumes are published at once when that is asked for.
 */
export class Site {
  /** Pods that kubelet does not publish anew, and what it does with them instead. */
  public readonly busy = new Map<string, () => void>();
  /** Whether the driver writes the Kubernetes Secret too. */
  public syncs = true;
  /** Whether the Republisher rolls Aidbox at a change of the Kubernetes Secret. */
  public rolls = true;

  private rolled = 0;
  /** The environment as its pods see it. */
  private mounted: VaultEnvironment;
  /** Values of the table's keypairs by name and part. */
  private readonly pairs: Readonly<Record<string, Readonly<Record<string, string>>>>;

  private constructor(
    public readonly environment: VaultEnvironment,
    public readonly vault: OperatedVault,
    public readonly cluster: FakeKubernetes,
    pairs: Readonly<Record<string, Readonly<Record<string, string>>>>,
  ) {
    this.pairs = pairs;
    this.mounted = environment;
    cluster.onPodChange = (pod) => {
      const instead = this.busy.get(pod);
      if (instead === undefined) this.publish(pod);
      else instead();
    };
  }

  /**
   * @param pairs values of keypairs, by name and part
   * @param changes to the config; another mode of Vault takes the place of all that it says of it
   */
  public static async start(
    changes: Record<string, unknown> = {},
    pairs: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
  ): Promise<Site> {
    const vault = await OperatedVault.start(podToken("health", "aidbox"));
    const vaultChanges = changes.vault as { readonly mode?: string } | undefined;
    const vaultConfig =
      vaultChanges?.mode === undefined
        ? { ...config.vault, addressFromHere: vault.address, ...vaultChanges }
        : vaultChanges;
    const environment = checkVaultEnvironment("test", { ...config, ...changes, vault: vaultConfig });
    const site = new Site(environment, vault, await FakeKubernetes.start(environment.kubeContext), pairs);
    site.fillVault();
    site.fillCluster();
    return site;
  }

  /** Writes the files of a pod, and what is synced, as the driver does: as they are in Vault now. */
  public publish(pod: string): void {
    const { table } = this.mounted;
    const present = table.secrets.filter(({ optional, path }) => optional !== true || !this.vault.lacks(path));
    const files = present.map((secret) => [table.filePath(secret), this.valueOf(secret)] as const);
    this.cluster.files.set(pod, new Map(files));
    if (!this.syncs) return;
    const { data = {} } = this.cluster.object("Secret", "aidbox-environment") as { data?: Record<string, string> };
    for (const secret of table.synced) {
      const [before, now] = [data[secret.environment], Buffer.from(this.valueOf(secret)).toString("base64")];
      data[secret.environment] = now;
      if (before !== undefined && before !== now && this.rolls) this.rollAidbox();
    }
  }

  /** Rolls Aidbox as the Republisher does. */
  public rollAidbox(): void {
    const metadata = { annotations: { [environmentAnnotation]: `${++this.rolled} rolls` } };
    this.cluster.change("Deployment", "aidbox", { metadata, spec: { template: { metadata } } });
  }

  /** A pod of the Deployment that runs, is ready and has its files. */
  public addPod(name: string): void {
    addAidboxPod(this.cluster, this.environment, name);
    this.publish(name);
  }

  /** Gives whoever asks just the documented rights. @returns the Vault token */
  public restrictTo(role: OperatorRole): string {
    const { kubernetes, store: vaultPolicy } = operatorRights(this.environment, role, "operators");
    const token = `hvs.${role}`;
    this.cluster.roles = kubernetes;
    this.vault.allow(token, vaultPolicy, 8 * 24 * 3600);
    return token;
  }

  /** Takes a right of the cluster away again. */
  public revoke(verb: string, resource: string): void {
    this.cluster.roles = structuredClone(this.cluster.roles);
    for (const { rules = [] } of (this.cluster.roles ?? []) as {
      rules?: { resources: string[]; verbs: string[] }[];
    }[]) {
      for (const rule of rules)
        if (rule.resources.includes(resource)) rule.verbs = rule.verbs.filter((each) => each !== verb);
    }
  }

  public async stop(): Promise<void> {
    await Promise.all([this.vault.stop(), this.cluster.stop()]);
  }

  /** The value of a secret in Vault. */
  private valueOf({ path, key, source }: Pick<Secret, "path" | "key" | "source">): string {
    return source === "database"
      ? this.vault.staticRole(path)[key as "username" | "password"]
      : fileContent(this.vault.data(path)[key] ?? "");
  }

  private fillVault(): void {
    const { vault, environment } = this;
    vault.tokens.set(rootToken, { may: "all", ttl: 0 });
    vault.put("aidbox/client", { "client-secret": values["client-secret"], neighbour: values.neighbour }, longAgo);
    vault.put("aidbox/admin", { "admin-password": values["admin-password"] }, longAgo);
    vault.put("aidbox/db", { "db-password": values["db-password"] }, longAgo);
    for (const { path, key, source, pair, isEveryKey } of environment.table.secrets) {
      if (source === "database") {
        vault.staticRoles.set(path, { username: "aidbox", password: values["box-password"], rotatedAt: longAgo });
      } else if (vault.lacks(path)) {
        const ofPair = pair === undefined ? undefined : this.pairs[pair];
        const keys = isEveryKey === true ? ["user", "password"] : [key];
        const others = Object.fromEntries(keys.map((each) => [each, "another's hunter2"]));
        vault.put(path, ofPair === undefined ? others : { ...ofPair }, longAgo);
      }
    }
    vault.entries.set("auth/kubernetes/config", {
      kubernetes_host: "https://kubernetes.default.svc",
      token_reviewer_jwt_set: false,
    });
    vault.entries.set("auth/kubernetes/role/aidbox", {
      bound_service_account_names: ["aidbox"],
      bound_service_account_namespaces: ["health"],
      audience: "vault",
      token_policies: ["aidbox"],
      token_ttl: 3600,
      token_explicit_max_ttl: 3600,
    });
    vault.entries.set("sys/policies/acl/aidbox", { policy: readPolicy(environment.table, vaultPaths(environment)) });
  }

  /** Deploys what an `up` of an environment would, but for Aidbox's pods. */
  public deploy(environment: VaultEnvironment): void {
    this.mounted = environment;
    const provider = { namespace: "vault-csi-provider", name: "vault-node-csi-provider", labels: providerLabels };
    addDeployed(this.cluster, environment, provider, ["vault"]);
  }

  private fillCluster(): void {
    const keys = everyKeyOf(this.environment).map(
      ({ keysOf, path }) => [keysOf!, Object.keys(this.vault.data(path))] as const,
    );
    this.deploy(withKeys(this.environment, new Map(keys)));
    this.addPod("aidbox-a");
    this.addPod("aidbox-b");
  }
}

/** Labels by which the chart's own DaemonSet finds its pods. */
const providerLabels = { "app.kubernetes.io/name": "vault-csi-provider", "app.kubernetes.io/instance": "vault-node" };

/** What is in none of what a command says, returns or fails with. */
const unspeakable = /hunter2|hvs\.|token of system|operator's token/;

/** Fails where a value or a token is in one of these texts, results or errors. */
export function expectNoSecret(...said: readonly unknown[]): void {
  for (const each of said) {
    const text =
      each instanceof Error ? `${each.message}\n${JSON.stringify(Object.entries(each))}` : JSON.stringify(each);
    expect(text).not.toMatch(unspeakable);
    for (const value of Object.values(values)) expect(text).not.toContain(Buffer.from(value).toString("base64"));
  }
}
