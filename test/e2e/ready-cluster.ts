import { join } from "node:path";
import { CsiDriver, type HelmChart, Vault } from "../../constructs/platform";
import { kubectl, succeed, vaultCommand } from "./harness";

/** Who reads which paths of the KV mount `secret`. */
export interface Reader {
  /** The names of the role and of its policy. */
  readonly role: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  /** As the SecretProviderClass names them, as `secret/data/aidbox/client`. */
  readonly paths: readonly string[];
}

/** A cluster that has the driver and a Vault in dev mode, installed by Helm as docs/gitops.md says. */
export class ReadyCluster {
  private constructor(
    /** URL of Vault as pods and this machine reach it. */
    public readonly vaultAddress: string,
  ) {}

  public static readonly rootToken = "root-of-the-ready-cluster";

  public static async start(): Promise<ReadyCluster> {
    await install("csi", "kube-system", CsiDriver.defaultChart, [
      "enableSecretRotation=true",
      "rotationPollInterval=1s",
      "syncSecret.enabled=true",
      "tokenRequests[0].audience=vault",
    ]);
    await install("vault", "vault", Vault.defaultChart, [
      "csi.enabled=true",
      "injector.enabled=false",
      "server.dev.enabled=true",
      `server.dev.devRootToken=${ReadyCluster.rootToken}`,
    ]);
    const rollouts = ["kube-system", "vault"].map((namespace) =>
      kubectl("-n", namespace, "rollout", "status", "daemonset", "--timeout=120s"),
    );
    const server = async (): Promise<void> => {
      for (const state of ["create", "condition=Ready"]) {
        await kubectl("-n", "vault", "wait", `--for=${state}`, "pod/vault-0", "--timeout=120s");
      }
    };
    await Promise.all([...rollouts, server()]);
    const address = await kubectl("-n", "vault", "get", "service", "vault", "-o", "jsonpath={.spec.clusterIP}");
    return new ReadyCluster(`http://${address}:8200`);
  }

  /** Lets pods of the cluster log in. */
  public async allowLogins(): Promise<void> {
    await vaultCommand(["auth", "enable", "kubernetes"]);
    await vaultCommand(["write", "auth/kubernetes/config", "kubernetes_host=https://kubernetes.default.svc"]);
  }

  public async forbidLogins(): Promise<void> {
    await vaultCommand(["auth", "disable", "kubernetes"]);
  }

  /** Makes the role and its policy, which reads exactly these paths. */
  public async admit({ role, namespace, serviceAccount, paths }: Reader): Promise<void> {
    const policy = paths.map((path) => `path "${path}" { capabilities = ["read"] }`).join("\n");
    await this.vault(["policy", "write", role, "-"], policy);
    const bound = [
      `bound_service_account_names=${serviceAccount}`,
      `bound_service_account_namespaces=${namespace}`,
      "audience=vault",
      `token_policies=${role}`,
    ];
    await this.vault(["write", `auth/kubernetes/role/${role}`, ...bound]);
  }

  /** A token with one policy of this text, and with what each token may do. */
  public async makeToken(policy: string, text: string): Promise<string> {
    await this.vault(["policy", "write", policy, "-"], text);
    return this.vault(["token", "create", "-orphan", `-policy=${policy}`, "-field=token"]);
  }

  /** Writes all values of a path. */
  public async seed(path: string, values: Readonly<Record<string, string>>): Promise<void> {
    await this.vault(["kv", "put", "-mount=secret", logical(path), "-"], JSON.stringify(values));
  }

  /** Changes the value of one key. */
  public async change(path: string, key: string, value: string): Promise<void> {
    await this.vault(["kv", "patch", "-mount=secret", logical(path), `${key}=-`], value);
  }

  public async read(path: string, key: string): Promise<string> {
    return this.vault(["kv", "get", "-mount=secret", `-field=${key}`, logical(path)]);
  }

  /** Takes Vault and the driver away; Helm leaves the driver's CRDs. */
  public async stop(): Promise<void> {
    await succeed("helm", ["uninstall", "vault", "--namespace", "vault", "--wait"]);
    await succeed("helm", ["uninstall", "csi", "--namespace", "kube-system", "--wait"]);
    await kubectl("delete", "namespace", "vault");
  }

  private vault(args: readonly string[], input = ""): Promise<string> {
    return succeed("kubectl", ["-n", "vault", "exec", "-i", "vault-0", "--", "vault", ...args], { input });
  }
}

function logical(path: string): string {
  return path.replace("secret/data/", "");
}

async function install(release: string, namespace: string, chart: HelmChart, values: readonly string[]): Promise<void> {
  if (!("repository" in chart)) throw new Error(`the chart of ${release} is of no repository`);
  const { CHARTS_DIR: folder } = process.env;
  const source =
    folder === undefined
      ? [chart.name, "--repo", chart.repository, "--version", chart.version]
      : [join(folder, chart.name)];
  const place = ["--namespace", namespace, "--create-namespace"];
  await succeed("helm", ["install", release, ...source, ...place, ...values.flatMap((value) => ["--set", value])]);
}
